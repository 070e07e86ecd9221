// Newcomers get certificates for right tokens, once per key, wherever it is cut off.

#include "tests/actors/fleet_world.hpp"

using namespace muster;
using namespace muster::test;

namespace {

struct enrol_world : fleet_world {
  token_info token_of(const std::string& id) {
    const auto all = ask<token_infos>(enrols, atom::list_v);
    for (const auto& one : *all)
      if (one.id == id)
        return one;
    FAIL("no such token");
    return {};
  }
  std::size_t devices() {
    std::size_t out = 0;
    for (const auto& one : directories)
      out += ask<device_counts>(one, atom::count_v).total;
    return out;
  }
};

} // namespace

TEST_CASE_FIXTURE(enrol_world, "a right token brings in a device that can say hello at once") {
  const auto token = make_token();
  played_agent agent;
  const auto result = try_enrol(agent.request(token.secret));
  REQUIRE(result.reason == refusal::none);
  std::error_code ec;
  const auto certificate = net::certificate::from_der(result.certificate, ec);
  REQUIRE(certificate);
  CHECK(certificate->holder_role() == net::role::device);
  CHECK(certificate->holder_id() == result.device.bytes);
  CHECK(certificate->issued_by(authority->self()));
  CHECK(certificate->public_key().spki_sha256() == agent.key.spki_sha256());
  agent.device = result.device;
  agent.certificate_sha256 = certificate->sha256();
  CHECK(row(agent.device)->state == device_state::never);
  CHECK(row(agent.device)->name == "mill");
  CHECK(hello(agent, session()).reason == refusal::none);
  CHECK(token_of(token.id).uses == 1);
  CHECK(events_of(agent.device, "device.enrolled") == 1);
  lose_power(); // at once: it was a command
  CHECK(row(agent.device));
  CHECK(token_of(token.id).uses == 1);
}

TEST_CASE_FIXTURE(enrol_world, "a retry with the same key gets the same certificate and costs no "
                               "second use") {
  const auto token = make_token(1);
  const played_agent agent;
  const auto first = try_enrol(agent.request(token.secret));
  REQUIRE(first.reason == refusal::none);
  const auto retry = [&] {
    const auto again = try_enrol(agent.request(token.secret));
    CHECK(again.reason == refusal::none);
    CHECK(again.device == first.device);
    CHECK(again.certificate == first.certificate);
  };
  SUBCASE("at once") {
    retry();
  }
  SUBCASE("after a restart") {
    lose_power();
    retry();
  }
  SUBCASE("when the token is out of date") {
    pass_time(25h);
    retry();
  }
  SUBCASE("when the token has been revoked") {
    CHECK(ask<bool>(enrols, atom::revoke_v, token.id, audit("token.revoke", token.id)));
    retry();
  }
  SUBCASE("even with another token") {
    const auto other = make_token();
    CHECK(try_enrol(agent.request(other.secret)).certificate == first.certificate);
    CHECK(token_of(other.id).uses == 0);
  }
  CHECK(token_of(token.id).uses == 1);
  CHECK(devices() == 1);
}

TEST_CASE_FIXTURE(enrol_world,
                  "a retry while the first attempt is being stored is the same attempt") {
  const auto token = make_token(1);
  const played_agent agent;
  auto one = begin_ask(enrols, atom::enrol_v, enrolment_ptr{agent.request(token.secret)});
  auto two = begin_ask(enrols, atom::enrol_v, enrolment_ptr{agent.request(token.secret)});
  settle();
  const auto first = take<enrolment_result_ptr>(one);
  const auto second = take<enrolment_result_ptr>(two);
  REQUIRE(first);
  REQUIRE(second);
  CHECK((*first)->reason == refusal::none);
  CHECK((*first)->certificate == (*second)->certificate);
  CHECK(devices() == 1);
  CHECK(token_of(token.id).uses == 1);
}

