// What the connection says when its machine, or its program, goes away.
#include "net/notice.hpp"
#include "tests/agent/connection_world.hpp"

#include <caf/exit_reason.hpp>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

constexpr std::array<std::uint8_t, 32> secret{5, 6, 7};

struct notice_world : connection_world {
  notice_world() {
    id.fill(1); // as in defaults()
    keys = keyring.keys_of(id).front();
  }

  connection_options with_keys() {
    auto out = defaults();
    out.keys = {keys};
    return out;
  }
  void sync_once() {
    welcome(connect());
    REQUIRE(links.back()->closed);
  }
  void stop_agent() {
    self->monitor(agent);
    caf::anon_send<caf::message_priority::high>(
      caf::actor_cast<caf::actor>(agent),
      caf::exit_msg{caf::actor_addr{}, caf::exit_reason::user_shutdown});
    settle();
  }
  bool ended() {
    bool down = false;
    self->receive([&](caf::down_msg&) { down = true; }, caf::after(0s) >> [] {});
    return down;
  }
  net::notice notice_at(std::size_t i) {
    net::notice out;
    REQUIRE(i < notices.size());
    CHECK(net::check_notice(notices[i].bytes, keyring, out) == net::notice_verdict::accepted);
    return out;
  }
  /// The server acknowledges, if this is what the agent waits for.
  void acknowledge(std::size_t i) {
    const auto answer = net::make_acknowledgement(notice_at(i), keys.notice);
    REQUIRE(notices[i].is_answer(answer));
    notices[i].answered();
    settle();
  }
  std::uint64_t last_hello() {
    return links.back()->said.at(0).hello().counter();
  }

  net::id_bytes id{};
  net::datagram_keyring keyring{secret};
  net::device_datagram_keys keys;
};

} // namespace

TEST_CASE_FIXTURE(notice_world, "a stop ends with a notice, whose counter is above the last hello's") {
  start(with_keys());
  sync_once();
  stop_agent();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].address == "192.0.2.1");
  const auto said = notice_at(0);
  CHECK(said.reason == net::notice_reason::agent_stop);
  CHECK(said.counter == last_hello() + 1);
  CHECK_FALSE(ended());
  acknowledge(0);
  CHECK(ended());
  CHECK(notices.size() == 1);
}

TEST_CASE_FIXTURE(notice_world, "a notice is tried three times within a second, the same bytes") {
  start(with_keys());
  sync_once();
  stop_agent();
  pass(349ms);
  CHECK(notices.size() == 1);
  pass(1ms);
  CHECK(notices.size() == 2);
  pass(350ms);
  CHECK(notices.size() == 3);
  pass(299ms);
  CHECK_FALSE(ended());
  pass(1ms);
  CHECK(ended());
  pass(1s);
  REQUIRE(notices.size() == 3);
  CHECK(notices[0].bytes == notices[2].bytes);
}

TEST_CASE_FIXTURE(notice_world, "only the acknowledgement of this notice counts") {
  start(with_keys());
  sync_once();
  stop_agent();
  auto other = notice_at(0);
  CHECK_FALSE(notices[0].is_answer("nonsense"));
  CHECK_FALSE(notices[0].is_answer(notices[0].bytes));
  --other.counter; // one that was recorded earlier
  CHECK_FALSE(notices[0].is_answer(net::make_acknowledgement(other, keys.notice)));
  CHECK_FALSE(notices[0].is_answer(net::make_acknowledgement(notice_at(0), keys.wake)));
  CHECK_FALSE(ended());
}

TEST_CASE_FIXTURE(notice_world, "nothing is told to a server that has not seen us, or without keys") {
  SUBCASE("never connected") {
    start(with_keys());
  }
  SUBCASE("no keys") {
    start();
    sync_once();
  }
  stop_agent();
  CHECK(notices.empty());
  CHECK(ended());
}

TEST_CASE_FIXTURE(notice_world, "whoever makes place for a successor does not take leave") {
  start(with_keys());
  sync_once();
  self->monitor(agent);
  caf::anon_send(caf::actor_cast<caf::actor>(agent),
                 caf::exit_msg{caf::actor_addr{}, make_error(errc::stopping, "again")});
  settle();
  CHECK(ended());
  CHECK(notices.empty());
}

