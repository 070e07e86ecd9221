// A device's last word: asked of the directory once, acknowledged as often as it is repeated, and
// nothing is answered to anybody else.

#include "actors/server/notice_desk.hpp"

#include "tests/actors/fleet_world.hpp"

using namespace muster;
using namespace muster::test;

namespace {

struct notice_world : fleet_world {
  const net::datagram_secret oldest{1, {7}};
  std::shared_ptr<net::live_datagram_keys> live =
    std::make_shared<net::live_datagram_keys>(
      net::datagram_keyring{net::datagram_secrets{oldest, {}}});
  std::shared_ptr<const net::datagram_keyring> keys = live->now();
  notice_desk_actor desk;
  net::udp_port::filter filter = notice_filter(live);

  notice_world() { desk = host(notice_desk, notice_desk_options{directories, live}); }

  net::notice notice_of(const played_agent& agent,
                        net::notice_reason reason = net::notice_reason::shutdown) const {
    return {1, agent.device.bytes, agent.boot.bytes, agent.counter + 1, reason};
  }
  net::datagram from(const net::notice& what, std::uint16_t port = 1000) const {
    return {*net::make_udp_endpoint("192.0.2.7", port),
            net::make_notice(what, keys->notice_key(what.generation, what.device_id))};
  }
  auto begin(net::datagram_batch batch) {
    return begin_ask(desk, atom::datagrams_v,
                     std::make_shared<const net::datagram_batch>(std::move(batch)));
  }
  net::datagram_batch answers(net::datagram_batch batch) {
    const auto out = ask<net::datagram_batch_ptr>(
      desk, atom::datagrams_v, std::make_shared<const net::datagram_batch>(std::move(batch)));
    return out ? *out : net::datagram_batch{};
  }
  bool acknowledges(const net::datagram& answer, const net::notice& what) const {
    return net::check_acknowledgement(answer.bytes, what,
                                      keys->notice_key(what.generation, what.device_id));
  }
  played_agent seen(std::string name = "mill", std::uint8_t machine = 0) {
    auto agent = enrolled(std::move(name), machine);
    const auto connection = session();
    REQUIRE(hello(agent, connection).reason == refusal::none);
    leave(agent, connection);
    return agent;
  }
};

} // namespace

TEST_CASE_FIXTURE(notice_world, "a notice is on record when it is acknowledged, to where it came from") {
  const auto agent = seen();
  const auto said = notice_of(agent);
  const auto out = answers({from(said)});
  REQUIRE(out.size() == 1);
  CHECK(out[0].peer == from(said).peer);
  CHECK(acknowledges(out[0], said));
  CHECK(out[0].bytes.size() <= from(said).bytes.size());
  const auto shown = row(agent.device);
  REQUIRE(shown);
  CHECK(shown->off_us == now_us);
  CHECK(shown->off_reason == off_reason::shutdown);
}

TEST_CASE_FIXTURE(notice_world, "a repeated notice is acknowledged again and counted once") {
  const auto agent = seen();
  const auto said = notice_of(agent, net::notice_reason::suspend);
  REQUIRE(answers({from(said)}).size() == 1);
  const auto first = row(agent.device)->off_us;
  now_us += 350'000;
  // A lost acknowledgement, and two that came together.
  const auto again = answers({from(said, 1001), from(said, 1002)});
  REQUIRE(again.size() == 2);
  CHECK(acknowledges(again[0], said));
  CHECK(again[1].peer.port == 1002);
  CHECK(row(agent.device)->off_us == first);
}

TEST_CASE_FIXTURE(notice_world, "repetitions in flight share one question") {
  const auto agent = seen();
  const auto said = notice_of(agent);
  auto first = begin({from(said, 1), from(said, 2)});
  auto second = begin({from(said, 3)});
  settle();
  CHECK((**take<net::datagram_batch_ptr>(first)).size() == 2);
  CHECK((**take<net::datagram_batch_ptr>(second)).size() == 1);
  const auto figures = *ask<metrics_text>(desk, atom::metrics_v);
  CHECK(figures.find("muster_notices_taken_total 1\n") != std::string::npos);
  CHECK(figures.find("muster_notices_repeated_total 2\n") != std::string::npos);
}