TEST_CASE_FIXTURE(enrol_world, "a token for one device never brings in two") {
  const auto token = make_token(1);
  const played_agent mill;
  const played_agent lathe;
  SUBCASE("one after the other") {
    CHECK(try_enrol(mill.request(token.secret)).reason == refusal::none);
    const auto late = try_enrol(lathe.request(token.secret));
    CHECK(late.reason == refusal::token);
    CHECK(late.text.find("used") != std::string::npos);
  }
  SUBCASE("at the same time") {
    auto one = begin_ask(enrols, atom::enrol_v, enrolment_ptr{mill.request(token.secret)});
    auto two = begin_ask(enrols, atom::enrol_v, enrolment_ptr{lathe.request(token.secret)});
    settle();
    CHECK((*take<enrolment_result_ptr>(one))->reason == refusal::none);
    CHECK((*take<enrolment_result_ptr>(two))->reason == refusal::token);
  }
  SUBCASE("with a restart in between") {
    CHECK(try_enrol(mill.request(token.secret)).reason == refusal::none);
    lose_power();
    CHECK(try_enrol(lathe.request(token.secret)).reason == refusal::token);
  }
  CHECK(devices() == 1);
}

TEST_CASE_FIXTURE(enrol_world, "wherever an enrolment is cut off, a retry ends well") {
  const auto token = make_token(1);
  const played_agent agent;
  // The server dies after so many steps; each step is one message of one actor.
  std::size_t whole = 0;
  for (std::size_t steps = 0; steps < 40; ++steps) {
    const auto before = devices();
    REQUIRE(before <= 1);
    auto pending = begin_ask(enrols, atom::enrol_v, enrolment_ptr{agent.request(token.secret)});
    for (std::size_t i = 0; i < steps; ++i)
      sched.try_run_once();
    lose_power();
    const auto answer = take<enrolment_result_ptr>(pending);
    const bool answered = answer && (*answer)->reason == refusal::none;
    // Whoever was told of a certificate is known, whatever happens behind the answer.
    if (answered)
      REQUIRE(row((*answer)->device).has_value());
    whole += answered ? 1 : 0;
  }
  CHECK(whole > 0);
  const auto last = try_enrol(agent.request(token.secret));
  CHECK(last.reason == refusal::none);
  CHECK(devices() == 1);
  CHECK(token_of(token.id).uses == 1);
}

TEST_CASE_FIXTURE(enrol_world, "an enrolment that the store refuses costs nothing and can be tried "
                               "again") {
  const auto token = make_token(1);
  const played_agent agent;
  db->fail_writes(storage::errc::disk_full);
  const auto answer = try_ask<enrolment_result_ptr>(enrols, atom::enrol_v,
                                                    enrolment_ptr{agent.request(token.secret)});
  REQUIRE_FALSE(answer);
  CHECK(is(answer.error(), storage::errc::disk_full));
  CHECK(devices() == 0);
  CHECK(token_of(token.id).uses == 0);
  db->fail_writes({});
  CHECK(try_enrol(agent.request(token.secret)).reason == refusal::none);
}

TEST_CASE_FIXTURE(enrol_world,
                  "a request is refused unless its key signed it for this connection") {
  const auto token = make_token();
  const played_agent agent;
  auto request = agent.request(token.secret);
  SUBCASE("another connection's proof") {
    net::random_bytes(request->exporter);
  }
  SUBCASE("another key's proof") {
    request->proof =
      net::key_pair::generate().sign(net::enrolment_proof_message(request->exporter));
  }
  SUBCASE("no proof") {
    request->proof.clear();
  }
  SUBCASE("no request") {
    request->csr.clear();
  }
  SUBCASE("a cut request") {
    request->csr.pop_back();
  }
  SUBCASE("a request with a flipped bit") {
    request->csr[60] ^= 1;
  }
  SUBCASE("another key's request") {
    request->csr = net::make_csr(net::key_pair::generate());
  }
  const auto result = try_enrol(request);
  CHECK(result.reason == refusal::enrolment);
  CHECK_FALSE(result.text.empty());
  CHECK(result.certificate.empty());
  CHECK(devices() == 0);
  CHECK(token_of(token.id).uses == 0);
}

