// Who did what, newest first.

#include "storage/audit_query.hpp"
#include "tests/storage/store_kinds.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace muster;
using namespace muster::storage;
using test::memory_kind;
using test::rocks_kind;

namespace {

void note(store& db, std::int64_t time_us, std::uint64_t number, const std::string& action) {
  record::audit entry;
  entry.set_time_us(time_us);
  entry.set_action(action);
  const change_batch batch{
    put(family::audit, keys::audit(time_us, number), records::encode(entry))};
  REQUIRE_FALSE(db.write({&batch, 1}));
}

std::vector<std::string> actions(const store& db, audit_query query) {
  std::vector<std::string> out;
  for (int pages = 0; pages < 1000; ++pages) {
    audit_page page;
    REQUIRE_FALSE(find_audits(db, query, page));
    for (const auto& entry : page.entries)
      out.push_back(entry.action());
    if (!page.next)
      return out;
    query.after = page.next;
  }
  FAIL("the pages do not end");
  return out;
}

} // namespace

TEST_CASE_TEMPLATE("audit entries come newest first, in pages of any size", Kind, memory_kind,
                   rocks_kind) {
  Kind kind;
  auto& db = kind.get();
  note(db, 1000, 5, "a");
  note(db, 2000, 1, "b");
  note(db, 2000, UINT64_MAX, "c"); // in the same microsecond
  note(db, 3000, 0, "d");
  for (const std::size_t limit : {1U, 2U, 3U, 1000U})
    CHECK(actions(db, {.limit = limit}) == std::vector<std::string>{"d", "c", "b", "a"});
  CHECK(actions(db, {.since_us = 2000, .until_us = 3000, .limit = 1})
        == std::vector<std::string>{"c", "b"});
  CHECK(actions(db, {.since_us = 3001}).empty());
}

TEST_CASE("a page that is exactly full says whether there is more") {
  memory_kind kind;
  note(kind.get(), 1, 0, "a");
  note(kind.get(), 2, 0, "b");
  audit_page page;
  REQUIRE_FALSE(find_audits(kind.get(), {.limit = 2}, page));
  CHECK_FALSE(page.next);
  REQUIRE_FALSE(find_audits(kind.get(), {.limit = 1}, page));
  CHECK(page.next == keys::audit_key{2, 0});
}

TEST_CASE("an entry that is none is an error") {
  memory_kind kind;
  const change_batch broken{put(family::audit, keys::audit(1, 0), "junk")};
  REQUIRE_FALSE(kind.get().write({&broken, 1}));
  audit_page page;
  CHECK(find_audits(kind.get(), {}, page));
}
