// What the connection does when it is called: wakes, tests of wakes, sleep, another network.
#include "tests/agent/connection_world.hpp"

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

struct call_world : connection_world {
  void wake(std::uint64_t counter, wake_purpose why = wake_purpose::sync) {
    self->send(agent, atom::wake_v, why, counter);
    settle();
  }
  /// One sync, then idle until the period is over.
  void sync_once() {
    welcome(connect());
    REQUIRE(links.back()->closed);
    REQUIRE_FALSE(dialling());
  }
  void change_network() {
    self->send(agent, atom::contact_v);
    settle();
  }
  connection_options kept() {
    auto out = defaults();
    out.keep = true;
    return out;
  }
  connection_report_ptr report() { return ask<connection_report_ptr>(agent, atom::get_v); }
  /// The agent starts anew, on the disk it left.
  void start_again() {
    anon_send_exit(agent, caf::exit_reason::kill);
    settle();
    start();
  }
  void refuse(fake_link& link) {
    wire::server_message message;
    message.mutable_refused()->set_reason(wire::refusal_revoked);
    message.mutable_refused()->set_text("revoked");
    tell(link, message);
  }
  void test_sent(fake_link& link, bool sent, const std::string& text = {}) {
    wire::server_message message;
    message.mutable_wake_test_sent()->set_sent(sent);
    message.mutable_wake_test_sent()->set_text(text);
    tell(link, message);
  }
  static void add_keys(wire::server_message& message, std::uint32_t generation) {
    auto& keys = *message.mutable_welcome()->add_datagram_keys();
    keys.set_generation(generation);
    keys.set_wake_key(std::string(32, static_cast<char>(generation)));
    keys.set_notice_key(std::string(32, 'n'));
  }
  static std::size_t tests_asked(const fake_link& link) {
    return static_cast<std::size_t>(
      std::count_if(link.said.begin(), link.said.end(),
                    [](const auto& message) { return message.has_wake_test(); }));
  }
};

} // namespace

TEST_CASE_FIXTURE(call_world, "a hello names port, last wake and generation of the keys") {
  auto options = defaults();
  options.keys = {{.generation = 7}};
  start(options);
  auto& link = connect();
  CHECK(link.said.at(0).hello().wake_port() == 15000);
  CHECK(link.said.at(0).hello().wake_counter() == 0);
  CHECK(link.said.at(0).hello().datagram_generation() == 7);
  CHECK(wakes_taken == std::vector<std::uint64_t>{0});
}

TEST_CASE_FIXTURE(call_world, "a wake has an idle agent look, connect and sync at once") {
  start();
  sync_once();
  wake(500);
  REQUIRE(dialling());
  CHECK(looks == 2);
  auto& link = connect();
  CHECK(link.said.at(0).hello().wake_counter() == 500);
  welcome(link);
  CHECK(link.closed);
  CHECK(report()->wakes == 1);
  CHECK(report()->wake_counter == 500);
}

TEST_CASE_FIXTURE(call_world, "a wake whose counter the disk refuses is not obeyed") {
  start();
  sync_once();
  db.fail_writes(storage::errc::io_error);
  wake(500);
  CHECK_FALSE(dialling());
  CHECK(report()->wake_counter == 0);
}

TEST_CASE_FIXTURE(call_world, "a wake taken before is worth nothing, after a restart neither") {
  start();
  sync_once();
  wake(500);
  welcome(connect());
  SUBCASE("the same process") {}
  SUBCASE("another one") {
    start_again();
    CHECK(wakes_taken.back() == 500);
    welcome(connect());
  }
  wake(500);
  wake(499);
  CHECK_FALSE(dialling());
  wake(501);
  CHECK(dialling());
}

