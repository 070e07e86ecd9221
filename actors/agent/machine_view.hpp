#pragma once
// The collector's eyes: how it looks at the machine, so that tests can show it another one.

#include "actors/agent/probe/facts.hpp"
#include "actors/agent/probe/units.hpp"
#include "actors/messages.hpp"
#include "actors/wall_clock.hpp"
#include "net/wire/agent.pb.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace muster::actors {

/// Called by the collector only, one at a time, on whatever thread it runs. Each may read many
/// files; none waits for anything but the disk and, for units, the system bus (bounded).
struct machine_view {
  std::function<wire::device_facts()> facts;
  /// False: could not be read just now, the list seen before still stands.
  std::function<bool(wire::applications&)> applications;
  /// The same, of what runs: systemd's units where the system bus answers, else processes.
  std::function<bool(wire::run_states&)> run_states;
  /// Only how the services are, which costs one question to the bus; false: it does not answer, or
  /// there is no systemd and nobody who could tell a failure from an end.
  std::function<bool(std::vector<probe::unit_condition>&)> services;
  std::function<device_statistics()> statistics;
  std::function<std::vector<probe::disk_space>()> disks;
  wall_clock now_us;                          ///< CLOCK_REALTIME: people and NTP may set it
  std::function<std::int64_t()> boot_time_us; ///< CLOCK_BOOTTIME: only ever passes, sleep included
};

/// The machine this process runs on. Copies share what the probes remember between looks.
/// `bus_address` is of the bus where systemd is asked; empty: the system bus.
[[nodiscard]] machine_view this_machine(const probe::facts_options& options,
                                        std::string bus_address = {});

} // namespace muster::actors
