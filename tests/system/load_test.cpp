// muster-load against a real server: what it says is what the server has.

#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

words command(server_under_test& server, words scenario) {
  words out{MUSTER_LOAD_PATH};
  out.insert(out.end(), scenario.begin(), scenario.end());
  for (const auto& more : words{"--server", server.agents_address(), "--pin", server.pin(),
                                "--token", server.first_token()})
    out.push_back(more);
  return out;
}

/// The line for programs, wherever it stands among those for people.
nlohmann::json figures_in(const std::string& output) {
  const auto from = output.rfind("{\"scenario\"");
  REQUIRE_MESSAGE(from != std::string::npos, output);
  return nlohmann::json::parse(output.substr(from, output.find('\n', from) - from));
}

/// Where `muster login` leaves a log-in that muster-load finds.
struct administrator {
  explicit administrator(server_under_test& server) { log_in(server); }
  void log_in(server_under_test& server) {
    environment = {"MUSTER_CONFIG=" + scratch.path().string(),
                   "MUSTER_PASSWORD=" + server.first_password()};
    const auto done =
      run({MUSTER_CONSOLE_PATH, "login", "https://127.0.0.1:" + std::to_string(server.admin_port()),
           "--pin", server.pin(), "--user", "admin"},
          environment);
    REQUIRE_MESSAGE(done.exit_code == 0, done.output);
  }

  temporary_directory scratch;
  words environment;
};

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_CASE("a played fleet syncs on its timetable, resumes, and tells what has changed") {
  server_under_test server;
  server.start();
  const console_under_test console{server};
  const temporary_directory scratch;
  const auto page = scratch.path() / "run.html";
  const auto played = run(command(server, {"sync", "--agents", "20", "--period", "500ms", "--duration",
                                           "4s", "--changed", "50", "--report", page.string(),
                                           "--require", "errors=0,syncs>=100,missing<1"}));
  CHECK(played.exit_code == 1); // sync has no figure `missing`
  CHECK(played.output.find("this scenario has no figure 'missing'") != std::string::npos);
  const auto told = figures_in(played.output);
  CHECK(told["enrolled"] == 20);
  CHECK(told["errors"].empty());
  CHECK(told["syncs"] >= 100);
  CHECK(told["resumed_percent"] > 70);
  CHECK(told["latency_us"]["count"] == told["syncs"]);
  CHECK(content_of(page).find("</html>") != std::string::npos);
  const auto devices = console.list({"devices"}, "devices");
  CHECK(devices.size() == 20);
  for (const auto& one : devices)
    CHECK(one.value("lastSyncUs", "0") != "0");
}

TEST_CASE("after a storm everybody has synced, also those who were sent away") {
  server_under_test server{{"--agents-accepts-per-second-max", "40"}};
  server.start();
  const temporary_directory scratch;
  const auto identities = (scratch.path() / "fleet").string();
  const auto played =
    run(command(server, {"storm", "--agents", "60", "--identities", identities, "--at-once", "8"}));
  const auto told = figures_in(played.output);
  CHECK(told["synced"] == 60);
  CHECK(told["missing"] == 0);
  CHECK(told["latency_us"]["count"] == 60);
  // The same fleet comes back without enrolling.
  const auto again =
    run(command(server, {"keep", "--agents", "60", "--identities", identities, "--hold", "0s"}));
  const auto kept = figures_in(again.output);
  CHECK(kept["enrolled"] == 0);
  CHECK(kept["kept"] == 60);
}

TEST_CASE("what was acknowledged while the server was killed is stored once: the ledger proves it") {
  server_under_test server;
  server.start();
  administrator admin{server};
  process fleet{command(server, {"events", "--agents", "10", "--rate", "400", "--duration", "6s",
                                 "--verify"}),
                admin.environment};
  REQUIRE_MESSAGE(fleet.expect("raised [0-9]{3}").has_value(), fleet.output());
  server.kill();
  server.start();
  // Log-ins end with the server.
  admin.log_in(server);
  CHECK_MESSAGE(fleet.wait(4 * patience) == 1, fleet.output()); // connections were lost, and it says so
  const auto told = figures_in(fleet.output());
  CHECK(told["raised"] == 2400);
  CHECK(told["acknowledged"] == 2400);
  CHECK(told["verified"] == 2400);
  CHECK(told["verified_missing"] == 0);
  CHECK(told["verified_doubled"] == 0);
  CHECK(told["reconnected"] >= 10);
}

TEST_CASE("a fleet that is away is woken by one call, and its notices are acknowledged") {
  server_under_test server;
  server.start();
  const administrator admin{server};
  const auto identities = (admin.scratch.path() / "fleet").string();
  const auto woken = run(command(server, {"wake", "--agents", "50", "--identities", identities}),
                         admin.environment);
  CHECK_MESSAGE(woken.exit_code == 0, woken.output);
  const auto told = figures_in(woken.output);
  CHECK(told["reached"] == 50);
  CHECK(told["synced"] == 50);
  const auto gone =
    run(command(server, {"notices", "--agents", "50", "--identities", identities, "--duration",
                         "200ms", "--notices-port", std::to_string(server.notices_port())}));
  CHECK_MESSAGE(gone.exit_code == 0, gone.output);
  CHECK(figures_in(gone.output)["acknowledged"] == 50);
  CHECK(figures{server}.of("notices_total{outcome=\"counted\"}") == 50);
}

TEST_CASE("a changed policy is applied by a played fleet, and the console sees it") {
  server_under_test server;
  server.start();
  const administrator admin{server};
  const auto played = run(command(server, {"fanout", "--agents", "30"}), admin.environment);
  CHECK_MESSAGE(played.exit_code == 0, played.output);
  CHECK(figures_in(played.output)["applied"] == 30);
  auto as_json = words{MUSTER_CONSOLE_PATH, "settings", "load-7", "--json"};
  const auto seen = run(as_json, admin.environment);
  CHECK_MESSAGE(seen.exit_code == 0, seen.output);
  CHECK(seen.output.find("\"muster-load\"") != std::string::npos);
  CHECK(seen.output.find("\"done\"") != std::string::npos);
}

TEST_CASE("a wrong option is one line that names it") {
  const words good{MUSTER_LOAD_PATH, "sync", "--pin", std::string(64, 'a'), "--token", "t"};
  const auto with = [&](words more) {
    auto all = good;
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  };
  for (const auto& [flag, value] : {std::pair{"--server", "a:b"}, {"--period", "soon"},
                                    {"--duration", "-1"}, {"--require", "p99"}, {"--pin", "12"}}) {
    const auto answer = with({flag, value});
    CAPTURE(answer.output);
    CHECK(answer.exit_code == 2);
    CHECK(answer.output.find(flag) != std::string::npos);
    CHECK(std::count(answer.output.begin(), answer.output.end(), '\n') == 1);
  }
}
