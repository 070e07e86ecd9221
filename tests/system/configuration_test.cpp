// Must hold: a wrong configuration ends in one clear line that names the key and the remedy.

#include "net/udp_socket.hpp"
#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// One line that contains every one of `parts`, and exit code `code`.
void check_complaint(const finished& done, int code, const words& parts) {
  CAPTURE(done.output);
  CHECK(done.exit_code == code);
  CHECK(std::count(done.output.begin(), done.output.end(), '\n') == 1);
  for (const auto& part : parts)
    CHECK_MESSAGE(done.output.find(part) != std::string::npos, "missing: " << part);
}

/// muster-server with this settings file, on a data directory of its own.
finished start_with(const std::string& toml, words more = {}, words front = {}) {
  const temporary_directory directory;
  front.insert(front.end(),
               {MUSTER_SERVER_PATH, "--config", directory.write("server.toml", toml).string()});
  if (std::find(more.begin(), more.end(), "--data") == more.end())
    front.insert(front.end(), {"--data", (directory.path() / "data").string()});
  front.insert(front.end(), more.begin(), more.end());
  return run(std::move(front));
}

/// Somebody else's listening socket.
class taken_port {
public:
  taken_port() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(fd_, any, size) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
    REQUIRE(::getsockname(fd_, any, &size) == 0);
    number_ = std::to_string(ntohs(address.sin_port));
  }
  ~taken_port() { ::close(fd_); }
  [[nodiscard]] const std::string& number() const { return number_; }

private:
  int fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
  std::string number_;
};

} // namespace

TEST_CASE("an unknown key is named, with the one that was probably meant") {
  check_complaint(start_with("[agents]\nprot = 13000\n"), 2, {"server.toml", "prot", "port"});
}

TEST_CASE("a port that is none is named") {
  check_complaint(start_with("[agents]\nport = 70000\n"), 2, {"agents.port", "70000"});
  check_complaint(start_with("", {"--admin-port", "many"}), 2, {"--admin-port", "many"});
}

TEST_CASE("a file that is no TOML is named with its line") {
  check_complaint(start_with("[agents\nport = 1\n"), 2, {"server.toml", "1"});
}

TEST_CASE("a settings file that is not there is named") {
  check_complaint(run({MUSTER_SERVER_PATH, "--config", "/nonexistent/server.toml"}), 2,
                  {"/nonexistent/server.toml"});
}

TEST_CASE("a port that is taken is named, with what to do") {
  const taken_port mine;
  check_complaint(start_with("", {"--agents-address", "127.0.0.1", "--agents-port", mine.number(),
                                  "--admin-port", "0", "--notices-port", "0"}),
                  1, {mine.number(), "agents.port"});
  check_complaint(start_with("", {"--admin-address", "127.0.0.1", "--admin-port", mine.number(),
                                  "--agents-port", "0", "--notices-port", "0"}),
                  1, {mine.number(), "admin.port"});
  bool v6 = false;
  std::error_code ec;
  const auto by_datagrams = muster::net::bind_udp("127.0.0.1", 0, 0, v6, ec);
  REQUIRE(by_datagrams);
  const auto number = std::to_string(muster::net::udp_port_of(by_datagrams.get()));
  check_complaint(start_with("", {"--agents-port", "0", "--admin-port", "0", "--notices-address",
                                  "127.0.0.1", "--notices-port", number}),
                  1, {number, "notices.port"});
}

TEST_CASE("a data directory that cannot be used is named") {
  const temporary_directory directory;
  const auto file = directory.write("in-the-way", "no directory").string();
  check_complaint(start_with("", {"--data", file, "--agents-port", "0", "--admin-port", "0",
                                  "--notices-port", "0"}),
                  1, {file});
  if (::getuid() != 0)
    check_complaint(
      start_with("", {"--data", "/root/muster", "--agents-port", "0", "--admin-port", "0",
                      "--notices-port", "0"}),
      1, {"/root/muster"});
}

TEST_CASE("too few file descriptors are said, with the limit and where to change it") {
  check_complaint(start_with("", {"--agents-port", "0", "--admin-port", "0", "--notices-port", "0"},
                             {"/usr/bin/prlimit", "--nofile=200:200"}),
                  1, {"200", "file"});
}

TEST_CASE("a second server on the same data is refused, and the first goes on") {
  server_under_test server;
  server.start();
  const auto second = server.run_beside(
    {"--agents-port", "0", "--admin-port", "0", "--notices-port", "0"});
  check_complaint(second, 1, {server.data().string(), "another process"});
  CHECK(server.stop() == 0);
}

TEST_CASE("an agent that has not enrolled says so, and how") {
  const temporary_directory directory;
  check_complaint(run({MUSTER_AGENT_PATH, "--config", directory.write("agent.toml", "").string(),
                       "--data", (directory.path() / "agent").string()}),
                  1, {"not enrolled", "token create"});
}

TEST_CASE("check-config says what is wrong without starting anything") {
  const temporary_directory directory;
  const auto bad = directory.write("agent.toml", "sync = 5\nserver = \"a:b:c:d\"\n").string();
  const auto done = run({MUSTER_AGENT_PATH, "check-config", "--config", bad});
  CHECK(done.exit_code == 2);
  CHECK(done.output.find("sync") != std::string::npos);
  CHECK(done.output.find("server") != std::string::npos);
  const auto good = directory.write("good.toml", "").string();
  CHECK(run({MUSTER_AGENT_PATH, "check-config", "--config", good}).exit_code == 0);
}
