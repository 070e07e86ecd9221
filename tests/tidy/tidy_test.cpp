// Applies the rules of the repository to the repository, and shows on small samples that they bite.

#include "tests/tidy/rules.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using namespace muster::tidy;

namespace {

namespace fs = std::filesystem;

const fs::path source_tree = MUSTER_SOURCE_DIR;
const std::vector<std::string> rooms{"net", "storage", "actors", "apps", "tests", "bench"};

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Our sources, relative to the tree.
std::vector<std::string> sources() {
  std::vector<std::string> paths;
  for (const auto& room : rooms) {
    for (const auto& entry : fs::recursive_directory_iterator(source_tree / room)) {
      const auto extension = entry.path().extension();
      if (entry.is_regular_file() && (extension == ".hpp" || extension == ".cpp")) {
        paths.push_back(entry.path().lexically_relative(source_tree).string());
      }
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool excepted(const finding& found) {
  return std::any_of(exceptions().begin(), exceptions().end(), [&](const auto& exception) {
    return exception.path == found.path && exception.rule == found.rule;
  });
}

/// How many findings one line of a file at that path gives.
std::size_t findings(std::string_view path, std::string_view line) {
  const auto text = (path.ends_with(".hpp") ? "#pragma once\n" : "") + std::string(line) + "\n";
  return check(path, text).size();
}

} // namespace

TEST_CASE("the repository keeps its rules") {
  std::ostringstream report;
  for (const auto& path : sources()) {
    for (const auto& found : check(path, read(source_tree / path))) {
      if (!excepted(found)) {
        report << "\n" << found.path << ":" << found.line << ": " << found.rule;
      }
    }
  }
  CHECK_MESSAGE(report.str().empty(), report.str());
}

TEST_CASE("every exception from a rule is still needed") {
  std::set<std::pair<std::string, std::string>> broken;
  for (const auto& path : sources()) {
    for (const auto& found : check(path, read(source_tree / path))) {
      broken.emplace(found.path, found.rule);
    }
  }
  for (const auto& exception : exceptions()) {
    CAPTURE(exception.path);
    CAPTURE(exception.rule);
    CHECK_FALSE(exception.reason.empty());
    CHECK(broken.contains({std::string(exception.path), std::string(exception.rule)}));
  }
}

TEST_CASE("every room has a README, and there is no room without a name") {
  for (const auto& room : rooms) {
    CAPTURE(room);
    CHECK(fs::is_regular_file(source_tree / room / "README.md"));
  }
  auto known = std::set<std::string>(rooms.begin(), rooms.end());
  known.insert({"cmake", "docs", "build"});
  for (const auto& entry : fs::directory_iterator(source_tree)) {
    const auto name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with(".")) {
      CAPTURE(name);
      CHECK(known.contains(name));
    }
  }
}

TEST_CASE("CAF is found where it does not belong") {
  CHECK(findings("net/frame.cpp", "#include <caf/actor.hpp>") == 1);
  CHECK(findings("storage/store.hpp", "#include <caf/actor.hpp>") == 1);
  CHECK(findings("apps/console/main.cpp", "#include <caf/actor.hpp>") == 1);
  CHECK(findings("actors/rules/backoff.cpp", "#include <caf/actor.hpp>") == 1);
  CHECK(findings("actors/server/session.cpp", "#include <caf/all.hpp>") == 1);
  CHECK(findings("actors/server/session.cpp", "#include <caf/io/middleman.hpp>") == 1);
  CHECK(findings("actors/server/session.cpp", "#include <caf/actor.hpp>") == 0);
  CHECK(findings("net/tcp_port_actor.cpp", "#include <caf/actor.hpp>") == 0);
  CHECK(findings("apps/server/main.cpp", "#include <caf/actor_system.hpp>") == 0);
}

TEST_CASE("libraries are found outside their room") {
  CHECK(findings("actors/server/session.cpp", "#include <openssl/ssl.h>") == 1);
  CHECK(findings("net/tls_engine.cpp", "#include <openssl/ssl.h>") == 0);
  CHECK(findings("actors/agent/event_spool.cpp", "  #include <rocksdb/db.h>") == 1);
  CHECK(findings("storage/rocks_store.cpp", "#include <rocksdb/db.h>") == 0);
  CHECK(findings("actors/agent/collector.cpp", "#include <systemd/sd-bus.h>") == 1);
  CHECK(findings("actors/agent/probe/bus.hpp", "#pragma once\n#include <systemd/sd-bus.h>") == 0);
  CHECK(findings("net/http.cpp", "#include <boost/beast/http/parser.hpp>") == 0);
  CHECK(findings("net/http.hpp", "#include <boost/beast/http/parser.hpp>") == 1);
  CHECK(findings("net/http.cpp", "#include <boost/asio.hpp>") == 1);
}

TEST_CASE("dependencies point one way") {
  CHECK(findings("net/frame.cpp", "#include \"storage/store.hpp\"") == 1);
  CHECK(findings("storage/store.cpp", "#include \"net/frame.hpp\"") == 1);
  CHECK(findings("storage/store.cpp", "#include \"actors/protocol.hpp\"") == 1);
  CHECK(findings("storage/store_writer_actor.cpp", "#include \"actors/protocol.hpp\"") == 0);
  CHECK(findings("storage/store_writer_actor.cpp", "#include \"actors/errc.hpp\"") == 1);
  CHECK(findings("actors/rules/delta.cpp", "#include \"actors/server/session.hpp\"") == 1);
  CHECK(findings("actors/rules/delta.cpp", "#include \"net/link.hpp\"") == 1);
  CHECK(findings("actors/rules/delta.cpp", "#include \"net/wire/agent.pb.h\"") == 0);
  CHECK(findings("actors/rules/delta.cpp", "#include <fstream>") == 1);
  CHECK(findings("actors/server/session.cpp", "#include \"apps/server/options.hpp\"") == 1);
  CHECK(findings("actors/server/session.cpp", "#include \"tests/fakes.hpp\"") == 1);
  CHECK(findings("actors/server/session.cpp", "#include \"session.hpp\"") == 1);
  CHECK(findings("actors/server/session.cpp", "#include \"../protocol.hpp\"") == 1);
  CHECK(findings("actors/server/session.cpp", "#include \"storage/store.hpp\"") == 0);
}

TEST_CASE("words that do not belong are found, and only as whole words") {
  CHECK(findings("net/io_pool.cpp", "thread.detach();") == 1);
  CHECK(findings("tests/net/link_test.cpp", "std::this_thread::sleep_for(1s);") == 1);
  CHECK(findings("tests/net/link_test.cpp", "int no_sleep_for_me = 0;") == 0);
  CHECK(findings("actors/server/session.cpp", "auto t = std::chrono::system_clock::now();") == 1);
  CHECK(findings("actors/rules/schedule.cpp", "auto t = std::chrono::steady_clock::now();") == 1);
  CHECK(findings("storage/store_reader_actor.cpp", "auto t = std::chrono::steady_clock::now();") == 1);
  CHECK(findings("net/io_pool.cpp", "auto t = std::chrono::steady_clock::now();") == 0);
  CHECK(findings("actors/server/server_root.cpp", "spawn<caf::detached>(writer);") == 1);
  CHECK(findings("apps/server/main.cpp", "system.spawn<caf::detached>(writer);") == 0);
  CHECK(findings("actors/server/session.cpp", "caf::optional<int> x;") == 1);
  CHECK(findings("net/frame.cpp", "} catch (...) {") == 1);
}

TEST_CASE("a request with a timeout is found, also over several lines") {
  CHECK(findings("actors/server/session.cpp", "self_->request(writer_, 5s, atom::put_v);") == 1);
  CHECK(findings("actors/server/session.cpp", "self_->request(f(a, b),\n  std::chrono::seconds(5),\n  x);") == 1);
  CHECK(findings("actors/server/session.cpp", "self_->request(f(a, b),\n  caf::infinite, x);") == 0);
  CHECK(findings("net/http.cpp", "parser.request(a, b);") == 0);
}

TEST_CASE("comments and strings may speak of what is forbidden") {
  CHECK(findings("net/frame.cpp", "// never thread.detach()") == 0);
  CHECK(findings("net/frame.cpp", "/* thread.detach()\n thread.detach() */ int x;") == 0);
  CHECK(findings("net/frame.cpp", "auto text = \"a \\\" thread.detach()\";") == 0);
  CHECK(findings("net/frame.cpp", "auto text = R\"x(thread.detach())x\";") == 0);
  CHECK(findings("net/frame.cpp", "int a = 1'000; thread.detach(); char c = 'x';") == 1);
  CHECK(findings("net/frame.cpp", "/* one */ thread.detach();") == 1);
}

TEST_CASE("shape: long files, headers without a guard, markers without a name") {
  std::string text;
  for (int line = 0; line < 400; ++line) {
    text += "\n";
  }
  CHECK(check("net/frame.cpp", text).empty());
  CHECK(check("net/frame.cpp", text + "\n").size() == 1);
  CHECK(check("net/frame.hpp", "int x;\n").size() == 1);
  CHECK(findings("net/frame.cpp", "// TODO: later") == 1);
  CHECK(findings("net/frame.cpp", "// TODO(ann): later") == 0);
}

TEST_CASE("a finding tells file, line and rule") {
  const auto found = check("net/frame.cpp", "int a;\nint b;\n#include \"storage/store.hpp\"\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0] == finding{"net/frame.cpp", 3, "net/ and storage/ do not know each other"});
}
