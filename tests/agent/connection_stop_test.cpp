// What the connection still does when it is asked to stop.
#include "tests/agent/connection_world.hpp"

#include <caf/exit_reason.hpp>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

struct stop_world : connection_world {
  /// As the root does: the request overtakes what waits in the mailbox.
  void ask_to_stop() {
    self->monitor(agent);
    caf::anon_send<caf::message_priority::high>(
      caf::actor_cast<caf::actor>(agent),
      caf::exit_msg{caf::actor_addr{}, caf::exit_reason::user_shutdown});
    settle();
  }
  /// Whether it has ended since, with the reason it was given.
  bool ended() {
    bool down = false;
    self->receive(
      [&](caf::down_msg& last) {
        down = true;
        CHECK(last.reason == caf::error{caf::exit_reason::user_shutdown});
      },
      caf::after(0s) >> [] {});
    return down;
  }
  /// One sync, so that the machine has been looked at and the digests are known.
  void sync_once() {
    welcome(connect());
    REQUIRE(links.back()->closed);
  }
  connection_options kept() {
    auto out = defaults();
    out.keep = true;
    return out;
  }
};

} // namespace

TEST_CASE_FIXTURE(stop_world, "a stop with nothing waiting ends at once") {
  SUBCASE("without a connection") {
    start();
    sync_once();
  }
  SUBCASE("connected") {
    start(kept());
    welcome(connect());
  }
  SUBCASE("in the middle of a sync") {
    start();
    welcome(connect(), {wire::section_facts});
  }
  SUBCASE("dialling") {
    start();
    REQUIRE(dialling());
    ask_to_stop();
    CHECK(ended());
    return;
  }
  ask_to_stop();
  CHECK(ended());
  CHECK(links.back()->closed);
  CHECK_FALSE(dialling());
}

TEST_CASE_FIXTURE(stop_world, "a stop hands over what waits by a connection of its own, without a look") {
  start();
  sync_once();
  SUBCASE("the spool's word came first") {
    raise("1");
    REQUIRE(dialling());
    ask_to_stop();
  }
  SUBCASE("the request to stop came first") {
    auto pending = begin_ask(spool, atom::raise_v, event("1", severity::info));
    ask_to_stop();
    CHECK(take<caf::ok_atom>(pending));
  }
  CHECK_FALSE(ended());
  auto& link = connect();
  CHECK(link.said.at(0).hello().events_waiting());
  welcome(link, {wire::section_facts}); // not served any more
  tell_position(link, {});
  const auto batches = batches_of(link);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].items(0).text() == "1");
  CHECK_FALSE(ended());
  CHECK_FALSE(link.closed);
  tell_ack(link, end_of(batches[0]));
  CHECK(ended());
  CHECK(link.closed);
  CHECK(count() == 0);
  CHECK(looks == 1);
  CHECK(link.said.size() == 2);
}

TEST_CASE_FIXTURE(stop_world, "a stop hands over what waits by the connection there is") {
  start(kept());
  auto& link = connect();
  SUBCASE("open") { welcome(link); }
  SUBCASE("in the middle of a sync") { welcome(link, {wire::section_facts}); }
  SUBCASE("not yet welcome") {}
  const bool open = link.said.size() > 0 && status().starts_with("connected");
  auto first = begin_ask(spool, atom::raise_v, event("1", severity::info));
  auto second = begin_ask(spool, atom::raise_v, event("2", severity::warning));
  ask_to_stop();
  CHECK(take<caf::ok_atom>(first));
  CHECK(take<caf::ok_atom>(second));
  CHECK_FALSE(ended());
  if (!open)
    welcome(link, {wire::section_facts});
  REQUIRE(link.said.back().has_events_open());
  tell_position(link, {});
  const auto batches = batches_of(link);
  REQUIRE_FALSE(batches.empty());
  for (const auto& batch : batches) {
    CHECK_FALSE(ended());
    tell_ack(link, end_of(batch));
  }
  CHECK(ended());
  CHECK(link.closed);
  CHECK(count() == 0);
  CHECK_FALSE(dialling());
}

