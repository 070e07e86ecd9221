#include "actors/agent/probe/units.hpp"

#include "actors/agent/probe/bus.hpp"
#include "actors/agent/probe/proc_text.hpp"
#include "actors/agent/probe/text.hpp"
#include "net/wire/agent.pb.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

namespace muster::actors::probe {

namespace {

constexpr const char* systemd = "org.freedesktop.systemd1";
constexpr std::size_t group_bytes_max = 64 * 1024;
constexpr auto untold = std::numeric_limits<std::uint64_t>::max(); // accounting is off

struct unit {
  unit_condition how;
  std::string path; ///< its object
  std::map<std::string_view, std::uint64_t> numbers;
  std::string file;
  std::string control_group;
};

struct property {
  const char* interface;
  const char* name;
  char type;
};
constexpr const char* of_unit = "org.freedesktop.systemd1.Unit";
constexpr const char* of_service = "org.freedesktop.systemd1.Service";
constexpr std::array properties{
  property{of_unit, "ActiveEnterTimestamp", 't'}, property{of_unit, "InactiveEnterTimestamp", 't'},
  property{of_unit, "FragmentPath", 's'},         property{of_service, "NRestarts", 'u'},
  property{of_service, "MainPID", 'u'},           property{of_service, "MemoryCurrent", 't'},
  property{of_service, "CPUUsageNSec", 't'},      property{of_service, "ControlGroup", 's'},
};

bool read_list(sd_bus_message* answer, std::vector<unit>& out) {
  if (answer == nullptr || sd_bus_message_enter_container(answer, 'a', "(ssssssouso)") < 0)
    return false;
  const char *name, *description, *load, *active, *sub, *following, *path, *job_type, *job_path;
  std::uint32_t job = 0;
  for (;;) {
    const int more =
      sd_bus_message_read(answer, "(ssssssouso)", &name, &description, &load, &active, &sub,
                          &following, &path, &job, &job_type, &job_path);
    if (more <= 0)
      return more == 0;
    const std::string_view state{active};
    if (std::string_view{load} != "loaded" || state == "inactive" ||
        !std::string_view{name}.ends_with(".service") || out.size() >= units_max)
      continue;
    out.push_back({.how = {clean(name), clean(state), clean(sub)},
                   .path = path,
                   .numbers = {},
                   .file = {},
                   .control_group = {}});
  }
}

void read_property(sd_bus_message* answer, const property& which, unit& into) {
  if (answer == nullptr)
    return; // an older systemd, or the unit has gone: it stays untold
  if (which.type == 's') {
    const char* text = nullptr;
    if (sd_bus_message_read(answer, "v", "s", &text) >= 0)
      (which.name == std::string_view{"FragmentPath"} ? into.file : into.control_group) =
        clean(text, 1024);
  } else if (which.type == 't') {
    std::uint64_t number = 0;
    if (sd_bus_message_read(answer, "v", "t", &number) >= 0 && number != untold)
      into.numbers[which.name] = number;
  } else {
    std::uint32_t number = 0;
    if (sd_bus_message_read(answer, "v", "u", &number) >= 0)
      into.numbers[which.name] = number;
  }
}

void ask_for(bus_questions& bus, const property& which, unit& into) {
  bus.ask({.path = into.path,
           .interface = "org.freedesktop.DBus.Properties",
           .member = "Get",
           .write =
             [&which](sd_bus_message* m) {
               return sd_bus_message_append(m, "ss", which.interface, which.name);
             },
           .answer =
             [&which, &into](sd_bus_message* answer) {
               read_property(answer, which, into);
               return true;
             }});
}

/// Which services there are; with `details`, what is to be known of each.
bool ask(const units_options& options, bool details, std::vector<unit>& out) {
  bus_questions bus{options.time_max};
  if (!bus.connect(options.bus_address))
    return false;
  bus.ask(
    {.path = "/org/freedesktop/systemd1",
     .interface = "org.freedesktop.systemd1.Manager",
     .member = "ListUnitsByPatterns",
     .write = [](sd_bus_message* m) { return sd_bus_message_append(m, "asas", 0, 1, "*.service"); },
     .answer =
       [&](sd_bus_message* answer) {
         if (!read_list(answer, out))
           return false;
         for (auto& one : out)
           for (const auto& which : properties)
             if (details)
               ask_for(bus, which, one);
         return true;
       }});
  const bool answered = bus.run(systemd, unit_calls_max);
  if (!answered)
    out.clear();
  std::sort(out.begin(), out.end(),
            [](const unit& a, const unit& b) { return a.how.name < b.how.name; });
  return answered;
}

std::uint32_t processes_of(const std::filesystem::path& root, const unit& one, std::uint64_t main) {
  if (one.control_group.size() > 1) {
    // One tree of control groups, systemd's own of the old several, or both.
    for (const auto* tree : {"sys/fs/cgroup", "sys/fs/cgroup/systemd", "sys/fs/cgroup/unified"}) {
      const auto file = root / tree / one.control_group.substr(1) / "cgroup.procs";
      if (const auto count = count_processes(read_file(file, group_bytes_max)); count > 0)
        return count;
    }
  }
  return main == 0 ? 0 : 1;
}

} // namespace

bool read_unit_conditions(const units_options& options, std::vector<unit_condition>& out) {
  out.clear();
  std::vector<unit> units;
  if (!ask(options, false, units))
    return false;
  for (auto& one : units)
    out.push_back(std::move(one.how));
  return true;
}

bool read_units(const units_options& options, std::int64_t now_us, package_owners& owners,
                wire::run_states& out) {
  out.Clear();
  std::vector<unit> units;
  if (!ask(options, true, units))
    return false;
  std::vector<std::string> files;
  for (const auto& one : units)
    files.push_back(one.file);
  owners.learn(files);
  for (auto& one : units) {
    const auto since_us =
      one.numbers[one.how.state == "failed" ? "InactiveEnterTimestamp" : "ActiveEnterTimestamp"];
    const auto now = static_cast<std::uint64_t>(std::max<std::int64_t>(now_us, 0));
    auto& item = *out.add_items();
    item.set_kind(wire::run_kind_unit);
    item.set_since_s(static_cast<std::int64_t>(since_us / 1'000'000));
    item.set_restarts(static_cast<std::uint32_t>(one.numbers["NRestarts"]));
    item.set_application(std::string{owners.owner_of(one.file)});
    item.set_processes(processes_of(options.root, one, one.numbers["MainPID"]));
    item.set_memory_class_kb(memory_class_kb(one.numbers["MemoryCurrent"] / 1024));
    if (one.how.state == "active" && since_us != 0 && now > since_us)
      item.set_cpu_class_permille(
        cpu_class_permille(one.numbers["CPUUsageNSec"] / 1'000'000, (now - since_us) / 1000));
    item.set_name(std::move(one.how.name));
    item.set_state(std::move(one.how.state));
    item.set_detail(std::move(one.how.detail));
  }
  return true;
}

} // namespace muster::actors::probe
