#include "tests/actors/session_world.hpp"

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

struct calls_world : session_world {
  void want_sync(const connection& at, std::uint64_t calls) {
    self->send(at.session, atom::sync_v, calls);
    settle();
  }
};

/// A hello at a door where others can, or cannot, read along.
wire::welcome welcomed(session_world& world, bool encrypted, std::uint32_t generation_held) {
  const auto link = std::make_shared<fake_link>();
  auto accepted = std::make_shared<net::accepted>();
  accepted->connection = link;
  accepted->peer.certificate_sha256.emplace().fill(9);
  accepted->peer.encrypted = encrypted;
  world.host(session, net::accepted_ptr{std::move(accepted)}, session_services_ptr{world.services},
             world.root);
  auto hello = session_world::hello();
  hello.mutable_hello()->set_datagram_generation(generation_held);
  link->deliver(hello.SerializeAsString());
  world.settle();
  REQUIRE(link->last() == says::kWelcome);
  return link->sent.back().welcome();
}

} // namespace

TEST_CASE_FIXTURE(calls_world, "a session that is asked for a sync asks its agent; the sync that follows "
                               "names the call") {
  decision.calls_before = 3;
  auto at = welcome();
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes.back()->calls_before == 3); // the hello's
  want_sync(at, 8);
  CHECK(at.link->last() == says::kSyncNow);
  say(at, sync_request());
  CHECK(outcomes.back()->calls_before == 8);
}

TEST_CASE_FIXTURE(calls_world, "a sync that is in progress when the call comes does not name it; the next "
                               "one does") {
  auto at = welcome();
  const auto machine = facts("mill");
  say(at, sync_request({machine.digest}));
  want_sync(at, 8);
  CHECK(at.link->last() == says::kSyncNow);
  say(at, chunk(0, machine));
  REQUIRE(at.link->last() == says::kSyncDone);
  CHECK(outcomes.back()->calls_before == 0);
  say(at, sync_request());
  CHECK(outcomes.back()->calls_before == 8);
}

TEST_CASE_FIXTURE(calls_world, "an agent that does not listen is let go, and the directory hears of it") {
  auto at = welcome();
  at.link->full = true;
  want_sync(at, 1);
  CHECK(at.link->closed);
  CHECK(left == std::vector{mill});
}

TEST_CASE_FIXTURE(calls_world, "what the directory wants of a session that has ended is nothing") {
  auto at = welcome();
  at.link->lingers = true;
  self->send(at.session, atom::ending_v, session_end::replaced);
  settle();
  const auto said = at.link->sent.size();
  want_sync(at, 1);
  self->send(at.session, atom::keep_v, true);
  settle();
  CHECK(at.link->sent.size() == said);
  at.link->end();
  settle();
}

TEST_CASE_FIXTURE(calls_world, "the agent is told to keep its connection, with the welcome or later") {
  CHECK_FALSE(welcome().link->sent.back().welcome().keep());
  decision.keep = true;
  auto at = welcome();
  CHECK(at.link->sent.back().welcome().keep());
  self->send(at.session, atom::keep_v, false);
  settle();
  REQUIRE(at.link->last() == says::kKeep);
  CHECK_FALSE(at.link->sent.back().keep().on());
}

TEST_CASE_FIXTURE(calls_world, "datagram keys go to whoever does not hold the newest, and only where "
                               "nobody reads along") {
  std::array<std::uint8_t, 32> secret{};
  secret.fill(5);
  const net::datagram_keyring keys{net::datagram_secrets{{4, secret}, net::datagram_secret{3, secret}}};
  const auto live = std::make_shared<net::live_datagram_keys>(keys);
  services->datagram_keys = live;
  const auto told = welcomed(*this, true, 3);
  REQUIRE(told.datagram_keys_size() == 2);
  const auto wake = keys.wake_key(4, mill.bytes);
  const auto notice = keys.notice_key(3, mill.bytes);
  CHECK(told.datagram_keys(0).generation() == 4);
  CHECK(told.datagram_keys(0).wake_key() == std::string(wake.begin(), wake.end()));
  CHECK(told.datagram_keys(1).generation() == 3);
  CHECK(told.datagram_keys(1).notice_key() == std::string(notice.begin(), notice.end()));
  CHECK(welcomed(*this, true, 0).datagram_keys_size() == 2);
  CHECK(welcomed(*this, true, 4).datagram_keys_size() == 0);
  CHECK(welcomed(*this, false, 0).datagram_keys_size() == 0);

  live->use(net::datagram_keyring{net::datagram_secrets{{9, secret}, net::datagram_secret{4, secret}}});
  const auto rotated = welcomed(*this, true, 4);
  REQUIRE(rotated.datagram_keys_size() == 2);
  CHECK(rotated.datagram_keys(0).generation() == 9);
  CHECK(rotated.datagram_keys(1).generation() == 4);
}

