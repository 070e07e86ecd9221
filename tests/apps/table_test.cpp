#include "apps/console/table.hpp"

#include "apps/common/utf8.hpp"
#include "apps/console/moments.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

using namespace muster;
using namespace muster::console;

namespace {

table sample() {
  table t{{{.title = "NAME", .may_be_cut = true},
           {.title = "STATE"},
           {.title = "COUNT", .right = true, .leaves = 1},
           {.title = "REMARK", .may_be_cut = true, .leaves = 2}}};
  t.add({"a-rather-long-name", "idle", "7", "something to say about it"});
  t.add({"日本語", "connected", "12,345", ""});
  return t;
}

std::size_t widest(const std::string& text) {
  std::size_t width = 0;
  std::string_view rest{text};
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    width = std::max(width, utf8::columns(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
  }
  return width;
}

constexpr moment_us second = 1'000'000;
constexpr moment_us noon = 1'795'521'600 * second; // 2026-11-24 12:00:00 UTC

} // namespace

TEST_CASE("without a bound a table is as wide as its content") {
  CHECK(sample().text({}) == "NAME                STATE       COUNT  REMARK\n"
                             "a-rather-long-name  idle            7  something to say about it\n"
                             "日本語              connected  12,345\n");
}

TEST_CASE("what may be cut gives room, the widest first") {
  CHECK(sample().text({50, false}) == "NAME            STATE       COUNT  REMARK\n"
                                      "a-rather-long…  idle            7  something to s…\n"
                                      "日本語          connected  12,345\n");
}

TEST_CASE("when cutting is not enough, what matters least goes") {
  CHECK(sample().text({30, false}) == "NAME         STATE       COUNT\n"
                                      "a-rather-l…  idle            7\n"
                                      "日本語       connected  12,345\n");
  CHECK(sample().text({24, false}) == "NAME           STATE\n"
                                      "a-rather-lon…  idle\n"
                                      "日本語         connected\n");
}

TEST_CASE("no width makes a line wider than the terminal") {
  for (std::size_t width = 1; width < 80; ++width) {
    CHECK(widest(sample().text({width, false})) <= width);
    fact_sheet sheet;
    sheet.add("Name", "a value that is rather long for a narrow terminal 日本語");
    if (width > 8)
      CHECK(widest(sheet.text({width, false})) <= width);
  }
}

TEST_CASE("columns without content are left out") {
  table t{{{.title = "A"}, {.title = "B"}, {.title = "C"}}};
  t.add({"1", "", "3"});
  CHECK(t.text({}) == "A  C\n1  3\n");
}

TEST_CASE("colour changes no column") {
  table t{{{.title = "A"}, {.title = "B"}}};
  t.add({{"x", tone::good}, {"y", tone::bad}});
  t.add({"longer", "z"});
  CHECK(t.text({0, true}) == "\x1b[1mA\x1b[0m       \x1b[1mB\x1b[0m\n"
                             "\x1b[32mx\x1b[0m       \x1b[31my\x1b[0m\n"
                             "longer  z\n");
}

TEST_CASE("facts are aligned, and left out when unknown") {
  fact_sheet sheet;
  sheet.add("Name", "web-1");
  sheet.add("Nothing", "");
  sheet.add("Operating", "Debian");
  CHECK(sheet.text({}) == "Name       web-1\nOperating  Debian\n");
}

TEST_CASE("times are said as people say them") {
  CHECK(relative(0, noon) == "never");
  CHECK(relative(noon, noon) == "now");
  CHECK(relative(noon - 12 * second, noon) == "12 s ago");
  CHECK(relative(noon - 59 * second, noon) == "59 s ago");
  CHECK(relative(noon - 60 * second, noon) == "1 min ago");
  CHECK(relative(noon - 3599 * second, noon) == "59 min ago");
  CHECK(relative(noon - 3600 * second, noon) == "1 h ago");
  CHECK(relative(noon - 47 * 3600 * second, noon) == "47 h ago");
  CHECK(relative(noon - 48 * 3600 * second, noon) == "2 days ago");
  CHECK(relative(noon + 3 * 3600 * second, noon) == "in 3 h");
  CHECK(relative(noon + (24 * 3600 - 1) * second, noon) == "in 24 h");
  CHECK(relative(noon + 90 * second, noon) == "in 1 min");
  CHECK(relative(noon + 364 * 24 * 3600 * second, noon) == "2027-11-23");
  CHECK(exact(noon) == "2026-11-24 12:00:00Z");
  CHECK(exact(0) == "never");
}

TEST_CASE("moments are durations ago or dates") {
  CHECK(parse_moment("2h", noon) == noon - 7200 * second);
  CHECK(parse_moment("2026-11-24T12:00:00Z", noon) == noon);
  CHECK(parse_moment("2026-11-24 12:00Z", noon) == noon);
  CHECK(parse_moment("2026-11-24Z", noon) == noon - 12 * 3600 * second);
  ::setenv("TZ", "UTC-2", 1);
  CHECK(parse_moment("2026-11-24 14:00", noon) == noon);
  CHECK(local_clock(noon, noon) == "Nov 24 14:00:00");
  CHECK(local_clock(noon - 365 * 24 * 3600 * second, noon) == "2025-11-24 14:00:00");
  ::unsetenv("TZ");
  for (const auto* wrong : {"", "yesterday", "2026-13-01", "2026-02-30Z", "2026-11-24 25:00Z",
                            "2026-11-24T12:00:00+01", "12:00", "2h ago"})
    CHECK_MESSAGE(!parse_moment(wrong, noon), wrong);
}

TEST_CASE("amounts are short and counts are grouped") {
  CHECK(amount(0) == "0 B");
  CHECK(amount(1023) == "1023 B");
  CHECK(amount(1024) == "1.0 KB");
  CHECK(amount(1'572'864) == "1.5 MB");
  CHECK(amount(25'769'803'776) == "24 GB");
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(1'234'567) == "1,234,567");
  CHECK(counted(1, "device", "devices") == "1 device");
  CHECK(counted(0, "device", "devices") == "0 devices");
}
