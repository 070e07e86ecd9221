// What a device does that reports without encryption, where keys for datagrams are never given.
#include "tests/agent/connection_world.hpp"

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

struct plain_world : connection_world {
  plain_world() { has_key_way = true; }

  void welcome_with_keys(fake_link& link) {
    wire::server_message message;
    auto& keys = *message.mutable_welcome()->add_datagram_keys();
    keys.set_generation(3);
    keys.set_wake_key(std::string(32, 'w'));
    keys.set_notice_key(std::string(32, 'n'));
    tell(link, message);
  }
  /// Syncs once by the usual way, at the end of the period.
  void sync_later() {
    for (int minutes = 0; minutes < 20 && dials.empty() && key_dials.empty(); ++minutes)
      pass(1min);
  }
};

} // namespace

TEST_CASE_FIXTURE(plain_world, "a device without keys gets them first, and never asks again") {
  start();
  REQUIRE(key_dials.size() == 1);
  CHECK(dials.empty());
  auto& link = connect(key_dials);
  CHECK(link.said.at(0).hello().datagram_generation() == 0);
  welcome_with_keys(link);
  REQUIRE(kept_keys.size() == 1);
  CHECK(link.closed); // that was its sync
  sync_later();
  CHECK(key_dials.empty());
  CHECK(connect().said.at(0).hello().datagram_generation() == 3);
}

TEST_CASE_FIXTURE(plain_world, "a device with keys goes the usual way") {
  auto options = defaults();
  options.keys = {{.generation = 3}};
  start(options);
  CHECK(key_dials.empty());
  CHECK(dials.size() == 1);
}

TEST_CASE_FIXTURE(plain_world, "where keys cannot be had the usual way goes on at once, with the same hello") {
  start();
  fail_dial(key_dials, net::errc::timed_out, "closed");
  auto& link = connect();
  CHECK(link.said.at(0).hello().counter() == 1);
  welcome(link);
  CHECK(link.closed);
  // Not with each connection: at most once an hour.
  int tries = 0;
  for (int minutes = 0; minutes < 130; ++minutes) {
    pass(1min);
    if (!key_dials.empty()) {
      ++tries;
      fail_dial(key_dials, net::errc::timed_out, "closed");
    }
    if (dialling())
      welcome(connect());
  }
  CHECK(tries == 2);
}

TEST_CASE_FIXTURE(plain_world, "a connection for keys that breaks costs the usual way no pause") {
  start();
  auto& link = connect(key_dials);
  link.end(std::make_error_code(std::errc::connection_reset));
  settle();
  pass(10ms);
  CHECK(dialling());
}

TEST_CASE_FIXTURE(plain_world, "a kept connection is by the usual way") {
  auto options = defaults();
  options.keep = true;
  start(options);
  auto& first = connect(key_dials);
  welcome_with_keys(first);
  CHECK(first.closed);
  auto& second = connect();
  welcome(second);
  pass(60s);
  CHECK_FALSE(second.closed);
}

TEST_CASE_FIXTURE(plain_world, "the last events of a stop go the usual way") {
  start();
  welcome_with_keys(connect(key_dials));
  CHECK(links.back()->closed);
  raise("1");
  CHECK(key_dials.empty());
  CHECK(dialling());
}

TEST_CASE_FIXTURE(connection_world, "what the server has said is told to whoever shows it") {
  start();
  REQUIRE(terms.size() == 1);
  CHECK(terms.back().refusal == 0);
  welcome(connect());
  CHECK(terms.back().sync_period == 900s);
  pass(20min);
  auto& link = connect();
  wire::server_message no;
  no.mutable_refused()->set_reason(wire::refusal_revoked);
  tell(link, no);
  CHECK(terms.back().refusal == static_cast<std::uint32_t>(wire::refusal_revoked));
  CHECK(terms.back().sync_period == 900s);
}
