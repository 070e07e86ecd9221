#include "apps/common/logging.hpp"
#include "apps/common/patient_sink.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/wrappers.pb.h>
#include <spdlog/logger.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

namespace {

/// What is written to stderr while `work` runs.
template <class Work>
std::string stderr_of(Work work) {
  auto name = (std::filesystem::temp_directory_path() / "muster-stderr-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  REQUIRE(file >= 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(file, STDERR_FILENO);
  work();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::close(file);
  std::ifstream in(name);
  std::string out{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::filesystem::remove(name);
  return out;
}

/// Field 1, a string of one byte that is no UTF-8.
void parse_bad_text() {
  google::protobuf::StringValue message;
  CHECK_FALSE(message.ParseFromString(std::string("\x0a\x01\xff", 3)));
}

} // namespace

TEST_CASE("a stranger's bad text does not reach the log") {
  CHECK(stderr_of([] {
          muster::logging::start("info");
          parse_bad_text();
        }).empty());
  // Whoever asks for everything sees it, on one line.
  const auto words = stderr_of([] {
    muster::logging::start("debug");
    parse_bad_text();
  });
  CHECK(words.find("protobuf: ") != std::string::npos);
  CHECK(words.find('\n') == words.size() - 1);
}

namespace {

/// Both ends of something that nobody reads yet; they do not wait at the reading end.
struct two_ends {
  explicit two_ends(bool socket) {
    int ends[2] = {};
    REQUIRE((socket ? ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : ::pipe(ends)) == 0);
    reading = ends[0];
    writing = ends[1];
    REQUIRE(::fcntl(reading, F_SETFL, O_NONBLOCK) == 0);
  }
  ~two_ends() {
    ::close(reading);
    ::close(writing);
  }
  two_ends(const two_ends&) = delete;
  two_ends& operator=(const two_ends&) = delete;

  [[nodiscard]] std::string read_all() const {
    std::string out;
    char part[4096];
    for (ssize_t n = 0; (n = ::read(reading, part, sizeof part)) > 0;)
      out.append(part, static_cast<std::size_t>(n));
    return out;
  }

  int reading = -1;
  int writing = -1;
};

} // namespace

TEST_CASE("a log that nobody reads drops lines and says how many; nobody waits for it") {
  bool socket = false;
  SUBCASE("a pipe") {}
  SUBCASE("a socket, as the journal's") { socket = true; }
  const two_ends ends{socket};
  const auto sink = std::make_shared<muster::logging::patient_sink>(ends.writing);
  spdlog::logger log{"test", sink};
  log.set_pattern("%v");
  const auto before = muster::logging::patient_sink::dropped();
  const std::string padding(100, '.');
  for (int i = 0; i < 20'000; ++i) // 2 MB: more than either has room for
    log.info("{} {}", i, padding);
  const auto dropped = muster::logging::patient_sink::dropped() - before;
  CHECK(dropped > 1'000);
  const auto kept = ends.read_all();
  CHECK(kept.starts_with("0 " + padding + "\n1 "));
  log.info("at last");
  const auto then = ends.read_all();
  CHECK(then.ends_with("(" + std::to_string(dropped) +
                       " lines of this log were lost: nobody read them)\nat last\n"));
  log.info("and on");
  CHECK(ends.read_all() == "and on\n");
}

TEST_CASE("a line longer than a pipe's pages goes out whole when there is room") {
  const two_ends ends{false};
  spdlog::logger log{"test", std::make_shared<muster::logging::patient_sink>(ends.writing)};
  log.set_pattern("%v");
  const std::string text(30'000, 'x');
  log.info(text);
  CHECK(ends.read_all() == text + "\n");
}

TEST_CASE("a log whose reader has gone harms nobody") {
  two_ends ends{true};
  ::close(std::exchange(ends.reading, -1));
  spdlog::logger log{"test", std::make_shared<muster::logging::patient_sink>(ends.writing)};
  log.info("into the void");
}
