#include "apps/common/quantities.hpp"

#include "apps/common/closest.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace muster;
using namespace std::chrono_literals;

TEST_CASE("durations are sums of whole numbers with units") {
  CHECK(parse_duration("15m") == 15min);
  CHECK(parse_duration("1h30m") == 90min);
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("2w1d") == 15 * 24h);
  CHECK(parse_duration("0") == 0ms);
  CHECK(parse_duration("0s") == 0ms);
  for (const auto* wrong : {"", "15", "m", "-1s", "1.5h", "1 h", "15M", "15min", "1h30", "h1",
                            "99999999999999999999s", "5200w99999d"})
    CHECK_MESSAGE(!parse_duration(wrong), wrong);
}

TEST_CASE("a duration that was written is read back") {
  for (const auto d : {0ms, 1ms, 1500ms, 90000ms, 900000ms, 5400000ms, 86400000ms, 7776000001ms})
    CHECK(parse_duration(format_duration(d)) == d);
  CHECK(format_duration(15min) == "15m");
  CHECK(format_duration(90 * 24h) == "90d");
  CHECK(format_duration(90min) == "1h30m");
}

TEST_CASE("sizes are powers of 1024 in any letter case") {
  CHECK(parse_size("64MB") == 64U << 20);
  CHECK(parse_size("64MiB") == 64U << 20);
  CHECK(parse_size("64mb") == 64U << 20);
  CHECK(parse_size("1500") == 1500);
  CHECK(parse_size("1500B") == 1500);
  CHECK(parse_size("2TB") == std::uint64_t{2} << 40);
  CHECK(parse_size("4194304TB") == std::uint64_t{1} << 62);
  for (const auto* wrong :
       {"", "MB", "64 MB", "-1", "1.5GB", "64M", "64MBs", "4194305TB", "99999999999999999999"})
    CHECK_MESSAGE(!parse_size(wrong), wrong);
}

TEST_CASE("a size that was written is read back") {
  for (const std::uint64_t size : {0ULL, 1ULL, 1500ULL, 1024ULL, 64ULL << 20, 3ULL << 40})
    CHECK(parse_size(format_size(size)) == size);
  CHECK(format_size(64ULL << 20) == "64MB");
  CHECK(format_size(1500) == "1500B");
}

TEST_CASE("edits are insertions, removals, replacements and swaps") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("port", "port") == 0);
  CHECK(edit_distance("prot", "port") == 1);
  CHECK(edit_distance("por", "port") == 1);
  CHECK(edit_distance("ports", "port") == 1);
  CHECK(edit_distance("part", "port") == 1);
  CHECK(edit_distance("", "port") == 4);
  CHECK(edit_distance(std::string(5000, 'a'), std::string(5000, 'a')) == 0);
}

TEST_CASE("the nearest word is offered, a far one is not") {
  const std::vector<std::string> words{"agents.port", "admin.port", "log.level"};
  CHECK(closest("agents.prot", words) == "agents.port");
  CHECK(closest("agent.port", words) == "agents.port");
  CHECK(closest("level", words) == std::nullopt);
  CHECK(did_you_mean("log.levle", words) == " (did you mean 'log.level'?)");
  CHECK(did_you_mean("zzz", words).empty());
}
