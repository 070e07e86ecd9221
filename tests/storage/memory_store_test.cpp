// The faults that the store in memory makes on demand.

#include "storage/memory_store.hpp"

#include <doctest/doctest.h>

using namespace muster::storage;

namespace {

std::error_code write(memory_store& store, const std::string& key, bool durable) {
  const change_batch batch{put(family::meta, key, "")};
  return durable ? store.write_sync({&batch, 1}) : store.write({&batch, 1});
}

} // namespace

TEST_CASE("a power loss takes what was not synced, in order") {
  memory_store store;
  REQUIRE_FALSE(write(store, "a", false));
  CHECK(store.after_power_loss()->keys(family::meta) == 0);
  REQUIRE_FALSE(write(store, "b", true)); // takes "a" along
  REQUIRE_FALSE(write(store, "c", false));
  CHECK(store.keys(family::meta) == 3);
  CHECK(store.after_power_loss()->keys(family::meta) == 2);
  REQUIRE_FALSE(store.sync());
  CHECK(store.after_power_loss()->keys(family::meta) == 3);
  CHECK(store.syncs() == 2);
  CHECK(store.writes() == 3);
}

TEST_CASE("a failing write changes nothing") {
  memory_store store;
  store.fail_writes(errc::disk_full);
  CHECK(write(store, "a", true) == errc::disk_full);
  CHECK(write(store, "a", false) == errc::disk_full);
  CHECK_FALSE(store.sync()); // it needs no room
  CHECK(store.keys(family::meta) == 0);
  store.fail_writes({});
  CHECK_FALSE(write(store, "a", true));
  store.fail_next_writes(2, errc::io_error);
  CHECK(write(store, "b", true) == errc::io_error);
  CHECK(write(store, "b", true) == errc::io_error);
  CHECK_FALSE(write(store, "b", true));
}

TEST_CASE("with little room, only what erases or may use the last of it is written") {
  memory_store store;
  REQUIRE_FALSE(write(store, "a", true));
  store.run_low(true);
  CHECK(write(store, "b", true) == errc::disk_full);
  const change_batch urgent{put(family::meta, "c", "")};
  CHECK_FALSE(store.write_sync({&urgent, 1}, room::last));
  const change_batch erasing{erase(family::meta, "a")};
  CHECK_FALSE(store.write({&erasing, 1}));
  CHECK_FALSE(store.sync());
  CHECK(store.keys(family::meta) == 1);
  store.run_low(false);
  CHECK_FALSE(write(store, "b", true));
}

TEST_CASE("a failed sync is final") {
  memory_store store;
  store.fail_next_writes(1, errc::sync_failed);
  CHECK(write(store, "a", true) == errc::sync_failed);
  store.fail_writes({});
  CHECK(write(store, "a", false) == errc::sync_failed);
  CHECK(store.sync() == errc::sync_failed);
}

TEST_CASE("the hook sees the store before the sync") {
  memory_store store;
  std::size_t seen = 99;
  store.on_sync([&] { seen = store.keys(family::meta); });
  REQUIRE_FALSE(write(store, "a", true));
  CHECK(seen == 0);
  REQUIRE_FALSE(store.sync());
  CHECK(seen == 1);
}

TEST_CASE("reads can fail too") {
  memory_store store;
  REQUIRE_FALSE(write(store, "a", true));
  store.fail_reads(errc::io_error);
  std::error_code ec;
  CHECK_FALSE(store.get(family::meta, "a", ec));
  CHECK(ec == errc::io_error);
  CHECK(store.scan(family::meta, {}, false, [](auto, auto) { return true; }) == errc::io_error);
  store.fail_reads({});
  CHECK(store.get(family::meta, "a", ec));
  CHECK_FALSE(ec);
}
