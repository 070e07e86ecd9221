// The reader: values, queries, and their failures.

#include "storage/memory_store.hpp"
#include "storage/store_reader_actor.hpp"
#include "tests/actor_world.hpp"

#include <doctest/doctest.h>

using namespace muster;
using namespace muster::actors;
using storage::family;

namespace {

struct stage_set {
  storage::memory_store db;
};

struct world : stage_set, test::actor_world {
  store_reader_actor reader = host(storage::store_reader, static_cast<const storage::store*>(&db));

  void put(const std::string& key, const std::string& value) {
    const storage::change_batch batch{storage::put(family::meta, key, value)};
    REQUIRE_FALSE(db.write_sync({&batch, 1}));
  }
};

read_job job(std::function<std::error_code(const storage::store&)> what) {
  return std::make_shared<const std::function<std::error_code(const storage::store&)>>(
    std::move(what));
}

} // namespace

TEST_CASE_FIXTURE(world, "a reader answers values, and nothing where there is nothing") {
  put("a", "1");
  CHECK(ask<read_result>(reader, atom::get_v, family::meta, std::string("a")).value == "1");
  CHECK_FALSE(ask<read_result>(reader, atom::get_v, family::meta, std::string("b")).value);
  CHECK_FALSE(ask<read_result>(reader, atom::get_v, family::audit, std::string("a")).value);
}

TEST_CASE_FIXTURE(world, "a query leaves its result with the asker") {
  put("a", "1");
  put("b", "2");
  const auto found = std::make_shared<std::string>();
  CHECK(try_ask<caf::ok_atom>(reader, atom::read_v, job([found](const storage::store& from) {
                                return from.scan(family::meta, {}, false,
                                                 [&](auto key, auto value) {
                                                   found->append(key).append(value);
                                                   return true;
                                                 });
                              })));
  CHECK(*found == "a1b2");
}

TEST_CASE_FIXTURE(world, "what fails in the store fails for the asker, and the reader goes on") {
  db.fail_reads(storage::errc::io_error);
  CHECK(is(try_ask<read_result>(reader, atom::get_v, family::meta, std::string("a")).error(),
           storage::errc::io_error));
  CHECK(is(try_ask<caf::ok_atom>(reader, atom::read_v, job([](const storage::store&) {
                                   return make_error_code(storage::errc::corrupt);
                                 }))
             .error(),
           storage::errc::corrupt));
  db.fail_reads({});
  CHECK_FALSE(ask<read_result>(reader, atom::get_v, family::meta, std::string("a")).value);
  CHECK(ask<std::string>(reader, atom::status_v) == "2 gets, 1 queries, 2 failed");
}
