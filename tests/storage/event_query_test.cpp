// Events, newest first: against a list that is sorted and filtered the slow way.

#include "storage/event_query.hpp"
#include "tests/storage/store_kinds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>
#include <vector>

using namespace muster;
using namespace muster::storage;
using test::memory_kind;
using test::rocks_kind;

namespace {

using keys::device_bytes;

device_bytes device_number(std::uint8_t number) {
  device_bytes out{};
  out.fill(number);
  return out;
}

/// What the test knows of an event it has stored.
struct known_event {
  std::int64_t received_us = 0;
  std::uint64_t sequence = 0;
  device_bytes device{};
  std::uint8_t severity = 0;
  friend bool operator==(const known_event&, const known_event&) = default;
};

/// Stores batches as the writer does, and remembers what it stored.
struct history {
  store& db;
  std::vector<known_event> all = {}; ///< newest first after sort()
  std::uint64_t sequence = 0;

  /// One event for each severity given; `blocks` events share a block at most.
  void batch(const device_bytes& device, std::int64_t received_us,
             const std::vector<std::uint8_t>& severities, int per_block = 2,
             const std::string& text = "text") {
    std::map<std::uint8_t, std::vector<record::event_block>> blocks;
    for (const auto severity : severities) {
      auto& of = blocks[severity];
      if (of.empty() || of.back().events_size() == per_block) {
        auto& block = of.emplace_back();
        block.set_device(std::string(device.begin(), device.end()));
        block.set_device_name("name");
        block.set_epoch(77);
        block.set_received_us(received_us);
        block.set_severity(severity);
      }
      auto& event = *of.back().add_events();
      event.set_sequence(++sequence);
      event.set_text(text);
      all.push_back({received_us, sequence, device, severity});
    }
    change_batch changes;
    for (const auto& [severity, of] : blocks) {
      for (std::uint16_t part = 0; part < of.size(); ++part) {
        changes.push_back(put(family::events, keys::event(severity, received_us, part),
                              records::encode(of[part])));
        changes.push_back(put(family::index,
                              keys::device_event(device, severity, received_us, part), {}));
      }
    }
    REQUIRE_FALSE(db.write({&changes, 1}));
  }

  void sort() {
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return std::tie(a.received_us, a.sequence) > std::tie(b.received_us, b.sequence);
    });
  }

  [[nodiscard]] std::vector<known_event> expected(const event_query& query) const {
    std::vector<known_event> out;
    for (const auto& e : all)
      if ((!query.device || e.device == *query.device) && e.severity >= query.severity_min
          && e.received_us >= query.since_us && e.received_us < query.until_us)
        out.push_back(e);
    return out;
  }
};

std::vector<known_event> page_of(const event_page& page) {
  std::vector<known_event> out;
  for (const auto& e : page.events)
    out.push_back({e.received_us, e.content.sequence(), e.device, e.severity});
  return out;
}

/// All pages behind each other; fails when a page brings nothing and leads nowhere.
std::vector<known_event> all_pages(const store& db, event_query query) {
  std::vector<known_event> out;
  for (int pages = 0; pages < 100'000; ++pages) {
    event_page page;
    REQUIRE_FALSE(find_events(db, query, page));
    CHECK(page.events.size() <= query.limit);
    const auto rows = page_of(page);
    out.insert(out.end(), rows.begin(), rows.end());
    if (!page.next)
      return out;
    REQUIRE(page.next != query.after);
    query.after = page.next;
  }
  FAIL("the pages do not end");
  return out;
}

constexpr std::int64_t day = keys::bucket_us;

} // namespace

TEST_CASE_TEMPLATE("events come newest first, all severities as one list", Kind, memory_kind,
                   rocks_kind) {
  Kind kind;
  history h{kind.get()};
  h.batch(device_number(1), 1000, {1, 2, 3, 4, 1});
  h.batch(device_number(2), 2000, {4, 1});
  h.batch(device_number(1), 3000, {2});
  h.sort();
  event_page page;
  REQUIRE_FALSE(find_events(kind.get(), {}, page));
  CHECK(page_of(page) == h.all);
  CHECK_FALSE(page.next);
  CHECK(page.events.front().device_name == "name");
  CHECK(page.events.front().epoch == 77);
  CHECK(page.events.front().content.text() == "text");
}

TEST_CASE_TEMPLATE("an empty store has no events", Kind, memory_kind, rocks_kind) {
  Kind kind;
  event_page page;
  REQUIRE_FALSE(find_events(kind.get(), {}, page));
  CHECK(page.events.empty());
  CHECK_FALSE(page.next);
  REQUIRE_FALSE(find_events(kind.get(), {.device = device_number(1)}, page));
  CHECK(page.events.empty());
  CHECK_FALSE(page.next);
}

