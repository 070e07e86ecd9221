#include "net/notice.hpp"

#include "tests/net/datagram_world.hpp"

#include <doctest/doctest.h>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

constexpr std::size_t generation_at = 5;
constexpr std::size_t device_at = 9;
constexpr std::size_t counter_at = 41;
constexpr std::size_t reason_at = 49;
constexpr std::size_t tag_at = 50;

notice_verdict refusal_for(std::size_t at) {
  if (at < generation_at)
    return notice_verdict::wrong_format;
  return at < device_at ? notice_verdict::wrong_generation : notice_verdict::wrong_tag;
}

} // namespace

TEST_CASE_FIXTURE(datagram_world, "a notice arrives as it was made, for every reason") {
  for (const auto reason : {notice_reason::shutdown, notice_reason::restart,
                            notice_reason::suspend, notice_reason::agent_stop}) {
    leaving.reason = reason;
    notice out;
    CHECK(genuine_notice().size() == notice_bytes);
    CHECK(check_notice(genuine_notice(), keys, out) == notice_verdict::accepted);
    CHECK(out == leaving);
  }
}

TEST_CASE_FIXTURE(datagram_world, "every truncation of a notice is refused, and every addition") {
  const auto whole = genuine_notice();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    CHECK(check_on_server(std::string_view(whole).substr(0, bytes)) == notice_verdict::wrong_size);
  CHECK(check_on_server(whole + '\0') == notice_verdict::wrong_size);
}

TEST_CASE_FIXTURE(datagram_world, "every flipped bit of a notice is refused by the check for it") {
  const auto whole = genuine_notice();
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    CAPTURE(bit);
    const auto verdict = check_on_server(flipped(whole, bit));
    const bool unknown_reason = bit / 8 == reason_at && verdict == notice_verdict::wrong_format;
    CHECK((unknown_reason || verdict == refusal_for(bit / 8)));
  }
}

TEST_CASE_FIXTURE(datagram_world, "a recorded notice with the next counter fails at its tag") {
  CHECK(check_on_server(with_number(genuine_notice(), counter_at, 78)) ==
        notice_verdict::wrong_tag);
}

TEST_CASE_FIXTURE(datagram_world, "a device cannot speak for another one, nor with another key") {
  auto other = leaving;
  other.device_id = other_device;
  CHECK(check_on_server(make_notice(other, keys.notice_key(1, device_id))) ==
        notice_verdict::wrong_tag);
  CHECK(check_on_server(make_notice(leaving, keys.wake_key(1, device_id))) ==
        notice_verdict::wrong_tag);
  CHECK(check_on_server(make_notice(leaving, keys.notice_key(2, device_id))) ==
        notice_verdict::wrong_tag);
  const datagram_keyring theirs(all<32>(0x23));
  CHECK(check_on_server(make_notice(leaving, theirs.notice_key(1, device_id))) ==
        notice_verdict::wrong_tag);
}

TEST_CASE_FIXTURE(datagram_world, "notices of two generations are taken during a rotation only") {
  const datagram_secret first{1, all<32>(0x22)};
  const datagram_secret second{2, all<32>(0x24)};
  const datagram_keyring rotating(datagram_secrets{second, first});
  const datagram_keyring rotated(datagram_secrets{second, {}});
  notice out;
  CHECK(check_notice(genuine_notice(), rotating, out) == notice_verdict::accepted);
  CHECK(check_notice(genuine_notice(), rotated, out) == notice_verdict::wrong_generation);
  leaving.generation = 2;
  const auto newer = make_notice(leaving, rotated.notice_key(2, device_id));
  CHECK(check_notice(newer, rotating, out) == notice_verdict::accepted);
  CHECK(check_notice(newer, rotated, out) == notice_verdict::accepted);
  CHECK(check_notice(newer, keys, out) == notice_verdict::wrong_generation);
}

TEST_CASE_FIXTURE(datagram_world, "an acknowledgement is good for its own notice only") {
  const auto key = keys.notice_key(1, device_id);
  const auto good = make_acknowledgement(leaving, key);
  CHECK(good.size() == acknowledgement_bytes);
  CHECK(acknowledgement_bytes <= notice_bytes);
  CHECK(check_acknowledgement(good, leaving, key));

  for (std::size_t bytes = 0; bytes < good.size(); ++bytes)
    CHECK_FALSE(check_acknowledgement(std::string_view(good).substr(0, bytes), leaving, key));
  CHECK_FALSE(check_acknowledgement(good + '\0', leaving, key));
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit)
    CHECK_FALSE(check_acknowledgement(flipped(good, bit), leaving, key));

  // A replay: of an earlier notice, of an earlier boot, of another device.
  auto other = leaving;
  other.counter = 78;
  CHECK_FALSE(check_acknowledgement(good, other, key));
  CHECK_FALSE(check_acknowledgement(with_number(good, counter_at, 78), other, key));
  other = leaving;
  other.boot_id = all<16>(0xb1);
  CHECK_FALSE(check_acknowledgement(good, other, key));
  other = leaving;
  other.device_id = other_device;
  CHECK_FALSE(check_acknowledgement(good, other, key));
  CHECK_FALSE(check_acknowledgement(good, leaving, keys.notice_key(2, device_id)));
}

TEST_CASE_FIXTURE(datagram_world, "the three datagrams are never taken for one another") {
  const auto key = keys.notice_key(1, device_id);
  const auto call = genuine_wake();
  const auto leave = genuine_notice();
  const auto answer = make_acknowledgement(leaving, key);
  CHECK(check(leave) == wake_verdict::wrong_size);
  CHECK(check(answer) == wake_verdict::wrong_size);
  CHECK(check_on_server(answer) == notice_verdict::wrong_size);
  CHECK(check_on_server(call.substr(0, notice_bytes)) == notice_verdict::wrong_format);
  // Reflected: a notice cut to the length of an answer.
  CHECK_FALSE(check_acknowledgement(leave.substr(0, acknowledgement_bytes), leaving, key));
  CHECK_FALSE(check_acknowledgement(leave.substr(0, reason_at) + leave.substr(tag_at), leaving, key));
}

TEST_CASE("every verdict on a notice has its word") {
  for (std::size_t i = 0; i < notice_verdicts; ++i)
    CHECK(std::string(word_of(static_cast<notice_verdict>(i))) != "other");
  CHECK(std::string(word_of(static_cast<notice_verdict>(notice_verdicts))) == "other");
}
