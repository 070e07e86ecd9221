// Must hold: every way in which server and device come together, between the real programs, over
// TLS and on the plain port. One device lives through the whole list; each row begins where the one
// before it ended.

#include "net/https_client.hpp"
#include "tests/system/agent_side.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

constexpr int exit_unreachable = 3;
constexpr int exit_pending = 7;
constexpr int exit_not_found = 4;

/// A fleet of one, and which port it comes to.
struct stage {
  bool plain;
  server_under_test server{{"--plain-enabled"}};
  console_under_test console = (server.start(), console_under_test{server});
  std::string name = plain ? "open-book" : "desk";
  std::string wake_port = std::to_string(reserve_port());
  agent_under_test agent{server, name,
                         {"--notice-port", std::to_string(server.notices_port()),
                          "--wake-address", "127.0.0.1"}};

  explicit stage(bool is_plain) : plain(is_plain) {}

  void start(words more = {}) {
    if (plain)
      more.insert(more.end(), {"--transport", "plain", "--plain-port",
                               std::to_string(server.plain_port())});
    agent.start(std::move(more));
  }
  void restart_server() {
    server.kill();
    server.start();
    REQUIRE(console.log_in(server.first_password()).exit_code == 0);
  }

  [[nodiscard]] nlohmann::json device() const { return device_of(console, name); }
  [[nodiscard]] std::string state() const { return device().value("state", ""); }
  [[nodiscard]] std::int64_t last_sync() const {
    return std::stoll(device().value("lastSyncUs", "0"));
  }
  /// The event with this text; null when there is none.
  [[nodiscard]] nlohmann::json event(const std::string& text) const {
    for (const auto& one : console.list({"events", "--all"}, "events"))
      if (one.value("text", "") == text)
        return one;
    return nullptr;
  }
  /// A sync ordered by the administrator is done, and in this way. What the agent does of its own
  /// accord may have it connected at the moment; then it is asked again.
  void expect_synced(const std::string& way) {
    finished done;
    const auto is_done = [&] {
      const auto before = last_sync();
      done = console.run({"sync", name});
      REQUIRE_MESSAGE(done.exit_code == 0, done.output);
      CHECK(done.output.starts_with(name + ": done at "));
      CHECK(last_sync() > before);
      return done.output.find(way) != std::string::npos;
    };
    const bool came_so = eventually(is_done);
    CHECK_MESSAGE(came_so, done.output);
  }
  /// The one row of a call, the newest being 0.
  [[nodiscard]] nlohmann::json row_of_call(std::size_t which) const {
    const auto calls = console.list({"calls"}, "calls");
    REQUIRE(calls.size() > which);
    const auto call = console.json({"call", calls[which].value("id", "")});
    REQUIRE(call["rows"].size() == 1);
    return call["rows"][0];
  }
};

// -- the rows -------------------------------------------------------------------------------------

/// The console is on TLS, whichever port the agents are on: nobody else is served, or believed.
void console_is_proved(stage& s) {
  CHECK(s.console.json({"whoami"}).value("user", "") == "admin");
  const console_under_test misled{s.server, false};
  const auto refused = misled.run({"login", "https://127.0.0.1:" +
                                              std::to_string(s.server.admin_port()),
                                   "--pin", std::string(64, '0'), "--user", "admin"},
                                  {"MUSTER_PASSWORD=" + s.server.first_password()});
  CHECK_MESSAGE(refused.exit_code == exit_unreachable, refused.output);
  CHECK(misled.run({"devices"}).exit_code != 0);
}

/// Enrolled by the constructor, over TLS; what it says first goes where its settings say.
void registers_right_after_installation(stage& s) {
  CHECK(s.state() == "never");
  s.start({"--wake-port", "0", "--sync-period", "1s"});
  nlohmann::json seen;
  REQUIRE(eventually([&] {
    seen = s.console.json({"device", s.name});
    return seen.contains("facts") && seen["sections"].size() == 3;
  }));
  CHECK(seen["facts"].value("hostName", "") == s.name);
  CHECK(seen["facts"].value("cpus", 0) > 0);
  // This machine has dpkg, and libc6 for certain.
  CHECK(s.console.json({"apps", "libc6"}).dump().find(s.name) != std::string::npos);
  const figures now{s.server};
  CHECK((now.of("agents_plain_connections_accepted_total") > 0) == s.plain);
  CHECK(s.console.json({"server", "status"}).value("agentsPlainPort", 0) ==
        s.server.plain_port());
}

/// A second or so, and never less. However late we look: between the first and the last of three
/// more syncs there are two periods.
void syncs_by_the_period_of_its_settings(stage& s) {
  REQUIRE(eventually([&] { return has_synced(s.agent); }));
  const auto last = s.last_sync();
  const auto begun = std::chrono::steady_clock::now();
  const auto syncs = [&] { return status_of(s.agent).value("syncs", 0); };
  const auto before = syncs();
  REQUIRE(before > 0);
  REQUIRE(eventually([&] { return syncs() >= before + 3; }));
  CHECK(std::chrono::steady_clock::now() - begun >= 2s);
  CHECK(eventually([&] { return s.last_sync() > last; }));
}

