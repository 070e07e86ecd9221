// What a machine's small files hold is up to the kernel, to programs (which write their own command
// lines) and to whoever edits /etc: every parser takes anything.
#include "actors/agent/probe/facts_text.hpp"
#include "actors/agent/probe/owners.hpp"
#include "actors/agent/probe/proc_text.hpp"
#include "actors/agent/probe/text.hpp"
#include "net/wire/agent.pb.h"

#include <muster/assert.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace muster::actors::probe;

namespace {

/// Whatever was read must go over the wire.
void check_text(const std::string& text) {
  muster::wire::device_facts facts;
  facts.set_host_name(text);
  muster::wire::device_facts back;
  MUSTER_ASSERT(back.ParseFromString(facts.SerializeAsString()), "what was read is text");
}

void read_processes_text(std::string_view text) {
  if (const auto stat = parse_stat(text)) {
    check_text(stat->name);
    check_text(program_name("", stat->name));
    (void)memory_class_kb(stat->resident_pages);
    (void)cpu_class_permille(stat->cpu_ticks, stat->start_ticks);
  }
  const auto arguments = parse_cmdline(text);
  MUSTER_ASSERT(arguments.size() <= arguments_max, "arguments are bounded");
  for (const std::string_view link :
       {std::string_view{}, std::string_view{"/usr/bin/python3.11"}, text}) {
    const auto file = program_file(link, arguments);
    check_text(file);
    check_text(program_name(file, "name"));
    for (const auto& name : listed_names(file)) {
      MUSTER_ASSERT(name.size() >= file.size() - std::min<std::size_t>(file.size(), 4),
                    "a name is not cut");
    }
  }
  MUSTER_ASSERT(count_processes(text) <= text.size(), "no more processes than bytes");
}

void read_machine_text(std::string_view text) {
  const auto release = parse_os_release(text);
  check_text(release.id + release.name + release.version);
  check_text(parse_cpuinfo(text).model);
  (void)parse_meminfo(text, "MemTotal");
  const auto mounts = parse_mounts(text);
  MUSTER_ASSERT(mounts.size() <= mounts_max, "mounts are bounded");
  for (const auto& m : mounts) {
    check_text(m.device + m.where + m.file_system);
  }
  (void)parse_uptime(text);
  MUSTER_ASSERT(parse_loadavg(text) <= 1'000'000'000, "load is bounded");
  MUSTER_ASSERT(parse_boot_time(text) >= 0, "nobody boots before 1970");
  check_text(parse_time_zone(text, text));
  check_text(parse_time_zone("", text));
  check_text(virtualization_of(text, false, ""));
  check_text(virtualization_of("", true, text));
}

void read_users_text(std::string_view text) {
  const auto users = parse_utmp(text);
  MUSTER_ASSERT(users.size() <= users_max, "users are bounded");
  MUSTER_ASSERT(std::is_sorted(users.begin(), users.end()), "users are sorted");
  for (const auto& user : users) {
    check_text(user);
  }
  check_text(parse_session(text));
  MUSTER_ASSERT(environment_value(text, "container").size() <= text.size(), "a value is a part");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  read_processes_text(text);
  read_machine_text(text);
  read_users_text(text);
  return 0;
}
