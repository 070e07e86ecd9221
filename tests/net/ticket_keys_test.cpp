#include "net/ticket_keys.hpp"

#include "tests/net/scratch_directory.hpp"
#include "tests/net/tls_world.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

constexpr std::int64_t start_s = 1'750'000'000;

struct ticket_world : tls_world {
  scratch_directory scratch;
  std::filesystem::path file = scratch / "tickets.keys";
  std::error_code ec;

  std::shared_ptr<ticket_keys> load(std::int64_t at_s) {
    return ticket_keys::load_or_make(file, at_s, ec);
  }

  /// A device connects once and keeps what ticket it gets.
  tls_session_ptr visit(const tls_session_ptr& offer, bool& resumed) {
    wire w(device_options(), server_options(), offer);
    w.handshake();
    REQUIRE(w.open());
    w.server_says("x");
    resumed = w.server.peer().resumed;
    CHECK(w.server.peer().certificate_sha256 == device_leaf.sha256());
    return sessions.back();
  }
  bool resumes(const tls_session_ptr& offer) {
    bool resumed = false;
    visit(offer, resumed);
    return resumed;
  }
  tls_session_ptr first_ticket() {
    bool resumed = false;
    return visit(nullptr, resumed);
  }
};

} // namespace

TEST_CASE_FIXTURE(ticket_world, "ticket keys are made once, closed to others, and found again") {
  const auto made = load(start_s);
  REQUIRE(made != nullptr);
  CHECK_FALSE(ec);
  CHECK(mode_of(file) == 0600);
  CHECK_FALSE(made->keys()->previous.has_value());
  const auto again = load(start_s + 60);
  CHECK(again->keys()->current.secret == made->keys()->current.secret);
  CHECK(again->keys()->current.name == made->keys()->current.name);
  CHECK(again->keys()->current.made_at_s == start_s);
}

TEST_CASE_FIXTURE(ticket_world, "keys change after a period and overlap for one more") {
  const auto keys = load(start_s);
  const auto first = keys->keys()->current;
  CHECK_FALSE(keys->rotate_if_due(start_s + day_s - 1));
  CHECK(keys->keys()->current.name == first.name);
  CHECK_FALSE(keys->rotate_if_due(start_s + day_s));
  CHECK(keys->keys()->current.name != first.name);
  REQUIRE(keys->keys()->previous.has_value());
  CHECK(keys->keys()->previous->name == first.name);
  CHECK(load(start_s + day_s)->keys()->previous->secret == first.secret);
  // The first is never used again; the second stays until its own time.
  CHECK_FALSE(keys->rotate_if_due(start_s + 2 * day_s - 1));
  CHECK(keys->keys()->previous.has_value());
  CHECK_FALSE(keys->rotate_if_due(start_s + 2 * day_s));
  CHECK(keys->keys()->previous->name != first.name);
}

TEST_CASE_FIXTURE(ticket_world, "a previous key is forgotten after two periods, also on disk") {
  const auto keys = load(start_s);
  CHECK_FALSE(keys->rotate_if_due(start_s + day_s + day_s / 2));
  CHECK(keys->keys()->previous.has_value());
  const auto second = keys->keys()->current;
  CHECK_FALSE(keys->rotate_if_due(start_s + 2 * day_s));
  CHECK_FALSE(keys->keys()->previous.has_value());
  CHECK(keys->keys()->current.name == second.name);
  CHECK_FALSE(load(start_s + 2 * day_s)->keys()->previous.has_value());
}

TEST_CASE_FIXTURE(ticket_world, "a server that slept for two periods starts with new keys only") {
  const auto old = load(start_s)->keys()->current;
  const auto keys = load(start_s + 2 * day_s);
  CHECK(keys->keys()->current.name != old.name);
  CHECK_FALSE(keys->keys()->previous.has_value());
  // One period and a half: the old one still opens.
  const auto recent = load(start_s + 3 * day_s + day_s / 2);
  CHECK(recent->keys()->previous->name == keys->keys()->current.name);
}

