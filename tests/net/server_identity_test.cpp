#include "net/server_identity.hpp"

#include "tests/net/scratch_directory.hpp"
#include "tests/net/tls_world.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

namespace fs = std::filesystem;

struct identity_world {
  std::int64_t now_s = machine_now_s();
  scratch_directory scratch;
  fs::path directory = scratch / "identity";
  std::string problem;

  std::optional<server_identity> load() {
    return load_or_make_server_identity(directory, now_s, problem);
  }
  server_identity made() {
    auto out = load();
    REQUIRE_MESSAGE(out.has_value(), problem);
    return *std::move(out);
  }
  std::set<std::string> names(const fs::path& where) const {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(where))
      out.insert(entry.path().filename().string());
    return out;
  }
  bool complains_of(const fs::path& file, std::string_view word) {
    const bool refused = !load();
    INFO(problem);
    CHECK(refused);
    CHECK(problem.starts_with(file.string() + ": "));
    CHECK(problem.find('\n') == std::string::npos);
    CHECK(problem.find(word) != std::string::npos);
    return refused;
  }
};

bool same(const server_identity& a, const server_identity& b) {
  return a.server_id == b.server_id && a.wake_seed == b.wake_seed &&
         a.datagram == b.datagram && a.settings_key == b.settings_key &&
         a.authority.self().der() == b.authority.self().der() &&
         a.server_certificate.der() == b.server_certificate.der();
}

} // namespace

TEST_CASE_FIXTURE(identity_world, "a first start makes a whole identity, closed to others") {
  const auto identity = made();
  CHECK(identity.made_now);
  CHECK(mode_of(directory) == 0700);
  CHECK(names(directory) == std::set<std::string>{"authority.key", "authority.pem", "secrets",
                                                  "server.pem", "tickets.keys"});
  for (const auto& name : names(directory))
    CHECK(mode_of(directory / name) == 0600);
  CHECK(names(scratch.path()) == std::set<std::string>{"identity"});
  CHECK(identity.server_id != id_bytes{});
  CHECK(identity.server_certificate.holder_role() == role::server);
  CHECK(identity.server_certificate.holder_id() == identity.server_id);
  CHECK(identity.server_certificate.issued_by(identity.authority.self()));
  CHECK(identity.server_certificate.spki_sha256() == identity.server_key.spki_sha256());
  CHECK(identity.server_certificate.not_after_s() == now_s + 90 * day_s);
  CHECK(identity.tickets != nullptr);
  CHECK(identity.wake_seed != identity.datagram.newest.value);
}

TEST_CASE_FIXTURE(identity_world, "a second start finds the same identity") {
  const auto first = made();
  const auto tickets = first.tickets->keys()->current.secret;
  const auto second = made();
  CHECK_FALSE(second.made_now);
  CHECK(same(first, second));
  CHECK(second.tickets->keys()->current.secret == tickets);
}

TEST_CASE_FIXTURE(identity_world, "an empty directory and a slash at its end are a first start") {
  fs::create_directory(directory);
  set_mode(directory, 0755);
  directory += "/";
  CHECK(made().made_now);
  CHECK(mode_of(scratch / "identity") == 0700);
  CHECK(names(scratch.path()) == std::set<std::string>{"identity"});
}

TEST_CASE_FIXTURE(identity_world, "what a crashed first start left behind is never taken for one") {
  // As after a crash between any two files: the directory in the making has some of them.
  const auto other = scratch / "other";
  std::string ignored;
  REQUIRE(load_or_make_server_identity(other, now_s, ignored).has_value());
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(other))
    files.push_back(entry.path());
  const auto fresh = scratch / "identity.new";
  for (std::size_t count = 0; count <= files.size(); ++count) {
    fs::remove_all(directory);
    fs::create_directory(fresh);
    for (std::size_t i = 0; i < count; ++i)
      fs::copy_file(files[i], fresh / files[i].filename());
    put_content(fresh / "secrets.new", "half");
    const auto identity = made();
    CHECK(identity.made_now);
    CHECK(identity.server_id != load_or_make_server_identity(other, now_s, ignored)->server_id);
    CHECK_FALSE(fs::exists(fresh));
  }
}

