// Users, log-ins, attempts.

#include "actors/server/accounts.hpp"
#include "actors/errc.hpp"
#include "tests/actors/accounts_world.hpp"

#include <doctest/doctest.h>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;
using test::accounts_world;

TEST_CASE_FIXTURE(accounts_world, "the right password is a log-in, a wrong one is not") {
  const auto good = log_in("admin", "correct horse");
  CHECK(good.granted);
  CHECK(good.bearer.size() == 64);
  CHECK(good.expires_us == now_us() + 12LL * 3600 * 1'000'000);
  const auto user = whose(good.bearer);
  CHECK(user.name == "admin");
  CHECK(user.role == "administrator");

  const auto bad = log_in("admin", "wrong");
  CHECK_FALSE(bad.granted);
  CHECK(bad.bearer.empty());
  CHECK(bad.retry_after_s == 0);
  CHECK(whose("").name.empty());
  CHECK(whose(std::string(64, 'a')).name.empty());
}

TEST_CASE_FIXTURE(accounts_world, "an unknown user costs the same work as a known one") {
  const auto before = hashed;
  CHECK_FALSE(log_in("nobody", "x").granted);
  CHECK(hashed == before + 1);
  CHECK_FALSE(log_in("admin", "x").granted);
  CHECK(hashed == before + 2);
}

TEST_CASE_FIXTURE(accounts_world, "attempts are counted before the work") {
  for (int i = 0; i < 10; ++i)
    CHECK(log_in("admin", "wrong", "192.0.2." + std::to_string(i)).retry_after_s == 0);
  const auto before = hashed;
  // The right password is not looked at either.
  const auto late = log_in("admin", "correct horse", "192.0.2.100");
  CHECK_FALSE(late.granted);
  CHECK(late.retry_after_s == 30);
  CHECK(hashed == before);
  pass(30s);
  CHECK(log_in("admin", "correct horse", "192.0.2.100").granted);
}

TEST_CASE_FIXTURE(accounts_world, "one source cannot try many users") {
  for (int i = 0; i < 20; ++i)
    CHECK(log_in("user-" + std::to_string(i), "x", "192.0.2.1").retry_after_s == 0);
  CHECK(log_in("user-99", "x", "192.0.2.1").retry_after_s == 10);
  CHECK(log_in("admin", "correct horse", "192.0.2.1").retry_after_s > 0);
  CHECK(log_in("admin", "correct horse", "192.0.2.2").granted);
}

TEST_CASE_FIXTURE(accounts_world, "strangers cannot lock out who has logged in from there before") {
  REQUIRE(log_in("admin", "correct horse", "192.0.2.1").granted);
  for (int i = 0; i < 15; ++i)
    (void)log_in("admin", "wrong", "198.51.100." + std::to_string(i));
  CHECK(log_in("admin", "correct horse", "203.0.113.9").retry_after_s > 0);
  CHECK(log_in("admin", "correct horse", "192.0.2.1").granted);
}

TEST_CASE_FIXTURE(accounts_world, "a log-in ends after its lifetime, used or not") {
  const auto login = log_in("admin", "correct horse");
  for (int hour = 0; hour < 11; ++hour) {
    pass(1h);
    CHECK(whose(login.bearer).name == "admin");
  }
  pass(1h);
  CHECK(whose(login.bearer).name.empty());
}

TEST_CASE_FIXTURE(accounts_world, "a log-in that nobody uses ends earlier") {
  const auto login = log_in("admin", "correct horse");
  pass(119min);
  CHECK(whose(login.bearer).name == "admin");
  pass(120min);
  CHECK(whose(login.bearer).name.empty());
}

TEST_CASE_FIXTURE(accounts_world, "logging out ends one log-in") {
  const auto one = log_in("admin", "correct horse");
  const auto other = log_in("admin", "correct horse");
  pass(1s);
  self->send(accounts, atom::logout_v, one.bearer);
  settle();
  CHECK(whose(one.bearer).name.empty());
  CHECK(whose(other.bearer).name == "admin");
  CHECK(actions() == std::vector<std::string>{"logout", "login", "login"});
}

TEST_CASE_FIXTURE(accounts_world, "a new password ends all other log-ins and works from then on") {
  const auto mine = log_in("admin", "correct horse");
  const auto other = log_in("admin", "correct horse");
  CHECK(change("admin", "correct horse", "battery staple", mine.bearer));
  CHECK(whose(mine.bearer).name == "admin");
  CHECK(whose(other.bearer).name.empty());
  CHECK_FALSE(log_in("admin", "correct horse").granted);
  CHECK(log_in("admin", "battery staple").granted);
  CHECK(actions()[2] == "password.change");
}

TEST_CASE_FIXTURE(accounts_world, "a new password needs the old one, and attempts are counted") {
  const auto mine = log_in("admin", "correct horse");
  for (int i = 0; i < 25; ++i)
    CHECK_FALSE(change("admin", "guess", "battery staple", mine.bearer));
  const auto before = hashed;
  CHECK_FALSE(change("admin", "correct horse", "battery staple", mine.bearer));
  CHECK(hashed == before);
}

