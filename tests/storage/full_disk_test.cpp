// What a store on a full disk still takes, and how that makes room.

#include "storage/errc.hpp"
#include "storage/keys.hpp"
#include "storage/rocks_store.hpp"
#include "tests/small_disk.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>

using namespace muster;
using namespace muster::storage;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t megabyte = 1024 * 1024;

std::unique_ptr<store> open(const std::filesystem::path& at,
                            std::optional<std::uint64_t> reserve = {}) {
  std::error_code ec;
  std::string problem;
  auto out = open_rocks_store({.directory = at / "db", .reserve_bytes = reserve}, ec, problem);
  REQUIRE_MESSAGE(out != nullptr, problem);
  return out;
}

std::error_code write(store& to, const change& what, room may_use = room::common) {
  const change_batch batch{what};
  return to.write_sync({&batch, 1}, may_use);
}

std::string noise(std::size_t bytes) {
  static std::mt19937_64 source{7};
  std::string out;
  while (out.size() < bytes) {
    const auto word = source();
    out.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return out;
}

bool has(const store& in, const std::string& key) {
  std::error_code ec;
  return in.get(family::meta, key, ec).has_value();
}

bool within(std::chrono::milliseconds time, const std::function<bool()>& question) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (!question()) {
    if (std::chrono::steady_clock::now() >= deadline)
      return false;
    std::this_thread::yield();
  }
  return true;
}

} // namespace

TEST_CASE("below the reserve a store takes only what makes room and what cannot wait; below a "
          "quarter of it, nothing") {
  const test::temp_directory directory;
  {
    const auto db = open(directory.path(), 0);
    REQUIRE_FALSE(write(*db, put(family::meta, "old", "x")));
  }
  const auto free = open(directory.path())->measure().free_bytes;
  REQUIRE(free < UINT64_MAX / 8);
  {
    const auto db = open(directory.path(), free * 2);
    CHECK(write(*db, put(family::meta, "new", "x")) == errc::disk_full);
    CHECK_FALSE(has(*db, "new"));
    CHECK_FALSE(write(*db, put(family::meta, "urgent", "x"), room::last));
    CHECK(has(*db, "urgent"));
    CHECK_FALSE(write(*db, erase(family::meta, "old")));
    CHECK_FALSE(has(*db, "old"));
    const change_batch mixed{erase(family::meta, "urgent"), put(family::meta, "new", "x")};
    CHECK(db->write({&mixed, 1}) == errc::disk_full);
    CHECK(has(*db, "urgent"));
    CHECK_FALSE(db->write({}));
  }
  const auto db = open(directory.path(), free * 8);
  CHECK(write(*db, put(family::meta, "new", "x"), room::last) == errc::disk_full);
  CHECK(write(*db, erase(family::meta, "urgent")) == errc::disk_full);
  CHECK(has(*db, "urgent"));
}

TEST_CASE("a full disk has room again when whole days of events are erased") {
  const test::small_disk disk{"size=320m"};
  if (!disk.mounted()) {
    MESSAGE("skipped: no small disk can be mounted here (" << disk.why() << ")");
    return;
  }
  const auto db = open(disk.path());
  const auto block = noise(megabyte);
  std::int64_t received_us = keys::bucket_us;
  std::error_code ec;
  std::size_t stored = 0;
  for (; !ec && stored < 1000; received_us += keys::bucket_us / 64) {
    ec = write(*db, put(family::events, keys::event(1, received_us, 0), block));
    stored += ec ? 0U : 1U;
  }
  REQUIRE(ec == errc::disk_full);
  REQUIRE(stored > 64);
  disk.fill_up_to(64 * megabyte); // and somebody else takes half of the reserve
  CHECK(write(*db, put(family::devices, "revoked", "x"), room::last) == std::error_code{});
  CHECK(write(*db, put(family::devices, "hello", "x")) == errc::disk_full);

  const auto day = keys::bucket_of(received_us);
  const auto old = keys::events(1, 0, day);
  CHECK_FALSE(write(*db, erase_range(family::events, old.lower, old.upper)));
  // The files go in the background: the writer does not wait for them.
  CHECK(within(20s, [&] { return db->measure().free_bytes > 128 * megabyte; }));
  CHECK_FALSE(write(*db, put(family::devices, "hello", "x")));
}