TEST_CASE_FIXTURE(enrol_world, "wrong, revoked and outdated tokens bring nobody in") {
  const auto token = make_token(0, 3600);
  const played_agent agent;
  std::string shown = token.secret;
  std::string said;
  SUBCASE("wrong") {
    shown.back() = shown.back() == '0' ? '1' : '0';
    said = "does not know";
  }
  SUBCASE("empty") {
    shown.clear();
    said = "does not know";
  }
  SUBCASE("its public id") {
    shown = token.id;
    said = "does not know";
  }
  SUBCASE("revoked") {
    CHECK(ask<bool>(enrols, atom::revoke_v, token.id, audit("token.revoke", token.id)));
    said = "revoked";
  }
  SUBCASE("revoked, and a power loss") {
    CHECK(ask<bool>(enrols, atom::revoke_v, token.id, audit("token.revoke", token.id)));
    lose_power();
    said = "revoked";
  }
  SUBCASE("outdated") {
    pass_time(1h);
    said = "expired";
  }
  const auto result = try_enrol(agent.request(shown));
  CHECK(result.reason == refusal::token);
  CHECK(result.text.find(said) != std::string::npos);
  CHECK(devices() == 0);
}

TEST_CASE_FIXTURE(enrol_world, "a source with many wrong tokens waits, others do not") {
  const auto token = make_token();
  const played_agent agent;
  for (std::uint32_t i = 0; i < fleet_limits::wrong_tokens_max; ++i)
    CHECK(try_enrol(agent.request("wrong")).reason == refusal::token);
  CHECK(try_enrol(agent.request("wrong")).reason == refusal::limit);
  CHECK(try_enrol(agent.request(token.secret)).reason == refusal::limit);
  auto elsewhere = played_agent{}.request(token.secret);
  elsewhere->address = "2001:db8::1";
  CHECK(try_enrol(elsewhere).reason == refusal::none);
  pass_time(fleet_limits::wrong_tokens_window);
  CHECK(try_enrol(agent.request(token.secret)).reason == refusal::none);
  // One event for all of them.
  CHECK(events_of({}, "enrolment.refused") == 1);
  CHECK(try_enrol(agent.request("wrong")).reason == refusal::token);
  CHECK(events_of({}, "enrolment.refused") == 2);
  const auto said = events();
  CHECK(std::any_of(said.begin(), said.end(), [](const auto& one) {
    return one.text.find("10 attempts") != std::string::npos;
  }));
}

TEST_CASE_FIXTURE(enrol_world, "a new key on a known machine is a new device") {
  const auto token = make_token();
  played_agent before;
  played_agent after;
  after.fingerprint = before.fingerprint;
  const auto first = try_enrol(before.request(token.secret));
  const auto second = try_enrol(after.request(token.secret));
  CHECK(first.device != second.device);
  CHECK(row(first.device)->same_machine);
  CHECK(row(second.device)->same_machine);
}

TEST_CASE_FIXTURE(enrol_world, "a device without a host name gets one") {
  auto request = played_agent{}.request(make_token().secret);
  request->host_name.clear();
  const auto result = try_enrol(request);
  CHECK(row(result.device)->name == "device-" + result.device.text().substr(0, 8));
}