TEST_CASE_FIXTURE(ticket_world, "a clock that went back far makes new keys") {
  const auto old = load(start_s)->keys()->current;
  CHECK(load(start_s - 600)->keys()->current.name == old.name);
  CHECK(load(start_s - 10 * day_s)->keys()->current.name != old.name);
}

TEST_CASE_FIXTURE(ticket_world, "keys that others may have read are replaced") {
  const auto old = load(start_s)->keys()->current;
  set_mode(file, 0640);
  const auto keys = load(start_s);
  REQUIRE(keys != nullptr);
  CHECK(keys->keys()->current.name != old.name);
  CHECK(mode_of(file) == 0600);
}

TEST_CASE_FIXTURE(ticket_world, "a damaged file of keys is replaced") {
  REQUIRE(load(start_s) != nullptr);
  const auto whole = content_of(file);
  for (const auto& damaged :
       {std::string(), whole.substr(0, whole.size() / 2), "something else\n" + whole,
        whole.substr(0, 21) + "zz" + whole.substr(23)}) {
    put_content(file, damaged);
    const auto keys = load(start_s);
    REQUIRE(keys != nullptr);
    CHECK_FALSE(ec);
    CHECK(content_of(file) != damaged);
    CHECK(load(start_s)->keys()->current.name == keys->keys()->current.name);
  }
}

TEST_CASE_FIXTURE(ticket_world, "a place that cannot hold the file is an error") {
  file = scratch / "missing" / "tickets.keys";
  CHECK(load(start_s) == nullptr);
  CHECK(ec == errc::key_file_bad);
  file = scratch.path();
  CHECK(load(start_s) == nullptr);
  CHECK(ec == errc::key_file_bad);
}

TEST_CASE_FIXTURE(ticket_world, "keys stay as they are when the new ones cannot be written") {
  const auto keys = load(start_s);
  const auto old = keys->keys()->current;
  std::filesystem::remove_all(scratch.path());
  CHECK(keys->rotate_if_due(start_s + day_s) == errc::key_file_bad);
  CHECK(keys->keys()->current.name == old.name);
}

TEST_CASE_FIXTURE(ticket_world, "sessions resume over a restart of the server") {
  tickets = load(now_s);
  const auto ticket = first_ticket();
  tickets = nullptr;
  tickets = load(now_s + 60);
  CHECK(resumes(ticket));
  // Without the file nothing resumes, and the device comes in by a full handshake.
  std::filesystem::remove(file);
  tickets = load(now_s + 60);
  CHECK_FALSE(resumes(ticket));
}

TEST_CASE_FIXTURE(ticket_world, "tickets of the previous key resume and are renewed") {
  tickets = load(now_s);
  const auto old = first_ticket();
  CHECK_FALSE(tickets->rotate_if_due(now_s + day_s));
  bool resumed = false;
  const auto fresh = visit(old, resumed);
  CHECK(resumed);
  CHECK_FALSE(tickets->rotate_if_due(now_s + 2 * day_s));
  // Two periods later the first key is gone; the ticket that came with the resumption is of the
  // second.
  CHECK_FALSE(resumes(old));
  CHECK(resumes(fresh));
}

TEST_CASE_FIXTURE(ticket_world, "a port without keys gives no tickets") {
  tickets = nullptr;
  wire w(device_options(), server_options());
  w.handshake();
  w.server_says("x");
  CHECK(w.open());
  CHECK(sessions.empty());
}

TEST_CASE_FIXTURE(ticket_world, "a ticket of one port does not resume on another") {
  auto admin = server_options();
  admin.alpn = alpn_http;
  admin.ask_for_client_certificate = false;
  auto console = device_options();
  console.alpn = alpn_http;
  wire first(console, admin);
  first.handshake();
  first.server_says("x");
  REQUIRE(sessions.size() == 1);
  // The same keys seal on both ports. The client would not offer it; a liar would.
  auto agent = admin;
  agent.alpn = alpn_agent;
  agent.ask_for_client_certificate = true;
  auto lying = console;
  wire second(lying, agent, sessions.front());
  second.handshake();
  CHECK(second.server_error == errc::tls_wrong_alpn);
}