TEST_CASE_FIXTURE(notice_world, "events that wait go first, then the notice") {
  start(with_keys());
  sync_once();
  raise("1");
  REQUIRE(dialling());
  stop_agent();
  auto& link = connect();
  welcome(link);
  tell_position(link, {});
  CHECK(notices.empty());
  tell_ack(link, end_of(batches_of(link).at(0)));
  CHECK(link.closed);
  REQUIRE(notices.size() == 1);
  CHECK(notice_at(0).counter == last_hello() + 1);
}

TEST_CASE_FIXTURE(notice_world, "a machine that goes says why, and nothing is begun until it is back") {
  auto options = with_keys();
  options.keep = true;
  start(options);
  auto& link = connect();
  welcome(link);
  auto pending = begin_ask(agent, atom::notice_v, off_reason::suspend);
  settle();
  CHECK(link.closed);
  CHECK(notice_at(0).reason == net::notice_reason::suspend);
  acknowledge(0);
  CHECK(take<bool>(pending) == true);
  raise("on the way to bed");
  pass(20s);
  CHECK_FALSE(dialling());
  SUBCASE("back") {
    CHECK(ask<bool>(agent, atom::notice_v, off_reason::none));
    pass(2s);
    CHECK(dialling());
  }
  SUBCASE("it never went") {
    pass(46s);
    CHECK(dialling());
  }
}

TEST_CASE_FIXTURE(notice_world, "without an acknowledgement the machine goes after a second") {
  start(with_keys());
  sync_once();
  auto pending = begin_ask(agent, atom::notice_v, off_reason::restart);
  settle();
  for (int i = 0; i < 20; ++i)
    pass(50ms);
  CHECK(take<bool>(pending) == false);
  CHECK(notices.size() == 3);
}

TEST_CASE_FIXTURE(notice_world, "what was being begun when the machine goes is not gone on with") {
  start(with_keys());
  sync_once();
  SUBCASE("looking") {
    hold_looks = true;
    self->send(agent, atom::wake_v, wake_purpose::sync, std::uint64_t{9});
    settle();
    REQUIRE(looks == 2);
    auto pending = begin_ask(agent, atom::notice_v, off_reason::shutdown);
    settle();
    answer_looks();
    acknowledge(0);
    CHECK(take<bool>(pending) == true);
    CHECK_FALSE(dialling());
  }
  SUBCASE("dialling") {
    self->send(agent, atom::wake_v, wake_purpose::sync, std::uint64_t{9});
    settle();
    REQUIRE(dialling());
    auto pending = begin_ask(agent, atom::notice_v, off_reason::shutdown);
    settle();
    acknowledge(0);
    CHECK(take<bool>(pending) == true);
    auto& late = connect();
    CHECK(late.closed);
    CHECK(late.said.empty());
  }
}

TEST_CASE_FIXTURE(notice_world, "the stop that follows a shutdown repeats its reason only to a server that has seen us since") {
  start(with_keys());
  sync_once();
  auto pending = begin_ask(agent, atom::notice_v, off_reason::shutdown);
  settle();
  acknowledge(0);
  CHECK(take<bool>(pending) == true);
  SUBCASE("nothing was left") {
    stop_agent();
    CHECK(ended());
    CHECK(notices.size() == 1);
  }
  SUBCASE("the last event was handed over") {
    raise("agent.stopped");
    stop_agent();
    auto& link = connect();
    welcome(link);
    tell_position(link, {});
    tell_ack(link, end_of(batches_of(link).at(0)));
    REQUIRE(notices.size() == 2);
    CHECK(notice_at(1).reason == net::notice_reason::shutdown);
    CHECK(notice_at(1).counter > last_hello());
    acknowledge(1);
    CHECK(ended());
  }
}

TEST_CASE_FIXTURE(notice_world, "a notice whose counter the disk refuses is not sent") {
  start(with_keys());
  sync_once();
  db.fail_writes(storage::errc::io_error);
  auto pending = begin_ask(agent, atom::notice_v, off_reason::shutdown);
  settle();
  CHECK(take<bool>(pending) == false);
  CHECK(notices.empty());
}
