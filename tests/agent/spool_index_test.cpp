#include "actors/agent/spool_index.hpp"

#include <doctest/doctest.h>

#include <map>
#include <vector>

using namespace muster::actors;

namespace {

constexpr std::uint64_t epoch = 7;

spool_bounds bounds_of(std::uint64_t bytes_max) {
  spool_bounds out;
  out.bytes_max = bytes_max;
  out.percent_max = {50, 75, 90, 100};
  return out;
}

spool_entry newcomer(severity how, std::uint32_t bytes = 100) { return {0, bytes, how, false}; }

/// An index with what a test needs, and what it did.
struct rig {
  explicit rig(const spool_bounds& bounds) : index(bounds) { index.begin_epoch(epoch); }

  spool_plan add(severity how, std::uint32_t bytes = 100) { return add({newcomer(how, bytes)}); }
  spool_plan add(std::vector<spool_entry> newcomers) {
    auto plan = index.plan(std::move(newcomers));
    index.apply(plan);
    for (const auto& gap : plan.gaps)
      gaps.push_back(gap);
    return plan;
  }
  void fill(severity how, int count) {
    for (int i = 0; i < count; ++i)
      REQUIRE(add(how).dropped == 0);
  }

  spool_index index;
  std::vector<spool_gap> gaps;
};

/// How many of the records that gaps were written as are still there.
std::uint64_t missing_records(const rig& r, const std::map<std::uint64_t, std::uint64_t>& gaps) {
  std::uint64_t out = 0;
  for (const auto& [number, count] : gaps)
    out += r.index.holds(number, {number}) ? 1 : 0;
  return out;
}

} // namespace

