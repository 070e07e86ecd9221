// How far one call is with each of its devices: steps that count, and what a million of them take.

#include "actors/server/call_ledger.hpp"
#include "actors/server/call_limits.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

using namespace muster;
using namespace muster::actors;

namespace {

constexpr std::int64_t created = 1'700'000'000'000'000;
constexpr std::int64_t ms = 1'000;
constexpr std::int64_t second = 1'000'000;

device_id device(std::uint32_t number) {
  device_id out;
  std::mt19937 random{number}; // ids are in no order, as in life
  for (auto& byte : out.bytes)
    byte = static_cast<std::uint8_t>(random());
  return out;
}

call_progress turn(std::uint32_t number, call_step step, std::int64_t at_us = created + 84 * ms,
                   std::string text = {}, std::int64_t until_us = 0) {
  return {1, device(number), step, call_way::wake, at_us, until_us, std::move(text)};
}

/// A call of so many devices, all of which have had their turn.
call_ledger called(std::uint32_t devices) {
  call_ledger out{created};
  for (std::uint32_t i = 0; i < devices; ++i)
    out.add(device(i), "host-" + std::to_string(i));
  out.seal();
  for (std::uint32_t i = 0; i < devices; ++i)
    CHECK(out.begin_next(created) == device(i));
  CHECK_FALSE(out.begin_next(created));
  return out;
}

call_row row(const call_ledger& ledger, std::uint32_t number) {
  std::uint32_t next = 0;
  const auto rows = ledger.rows({1, number, 1, std::nullopt}, next);
  REQUIRE(rows.size() == 1);
  return rows.front();
}

std::uint64_t count(const call_ledger& ledger, call_step step) {
  return ledger.by_step().at(static_cast<std::size_t>(step));
}

} // namespace

TEST_CASE("a device goes from step to step, and its row tells what was said last") {
  auto ledger = called(2);
  CHECK(ledger.outstanding() == 2);
  CHECK(row(ledger, 1).at_us == 0);
  CHECK(ledger.take(turn(1, call_step::waking)));
  CHECK(ledger.take(turn(1, call_step::queued, created + 9 * second, "no answer to 4 wakes",
                         created + 840 * second)));
  const auto queued = row(ledger, 1);
  CHECK(queued.device == device(1));
  CHECK(queued.device_name == "host-1");
  CHECK(queued.step == call_step::queued);
  CHECK(queued.way == call_way::wake);
  CHECK(queued.at_us == created + 9 * second);
  CHECK(queued.until_us == created + 840 * second);
  CHECK(queued.text == "no answer to 4 wakes");
  CHECK(ledger.outstanding() == 1);
  CHECK(ledger.take(turn(1, call_step::asked, created + 800 * second)));
  CHECK(ledger.outstanding() == 2);
  CHECK(ledger.take(turn(1, call_step::done, created + 801 * second)));
  CHECK(row(ledger, 1).until_us == 0);
  CHECK(row(ledger, 1).text.empty());
  CHECK(count(ledger, call_step::done) == 1);
  CHECK(count(ledger, call_step::waiting) == 1);
  CHECK_FALSE(ledger.settled());
  CHECK(ledger.take(turn(0, call_step::queued)));
  CHECK(ledger.settled());
}

TEST_CASE("done and failed are final, nothing goes back to waiting, and what is said twice counts once") {
  auto ledger = called(3);
  CHECK(ledger.take(turn(0, call_step::done)));
  CHECK(ledger.take(turn(1, call_step::failed, created, "it is revoked")));
  CHECK(ledger.take(turn(2, call_step::queued)));
  const auto before = ledger.by_step();
  for (const auto step : {call_step::waiting, call_step::asked, call_step::waking,
                          call_step::queued, call_step::done, call_step::failed}) {
    CHECK_FALSE(ledger.take(turn(0, step)));
    CHECK_FALSE(ledger.take(turn(1, step)));
  }
  CHECK_FALSE(ledger.take(turn(2, call_step::waiting)));
  CHECK(ledger.take(turn(2, call_step::queued))); // with news of when, perhaps
  CHECK(ledger.by_step() == before);
  CHECK(row(ledger, 1).text == "it is revoked");
}

TEST_CASE("who is not of the call, or was not called yet, changes nothing") {
  call_ledger ledger{created};
  ledger.add(device(0), "a");
  ledger.add(device(1), "b");
  CHECK_FALSE(ledger.begin_next(created)); // not all are there
  ledger.seal();
  CHECK(ledger.begin_next(created) == device(0));
  CHECK(ledger.waiting() == 1);
  CHECK_FALSE(ledger.take(turn(1, call_step::done)));
  CHECK_FALSE(ledger.take(turn(7, call_step::done)));
  CHECK(count(ledger, call_step::waiting) == 2);
  CHECK(ledger.outstanding() == 1);
  call_ledger none{created};
  none.seal();
  CHECK_FALSE(none.take(turn(0, call_step::done)));
  CHECK(none.settled());
}

