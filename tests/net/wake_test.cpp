#include "net/wake.hpp"

#include "tests/net/datagram_world.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

constexpr std::size_t generation_at = 5;
constexpr std::size_t server_at = 9;
constexpr std::size_t device_at = 25;
constexpr std::size_t counter_at = 41;
constexpr std::size_t purpose_at = 49;
constexpr std::size_t signature_at = 66;

/// Which check must refuse a datagram in which this byte is wrong.
wake_verdict refusal_for(std::size_t at) {
  if (at < generation_at)
    return wake_verdict::wrong_format;
  if (at < server_at)
    return wake_verdict::wrong_generation;
  if (at < device_at)
    return wake_verdict::wrong_server;
  if (at < counter_at)
    return wake_verdict::wrong_device;
  return at < signature_at ? wake_verdict::wrong_tag : wake_verdict::wrong_signature;
}

} // namespace

TEST_CASE_FIXTURE(datagram_world, "a wake arrives as it was made, for every purpose") {
  for (const auto purpose : {wake_purpose::sync, wake_purpose::control, wake_purpose::events}) {
    wanted.purpose = purpose;
    wake out;
    CHECK(genuine_wake().size() == wake_bytes);
    CHECK(check_wake(genuine_wake(), terms, 999, out) == wake_verdict::accepted);
    CHECK(out == wanted);
  }
  CHECK(genuine_wake() == genuine_wake()); // tries are the same bytes
}

TEST_CASE_FIXTURE(datagram_world, "every truncation of a wake is refused, and every addition") {
  const auto whole = genuine_wake();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    CHECK(check(std::string_view(whole).substr(0, bytes)) == wake_verdict::wrong_size);
  CHECK(check(whole + '\0') == wake_verdict::wrong_size);
  CHECK(check(whole + whole) == wake_verdict::wrong_size);
}

TEST_CASE_FIXTURE(datagram_world, "every flipped bit of a wake is refused by the check for it") {
  const auto whole = genuine_wake();
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    CAPTURE(bit);
    const auto verdict = check(flipped(whole, bit));
    const bool unknown_purpose = bit / 8 == purpose_at && verdict == wake_verdict::wrong_format;
    CHECK((unknown_purpose || verdict == refusal_for(bit / 8)));
  }
}

TEST_CASE_FIXTURE(datagram_world, "a wake counts once, and never behind a later one") {
  const auto recorded = genuine_wake();
  CHECK(check(recorded, 999) == wake_verdict::accepted);
  CHECK(check(recorded, 1000) == wake_verdict::old_counter);
  CHECK(check(recorded, 1001) == wake_verdict::old_counter);
  CHECK(check(recorded, std::numeric_limits<std::uint64_t>::max()) == wake_verdict::old_counter);
  wanted.counter = 0; // never used: a device that has accepted none holds 0
  CHECK(check(genuine_wake(), 0) == wake_verdict::old_counter);
  wanted.counter = std::numeric_limits<std::uint64_t>::max();
  CHECK(check(genuine_wake(), wanted.counter - 1) == wake_verdict::accepted);
}

TEST_CASE_FIXTURE(datagram_world, "a recorded wake with the next counter in it fails at its tag") {
  const auto forged = with_number(genuine_wake(), counter_at, 1001);
  CHECK(check(forged, 1000) == wake_verdict::wrong_tag);
}

TEST_CASE_FIXTURE(datagram_world, "who knows the device's key still cannot sign") {
  // The device's own administrator, say: right ids, next counter, right tag, any signature.
  const wake_signer forger(all<32>(0x66));
  const auto recorded = genuine_wake();
  wanted.counter = 1001;
  const auto forged = forger.make(wanted, keys.wake_key(1, device_id));
  CHECK(check(forged, 1000) == wake_verdict::wrong_signature);
  // With the signature of the recorded one it is no better.
  const auto mixed = forged.substr(0, signature_at) + recorded.substr(signature_at);
  CHECK(check(mixed, 1000) == wake_verdict::wrong_signature);
}

TEST_CASE_FIXTURE(datagram_world, "a wake for another device, server or generation is refused") {
  auto other = wanted;
  other.device_id = other_device;
  CHECK(check(signer.make(other, keys.wake_key(1, other_device))) == wake_verdict::wrong_device);
  // Readdressed: the tag is by another key.
  other = wanted;
  CHECK(check(signer.make(other, keys.wake_key(1, other_device))) == wake_verdict::wrong_tag);
  CHECK(check(signer.make(other, keys.notice_key(1, device_id))) == wake_verdict::wrong_tag);
  other.server_id = all<16>(0x5f);
  CHECK(check(signer.make(other, keys.wake_key(1, device_id))) == wake_verdict::wrong_server);
  other = wanted;
  other.generation = 2;
  CHECK(check(signer.make(other, keys.wake_key(2, device_id))) == wake_verdict::wrong_generation);
  // The generation belongs to the key: naming another one does not help.
  terms.keys.push_back({2, keys.wake_key(2, device_id), keys.notice_key(2, device_id)});
  CHECK(check(signer.make(other, keys.wake_key(1, device_id))) == wake_verdict::wrong_tag);
}

TEST_CASE_FIXTURE(datagram_world, "during a rotation wakes of both generations are taken") {
  const datagram_secret second{2, all<32>(0x24)};
  const datagram_keyring rotating(datagram_secrets{second, datagram_secret{1, all<32>(0x22)}});
  terms.keys = rotating.keys_of(device_id);
  CHECK(check(genuine_wake()) == wake_verdict::accepted);
  wanted.generation = 2;
  CHECK(check(signer.make(wanted, rotating.wake_key(2, device_id))) == wake_verdict::accepted);
  // Afterwards a recorded one of the old generation is worthless whatever its counter.
  wanted.generation = 1;
  terms.keys = datagram_keyring(datagram_secrets{second, {}}).keys_of(device_id);
  CHECK(check(genuine_wake(), 0) == wake_verdict::wrong_generation);
  terms.keys.clear(); // not been in a session yet
  CHECK(check(genuine_wake(), 0) == wake_verdict::wrong_generation);
}

TEST_CASE_FIXTURE(datagram_world, "a refused wake leaves nothing behind") {
  wake out{9, all<16>(1), all<16>(2), 3, wake_purpose::events};
  const auto before = out;
  const auto whole = genuine_wake();
  for (std::size_t at = 0; at < whole.size(); ++at)
    static_cast<void>(check_wake(flipped(whole, 8 * at), terms, 999, out));
  static_cast<void>(check_wake(whole, terms, 1000, out));
  CHECK(out == before);
}

TEST_CASE("every verdict on a wake has its word") {
  for (std::size_t i = 0; i < wake_verdicts; ++i)
    CHECK(std::string(word_of(static_cast<wake_verdict>(i))) != "other");
  CHECK(std::string(word_of(static_cast<wake_verdict>(wake_verdicts))) == "other");
}
