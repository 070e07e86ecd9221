#include "actors/agent/machine_view.hpp"

#include "actors/agent/probe/dpkg.hpp"

#include <ctime>

namespace muster::actors {

namespace {

std::int64_t read_clock_us(clockid_t which) {
  timespec now{};
  ::clock_gettime(which, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

} // namespace

machine_view this_machine(const probe::facts_options& options) {
  machine_view view;
  view.facts = [options] { return probe::read_facts(options); };
  view.applications = [root = options.root](wire::applications& out) {
    return probe::read_applications(root, out);
  };
  view.run_states = [](wire::run_states&) { return false; };
  view.services = [](std::vector<probe::unit_condition>&) { return false; };
  view.statistics = [root = options.root] { return probe::read_statistics(root); };
  view.disks = [root = options.root] { return probe::read_disks(root); };
  view.now_us = [] { return read_clock_us(CLOCK_REALTIME); };
  view.boot_time_us = [] { return read_clock_us(CLOCK_BOOTTIME); };
  return view;
}

} // namespace muster::actors