TEST_CASE("a device that comes twice is there once, in its first place") {
  call_ledger ledger{created};
  for (const auto number : {4U, 2U, 4U, 9U, 2U, 4U})
    ledger.add(device(number), "host-" + std::to_string(number));
  ledger.seal();
  CHECK(ledger.size() == 3);
  CHECK(count(ledger, call_step::waiting) == 3);
  std::uint32_t next = 0;
  const auto rows = ledger.rows({1, 0, 10, std::nullopt}, next);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].device_name == "host-4");
  CHECK(rows[1].device_name == "host-2");
  CHECK(rows[2].device_name == "host-9");
  for (const auto number : {4U, 2U, 9U})
    CHECK(ledger.begin_next(created) == device(number));
  CHECK(ledger.take(turn(9, call_step::done)));
}

TEST_CASE("rows come in pages that meet, all of them or those of one step") {
  auto ledger = called(25);
  for (std::uint32_t i = 0; i < 25; i += 3)
    CHECK(ledger.take(turn(i, call_step::failed)));
  for (const std::uint32_t limit : {1U, 4U, 9U, 25U, 1000U}) {
    for (const auto& step : {std::optional<call_step>{}, std::optional{call_step::failed}}) {
      std::vector<std::string> names;
      std::uint32_t next = 0;
      do {
        const auto page = ledger.rows({1, next, limit, step}, next);
        CHECK(page.size() <= limit);
        for (const auto& one : page)
          names.push_back(one.device_name);
      } while (next != 0);
      CHECK(names.size() == (step ? 9 : 25));
      CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
    }
  }
  std::uint32_t next = 5;
  CHECK(ledger.rows({1, 0, 0, std::nullopt}, next).empty());
  CHECK(next == 0);
  CHECK(ledger.rows({1, 4'000'000'000, 10, std::nullopt}, next).empty());
}

TEST_CASE("those who are silent for too long are given up; who was heard of, or is queued, is not") {
  auto ledger = called(5);
  CHECK(ledger.take(turn(0, call_step::asked, created + 100 * second)));
  CHECK(ledger.take(turn(1, call_step::waking, created + 10 * second)));
  CHECK(ledger.take(turn(2, call_step::queued, created + second)));
  CHECK(ledger.take(turn(3, call_step::done, created + second)));
  CHECK(ledger.give_up(created - second, created + second, "silent") == 0);
  CHECK(ledger.give_up(created + 50 * second, created + 200 * second, "silent") == 2);
  CHECK(row(ledger, 0).step == call_step::asked);
  CHECK(row(ledger, 1).step == call_step::failed);
  CHECK(row(ledger, 1).text == "silent");
  CHECK(row(ledger, 1).at_us == created + 200 * second);
  CHECK(row(ledger, 2).step == call_step::queued);
  CHECK(row(ledger, 3).step == call_step::done);
  CHECK(row(ledger, 4).step == call_step::failed); // asked for at the beginning, never a word
  CHECK_FALSE(ledger.take(turn(4, call_step::done)));
}

TEST_CASE("texts and names are bounded, whatever devices say") {
  const std::uint32_t devices = call_limits::texts_max + 50;
  auto ledger = called(devices);
  for (std::uint32_t i = 0; i < devices; ++i)
    CHECK(ledger.take(turn(i, call_step::failed, created, "trouble number " + std::to_string(i))));
  CHECK(row(ledger, 0).text == "trouble number 0");
  CHECK(row(ledger, devices - 1).text == "(more is said of this call than is remembered)");
  call_ledger long_ones{created};
  std::string umlauts;
  for (int i = 0; i < 200; ++i)
    umlauts += "\u00fc";
  long_ones.add(device(0), umlauts);
  long_ones.add(device(1), "");
  long_ones.seal();
  static_cast<void>(long_ones.begin_next(created));
  CHECK(long_ones.take(turn(0, call_step::failed, created, umlauts)));
  CHECK(row(long_ones, 0).device_name == umlauts.substr(0, 254)); // no half characters
  CHECK(row(long_ones, 0).text == umlauts.substr(0, 254));
  CHECK(row(long_ones, 1).device_name.empty());
}

TEST_CASE("a call to a million devices takes 36 bytes and a name for each") {
  constexpr std::uint32_t million = 1'000'000;
  std::vector<device_id> ids(million);
  std::mt19937_64 random{1};
  for (auto& id : ids)
    for (std::size_t i = 0; i < id.bytes.size(); ++i)
      id.bytes[i] = static_cast<std::uint8_t>(random());
  call_ledger ledger{created};
  std::size_t name_bytes = 0;
  char name[16];
  for (std::uint32_t i = 0; i < million; ++i) {
    std::snprintf(name, sizeof name, "host-%07u", i);
    ledger.add(ids[i], name);
    name_bytes += std::string_view{name}.size() + 1;
  }
  ledger.seal();
  CHECK(ledger.size() == million);
  CHECK(ledger.bytes() <= 36UL * million + name_bytes);
  CHECK(ledger.bytes() < 64UL * million);
  for (std::uint32_t i = 0; i < million; ++i)
    REQUIRE(ledger.begin_next(created).has_value());
  std::shuffle(ids.begin(), ids.end(), random);
  for (std::uint32_t i = 0; i < million; ++i)
    REQUIRE(ledger.take({1, ids[i], i % 4 == 0 ? call_step::queued : call_step::done,
                         call_way::kept, created + second, 0, {}}));
  CHECK(count(ledger, call_step::done) == 750'000);
  CHECK(count(ledger, call_step::queued) == 250'000);
  CHECK(ledger.settled());
  CHECK(row(ledger, million - 1).device_name == "host-0999999");
}