TEST_CASE_FIXTURE(identity_world, "a first start killed at any moment is followed by a good one") {
  int killed = 0;
  for (int round = 0; round < 40; ++round) {
    directory = scratch / ("identity" + std::to_string(round));
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const auto identity = load();
      const auto id = identity ? identity->server_id : id_bytes{};
      ::_exit(::write(ends[1], id.data(), id.size()) == 16 ? 0 : 1);
    }
    ::close(ends[1]);
    // Not a wait for something: another moment of its work in each round.
    ::poll(nullptr, 0, round / 2);
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    id_bytes told{};
    const bool finished = ::read(ends[0], told.data(), told.size()) == 16;
    ::close(ends[0]);
    killed += finished ? 0 : 1;
    const auto identity = made();
    if (finished)
      CHECK(identity.server_id == told);
    CHECK(made().server_id == identity.server_id);
    CHECK_FALSE(fs::exists(directory.string() + ".new"));
  }
  CHECK(killed > 0);
}

TEST_CASE_FIXTURE(identity_world, "two first starts at once end with one identity") {
  std::vector<std::optional<server_identity>> found(8);
  std::vector<std::thread> starts;
  for (auto& one : found)
    starts.emplace_back([&] {
      std::string why;
      one = load_or_make_server_identity(directory, now_s, why);
    });
  for (auto& start : starts)
    start.join();
  int makers = 0;
  for (const auto& one : found) {
    REQUIRE(one.has_value());
    CHECK(one->server_id == found.front()->server_id);
    makers += one->made_now ? 1 : 0;
  }
  CHECK(makers == 1);
}

TEST_CASE_FIXTURE(identity_world, "a missing core file is a loss, not a first start") {
  for (const auto* name : {"authority.key", "authority.pem", "secrets"}) {
    CAPTURE(name);
    static_cast<void>(made());
    fs::rename(directory / name, scratch / name);
    complains_of(directory / name, "restore it");
    fs::rename(scratch / name, directory / name);
  }
  CHECK_FALSE(made().made_now);
}

TEST_CASE_FIXTURE(identity_world, "a core file cut at any byte is damaged") {
  static_cast<void>(made());
  for (const auto* name : {"authority.key", "authority.pem", "secrets"}) {
    CAPTURE(name);
    const auto whole = content_of(directory / name);
    for (std::size_t size = 0; size < whole.size(); size += 1 + size % 7) {
      put_content(directory / name, whole.substr(0, size));
      complains_of(directory / name, "restore it");
    }
    put_content(directory / name, whole.substr(0, whole.size() - 1));
    complains_of(directory / name, "restore it");
    put_content(directory / name, whole);
  }
  CHECK_FALSE(made().made_now);
}

TEST_CASE_FIXTURE(identity_world, "one changed character of the secrets is found") {
  static_cast<void>(made());
  const auto whole = content_of(directory / "secrets");
  for (std::size_t at = 0; at < whole.size(); at += 5) {
    auto changed = whole;
    changed[at] = changed[at] == '0' ? '1' : '0';
    put_content(directory / "secrets", changed);
    complains_of(directory / "secrets", "is damaged");
  }
}

TEST_CASE_FIXTURE(identity_world, "files of two identities do not mix") {
  static_cast<void>(made());
  const auto other = scratch / "other";
  std::string ignored;
  REQUIRE(load_or_make_server_identity(other, now_s, ignored).has_value());
  for (const auto* name : {"authority.key", "authority.pem", "secrets", "server.pem"}) {
    CAPTURE(name);
    const auto ours = content_of(directory / name);
    put_content(directory / name, content_of(other / name));
    CHECK_FALSE(load());
    CHECK(problem.find("does not belong") != std::string::npos);
    put_content(directory / name, ours);
  }
  CHECK_FALSE(made().made_now);
}