TEST_CASE_FIXTURE(notice_world, "who is unknown, revoked or of the past is answered nothing") {
  auto agent = seen();
  played_agent stranger;
  stranger.device = played_agent::random_id<device_id>();
  CHECK(answers({from(notice_of(stranger))}).empty());

  auto old = notice_of(agent);
  old.counter = 0;
  CHECK(answers({from(old)}).empty());
  CHECK(row(agent.device)->off_us == 0);

  REQUIRE(ask<bool>(directory_of(agent.device), atom::revoke_v, agent.device,
                    audit("device.revoke")));
  CHECK(answers({from(notice_of(agent))}).empty());
}

TEST_CASE_FIXTURE(notice_world, "a recorded notice is worthless after the next hello") {
  auto agent = seen();
  const auto said = notice_of(agent);
  REQUIRE(answers({from(said)}).size() == 1);
  ++agent.counter; // the notice's
  const auto connection = session();
  REQUIRE(hello(agent, connection).reason == refusal::none);
  CHECK(row(agent.device)->off_us == 0);
  CHECK(answers({from(said)}).empty());
  CHECK(row(agent.device)->off_us == 0);
}

TEST_CASE_FIXTURE(notice_world, "the filter lets nothing through that is not by a device's own key") {
  const auto agent = seen();
  const auto good = from(notice_of(agent));
  CHECK(filter(good.bytes, good.peer));
  for (std::size_t i = 0; i < good.bytes.size(); ++i) {
    auto bad = good;
    bad.bytes[i] = static_cast<char>(bad.bytes[i] ^ 1);
    CHECK_FALSE(filter(bad.bytes, bad.peer));
    // And if it did (keys change while datagrams wait), the desk would not.
    CHECK(answers({bad}).empty());
  }
  CHECK_FALSE(filter("", good.peer));
}

TEST_CASE_FIXTURE(notice_world, "a whole office goes home at once, and each is counted once") {
  std::vector<played_agent> office;
  for (std::uint8_t i = 1; i <= 20; ++i)
    office.push_back(seen("desk-" + std::to_string(i), i));
  net::datagram_batch batch;
  for (int repeat = 0; repeat < 3; ++repeat)
    for (const auto& agent : office)
      batch.push_back(from(notice_of(agent)));
  CHECK(answers(batch).size() == batch.size());
  for (const auto& agent : office)
    CHECK(row(agent.device)->off_us == now_us);
  const auto figures = *ask<metrics_text>(desk, atom::metrics_v);
  CHECK(figures.find("muster_notices_taken_total 20\n") != std::string::npos);
}

TEST_CASE_FIXTURE(notice_world, "while the store refuses nothing is acknowledged, and a later try is") {
  const auto agent = seen();
  const auto said = notice_of(agent);
  db->fail_writes(storage::make_error_code(storage::errc::disk_full));
  CHECK(answers({from(said)}).empty());
  db->fail_writes({});
  CHECK(answers({from(said)}).size() == 1);
}

TEST_CASE_FIXTURE(notice_world, "a rotation leaves the old generation valid, the next one does not") {
  const auto agent = seen();
  const net::datagram_secret second{2, {8}};
  const net::datagram_secret third{3, {9}};
  live->use(net::datagram_keyring{net::datagram_secrets{second, oldest}});
  const auto said = notice_of(agent);
  const auto taken = answers({from(said)});
  REQUIRE(taken.size() == 1);
  CHECK(acknowledges(taken[0], said));
  CHECK(filter(from(said).bytes, {}));

  live->use(net::datagram_keyring{net::datagram_secrets{third, second}});
  CHECK_FALSE(filter(from(said).bytes, {}));
  CHECK(answers({from(said)}).empty());
}

TEST_CASE_FIXTURE(notice_world, "a key that goes while the directory is asked is no bug, and no answer") {
  const auto agent = seen();
  auto asked = begin({from(notice_of(agent))});
  REQUIRE(sched.try_run_once()); // the desk has found the notice good, and asked
  live->use(net::datagram_keyring{net::datagram_secrets{{9, {9}}, {}}});
  settle();
  CHECK((**take<net::datagram_batch_ptr>(asked)).empty());
  CHECK(row(agent.device)->off_us == now_us);
}