TEST_CASE_FIXTURE(stop_world, "a stop waits for what is in flight, and for what is raised meanwhile") {
  start(kept());
  auto& link = connect();
  welcome(link);
  raise("1");
  tell_position(link, {});
  const auto first = batches_of(link).at(0);
  ask_to_stop();
  CHECK_FALSE(ended());
  raise("2");
  tell_ack(link, end_of(first));
  CHECK_FALSE(ended());
  const auto batches = batches_of(link);
  REQUIRE(batches.size() == 2);
  CHECK(batches[1].items(0).text() == "2");
  tell_ack(link, end_of(batches[1]));
  CHECK(ended());
  CHECK(count() == 0);
}

TEST_CASE_FIXTURE(stop_world, "a stop that meets a closing link makes one more connection") {
  start();
  auto& old = connect();
  old.ends = false;
  welcome(old);
  REQUIRE(old.closed);
  raise("1");
  ask_to_stop();
  CHECK_FALSE(ended());
  CHECK_FALSE(dialling());
  old.end({});
  settle();
  auto& link = connect();
  welcome(link);
  tell_position(link, {});
  tell_ack(link, end_of(batches_of(link).at(0)));
  CHECK(ended());
  CHECK(count() == 0);
}

TEST_CASE_FIXTURE(stop_world, "a stop with a silent server ends after stop_max; the event stays in the spool") {
  start();
  sync_once();
  raise("1");
  SUBCASE("that does not even answer the call") { REQUIRE(dialling()); }
  SUBCASE("that does not greet") { connect(); }
  SUBCASE("that does not tell the position") { welcome(connect()); }
  SUBCASE("that does not acknowledge") {
    auto& link = connect();
    welcome(link);
    tell_position(link, {});
    REQUIRE(batches_of(link).size() == 1);
  }
  pass(3s); // a tick is in flight, and falls into the time of the stop
  ask_to_stop();
  CHECK_FALSE(ended());
  pass(hand_over_max - 1ms);
  CHECK_FALSE(ended());
  pass(1ms);
  CHECK(ended());
  CHECK(links.back()->closed);
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(stop_world, "a stop ends with the first failure; the event stays in the spool") {
  start();
  sync_once();
  raise("1");
  REQUIRE(dialling());
  ask_to_stop();
  CHECK_FALSE(ended());
  wire::server_message word;
  SUBCASE("nobody there") {
    fail_dial(std::make_error_code(std::errc::connection_refused), "nobody listens");
  }
  SUBCASE("cut") {
    connect().end(std::make_error_code(std::errc::connection_reset));
    settle();
  }
  SUBCASE("busy") {
    word.mutable_busy()->set_retry_after_ms(1000);
    tell(connect(), word);
  }
  SUBCASE("refused") {
    word.mutable_refused()->set_text("no");
    tell(connect(), word);
  }
  SUBCASE("the spool cannot be read") {
    auto& link = connect();
    welcome(link);
    db.fail_reads(storage::errc::io_error);
    tell_position(link, {});
    db.fail_reads({});
  }
  CHECK(ended());
  CHECK_FALSE(dialling());
  pass(70s);
  CHECK_FALSE(dialling());
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(stop_world, "a stop in a pause does not disturb the server, and is immediate") {
  start();
  sync_once();
  raise("1");
  SUBCASE("our own") {
    fail_dial(std::make_error_code(std::errc::connection_refused), "nobody listens");
  }
  SUBCASE("the server's") {
    wire::server_message busy;
    busy.mutable_busy()->set_retry_after_ms(60'000);
    tell(connect(), busy);
  }
  ask_to_stop();
  CHECK(ended());
  CHECK_FALSE(dialling());
  CHECK(count() == 1);
}

TEST_CASE_FIXTURE(stop_world, "a stop does not wait for a spool that has ended or a machine never seen") {
  SUBCASE("no spool") {
    start();
    sync_once();
    caf::anon_send_exit(spool, caf::exit_reason::kill);
    settle();
  }
  SUBCASE("blind") {
    look_fails = true;
    raise("1");
    start();
  }
  ask_to_stop();
  CHECK(ended());
  CHECK_FALSE(dialling());
}
