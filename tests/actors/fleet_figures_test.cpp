#include "actors/server/fleet_figures.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

using namespace muster::actors;

TEST_CASE("the figures of all shards are added up, every one of them") {
  device_counts part;
  part.total = 1;
  part.by_state = {1, 2, 3, 4, 5, 6, 7};
  part.by_status = {8, 9, 10};
  part.kept = 11;
  part.notices = 12;
  part.notices_repeated = 13;
  part.notices_refused = 14;
  part.calls = 15;
  part.calls_done = 16;
  part.calls_failed = 17;
  part.calls_open = 18;
  device_counts all;
  add_counts(all, part);
  add_counts(all, part);
  CHECK(all.total == 2);
  std::istringstream lines{fleet_figures(all)};
  std::string values;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#'))
      values += line.substr(line.rfind(' ') + 1) + " ";
  }
  CHECK(values == "2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 32 34 36 ");
}

TEST_CASE("figures have a name, a label and a help line each") {
  const auto text = fleet_figures({});
  for (const auto* const line :
       {"muster_devices{state=\"off\"} 0\n", "muster_devices_status{status=\"critical\"} 0\n",
        "muster_devices_kept 0\n", "muster_notices_total{outcome=\"repeated\"} 0\n",
        "muster_device_calls_ended_total{outcome=\"done\"} 0\n", "muster_device_calls_open 0\n",
        "# TYPE muster_device_calls_total counter\n"})
    CHECK_MESSAGE(text.find(line) != std::string::npos, line);
}
