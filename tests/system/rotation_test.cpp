// Must hold: other keys for datagrams leave no device out of reach that connects between two
// rotations, and a rotation that was said to be done is done, whatever happens next.

#include "tests/system/agent_side.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <regex>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

constexpr int exit_pending = 7;

struct rotating_fleet {
  server_under_test server;
  std::unique_ptr<console_under_test> console;
  std::unique_ptr<agent_under_test> agent;

  rotating_fleet() {
    server.start();
    console = std::make_unique<console_under_test>(server);
    agent = std::make_unique<agent_under_test>(server, "sleeper",
                                               words{"--wake-address", "127.0.0.1", "--wake-port",
                                                     std::to_string(reserve_port()), "--notice-port",
                                                     std::to_string(server.notices_port())});
    agent->start();
    REQUIRE(eventually([&] { return newest_of_agent() == "1" && rests(); }));
  }

  [[nodiscard]] bool rests() const { return is_quiet(*console, *agent); }
  /// The newest generation whose keys are on the agent's disk.
  [[nodiscard]] std::string newest_of_agent() const {
    std::ifstream in(agent->data() / "identity" / "datagram.keys");
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    std::smatch found;
    return std::regex_search(text, found, std::regex{"generation ([0-9]+)"}) ? found[1].str() : "";
  }
  /// Answers the new generation.
  [[nodiscard]] std::string rotate(words more = {}) const {
    more.insert(more.begin(), "rotate-datagram-keys");
    const auto done = server.run_beside(more);
    REQUIRE_MESSAGE(done.exit_code == 0, done.output);
    std::smatch found;
    REQUIRE(std::regex_search(done.output, found, std::regex{"generation ([0-9]+) is the newest"}));
    return found[1];
  }
  void expect_woken() const {
    const auto done = console->run({"sync", "sleeper"});
    CHECK_MESSAGE(done.exit_code == 0, done.output);
    CHECK_MESSAGE(done.output.find("after a wake") != std::string::npos, done.output);
    REQUIRE(eventually([&] { return rests(); }));
  }
};

} // namespace

TEST_CASE_FIXTURE(rotating_fleet,
                  "a device is woken before a rotation, after it by its old keys, and by its new "
                  "ones after the next") {
  expect_woken();
  const auto second = rotate();
  CHECK(newest_of_agent() == "1"); // it has not been here since
  expect_woken();
  REQUIRE(eventually([&] { return newest_of_agent() == second; }));

  // What was said to be done is done: the server dies in the next moment.
  const auto third = rotate({"--force"});
  server.kill();
  CHECK(third != second);
  CHECK(newest_of_agent() == second);
  server.start();
  REQUIRE(console->log_in(server.first_password()).exit_code == 0);
  expect_woken(); // the server sends under the second now
  REQUIRE(eventually([&] { return newest_of_agent() == third; }));

  // The goodbye is under the newest, which the server believes.
  CHECK(agent->stop() == 0);
  CHECK(eventually([&] { return state_of(*console, "sleeper") == "off"; }));
  CHECK(server.stop() == 0);
}

TEST_CASE_FIXTURE(
  rotating_fleet,
  "a second rotation wants to be forced, and whom it leaves behind comes back by itself") {
  const auto second = rotate();
  const auto refused = server.run_beside({"rotate-datagram-keys"});
  CHECK(refused.exit_code == 1);
  CHECK_MESSAGE(refused.output.find("--force") != std::string::npos, refused.output);

  // Twice, and the device has been here in between neither time.
  const auto third = rotate({"--force"});
  CHECK(newest_of_agent() == "1");
  const auto asked = console->run({"sync", "sleeper"});
  CHECK_MESSAGE(asked.exit_code == exit_pending, asked.output);
  CHECK(newest_of_agent() == "1");

  CHECK(agent->run({"sync"}).exit_code == 0);
  REQUIRE(eventually([&] { return newest_of_agent() == third && rests(); }));
  expect_woken();

  // Offline, too.
  CHECK(server.stop() == 0);
  CHECK(server.run_beside({"rotate-datagram-keys"}).exit_code == 1);
  const auto fourth = rotate({"--force"});
  server.start();
  REQUIRE(console->log_in(server.first_password()).exit_code == 0);
  expect_woken();
  REQUIRE(eventually([&] { return newest_of_agent() == fourth; }));
  CHECK(agent->stop() == 0);
  CHECK(server.stop() == 0);
}