TEST_CASE_TEMPLATE("any question in pages of any size gives the same list", Kind, memory_kind,
                   rocks_kind) {
  Kind kind;
  history h{kind.get()};
  std::mt19937 random(20261124);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  std::int64_t now = 3 * day;
  for (int i = 0; i < 400; ++i) {
    // Mostly within a day; sometimes days are skipped, sometimes exactly at midnight.
    now += 1 + below(60'000'000);
    if (below(20) == 0)
      now = (now / day + 1 + below(5)) * day;
    std::vector<std::uint8_t> severities;
    for (std::uint32_t n = 1 + below(6); n > 0; --n)
      severities.push_back(static_cast<std::uint8_t>(1 + below(4)));
    h.batch(device_number(static_cast<std::uint8_t>(1 + below(5))), now, severities);
  }
  h.sort();
  for (int i = 0; i < 200; ++i) {
    event_query query;
    if (below(3) > 0)
      query.device = device_number(static_cast<std::uint8_t>(below(7)));
    query.severity_min = static_cast<std::uint8_t>(1 + below(4));
    if (below(2) == 0)
      query.since_us = h.all[below(static_cast<std::uint32_t>(h.all.size()))].received_us;
    if (below(2) == 0)
      query.until_us = h.all[below(static_cast<std::uint32_t>(h.all.size()))].received_us;
    query.limit = 1 + below(below(2) == 0 ? 10 : 1000);
    query.blocks_max = below(2) == 0 ? below(20) : limits::query_blocks_max;
    CAPTURE(i);
    CHECK(all_pages(kind.get(), query) == h.expected(query));
  }
}

TEST_CASE_TEMPLATE("looking for a quiet device among many ends at the bound and goes on", Kind,
                   memory_kind, rocks_kind) {
  Kind kind;
  history h{kind.get()};
  h.batch(device_number(9), 5, {1});
  for (std::int64_t d = 1; d <= 60; ++d)
    h.batch(device_number(static_cast<std::uint8_t>(d % 2 == 0 ? 1 : 200)), d * day, {1, 4});
  h.sort();
  event_query query{.device = device_number(9), .blocks_max = 1};
  event_page page;
  REQUIRE_FALSE(find_events(kind.get(), query, page));
  CHECK(page.events.empty());
  CHECK(page.next);
  CHECK(all_pages(kind.get(), query) == h.expected(query));
}

TEST_CASE("what arrives between two pages changes neither of them") {
  memory_kind kind;
  history h{kind.get()};
  for (int i = 1; i <= 10; ++i)
    h.batch(device_number(1), i * 1000, {1});
  event_query query{.limit = 4};
  event_page page;
  REQUIRE_FALSE(find_events(kind.get(), query, page));
  h.batch(device_number(1), 20'000, {1, 2});
  query.after = page.next;
  REQUIRE_FALSE(find_events(kind.get(), query, page));
  REQUIRE(page.events.size() == 4);
  CHECK(page.events.front().received_us == 6000);
  CHECK(page.events.back().received_us == 3000);
}

TEST_CASE("a page ends early when its events are large, but is never empty for that") {
  memory_kind kind;
  history h{kind.get()};
  for (int i = 1; i <= 6; ++i)
    h.batch(device_number(1), i * 1000, {1}, 2, std::string(1000, 'x'));
  event_query query{.bytes_max = 2500};
  event_page page;
  REQUIRE_FALSE(find_events(kind.get(), query, page));
  CHECK(page.events.size() == 2);
  h.sort();
  CHECK(all_pages(kind.get(), query) == h.all);
  query.bytes_max = 10;
  CHECK(all_pages(kind.get(), query) == h.all);
}

TEST_CASE("index entries whose block has just been erased are passed over") {
  memory_kind kind;
  history h{kind.get()};
  for (int i = 1; i <= 5; ++i)
    h.batch(device_number(1), i * 1000, {1});
  const change_batch erased{erase(family::events, keys::event(1, 3000, 0))};
  REQUIRE_FALSE(kind.get().write({&erased, 1}));
  event_page page;
  REQUIRE_FALSE(find_events(kind.get(), {.device = device_number(1)}, page));
  CHECK(page.events.size() == 4);
}

TEST_CASE("a block that is none is an error, not a gap; so is a store that cannot read") {
  memory_kind kind;
  const change_batch broken{put(family::events, keys::event(1, 1000, 0), "junk")};
  REQUIRE_FALSE(kind.get().write({&broken, 1}));
  event_page page;
  CHECK(find_events(kind.get(), {}, page));
  kind.subject.fail_reads(errc::io_error);
  CHECK(find_events(kind.get(), {}, page) == errc::io_error);
  CHECK(find_events(kind.get(), {.device = device_number(1)}, page) == errc::io_error);
}
