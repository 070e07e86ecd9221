#include "net/datagram_keys.hpp"

#include "tests/net/datagram_world.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace muster::net;
using namespace muster::net::testing;

TEST_CASE("a key differs by purpose, generation, device and secret, and by nothing else") {
  const datagram_keyring ours(all<32>(1));
  const datagram_keyring same(datagram_secrets{{5, all<32>(1)}, datagram_secret{4, all<32>(1)}});
  const datagram_keyring theirs(all<32>(2));
  const auto a = all<16>(0xaa);
  const auto b = all<16>(0xab);
  const std::set<datagram_key> distinct{
    ours.wake_key(1, a),   ours.wake_key(1, b),   ours.wake_key(2, a),   theirs.wake_key(1, a),
    ours.notice_key(1, a), ours.notice_key(1, b), ours.notice_key(2, a), theirs.notice_key(1, a)};
  CHECK(distinct.size() == 8);
  CHECK(same.wake_key(1, a) == ours.wake_key(1, a));
  CHECK(same.notice_key(2, b) == ours.notice_key(2, b));
}

TEST_CASE("the derivation is HKDF-SHA256 and never changes: devices keep what they were given") {
  // Made once by an independent implementation (RFC 5869: no salt; info is label, zero byte,
  // generation, device id).
  const datagram_keyring keys(all<32>(0x22));
  CHECK(to_hex(keys.wake_key(1, all<16>(0xde))) ==
        "2653dea1fdcf888e48ad827dfefb5c7f46428a1a645b22ab8a74ac3488c9ec18");
  CHECK(to_hex(keys.notice_key(0x01020304, all<16>(0xde))) ==
        "1c4a391bcfda8872107aec6101a634b9ebd27b2c0fc7dd381f671ed017e2b272");
}

TEST_CASE("outside a rotation there is one generation, within it two") {
  const auto device = all<16>(0xaa);
  const datagram_keyring calm(datagram_secrets{{7, all<32>(1)}, {}});
  CHECK(calm.knows(7));
  CHECK_FALSE(calm.knows(6));
  CHECK_FALSE(calm.knows(8));
  CHECK(calm.generation_sent() == 7);
  REQUIRE(calm.keys_of(device).size() == 1);
  CHECK(calm.keys_of(device)[0] ==
        device_datagram_keys{7, calm.wake_key(7, device), calm.notice_key(7, device)});

  const datagram_keyring rotating(datagram_secrets{{20, all<32>(2)}, datagram_secret{7, all<32>(1)}});
  CHECK(rotating.knows(20));
  CHECK(rotating.knows(7));
  CHECK_FALSE(rotating.knows(19));
  CHECK_FALSE(rotating.knows(21));
  CHECK(rotating.generation_sent() == 7); // every device has it
  REQUIRE(rotating.keys_of(device).size() == 2);
  CHECK(rotating.keys_of(device)[0].generation == 20);
  CHECK(rotating.keys_of(device)[0].wake
        == datagram_keyring(datagram_secrets{{20, all<32>(2)}, {}}).wake_key(20, device));
  CHECK(rotating.keys_of(device)[1] == calm.keys_of(device)[0]);

  live_datagram_keys live{calm};
  CHECK(live.now()->newest() == 7);
  live.use(rotating);
  CHECK(live.now()->newest() == 20);
}
