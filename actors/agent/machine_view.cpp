#include "actors/agent/machine_view.hpp"

#include "actors/agent/probe/dpkg.hpp"
#include "actors/agent/probe/owners.hpp"
#include "actors/agent/probe/processes.hpp"

#include <ctime>
#include <memory>
#include <utility>

namespace muster::actors {

namespace {

std::int64_t read_clock_us(clockid_t which) {
  timespec now{};
  ::clock_gettime(which, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

/// What looking at run states remembers from look to look.
class run_state_view {
public:
  run_state_view(std::filesystem::path root, std::string bus_address) : owners_(root) {
    units_.root = root;
    units_.bus_address = std::move(bus_address);
    processes_.root = std::move(root);
  }

  bool look(wire::run_states& out) {
    const auto now_us = read_clock_us(CLOCK_REALTIME);
    if (probe::read_units(units_, now_us, owners_, out)) {
      systemd_ = true;
      return true;
    }
    // A bus that was there is back soon; units must not turn into processes and back meanwhile.
    return !systemd_ && probe::read_processes(processes_, now_us, owners_, out);
  }

  [[nodiscard]] const probe::units_options& units() const { return units_; }

private:
  probe::units_options units_;
  probe::processes_options processes_;
  probe::package_owners owners_;
  bool systemd_ = false;
};

} // namespace

machine_view this_machine(const probe::facts_options& options, std::string bus_address) {
  const auto runs = std::make_shared<run_state_view>(options.root, std::move(bus_address));
  machine_view view;
  view.facts = [options] { return probe::read_facts(options); };
  view.applications = [root = options.root](wire::applications& out) {
    return probe::read_applications(root, out);
  };
  view.run_states = [runs](wire::run_states& out) { return runs->look(out); };
  view.services = [runs](std::vector<probe::unit_condition>& out) {
    return probe::read_unit_conditions(runs->units(), out);
  };
  view.statistics = [root = options.root] { return probe::read_statistics(root); };
  view.disks = [root = options.root] { return probe::read_disks(root); };
  view.now_us = [] { return read_clock_us(CLOCK_REALTIME); };
  view.boot_time_us = [] { return read_clock_us(CLOCK_BOOTTIME); };
  return view;
}

} // namespace muster::actors
