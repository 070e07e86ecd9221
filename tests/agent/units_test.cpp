#include "actors/agent/probe/units.hpp"

#include "net/wire/agent.pb.h"
#include "tests/agent/mock_systemd.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace muster::actors::probe {

namespace {

using test::mock_systemd;
using test::mock_unit;
using test::private_bus;
using namespace std::chrono_literals;

constexpr std::int64_t now_us = 1'700'003'600'000'000; // an hour after the services began
constexpr std::uint64_t began_us = 1'700'000'000'000'000;

mock_unit ssh() {
  return {.name = "ssh.service",
          .numbers = {{"ActiveEnterTimestamp", began_us},
                      {"InactiveEnterTimestamp", 0},
                      {"NRestarts", 2},
                      {"MainPID", 612},
                      {"MemoryCurrent", 5'000'000},
                      {"CPUUsageNSec", 50'000'000'000}},
          .texts = {{"FragmentPath", "/lib/systemd/system/ssh.service"},
                    {"ControlGroup", "/system.slice/ssh.service"}}};
}

mock_unit failed() {
  return {.name = "backup.service",
          .active = "failed",
          .sub = "failed",
          .numbers = {{"ActiveEnterTimestamp", began_us},
                      {"InactiveEnterTimestamp", began_us + 60'000'000},
                      {"NRestarts", 0},
                      {"MainPID", 0},
                      {"MemoryCurrent", UINT64_MAX},
                      {"CPUUsageNSec", UINT64_MAX}},
          .texts = {{"FragmentPath", ""}, {"ControlGroup", ""}}};
}

/// What a call takes that nobody bounds (sd-bus: 25 s), less a little.
constexpr auto a_bus_gives_up_after = 20s;

/// Of a probe that must give up: how long it took.
std::chrono::milliseconds time_to_give_up(const units_options& options) {
  package_owners owners{options.root};
  wire::run_states out;
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(read_units(options, now_us, owners, out));
  CHECK(out.items_size() == 0);
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begin);
}

} // namespace

TEST_CASE("a service is told with everything systemd knows of it") {
  private_bus bus;
  mock_systemd systemd{bus.address(), {ssh()}};
  const auto group = bus.folder() / "sys/fs/cgroup/system.slice/ssh.service";
  std::filesystem::create_directories(group);
  std::ofstream{group / "cgroup.procs"} << "612\n700\n701\n";
  const auto info = bus.folder() / "var/lib/dpkg/info";
  std::filesystem::create_directories(info);
  std::ofstream{info / "openssh-server.list"} << "/.\n/lib/systemd/system/ssh.service\n";

  package_owners owners{bus.folder()};
  wire::run_states out;
  REQUIRE(read_units({.root = bus.folder(), .bus_address = bus.address()}, now_us, owners, out));
  REQUIRE(out.items_size() == 1);
  const auto& item = out.items(0);
  CHECK(item.name() == "ssh.service");
  CHECK(item.kind() == wire::run_kind_unit);
  CHECK(item.state() == "active");
  CHECK(item.detail() == "running");
  CHECK(item.since_s() == 1'700'000'000);
  CHECK(item.restarts() == 2);
  CHECK(item.application() == "openssh-server");
  CHECK(item.processes() == 3);
  CHECK(item.memory_class_kb() == 8192);
  CHECK(item.cpu_class_permille() == 10);
}

TEST_CASE("what systemd does not tell stays zero, and the main process still counts") {
  private_bus bus;
  auto bare = ssh();
  bare.numbers = {{"MainPID", 612}, {"MemoryCurrent", UINT64_MAX}};
  bare.texts.clear();
  mock_systemd systemd{bus.address(), {bare}};
  package_owners owners{bus.folder()};
  wire::run_states out;
  REQUIRE(read_units({.root = bus.folder(), .bus_address = bus.address()}, now_us, owners, out));
  REQUIRE(out.items_size() == 1);
  CHECK(out.items(0).processes() == 1);
  CHECK(out.items(0).memory_class_kb() == 0);
  CHECK(out.items(0).cpu_class_permille() == 0);
  CHECK(out.items(0).since_s() == 0);
  CHECK(out.items(0).application().empty());
}

TEST_CASE("only services that are loaded and not merely inactive are told, by name") {
  private_bus bus;
  mock_systemd systemd{bus.address(),
                       {ssh(),
                        {.name = "off.service", .active = "inactive", .sub = "dead"},
                        {.name = "gone.service", .load = "not-found"},
                        {.name = "tmp.mount"},
                        failed()}};
  const units_options options{.root = bus.folder(), .bus_address = bus.address()};
  std::vector<unit_condition> conditions;
  REQUIRE(read_unit_conditions(options, conditions));
  REQUIRE(conditions.size() == 2);
  CHECK(conditions[0].name == "backup.service");
  CHECK(conditions[0].state == "failed");
  CHECK(conditions[1].name == "ssh.service");

  package_owners owners{bus.folder()};
  wire::run_states out;
  REQUIRE(read_units(options, now_us, owners, out));
  REQUIRE(out.items_size() == 2);
  CHECK(out.items(0).since_s() == 1'700'000'060); // since when it is failed
}

TEST_CASE("a service that fails and recovers is seen to do so") {
  private_bus bus;
  mock_systemd systemd{bus.address(), {ssh()}};
  const units_options options{.root = bus.folder(), .bus_address = bus.address()};
  const auto state = [&] {
    std::vector<unit_condition> out;
    REQUIRE(read_unit_conditions(options, out));
    REQUIRE(out.size() == 1);
    return out[0].state + "/" + out[0].detail;
  };
  CHECK(state() == "active/running");
  auto down = ssh();
  down.active = "failed";
  down.sub = "failed";
  systemd.set({down});
  CHECK(state() == "failed/failed");
  systemd.set({ssh()});
  CHECK(state() == "active/running");
}

TEST_CASE("more services than a bus takes calls at once are all told, the same at every look") {
  private_bus bus;
  std::vector<mock_unit> many;
  for (int i = 0; i < 300; ++i) {
    many.push_back(ssh());
    many.back().name = "s" + std::to_string(i) + ".service";
    many.back().numbers["NRestarts"] = static_cast<std::uint64_t>(i);
  }
  mock_systemd systemd{bus.address(), many};
  // A machine with three hundred services and two cores busy with other tests may take longer.
  const units_options options{.root = bus.folder(), .bus_address = bus.address(), .time_max = 20s};
  package_owners owners{bus.folder()};
  wire::run_states first, second;
  REQUIRE(read_units(options, now_us, owners, first));
  REQUIRE(first.items_size() == 300);
  std::uint64_t restarts = 0;
  for (const auto& item : first.items())
    restarts += item.restarts();
  CHECK(restarts == 299 * 300 / 2);
  REQUIRE(read_units(options, now_us + 60'000'000, owners, second));
  CHECK(first.SerializeAsString() == second.SerializeAsString());
}

TEST_CASE("a systemd that never answers costs the time limit and no more") {
  private_bus bus;
  mock_systemd systemd{bus.address(), {ssh()}};
  systemd.set(mock_systemd::mood::ignores_the_list);
  const auto took =
    time_to_give_up({.root = bus.folder(), .bus_address = bus.address(), .time_max = 1s});
  CHECK(systemd.lists() == 1);
  CHECK(took >= 1s);
  CHECK(took < a_bus_gives_up_after);
}

TEST_CASE("a systemd that falls silent in the middle costs the time limit and no more") {
  private_bus bus;
  mock_systemd systemd{bus.address(), {ssh(), failed()}};
  systemd.set(mock_systemd::mood::freezes_after_the_list);
  const auto took =
    time_to_give_up({.root = bus.folder(), .bus_address = bus.address(), .time_max = 1s});
  CHECK(systemd.lists() == 1);
  CHECK(took >= 1s);
  CHECK(took < a_bus_gives_up_after);
}

TEST_CASE("a bus that accepts and never speaks costs the time limit and no more") {
  test::temp_directory folder;
  const auto path = (folder.path() / "mute").string();
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof where.sun_path);
  path.copy(where.sun_path, path.size());
  const int mute = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::bind(mute, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
  REQUIRE(::listen(mute, 4) == 0);
  const auto took =
    time_to_give_up({.root = folder.path(), .bus_address = "unix:path=" + path, .time_max = 1s});
  ::close(mute);
  CHECK(took >= 1s);
  CHECK(took < a_bus_gives_up_after);
}

TEST_CASE("without a bus, or without systemd on it, the answer is no at once") {
  private_bus bus;
  const auto nobody = "unix:path=" + (bus.folder() / "nobody").string();
  CHECK(time_to_give_up({.root = bus.folder(), .bus_address = nobody, .time_max = 60s}) <
        a_bus_gives_up_after);
  CHECK(time_to_give_up({.root = bus.folder(), .bus_address = bus.address(), .time_max = 60s}) <
        a_bus_gives_up_after);
}

} // namespace muster::actors::probe
