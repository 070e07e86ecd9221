#include "actors/rules/admission.hpp"

#include <doctest/doctest.h>

using namespace muster::rules;

namespace {

constexpr std::int64_t now = 1'800'000'000;

template <class Id>
Id id(std::uint8_t n) {
  Id out;
  out.bytes[15] = n;
  return out;
}

admission_record enrolled() {
  admission_record r;
  r.known = true;
  r.certificate_sha256[0] = 1;
  r.certificate_expires_s = now + 1;
  r.fingerprint = id<machine_fingerprint>(1);
  r.boot = id<boot_id>(1);
  r.counter = r.hello_counter = 10;
  return r;
}

admission_claim next_hello() {
  admission_claim c;
  c.certificate_sha256[0] = 1;
  c.fingerprint = id<machine_fingerprint>(1);
  c.boot = id<boot_id>(1);
  c.counter = 11;
  return c;
}

} // namespace

TEST_CASE("a known device with its certificate comes in") {
  const auto d = decide_admission(enrolled(), next_hello(), now);
  CHECK(d.step == admission_step::admit);
  CHECK_FALSE(d.went_back);
}

TEST_CASE("what must be refused is refused, in the order that says most") {
  auto record = enrolled();
  auto claim = next_hello();
  SUBCASE("nobody knows it") {
    record.known = false;
    CHECK(decide_admission(record, claim, now).step == admission_step::refuse_unknown);
  }
  SUBCASE("revoked, even when it has expired and shows another certificate") {
    record.revoked = true;
    record.certificate_expires_s = 0;
    claim.certificate_sha256[0] = 2;
    CHECK(decide_admission(record, claim, now).step == admission_step::refuse_revoked);
  }
  SUBCASE("a certificate that is not the recorded one") {
    claim.certificate_sha256[31] = 9;
    CHECK(decide_admission(record, claim, now).step == admission_step::refuse_unknown);
  }
  SUBCASE("expired by a second") {
    record.certificate_expires_s = now - 1;
    CHECK(decide_admission(record, claim, now).step == admission_step::refuse_expired);
  }
  SUBCASE("another machine") {
    claim.fingerprint = id<machine_fingerprint>(2);
    CHECK(decide_admission(record, claim, now).step == admission_step::refuse_clone);
  }
}

TEST_CASE("the same boot with a greater counter takes its old session over") {
  auto record = enrolled();
  record.has_session = true;
  CHECK(decide_admission(record, next_hello(), now).step == admission_step::take_over);
}

TEST_CASE("another boot, or a counter that is not greater, has the old session asked") {
  auto record = enrolled();
  record.has_session = true;
  auto claim = next_hello();
  SUBCASE("another boot") {
    claim.boot = id<boot_id>(2);
    const auto d = decide_admission(record, claim, now);
    CHECK(d.step == admission_step::ask_old_session);
    CHECK_FALSE(d.went_back);
  }
  SUBCASE("the same counter again") {
    claim.counter = record.counter;
    const auto d = decide_admission(record, claim, now);
    CHECK(d.step == admission_step::ask_old_session);
    CHECK(d.went_back);
  }
}

TEST_CASE("without a session in the way, a counter that is not greater means that it went back") {
  auto claim = next_hello();
  for (const std::uint64_t counter : {0, 9, 10}) {
    claim.counter = counter;
    const auto d = decide_admission(enrolled(), claim, now);
    CHECK(d.step == admission_step::admit);
    CHECK(d.went_back);
  }
}

TEST_CASE("a boot that was replaced may come back once; when the other comes back too, they are two") {
  auto record = enrolled();
  auto claim = next_hello();
  const auto visit = [&](std::uint8_t boot) {
    claim.boot = id<boot_id>(boot);
    claim.counter = record.counter + 1;
    const auto step = decide_admission(record, claim, now).step;
    if (step == admission_step::admit) {
      const auto after = history_after(record, claim.boot);
      record.boot = claim.boot;
      record.boot_before = after.before;
      record.boot_returned = after.returned;
      record.counter = record.hello_counter = claim.counter;
    }
    return step;
  };
  SUBCASE("two that take turns") {
    CHECK(visit(2) == admission_step::admit);
    CHECK(visit(1) == admission_step::admit);
    CHECK(visit(2) == admission_step::refuse_turns);
    CHECK(visit(1) == admission_step::admit);
    CHECK(visit(2) == admission_step::refuse_turns);
  }
  SUBCASE("a machine that goes back to a snapshot, and is started again, and again") {
    CHECK(visit(2) == admission_step::admit);
    CHECK(visit(1) == admission_step::admit);
    CHECK(visit(1) == admission_step::admit);
    for (std::uint8_t boot = 3; boot < 20; ++boot)
      CHECK(visit(boot) == admission_step::admit);
  }
  SUBCASE("a device that has not been here before has no boot to come back") {
    record.boot = {};
    CHECK(visit(0) == admission_step::admit);
    CHECK(visit(1) == admission_step::admit);
    CHECK(visit(0) == admission_step::admit);
    CHECK_FALSE(record.boot_returned);
  }
}

TEST_CASE("every refusal is explained, an admission is not") {
  for (const auto step : {admission_step::refuse_unknown, admission_step::refuse_revoked,
                          admission_step::refuse_expired, admission_step::refuse_clone,
                          admission_step::refuse_turns, admission_step::ask_old_session})
    CHECK_FALSE(explain(step).empty());
  CHECK(explain(admission_step::admit).empty());
  CHECK(explain(admission_step::take_over).empty());
}

TEST_CASE("a hello that was overtaken by the notice behind it is late, and has not gone back") {
  admission_record record;
  record.known = true;
  record.certificate_expires_s = 100;
  record.hello_counter = 5;
  record.counter = 9; // a notice's
  const auto with = [&](std::uint64_t counter) {
    admission_claim claim;
    claim.counter = counter;
    return decide_admission(record, claim, 1);
  };
  for (std::uint64_t counter = 0; counter < 12; ++counter) {
    CAPTURE(counter);
    CHECK(with(counter).step == admission_step::admit);
    CHECK(with(counter).late == (counter > 5 && counter < 9));
    CHECK(with(counter).went_back == (counter <= 5 || counter == 9));
  }
  record.hello_counter = record.counter;
  CHECK(with(9).went_back);
  CHECK_FALSE(with(8).late);
}