TEST_CASE_FIXTURE(calls_world, "what a hello says of wakes is handed on; a port that is none is refused") {
  auto at = connect();
  auto message = hello();
  message.mutable_hello()->set_wake_port(15000);
  message.mutable_hello()->set_wake_counter(77);
  message.mutable_hello()->set_sync_period_s(UINT32_MAX);
  say(at, message);
  REQUIRE(hellos.size() == 1);
  CHECK(hellos[0]->wake_port == 15000);
  CHECK(hellos[0]->wake_counter == 77);
  CHECK(hellos[0]->sync_period_s == 30 * 86400);
  message.mutable_hello()->set_wake_port(65536);
  auto other = connect();
  say(other, message);
  check_refused(other, wire::refusal_protocol, "the port for wakes is none");
}

TEST_CASE_FIXTURE(calls_world, "a sync that the wire, the agent or the server ends in the middle has failed; "
                               "one that is done, or none, has not") {
  auto at = welcome();
  at.link->end();
  settle();
  CHECK(failed.empty());

  auto cut = welcome();
  say(cut, sync_request({facts("mill").digest}));
  cut.link->end();
  settle();
  CHECK(failed.size() == 1);

  auto quiet = welcome();
  say(quiet, sync_request({facts("mill").digest}));
  pass(session_limits::sync_silence_max + std::chrono::seconds{1});
  check_busy(quiet);
  CHECK(failed.size() == 2);

  auto wrong = welcome();
  say(wrong, sync_request({facts("mill").digest}));
  say(wrong, chunk(1, applications({"vim"})));
  CHECK(failed.size() == 3);
}

TEST_CASE_FIXTURE(calls_world, "services that have failed are counted when run states arrive") {
  wire::run_states list;
  for (const auto* const state : {"active", "failed", "inactive", "failed", "running"}) {
    auto& one = *list.add_items();
    one.set_name(std::string{"service-"} + std::to_string(list.items_size()));
    one.set_state(state);
  }
  const content running{list.SerializeAsString()};
  auto at = welcome();
  CHECK_FALSE(outcomes.back()->failed_services);
  say(at, sync_request({section_digest{}, section_digest{}, running.digest}));
  say(at, chunk(2, running));
  REQUIRE(outcomes.back()->failed_services);
  CHECK(*outcomes.back()->failed_services == 2);
}

TEST_CASE_FIXTURE(calls_world, "an agent that tests wakes is told whether one is on its way") {
  auto at = welcome();
  wire::agent_message test;
  test.mutable_wake_test();
  SUBCASE("it is") {
    wake_answer.reset();
    say(at, test);
    CHECK(at.link->last() != says::kWakeTestSent);
    pass(1s);
    const auto said = at.link->sent.size();
    say(at, test); // in the place of the first one, of which nothing more is said
    pass(1s);
    CHECK(at.link->sent.size() == said);
    pass(1s);
    CHECK(at.link->sent.size() == said + 1);
    REQUIRE(at.link->last() == says::kWakeTestSent);
    CHECK(at.link->sent.back().wake_test_sent().sent());
  }
  SUBCASE("it cannot be") {
    wake_answer = {false, 0, "no port"};
    say(at, test);
    REQUIRE(at.link->last() == says::kWakeTestSent);
    CHECK_FALSE(at.link->sent.back().wake_test_sent().sent());
    CHECK(at.link->sent.back().wake_test_sent().text() == "no port");
  }
}
