// When the agent connects, and what it says.
#include "net/errc.hpp"
#include "net/limits.hpp"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "tests/agent/connection_world.hpp"

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

std::uint64_t hello_counter(const fake_link& link) { return link.said.at(0).hello().counter(); }

} // namespace

TEST_CASE_FIXTURE(connection_world, "at the start it connects at once and says who it is") {
  start();
  REQUIRE(dialling());
  auto& link = connect();
  CHECK(link.trusted);
  CHECK(link.granted > 0);
  REQUIRE(link.said.size() == 1);
  const auto& hello = link.said[0].hello();
  CHECK(hello.protocol() == 1);
  CHECK(hello.device_id() == std::string(16, 1));
  CHECK(hello.boot_id() == std::string(16, 2));
  CHECK(hello.fingerprint() == std::string(16, 3));
  CHECK(hello.counter() == 1);
  CHECK(hello.agent_version() == "1.0");
  CHECK(hello.statistics().uptime_s() == 42);
  CHECK_FALSE(hello.events_waiting());
  CHECK_FALSE(hello.keep());
  REQUIRE(hello.digests_size() == 3);
  const auto digest = net::section_digest_of("facts");
  CHECK(hello.digests(0).digest() == std::string(digest.begin(), digest.end()));
}

TEST_CASE_FIXTURE(connection_world, "when both agree the connection is closed until the next period") {
  start();
  auto& link = connect();
  welcome(link);
  CHECK(link.closed);
  CHECK(told_time_s == 1'700'000'000);
  CHECK_FALSE(dialling());
  pass(13min); // 15 minutes less the jitter of ten per cent
  CHECK_FALSE(dialling());
  pass(4min);
  REQUIRE(dialling());
  CHECK(hello_counter(connect()) == 2);
  CHECK(looks == 2);
}

TEST_CASE_FIXTURE(connection_world, "only the sections the server wants travel, whole and compressed") {
  machine[1] = std::string(700'000, 'a'); // compresses well
  for (std::size_t i = 0; i < machine[1].size(); ++i)
    machine[1][i] = static_cast<char>('a' + (i * 2'654'435'761U >> 7) % 25);
  start();
  auto& link = connect();
  welcome(link, {wire::section_applications, wire::section_run_states});
  CHECK_FALSE(link.closed);
  std::array<std::string, sections> packed;
  std::array<bool, sections> last{};
  for (std::size_t i = 1; i < link.said.size(); ++i) {
    const auto& chunk = link.said[i].section_chunk();
    const auto index = static_cast<std::size_t>(chunk.section()) - 1;
    CHECK_FALSE(last.at(index));
    const auto digest = net::section_digest_of(machine[index]);
    CHECK(chunk.digest() == std::string(digest.begin(), digest.end()));
    CHECK(chunk.data().size() <= net::limits::chunk_bytes_max);
    packed[index] += chunk.data();
    last[index] = chunk.last();
  }
  CHECK(packed[0].empty());
  for (const std::size_t index : {1, 2}) {
    CHECK(last[index]);
    std::string content;
    CHECK_FALSE(storage::decompress(packed[index], 1'000'000, content));
    CHECK(content == machine[index]);
  }
  sync_done(link);
  CHECK(link.closed);
  CHECK(status().find("1 sync,") != std::string::npos);
}

TEST_CASE_FIXTURE(connection_world, "a kept connection stays, syncs by request and is made anew when it dies") {
  auto options = defaults();
  options.keep = true;
  start(options);
  auto& link = connect();
  CHECK(link.said[0].hello().keep());
  welcome(link);
  CHECK_FALSE(link.closed);
  pass(17min);
  REQUIRE(link.said.size() == 2);
  CHECK(link.said[1].sync_request().digests_size() == 3);
  wire::server_message plan;
  plan.mutable_sync_plan();
  tell(link, plan);
  CHECK_FALSE(link.closed);
  pass(20s);
  // The kernel found the peer dead.
  link.end(std::make_error_code(std::errc::timed_out));
  settle();
  CHECK_FALSE(dialling());
  pass(8s); // a short pause, and a tick
  CHECK(dialling());
}

TEST_CASE_FIXTURE(connection_world, "a sync that somebody asked for is answered when it is done") {
  start();
  welcome(connect());
  auto pending = begin_ask(agent, atom::sync_v);
  settle();
  auto& link = connect();
  CHECK_FALSE(self->has_next_message());
  welcome(link, {wire::section_facts});
  CHECK_FALSE(self->has_next_message());
  sync_done(link);
  CHECK(take<caf::ok_atom>(pending));
}

TEST_CASE_FIXTURE(connection_world, "asked during an exchange for events, it looks and syncs all the same") {
  start();
  welcome(connect());
  raise("1");
  REQUIRE(dialling());
  auto pending = begin_ask(agent, atom::sync_v);
  settle();
  auto& link = connect();
  const auto before = looks;
  welcome(link);
  REQUIRE(link.said.back().has_sync_request());
  CHECK(looks == before + 1);
  CHECK_FALSE(self->has_next_message());
  wire::server_message plan;
  plan.mutable_sync_plan();
  tell(link, plan);
  CHECK(take<caf::ok_atom>(pending));
}

TEST_CASE_FIXTURE(connection_world, "a connection for events alone does not put off the next sync") {
  start();
  welcome(connect());
  event_position theirs;
  for (int minute = 0; minute < 20; ++minute) {
    // An event every minute: each has its own connection.
    raise(std::to_string(minute));
    REQUIRE(dialling());
    auto& link = connect();
    REQUIRE(link.said[0].hello().events_waiting());
    welcome(link);
    tell_position(link, theirs);
    theirs = end_of(batches_of(link).at(0));
    tell_ack(link, theirs);
    REQUIRE(link.closed);
    pass(1min);
    if (dialling()) // the period
      welcome(connect());
  }
  CHECK(looks == 2); // at the start and after a quarter of an hour
}

TEST_CASE_FIXTURE(connection_world, "the server's word when to come back is obeyed, and told to who asks") {
  wire::server_message message;
  SUBCASE("busy") { message.mutable_busy()->set_retry_after_ms(120'000); }
  SUBCASE("goodbye") { message.mutable_goodbye()->set_return_after_ms(120'000); }
  SUBCASE("refused") {
    message.mutable_refused()->set_reason(wire::refusal_revoked);
    message.mutable_refused()->set_text("this device has been revoked");
  }
  auto options = defaults();
  options.refused_pause = 4min; // half of it is jitter
  start(options);
  auto pending = begin_ask(agent, atom::sync_v);
  settle();
  auto& link = connect();
  tell(link, message);
  CHECK(link.closed);
  CHECK_FALSE(take<caf::ok_atom>(pending));
  CHECK((forgotten == 1) == message.has_refused());
  pass(100s);
  CHECK_FALSE(dialling());
  const auto answer = try_ask<caf::ok_atom>(agent, atom::sync_v);
  REQUIRE_FALSE(answer);
  CHECK(text_of(answer.error()).find("to come back in") != std::string::npos);
  CHECK_FALSE(dialling());
  pass(5min);
  CHECK(dialling());
}

TEST_CASE_FIXTURE(connection_world, "failed attempts come further and further apart; asking tries at once") {
  start();
  for (int i = 0; i < 5; ++i) {
    fail_dial(std::make_error_code(std::errc::connection_refused), "cannot connect to server");
    CHECK_FALSE(dialling());
    CHECK(status().find("cannot connect to server, next attempt in") != std::string::npos);
    pass(65s);
    REQUIRE(dialling());
  }
  CHECK(forgotten == 0); // nobody there: the ticket is as good as before
  fail_dial(net::errc::tls_failed, "TLS failed");
  CHECK(forgotten == 1);
  auto pending = begin_ask(agent, atom::sync_v);
  settle();
  REQUIRE(dialling());
  fail_dial(std::make_error_code(std::errc::connection_refused), "still not");
  const auto answer = take<caf::ok_atom>(pending);
  REQUIRE_FALSE(answer);
  CHECK(text_of(answer.error()) == "still not");
}

TEST_CASE_FIXTURE(connection_world, "a server that falls silent in the middle is left") {
  start();
  SUBCASE("behind the hello") { connect(); }
  SUBCASE("in a sync") { welcome(connect(), {wire::section_facts}); }
  SUBCASE("owing the position") {
    raise("1");
    welcome(connect());
  }
  SUBCASE("owing an acknowledgement") {
    raise("1");
    auto& link = connect();
    welcome(link);
    tell_position(link, {});
    REQUIRE(batches_of(link).size() == 1);
  }
  pass(29s);
  CHECK_FALSE(links.back()->closed);
  pass(2s);
  CHECK(links.back()->closed);
  pass(65s);
  CHECK(dialling());
}

TEST_CASE_FIXTURE(connection_world, "a long look at the machine is not the server's silence") {
  auto options = defaults();
  options.keep = true;
  start(options);
  auto& link = connect();
  welcome(link);
  hold_looks = true;
  pass(17min);
  REQUIRE(held.size() == 1);
  pass(2min);
  CHECK_FALSE(link.closed);
  answer_looks();
  CHECK(link.said.back().has_sync_request());
}

TEST_CASE_FIXTURE(connection_world, "an answer to a look that an ended connection wanted is void") {
  auto options = defaults();
  options.keep = true;
  start(options);
  auto& link = connect();
  welcome(link);
  hold_looks = true;
  pass(17min);
  REQUIRE(held.size() == 1);
  link.end(std::make_error_code(std::errc::timed_out));
  hold_looks = false;
  auto& second = connect_again();
  welcome(second, {wire::section_facts});
  const auto said = second.said.size();
  answer_looks();
  CHECK(second.said.size() == said); // no sync_request in the middle of a sync
}

TEST_CASE_FIXTURE(connection_world, "a machine that cannot be looked at is looked at again later") {
  look_fails = true;
  start();
  CHECK_FALSE(dialling());
  CHECK_FALSE(try_ask<caf::ok_atom>(agent, atom::sync_v));
  look_fails = false;
  connect_again();
}

TEST_CASE_FIXTURE(connection_world,
                  "the hello's counter is on the disk before it is used, not ahead, and only grows") {
  const auto on_disk = [&] {
    std::error_code ec;
    std::uint64_t counter = 0;
    const auto value = db.after_power_loss()->get(
      storage::family::meta, storage::keys::setting("hello_counter"), ec);
    if (value)
      CHECK_FALSE(storage::records::decode_number(*value, counter));
    return counter;
  };
  start();
  std::uint64_t used = 0;
  for (int i = 0; i < 150; ++i) {
    auto& link = connect_again();
    REQUIRE(hello_counter(link) > used);
    used = hello_counter(link);
    REQUIRE(on_disk() == used); // not ahead either: a copy of this disk must be seen as one
    link.end({});
  }
  caf::anon_send_exit(agent, caf::exit_reason::kill);
  settle();
  dials.clear();
  start();
  CHECK(hello_counter(connect()) > used);
}

TEST_CASE_FIXTURE(connection_world, "without its counter on the disk it does not say hello") {
  db.fail_writes(storage::errc::disk_full);
  start();
  CHECK_FALSE(dialling());
  const auto answer = try_ask<caf::ok_atom>(agent, atom::sync_v);
  REQUIRE_FALSE(answer);
  CHECK(text_of(answer.error()).find("counter") != std::string::npos);
  pass(2min);
  CHECK_FALSE(dialling());
  db.fail_writes({});
  CHECK(hello_counter(connect_again()) == 1);
}

TEST_CASE_FIXTURE(connection_world, "more than the connection takes ends it, and whoever waits is told") {
  start();
  auto pending = begin_ask(agent, atom::sync_v);
  settle();
  auto& link = connect();
  link.full = true;
  welcome(link, {wire::section_facts});
  CHECK(link.closed);
  CHECK_FALSE(take<caf::ok_atom>(pending));
  pass(5s);
  CHECK(dialling());
}

TEST_CASE_FIXTURE(connection_world, "what is no message ends the connection; an unknown one does not") {
  start();
  auto& link = connect();
  tell(link, {});
  CHECK_FALSE(link.closed);
  link.deliver_bytes("\xff\xff\xff");
  settle();
  CHECK(link.closed);
}

TEST_CASE_FIXTURE(connection_world, "a ping is answered, and every message gives back its credit") {
  start();
  auto& link = connect();
  welcome(link, {wire::section_facts});
  const auto granted = link.granted;
  wire::server_message ping;
  ping.mutable_ping();
  tell(link, ping);
  CHECK(link.said.back().has_pong());
  CHECK(link.granted == granted + 1);
}

TEST_CASE_FIXTURE(connection_world, "asked to stop it closes and tells who waits") {
  start();
  auto pending = begin_ask(agent, atom::sync_v);
  settle();
  auto& link = connect();
  stop(agent);
  CHECK(link.closed);
  CHECK_FALSE(take<caf::ok_atom>(pending));
  CHECK_FALSE(alive(agent));
}