/// A device that listens for no wakes. Where they are lost on the way: wake_test.
void is_served_by_its_next_connection(stage& s) {
  CHECK(s.agent.stop() == 0);
  if (s.plain) { // keys
    s.agent.start({"--wake-port", "0"});
    CHECK(s.agent.run({"sync"}).exit_code == 0);
    CHECK(s.agent.stop() == 0);
  }
  REQUIRE(eventually([&] { return s.state() == "off"; }));
  for (const words& order : {words{"sync", s.name}, words{"keep", "on", s.name}}) {
    const auto queued = s.console.run(order);
    CHECK_MESSAGE(queued.exit_code == exit_pending, queued.output);
    CHECK_MESSAGE(queued.output.find("queued until it connects") != std::string::npos,
                  queued.output);
  }
  s.start({"--wake-port", s.wake_port});
  for (const std::size_t newest : {0U, 1U}) {
    REQUIRE(eventually([&] { return s.row_of_call(newest).value("step", "") == "done"; }));
    CHECK(s.row_of_call(newest).value("way", "") == "next_contact");
  }
  REQUIRE(eventually([&] { return s.state() == "connected"; }));
}

void is_asked_over_its_kept_connection(stage& s) {
  s.expect_synced("over the kept connection");
  CHECK(s.row_of_call(0).value("step", "") == "done");
  CHECK(s.row_of_call(0).value("way", "") == "kept");
  CHECK(s.console.json({"audit"}).dump().find("call.sync") != std::string::npos);
  CHECK(s.console.run({"sync", "nobody"}).exit_code == exit_not_found);
}

void is_woken_for_a_sync(stage& s) {
  CHECK(s.console.run({"keep", "off", s.name}).exit_code == 0);
  REQUIRE(eventually([&] { return s.state() != "connected"; }));
  s.expect_synced("after a wake");
}

void is_asked_twice_in_quick_succession(stage& s) {
  const auto first = s.console.follow({"sync", s.name});
  const auto second = s.console.follow({"sync", s.name});
  for (const auto* one : {&first, &second}) {
    CHECK_MESSAGE((*one)->wait() == 0, (*one)->output());
    CHECK((*one)->output().find("done at") != std::string::npos);
  }
}

/// It is called for it: an administrator does not wait for the next period.
void is_kept_from_now_on(stage& s) {
  const auto kept = s.console.run({"keep", "on", s.name});
  CHECK_MESSAGE(kept.exit_code == 0, kept.output);
  REQUIRE(eventually([&] { return s.state() == "connected"; }));
  CHECK(s.device().value("keep", false));
  s.expect_synced("over the kept connection");
}

void is_kept_when_the_agent_was_killed(stage& s) {
  s.agent.kill();
  REQUIRE(eventually([&] { return s.state() != "connected"; }));
  s.start({"--wake-port", s.wake_port});
  REQUIRE(eventually([&] { return s.state() == "connected"; }));
  s.expect_synced("over the kept connection");
}

/// The same agent comes back by itself.
void is_kept_when_the_server_was_killed(stage& s) {
  s.restart_server();
  CHECK(s.device().value("keep", false));
  REQUIRE(eventually([&] { return s.state() == "connected"; }, comeback_max));
  s.expect_synced("over the kept connection");
}

/// As fast as over a connection that was there: the period is 15 minutes.
void tells_an_event_at_once(stage& s) {
  CHECK(s.agent.run({"event", "--severity", "critical", "--type", "backup.late", "--attribute",
                     "hours=26", "late in " + s.name})
          .exit_code == 0);
  nlohmann::json told;
  REQUIRE(eventually([&] { return !(told = s.event("late in " + s.name)).is_null(); }));
  CHECK(told.value("type", "") == "local.backup.late");
  CHECK(told["attributes"].value("hours", "") == "26");
}

void says_that_it_goes(stage& s) {
  CHECK(s.agent.stop() == 0);
  REQUIRE(eventually([&] { return s.state() == "off"; }));
  CHECK(s.device().value("offReason", "") == "agent_stop");
  CHECK(eventually([&] { return figures{s.server}.of("notices_taken_total") >= 1; }));
  CHECK(figures{s.server}.of("notices_taken_total") == 1);
  s.start({"--wake-port", "0"});
  CHECK(eventually([&] { return s.state() != "off"; }));
}

struct row {
  std::string what;
  void (*play)(stage&);
};

const row rows[] = {
  {"the console is on TLS, with the right server", console_is_proved},
  {"connection and registration right after the installation", registers_right_after_installation},
  {"periodic sync by the agent's settings", syncs_by_the_period_of_its_settings},
  {"forced sync, queued", is_served_by_its_next_connection},
  {"forced sync over a kept connection", is_asked_over_its_kept_connection},
  {"forced sync by a wake", is_woken_for_a_sync},
  {"two forced syncs in quick succession", is_asked_twice_in_quick_succession},
  {"a kept connection, by a wake", is_kept_from_now_on},
  {"a kept connection, the agent killed", is_kept_when_the_agent_was_killed},
  {"a kept connection, the server killed", is_kept_when_the_server_was_killed},
  {"forced sync by a wake, both killed", is_woken_for_a_sync},
  {"an event at once", tells_an_event_at_once},
  {"the notice of going away", says_that_it_goes},
};

void play_all(bool plain) {
  stage s{plain};
  for (const auto& one : rows) {
    CAPTURE(one.what);
    const auto begun = std::chrono::steady_clock::now();
    one.play(s);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    MESSAGE(one.what << ": " << took.count() << " s");
  }
  CHECK(s.agent.stop() == 0);
  CHECK(s.server.stop() == 0);
}

} // namespace

TEST_CASE("server and device come together in every way over TLS") { play_all(false); }

TEST_CASE("server and device come together in every way on the plain port") { play_all(true); }