TEST_CASE("a position is followed by the next event of its epoch, then by the next epoch") {
  rig r{bounds_of(10'000)};
  r.fill(severity::failure, 3);
  r.index.begin_epoch(8);
  r.fill(severity::failure, 2);
  CHECK(r.index.behind({})->first == 1);
  CHECK(r.index.behind({})->end == 4);
  CHECK(r.index.behind({epoch, 2})->first == 3);
  const auto next = r.index.behind({epoch, 3});
  REQUIRE(next);
  CHECK(next->first == 4);
  CHECK(next->run.epoch == 8);
  CHECK(r.index.position_of(5) == event_position{8, 2});
  CHECK_FALSE(r.index.behind({8, 2}));
  CHECK(r.index.behind({99, 5})->first == 1);
  // However large a sequence a server names, it is behind its epoch and not beyond the next one.
  CHECK(r.index.behind({epoch, UINT64_MAX})->first == 4);
}

TEST_CASE("an acknowledgement forgets everything before it, older epochs included") {
  rig r{bounds_of(10'000)};
  r.fill(severity::failure, 3);
  r.index.begin_epoch(8);
  r.fill(severity::failure, 2);
  r.index.cut(r.index.end_of({8, 1}));
  CHECK(r.index.events() == 1);
  CHECK(r.index.first_number() == 5);
  CHECK(r.index.bytes() == 100);
  r.index.cut(r.index.end_of({99, 1}));
  CHECK(r.index.events() == 1);
  r.index.cut(r.index.end_of({8, 2}));
  CHECK(r.index.empty());
  CHECK(r.index.next_number() == 6);
}

TEST_CASE("only a sequence of this epoch that was never given out is ahead") {
  rig r{bounds_of(10'000)};
  r.fill(severity::failure, 3);
  CHECK_FALSE(r.index.is_ahead({}));
  CHECK_FALSE(r.index.is_ahead({epoch, 3}));
  CHECK(r.index.is_ahead({epoch, 4}));
  CHECK_FALSE(r.index.is_ahead({99, 4}));
}

TEST_CASE("a full spool drops the oldest of the lowest severity and says so in their place") {
  rig r{bounds_of(1'000)};
  r.fill(severity::critical, 2);
  r.fill(severity::info, 5); // numbers 3-7: all that info may take
  r.fill(severity::warning, 2);
  const auto plan = r.add(severity::critical); // beyond 90 %
  CHECK(plan.stays[0]);
  CHECK(plan.dropped == 2); // one for the newcomer, one for the next
  REQUIRE(plan.gaps.size() == 1);
  CHECK(plan.gaps[0] == spool_gap{3, 4, 2});
  CHECK(plan.erased == std::vector<std::uint64_t>{3});
}

TEST_CASE("each severity leaves room for those above it") {
  rig r{bounds_of(1'000)};
  r.fill(severity::info, 5);
  CHECK(r.add(severity::info).dropped > 0);
  CHECK(r.index.bytes() <= 500);
  r.fill(severity::failure, 5);
  CHECK(r.index.events() > 5);
}

TEST_CASE("neighbouring gaps are one gap; what lives between them keeps them apart") {
  rig r{bounds_of(1'000)};
  r.fill(severity::info, 2);    // 1 2
  r.fill(severity::failure, 1); // 3
  r.fill(severity::info, 3);    // 4 5 6
  for (int i = 0; i < 20; ++i)
    r.add(severity::info);
  // Whatever went, the record says of whom: count what is there and what is said to be missing.
  CHECK(r.index.behind({})->first <= 3);
  CHECK(r.gaps.front().first == 1);
  for (const auto& gap : r.gaps)
    CHECK((gap.last < 3 || gap.first > 3));
}

TEST_CASE("what has been handed out is neither dropped nor changed") {
  rig r{bounds_of(1'000)};
  r.fill(severity::info, 5);
  r.index.hand_out(3);
  const auto plan = r.add(severity::info);
  REQUIRE(plan.gaps.size() == 1);
  CHECK(plan.gaps[0].first == 4);
  r.index.hand_out(6); // the gap as well
  const auto later = r.add(severity::info);
  for (const auto& gap : later.gaps)
    CHECK(gap.first > 6);
}

TEST_CASE("when everything is in flight or of higher severity the newcomer goes") {
  rig r{bounds_of(1'000)};
  r.fill(severity::failure, 10);
  const auto plan = r.add(severity::info);
  CHECK_FALSE(plan.stays[0]);
  REQUIRE(plan.gaps.size() == 1);
  CHECK(plan.gaps[0] == spool_gap{11, 11, 1});
  CHECK(r.add(severity::info).gaps[0] == spool_gap{11, 12, 2});
  CHECK(r.index.events() == 11); // ten and one record
  CHECK(r.index.bytes() == 1'000);
}

TEST_CASE("gap records are few: the oldest are merged across what lives between them") {
  auto bounds = bounds_of(2'000);
  bounds.gaps_max = 2;
  rig r{bounds};
  for (int i = 0; i < 10; ++i) { // info and failure in turn
    r.add(severity::info);
    r.add(severity::failure);
  }
  for (int i = 0; i < 10; ++i)
    r.add(severity::failure);
  std::map<std::uint64_t, std::uint64_t> missing; // by where the newest record stands
  for (const auto& gap : r.gaps)
    missing[gap.last] = gap.count;
  std::uint64_t records = 0;
  std::uint64_t reported = 0;
  for (std::uint64_t number = 1; number < r.index.next_number(); ++number) {
    if (!r.index.holds(number, {number}))
      continue;
    ++records;
    if (const auto gap = missing.find(number); gap != missing.end())
      reported += gap->second;
  }
  CHECK(records == r.index.events());
  CHECK(records <= 20 + bounds.gaps_max); // twenty failures fill it
  CHECK(r.index.next_number() - 1 == 30);
  CHECK(records - missing_records(r, missing) + reported == 30);
}

TEST_CASE("gaps of two epochs are not merged") {
  rig r{bounds_of(1'000)};
  r.fill(severity::info, 5);
  r.index.begin_epoch(8);
  for (int i = 0; i < 10; ++i)
    r.add(severity::info);
  const auto first = r.index.behind({});
  REQUIRE(first);
  CHECK(first->run.epoch == epoch);
  CHECK(first->first == 5); // a record for 1-5, of the old epoch
  CHECK(r.index.behind({epoch, 5})->run.epoch == 8);
}

TEST_CASE("new names begin so that the first gap's first sequence is one") {
  rig r{bounds_of(1'000)};
  r.fill(severity::info, 5);
  for (int i = 0; i < 4; ++i)
    r.add(severity::info);
  const auto first = r.index.first_name();
  CHECK(first == 1); // where the first gap begins, not where its record stands
  CHECK(r.index.first_number() > first);
  r.index.rename(first, 20);
  CHECK(r.index.position_of(first) == event_position{20, 1});
  CHECK(r.index.position_of(r.index.next_number()) == event_position{20, 10});
  CHECK(r.index.behind({epoch, 3})->first == r.index.first_number());
}
