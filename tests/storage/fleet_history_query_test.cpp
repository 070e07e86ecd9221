// What a policy was, newest first.

#include "storage/fleet_history_query.hpp"

#include "storage/limits.hpp"
#include "tests/storage/store_kinds.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace muster;
using namespace muster::storage;
using test::memory_kind;
using test::rocks_kind;

namespace {

const keys::fleet_key sshd{1, 7, "sshd"};

void note(store& db, const keys::fleet_key& what, std::uint64_t revision, std::string spec = "x") {
  record::fleet_object entry;
  entry.set_revision(revision);
  entry.set_spec(std::move(spec));
  const change_batch batch{
    put(family::meta, keys::fleet_history({what, revision}), records::encode(entry))};
  REQUIRE_FALSE(db.write({&batch, 1}));
}

std::vector<std::uint64_t> revisions(const store& db, fleet_history_query query) {
  std::vector<std::uint64_t> out;
  for (int pages = 0; pages < 1000; ++pages) {
    fleet_history_page page;
    REQUIRE_FALSE(find_fleet_history(db, query, page));
    for (const auto& entry : page.entries)
      out.push_back(entry.revision());
    if (!page.next)
      return out;
    REQUIRE_FALSE(page.entries.empty());
    query.before = page.next;
  }
  FAIL("the pages do not end");
  return out;
}

} // namespace

TEST_CASE_TEMPLATE("an object's history comes newest first, in pages of any size, and alone", Kind,
                   memory_kind, rocks_kind) {
  Kind kind;
  auto& db = kind.get();
  for (const std::uint64_t revision : {1U, 2U, 255U, 256U, 70'000U})
    note(db, sshd, revision);
  note(db, {1, 7, "ssh"}, 3);
  note(db, {1, 7, "sshd2"}, 4);
  note(db, {1, 8, "sshd"}, 5);
  note(db, {2, 7, "sshd"}, 6);
  for (const std::size_t limit : {1U, 2U, 5U, 1000U})
    CHECK(revisions(db, {.of = sshd, .limit = limit}) ==
          std::vector<std::uint64_t>{70'000, 256, 255, 2, 1});
  CHECK(revisions(db, {.of = sshd, .before = 256}) == std::vector<std::uint64_t>{255, 2, 1});
  CHECK(revisions(db, {.of = sshd, .before = 1}).empty());
  CHECK(revisions(db, {.of = {1, 9, "sshd"}}).empty());
}

TEST_CASE("a page of large specs ends early, and has one at least") {
  memory_kind kind;
  for (std::uint64_t revision = 1; revision <= 5; ++revision)
    note(kind.get(), sshd, revision, std::string(limits::query_bytes_max / 2, 'x'));
  note(kind.get(), sshd, 6, std::string(limits::query_bytes_max + 1, 'x'));
  fleet_history_page page;
  REQUIRE_FALSE(find_fleet_history(kind.get(), {.of = sshd}, page));
  CHECK(page.entries.size() == 1);
  CHECK(page.next == 6);
  REQUIRE_FALSE(find_fleet_history(kind.get(), {.of = sshd, .before = 6}, page));
  CHECK(page.entries.size() == 2);
  CHECK(page.next == 4);
  CHECK(revisions(kind.get(), {.of = sshd}).size() == 6);
}

TEST_CASE("a damaged entry of a history is an error, not a gap") {
  memory_kind kind;
  note(kind.get(), sshd, 1);
  const change_batch batch{put(family::meta, keys::fleet_history({sshd, 2}), "damaged")};
  REQUIRE_FALSE(kind.get().write({&batch, 1}));
  fleet_history_page page;
  CHECK(find_fleet_history(kind.get(), {.of = sshd}, page));
}