TEST_CASE_FIXTURE(enrol_world, "a token's secret is shown once and stored nowhere") {
  const auto token = make_token(3);
  CHECK(token.secret.size() == 40);
  CHECK(token.created_by == "anna");
  CHECK(token.expires_us == now_us + 86'400'000'000);
  CHECK(token_of(token.id).secret.empty());
  CHECK(token_of(token.id).uses_max == 3);
  for (std::size_t f = 0; f < storage::families; ++f)
    REQUIRE_FALSE(db->scan(static_cast<family>(f), {}, false, [&](auto key, auto value) {
      CHECK(key.find(token.secret) == std::string_view::npos);
      CHECK(value.find(token.secret) == std::string_view::npos);
      return true;
    }));
  CHECK(audited() == std::vector<std::string>{"token.create " + token.id});
  lose_power();
  CHECK(try_enrol(played_agent{}.request(token.secret)).reason == refusal::none);
}

TEST_CASE_FIXTURE(enrol_world, "tokens are created and revoked durably, or not at all") {
  const auto token = make_token();
  db->fail_writes(storage::errc::io_error);
  token_order order{"x", 0, 0, audit("token.create")};
  CHECK_FALSE(try_ask<token_infos>(enrols, atom::create_v, order));
  CHECK_FALSE(try_ask<bool>(enrols, atom::revoke_v, token.id, audit("token.revoke", token.id)));
  CHECK(ask<token_infos>(enrols, atom::list_v)->size() == 1);
  CHECK_FALSE(token_of(token.id).revoked);
  db->fail_writes({});
  CHECK(try_enrol(played_agent{}.request(token.secret)).reason == refusal::none);
  CHECK(ask<bool>(enrols, atom::revoke_v, token.id, audit("token.revoke", token.id)));
  CHECK(ask<bool>(enrols, atom::revoke_v, token.id, audit("token.revoke", token.id)));
  CHECK_FALSE(ask<bool>(enrols, atom::revoke_v, std::string{"nobody"}, audit("token.revoke")));
  CHECK(audited().size() == 2);
  order.lifetime_s = -1;
  CHECK_FALSE(try_ask<token_infos>(enrols, atom::create_v, order));
}

TEST_CASE_FIXTURE(enrol_world, "nobody is told that a token is revoked before the disk knows") {
  const auto token = make_token();
  const auto order = audit("token.revoke", token.id);
  db->fail_next_writes(1, storage::errc::io_error);
  auto one = begin_ask(enrols, atom::revoke_v, token.id, order);
  auto two = begin_ask(enrols, atom::revoke_v, token.id, order);
  settle();
  CHECK_FALSE(take<bool>(one));
  CHECK_FALSE(take<bool>(two)); // it asked while the first was being written
  CHECK_FALSE(token_of(token.id).revoked);
  CHECK(ask<bool>(enrols, atom::revoke_v, token.id, order));
  lose_power();
  CHECK(token_of(token.id).revoked);
}

TEST_CASE_FIXTURE(enrol_world, "the first token lasts a day and is not kept when the store fails") {
  std::string secret;
  std::error_code ec;
  make_first_token(*db, now_us, secret, ec);
  REQUIRE_FALSE(ec);
  lose_power();
  CHECK(try_enrol(played_agent{}.request(secret)).reason == refusal::none);
  CHECK(try_enrol(played_agent{}.request(secret)).reason == refusal::none);
  pass_time(24h);
  CHECK(try_enrol(played_agent{}.request(secret)).reason == refusal::token);
  db->fail_writes(storage::errc::disk_full);
  make_first_token(*db, now_us, secret, ec);
  CHECK(ec == storage::errc::disk_full);
  CHECK(secret.empty());
}

TEST_CASE_FIXTURE(enrol_world, "a damaged token stops the start") {
  const auto token = make_token();
  const storage::change_batch damage{
    storage::put(family::meta, storage::keys::token(token.id), "rubbish")};
  REQUIRE_FALSE(db->write_sync({&damage, 1}));
  std::error_code ec;
  CHECK(load_tokens(*db, ec).empty());
  CHECK(ec);
}

TEST_CASE("tokens that ended long ago make room, others do not") {
  const std::int64_t now = 1'700'000'000'000'000;
  const std::int64_t day = 86'400'000'000;
  std::vector<enrolment_token> tokens;
  const auto add = [&](const char* id, std::int64_t created, std::int64_t expires, bool revoked) {
    auto fresh = make_token(id, "anna", created, 0, 0).token;
    fresh.id = id;
    fresh.expires_us = expires;
    fresh.revoked = revoked;
    tokens.push_back(fresh);
  };
  add("lives", now - 1000 * day, 0, false);
  add("expired lately", now - 100 * day, now - 10 * day, false);
  add("expired long ago", now - 200 * day, now - 100 * day, false);
  add("revoked lately", now - 10 * day, 0, true);
  add("revoked long ago", now - 100 * day, 0, true);
  const token_book book(tokens);
  auto outlived = book.outlived(now);
  std::sort(outlived.begin(), outlived.end());
  CHECK(outlived == std::vector<std::string>{"expired long ago", "revoked long ago"});
}