TEST_CASE_FIXTURE(identity_world, "the server's certificate can be made again") {
  const auto first = made();
  fs::remove(directory / "server.pem");
  const auto second = made();
  CHECK(second.server_id == first.server_id);
  CHECK(second.server_certificate.der() != first.server_certificate.der());
  CHECK(second.server_certificate.issued_by(first.authority.self()));
  const auto whole = content_of(directory / "server.pem");
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    put_content(directory / "server.pem", whole.substr(0, size));
    complains_of(directory / "server.pem", "remove it");
  }
}

TEST_CASE_FIXTURE(identity_world, "a server certificate is replaced at 2/3 of its life") {
  const auto first = made();
  const auto& leaf = first.server_certificate;
  const auto due_s = leaf.not_before_s() + (leaf.not_after_s() - leaf.not_before_s()) / 3 * 2;
  now_s = due_s - 1;
  CHECK(same(first, made()));
  auto running = made();
  CHECK_FALSE(renew_server_certificate_if_due(running, directory, due_s - 1, problem));
  CHECK(problem.empty());
  CHECK(renew_server_certificate_if_due(running, directory, due_s, problem));
  CHECK(running.server_certificate.not_after_s() == due_s + 90 * day_s);
  CHECK(running.server_key.spki_sha256() != first.server_key.spki_sha256());
  now_s = due_s;
  CHECK(same(running, made()));
  // Long switched off: expired, and replaced at the start.
  now_s = due_s + 1000 * day_s;
  CHECK(made().server_certificate.not_after_s() == now_s + 90 * day_s);
  // Made while the clock was wrong.
  now_s = due_s;
  CHECK(made().server_certificate.not_before_s() <= now_s);
}

TEST_CASE_FIXTURE(identity_world, "a renewed certificate that cannot be written changes nothing") {
  auto running = made();
  const auto before = running.server_certificate.der();
  fs::remove_all(directory);
  CHECK_FALSE(renew_server_certificate_if_due(running, directory, now_s + 80 * day_s, problem));
  CHECK(problem.find("server.pem") != std::string::npos);
  CHECK(running.server_certificate.der() == before);
}

TEST_CASE_FIXTURE(identity_world, "a clock outside the authority's life is told with its dates") {
  static_cast<void>(made());
  now_s = 0;
  complains_of(directory / "authority.pem", "1970-01-01; set the clock");
  now_s = machine_now_s() + 21 * 365 * day_s;
  complains_of(directory / "authority.pem", "set the clock");
}

TEST_CASE_FIXTURE(identity_world, "what others may read is refused, with the command that helps") {
  static_cast<void>(made());
  for (const auto* name : {"authority.key", "authority.pem", "secrets", "server.pem"}) {
    set_mode(directory / name, 0640);
    complains_of(directory / name, "chmod 600 " + (directory / name).string());
    set_mode(directory / name, 0600);
  }
  set_mode(directory, 0750);
  complains_of(directory, "chmod 700 " + directory.string());
  set_mode(directory, 0700);
  // Ticket keys are replaced instead: nothing is lost with them.
  const auto old = made().tickets->keys()->current.name;
  set_mode(directory / "tickets.keys", 0644);
  CHECK(made().tickets->keys()->current.name != old);
}

TEST_CASE_FIXTURE(identity_world, "a directory that is none, or not empty, is no place for one") {
  put_content(directory, "a file");
  complains_of(directory, "is not a directory");
  fs::remove(directory);
  fs::create_directory(directory);
  set_mode(directory, 0700);
  put_content(directory / "something", "else");
  complains_of(directory / "authority.key", "is missing");
  CHECK(names(directory) == std::set<std::string>{"something"});
  directory = scratch / "identity" / "something" / "below";
  CHECK_FALSE(load());
  CHECK_FALSE(problem.empty());
}