TEST_CASE_FIXTURE(accounts_world, "passwords that are too short or too long are refused by a sentence") {
  const auto mine = log_in("admin", "correct horse");
  for (const auto& bad : {std::string("short"), std::string(2000, 'x')}) {
    const auto answer = try_ask<bool>(
      accounts, atom::passwd_v, password_order{"admin", "correct horse", bad, mine.bearer, "::1"});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == static_cast<std::uint8_t>(actors::errc::invalid));
    CHECK(text_of(answer.error()).find("bytes") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(accounts_world, "the first change of the generated password is told once") {
  CHECK(initial_changed == 0);
  CHECK(change("admin", "correct horse", "battery staple", ""));
  CHECK(initial_changed == 1);
  CHECK(change("admin", "battery staple", "battery staple 2", ""));
  CHECK(initial_changed == 1);
}

TEST_CASE_FIXTURE(accounts_world, "root sets a password without the old one; all log-ins end") {
  const auto login = log_in("admin", "correct horse");
  pass(1s);
  CHECK(ask<bool>(accounts, atom::passwd_v, std::string("admin"), std::string("battery staple")));
  CHECK(whose(login.bearer).name.empty());
  CHECK(log_in("admin", "battery staple").granted);
  CHECK_FALSE(
    ask<bool>(accounts, atom::passwd_v, std::string("nobody"), std::string("battery staple")));
  CHECK(initial_changed == 1);
  CHECK(actions()[1] == "password.set");
}

TEST_CASE_FIXTURE(accounts_world, "a password that cannot be stored stays the old one") {
  const auto mine = log_in("admin", "correct horse");
  db.fail_writes(storage::errc::disk_full);
  const auto answer =
    try_ask<bool>(accounts, atom::passwd_v,
                  password_order{"admin", "correct horse", "battery staple", mine.bearer, "::1"});
  REQUIRE_FALSE(answer);
  CHECK(is(answer.error(), storage::errc::disk_full));
  CHECK(initial_changed == 0);
  // Nobody is locked out of a server in trouble.
  CHECK(log_in("admin", "correct horse").granted);
  db.fail_writes({});
  CHECK_FALSE(log_in("admin", "battery staple").granted);
}

TEST_CASE_FIXTURE(accounts_world, "a log-in under way with the old password is not granted behind its change") {
  auto login = begin_ask(accounts, atom::login_v, login_request{"admin", "correct horse", "::1"});
  auto set = begin_ask(accounts, atom::passwd_v, std::string("admin"), std::string("battery staple"));
  // The hasher sits on the log-in's answer until the change is on the disk.
  hold_verify = true;
  settle();
  CHECK(take<bool>(set) == true);
  release_verify();
  settle();
  const auto result = take<login_result>(login);
  REQUIRE(result);
  CHECK_FALSE(result->granted);
}

TEST_CASE_FIXTURE(accounts_world, "refusals are written down, but not without end") {
  for (int i = 0; i < 300; ++i) {
    (void)log_in("admin", "wrong", "192.0.2." + std::to_string(i % 250));
    if (i % 3 == 0)
      pass(1s);
  }
  const auto all = entries();
  CHECK(all.size() >= 100);
  CHECK(all.size() < 110);
  CHECK(all.back().action() == "login.refused");
  CHECK(all.back().actor() == "admin");
  CHECK(all.back().source() == "192.0.2.0");
  pass(1h);
  (void)log_in("admin", "wrong");
  CHECK(entries().front().detail().find("more that are not in this list") != std::string::npos);
}

TEST_CASE_FIXTURE(accounts_world, "the log-in unused for longest makes room for a new one") {
  std::vector<std::string> bearers;
  for (int i = 0; i < 64; ++i) {
    bearers.push_back(log_in("admin", "correct horse").bearer);
    pass(1s);
  }
  CHECK(whose(bearers[0]).name == "admin"); // and so it is used
  CHECK(log_in("admin", "correct horse").granted);
  CHECK(whose(bearers[0]).name == "admin");
  CHECK(whose(bearers[1]).name.empty());
  CHECK(whose(bearers[2]).name == "admin");
}

TEST_CASE("the first administrator is made once, with a password that fits the rules") {
  storage::memory_store db;
  std::error_code ec;
  std::string password;
  CHECK(make_first_administrator(db, 1'000'000, password, ec));
  CHECK_FALSE(ec);
  CHECK(problem_of_password(password).empty());
  CHECK(password.size() == 23);
  const auto value = db.get(storage::family::meta, storage::keys::user("admin"), ec);
  REQUIRE(value);
  storage::record::user user;
  REQUIRE_FALSE(storage::records::decode(*value, user));
  CHECK(user.initial_password());
  CHECK(net::verify_password(password, user.password()));
  std::string second = "another password";
  CHECK_FALSE(make_first_administrator(db, 1'000'000, second, ec));
  CHECK_FALSE(ec);
  CHECK(generate_password() != generate_password());
}

TEST_CASE("a store that cannot be written gets no administrator, and says why") {
  storage::memory_store db;
  db.fail_writes(storage::errc::disk_full);
  std::error_code ec;
  std::string password;
  CHECK_FALSE(make_first_administrator(db, 1, password, ec));
  CHECK(ec == storage::errc::disk_full);
}
