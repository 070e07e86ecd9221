#include "actors/rules/shard.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>

using namespace muster::rules;

TEST_CASE("devices spread evenly over the shards, and each always to the same") {
  std::mt19937_64 random{3};
  std::array<int, 5> counts{};
  for (int i = 0; i < 50'000; ++i) {
    device_id device;
    for (auto& byte : device.bytes)
      byte = static_cast<std::uint8_t>(random());
    const auto shard = shard_of(device, counts.size());
    REQUIRE(shard < counts.size());
    REQUIRE(shard == shard_of(device, counts.size()));
    ++counts[shard];
  }
  for (const auto n : counts)
    CHECK(n == doctest::Approx(10'000).epsilon(0.05));
}

TEST_CASE("an id survives its text and its raw form, and nothing else becomes one") {
  device_id device;
  for (std::size_t i = 0; i < device.bytes.size(); ++i)
    device.bytes[i] = static_cast<std::uint8_t>(i * 17);
  CHECK(device_id::from_text(device.text()) == device);
  CHECK(device_id::from_bytes(device.raw()) == device);
  for (std::size_t n = 0; n < 32; ++n)
    CHECK_FALSE(device_id::from_text(device.text().substr(0, n)));
  for (std::size_t n = 0; n < 16; ++n)
    CHECK_FALSE(device_id::from_bytes(device.raw().substr(0, n)));
  CHECK_FALSE(device_id::from_text(std::string(32, 'G')));
}