TEST_CASE_FIXTURE(call_world, "a wake ends a back-off, a busy and a goodbye, but no refusal") {
  start();
  SUBCASE("back-off") { fail_dial(std::make_error_code(std::errc::connection_refused), "closed"); }
  SUBCASE("busy") {
    wire::server_message message;
    message.mutable_busy()->set_retry_after_ms(600'000);
    tell(connect(), message);
  }
  SUBCASE("goodbye") {
    wire::server_message message;
    message.mutable_goodbye()->set_return_after_ms(600'000);
    tell(connect(), message);
  }
  SUBCASE("refused") {
    refuse(connect());
    wake(500);
    CHECK_FALSE(dialling());
    CHECK_FALSE(try_ask<caf::ok_atom>(agent, atom::sync_v)); // and says so at once
    return;
  }
  REQUIRE_FALSE(dialling());
  wake(500);
  CHECK(dialling());
}

TEST_CASE_FIXTURE(call_world, "woken for control it stays a minute for the orders to come") {
  start();
  sync_once();
  wake(500, wake_purpose::control);
  auto& link = connect();
  welcome(link);
  pass(59s);
  CHECK_FALSE(link.closed);
  pass(10s);
  CHECK(link.closed);
}

TEST_CASE_FIXTURE(call_world, "a wake on an open connection demands a sign of life") {
  start(kept());
  auto& link = connect();
  welcome(link);
  const auto before = link.said.size();
  wake(500);
  REQUIRE(link.said.size() == before + 1);
  CHECK(link.said.back().has_sync_request());
  SUBCASE("the server is there") {
    sync_done(link);
    pass(60s);
    CHECK_FALSE(link.closed);
    CHECK(links.size() == 1);
  }
  SUBCASE("the server is not: the next connection comes soon") {
    pass(11s);
    CHECK(link.closed);
    connect_again();
    CHECK(links.size() == 2);
  }
}

TEST_CASE_FIXTURE(call_world, "a wake while the connection is being made makes no second one") {
  start();
  SUBCASE("dialling") {
    REQUIRE(dialling());
    wake(500);
    welcome(connect());
  }
  SUBCASE("greeted") {
    auto& link = connect();
    wake(500);
    welcome(link);
  }
  CHECK(links.size() == 1);
  CHECK(links.back()->closed);
  CHECK(report()->syncs == 1);
  CHECK_FALSE(dialling());
}

TEST_CASE_FIXTURE(call_world, "the welcome's keys are kept, two at most, and the newest named from then on") {
  start();
  auto& link = connect();
  CHECK(link.said.at(0).hello().datagram_generation() == 0);
  wire::server_message message;
  for (std::uint32_t generation : {3U, 4U, 2U})
    add_keys(message, generation);
  tell(link, message);
  REQUIRE(kept_keys.size() == 1);
  REQUIRE(kept_keys.back().size() == 2);
  CHECK(kept_keys.back()[0].generation == 4);
  CHECK(kept_keys.back()[1].generation == 3);
  CHECK(kept_keys.back()[0].wake[5] == 4);
  wake(1);
  auto& second = connect();
  CHECK(second.said.at(0).hello().datagram_generation() == 4);
  welcome(second); // none given: those we have will do
  CHECK(kept_keys.size() == 1);
  CHECK(report()->datagram_generation == 4);
}

TEST_CASE_FIXTURE(call_world, "keys that are none are not kept") {
  start();
  wire::server_message message;
  add_keys(message, 1);
  auto& keys = *message.mutable_welcome()->mutable_datagram_keys(0);
  SUBCASE("no generation") { keys.set_generation(0); }
  SUBCASE("short wake key") { keys.set_wake_key(std::string(31, 'w')); }
  SUBCASE("long notice key") { keys.set_notice_key(std::string(33, 'n')); }
  tell(connect(), message);
  CHECK(kept_keys.empty());
}

TEST_CASE_FIXTURE(call_world, "a period of its own is told, the server's is not told back") {
  auto options = defaults();
  SUBCASE("its own") {
    options.period = 90s;
    options.period_is_ours = true;
    start(options);
    CHECK(connect().said.at(0).hello().sync_period_s() == 90);
  }
  SUBCASE("the server's") {
    start(options);
    CHECK(connect().said.at(0).hello().sync_period_s() == 0);
  }
}

TEST_CASE_FIXTURE(call_world, "another way to the server ends our own back-off") {
  start();
  sync_once();
  SUBCASE("another source address") {
    source = "198.51.100.3";
    change_network();
    pass(2s);
    CHECK(dialling());
  }
  SUBCASE("something else has changed: no concern of ours") {
    change_network();
    pass(10s);
    CHECK_FALSE(dialling());
  }
  SUBCASE("while it waits every change is worth a try") {
    wake(1);
    for (int failures = 0; failures < 6; ++failures) {
      fail_dial(std::make_error_code(std::errc::network_unreachable), "unreachable");
      for (int seconds = 0; seconds < 70 && !dialling(); ++seconds)
        pass(1s);
    }
    fail_dial(std::make_error_code(std::errc::network_unreachable), "unreachable");
    change_network();
    change_network(); // a burst is one
    pass(2s);
    REQUIRE(dialling());
    CHECK(dials.size() == 1);
  }
}

TEST_CASE_FIXTURE(call_world, "an open connection is proved on another network") {
  start(kept());
  auto& link = connect();
  welcome(link);
  source = "198.51.100.3";
  change_network();
  pass(2s);
  CHECK(link.said.back().has_sync_request());
  pass(11s);
  CHECK(link.closed);
}

TEST_CASE_FIXTURE(call_world, "a machine that has slept connects when it is back") {
  std::chrono::milliseconds slept{0};
  auto options = defaults();
  options.slept = [&slept] { return slept; };
  start(options);
  sync_once();
  slept = 500ms; // a hiccup
  pass(10s);
  CHECK_FALSE(dialling());
  slept = 3'600'000ms;
  pass(5s);
  pass(2s);
  CHECK(dialling());
  agent = nullptr;
}

TEST_CASE_FIXTURE(call_world, "a test of wakes tells what came of it") {
  start(kept());
  auto& link = connect();
  welcome(link);
  auto pending = begin_ask(agent, atom::probe_v);
  settle();
  REQUIRE(tests_asked(link) == 1);
  SUBCASE("it arrives") {
    test_sent(link, true);
    wake(500, wake_purpose::control);
    const auto result = take<wake_probe>(pending);
    REQUIRE(result);
    CHECK(result->sent);
    CHECK(result->arrived);
    CHECK(tests_asked(link) == 1);
    CHECK(report()->wake_counter == 500);
  }
  SUBCASE("it overtakes the server's word") {
    wake(500, wake_purpose::control);
    const auto result = take<wake_probe>(pending);
    REQUIRE(result);
    CHECK(result->arrived);
    test_sent(link, true);
  }
  SUBCASE("it does not arrive") {
    test_sent(link, true);
    pass(5s);
    const auto result = take<wake_probe>(pending);
    REQUIRE(result);
    CHECK(result->sent);
    CHECK_FALSE(result->arrived);
  }
  SUBCASE("the server cannot send") {
    test_sent(link, false, "no route");
    const auto result = take<wake_probe>(pending);
    REQUIRE(result);
    CHECK_FALSE(result->sent);
    CHECK(result->text == "no route");
  }
  SUBCASE("the connection is lost") {
    link.end(std::make_error_code(std::errc::connection_reset));
    settle();
    const auto result = take<wake_probe>(pending);
    REQUIRE(result);
    CHECK_FALSE(result->arrived);
    CHECK_FALSE(result->text.empty());
  }
  SUBCASE("one at a time") {
    CHECK_FALSE(try_ask<wake_probe>(agent, atom::probe_v));
    test_sent(link, false, "no");
    CHECK(take<wake_probe>(pending));
  }
}

TEST_CASE_FIXTURE(call_world, "a test of wakes connects first, and stays until it is over") {
  start();
  sync_once();
  auto pending = begin_ask(agent, atom::probe_v);
  settle();
  auto& link = connect();
  welcome(link);
  CHECK(tests_asked(link) == 1);
  CHECK_FALSE(link.closed);
  pass(5s);
  CHECK(take<wake_probe>(pending));
  CHECK(link.closed);
}
