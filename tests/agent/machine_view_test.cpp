#include "actors/agent/machine_view.hpp"

#include "tests/agent/mock_systemd.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace muster::actors {

namespace {

/// Enough of /proc for one service.
void add_process(const std::filesystem::path& root) {
  std::filesystem::create_directories(root / "proc/30");
  std::ofstream{root / "proc/stat"} << "btime 1000000000\n";
  std::ofstream{root / "proc/30/stat"}
    << "30 (cron) S 1 30 30 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 4096 200 0 0 0\n";
}

} // namespace

TEST_CASE("what runs is told by systemd where it answers, and stands while it does not") {
  test::private_bus bus;
  add_process(bus.folder());
  const auto view = this_machine({.root = bus.folder(), .name = {}}, bus.address());
  wire::run_states states;
  std::vector<probe::unit_condition> services;
  {
    test::mock_systemd systemd{bus.address(), {{.name = "ssh.service"}}};
    REQUIRE(view.run_states(states));
    REQUIRE(states.items_size() == 1);
    CHECK(states.items(0).name() == "ssh.service");
    CHECK(view.services(services));
    CHECK(services.size() == 1);
  }
  // Gone for a moment: units do not become processes.
  CHECK_FALSE(view.run_states(states));
  CHECK_FALSE(view.services(services));
}

TEST_CASE("without systemd what runs is told by the processes") {
  test::private_bus bus;
  add_process(bus.folder());
  const auto view = this_machine({.root = bus.folder(), .name = {}}, bus.address());
  wire::run_states states;
  REQUIRE(view.run_states(states));
  REQUIRE(states.items_size() == 1);
  CHECK(states.items(0).name() == "cron");
  std::vector<probe::unit_condition> services;
  CHECK_FALSE(view.services(services)); // nobody can tell a failure from an end
}

TEST_CASE("the clocks of a machine go on, and one does not care what time it is") {
  const auto view = this_machine({.root = "/", .name = {}});
  const auto before = view.boot_time_us();
  CHECK(view.now_us() > 1'500'000'000'000'000);
  CHECK(view.boot_time_us() >= before);
  CHECK(before > 0);
}

} // namespace muster::actors
