#include "apps/console/views.hpp"

#include "apps/common/utf8.hpp"

#include <array>
#include <cstdio>

namespace muster::console {

namespace {

constexpr std::uint32_t disk_nearly_full_percent = 90;
constexpr std::size_t short_id_digits = 8;
constexpr std::int64_t second_us = 1'000'000;

std::string joined(const std::string& a, const std::string& divider, const std::string& b) {
  return a.empty() || b.empty() ? a + b : a + divider + b;
}

/// "0.1.0 (1f2e3d4c5b)" without the commit.
std::string short_version(const std::string& version) {
  return version.substr(0, version.find(' '));
}

std::string os_of(const admin::device& d) {
  return d.os_name().empty() ? joined(d.os_id(), " ", d.os_version()) : d.os_name();
}

/// "off (shut down 17:02)".
std::string state_of(const admin::device& d, const view& v) {
  if (d.state() != "off" || d.off_us() == 0)
    return d.state();
  const auto& why = d.off_reason();
  const std::string what = why == "shutdown"     ? "shut down "
                           : why == "restart"    ? "restarting since "
                           : why == "suspend"    ? "suspended "
                           : why == "agent_stop" ? "agent stopped "
                                                 : "";
  return "off (" + what + v.day_minute(d.off_us()) + ")";
}

std::string same_machine_of(const admin::device& d) {
  return d.same_machine() ? "same machine as another" : "";
}

/// Without what its status says already.
std::string remarks_on(const admin::device& d) {
  std::string text = d.status_reason();
  if (text.empty() && d.statistics().disk_used_percent() >= disk_nearly_full_percent)
    text = "disk " + std::to_string(d.statistics().disk_used_percent()) + " % full";
  return joined(text, ", ", same_machine_of(d));
}

std::string tags_of(const admin::device& d) {
  std::string text;
  for (const auto& tag : d.tags())
    text = joined(text, ", ", tag);
  return text;
}

std::string failures_of(const admin::device& d) {
  return d.sync_failures() == 0
           ? ""
           : counted(d.sync_failures(), "attempt has", "attempts have") + " failed since";
}

std::string load_of(const wire::statistics& s) {
  if (s.uptime_s() == 0)
    return {};
  char load[32];
  std::snprintf(load, sizeof load, "%.2f", static_cast<double>(s.load_milli()) / 1000);
  return rough(static_cast<std::int64_t>(s.uptime_s())) + ", load " + load;
}

void add_machine(const wire::device_facts& f, const wire::statistics& s, fact_sheet& sheet) {
  sheet.add("Machine", joined(joined(f.vendor(), " ", f.product()), ", ",
                              f.virtualization() == "none" ? "" : f.virtualization()));
  sheet.add(
    "Processor",
    joined(f.cpu_model(), ", ",
           f.cpus() == 0 ? "" : counted(f.cpus(), "core", "cores") + " " + f.architecture()));
  if (f.memory_bytes() > 0)
    sheet.add("Memory", joined(amount(f.memory_bytes()), ", ",
                               s.memory_available_kb() > 0
                                 ? amount(s.memory_available_kb() * 1024) + " available"
                                 : ""));
  for (const auto& d : f.disks())
    sheet.add("Disk", d.mount() + "  " + amount(d.size_bytes()) + "  " + d.file_system() + "  " +
                        d.device());
  if (s.disk_used_percent() > 0)
    sheet.add("Fullest disk",
              {std::to_string(s.disk_used_percent()) + " % used, " +
                 amount(s.disk_free_mb() << 20) + " free",
               s.disk_used_percent() >= disk_nearly_full_percent ? tone::warning : tone::plain});
  for (const auto& a : f.addresses())
    sheet.add("Address", joined(a.ip() + "  " + a.interface(), "  ", a.hardware()));
  std::string users;
  for (const auto& u : f.users())
    users = joined(users, ", ", u);
  sheet.add("Logged in", users);
  sheet.add("Time zone", f.time_zone());
  sheet.add("Machine id", f.machine_id());
}

} // namespace

std::string view::time(moment_us when) const {
  return utc ? exact(when) : relative(when, now);
}

std::string view::clock(moment_us when) const {
  return utc ? exact(when) : local_clock(when, now);
}

std::string view::day_time(moment_us when) const {
  return utc ? exact(when) : time_of_day(when, now);
}

std::string view::day_minute(moment_us when) const {
  return utc ? exact(when) : minute_of_day(when, now);
}

std::string view::heading(const std::string& text) const {
  return (look.colour ? painted(text, tone::strong) : text) + "\n";
}

tone tone_of_state(const std::string& state) {
  if (state == "connected" || state == "active" || state == "running")
    return tone::good;
  if (state == "silent" || state == "unknown")
    return tone::warning;
  if (state == "revoked" || state == "failed")
    return tone::bad;
  return state == "never" || state == "inactive" || state == "off" ? tone::quiet : tone::plain;
}

tone tone_of_status(const std::string& status) {
  if (status == "warning")
    return tone::warning;
  return status == "critical" ? tone::bad : status == "ok" ? tone::good : tone::plain;
}

tone tone_of_severity(const std::string& severity) {
  if (severity == "warning")
    return tone::warning;
  return severity == "critical" || severity == "failure" ? tone::bad : tone::plain;
}

std::string devices_text(const admin::device_list& list, const view& v) {
  table t{{{.title = "NAME", .may_be_cut = true},
           {.title = "STATE"},
           {.title = "STATUS", .leaves = 1},
           {.title = "LAST CONTACT", .leaves = 2},
           {.title = "GROUP", .may_be_cut = true, .leaves = 3},
           {.title = "KEPT", .leaves = 4},
           {.title = "OS", .may_be_cut = true, .leaves = 4},
           {.title = "ADDRESS", .may_be_cut = true, .leaves = 5},
           {.title = "AGENT", .leaves = 6},
           {.title = "ID", .leaves = 7},
           {.title = "REMARK", .may_be_cut = true, .leaves = 3}}};
  for (const auto& d : list.devices())
    t.add({{d.name(), tone::strong},
           {state_of(d, v), tone_of_state(d.state())},
           {d.status(), tone_of_status(d.status())},
           v.time(d.last_contact_us()),
           d.group(),
           d.keep() ? "kept" : "",
           os_of(d),
           d.address(),
           short_version(d.agent_version()),
           {d.id().substr(0, short_id_digits), tone::quiet},
           {remarks_on(d), d.status() == "critical" ? tone::bad : tone::warning}});
  return t.text(v.look);
}

std::string device_text(const admin::device_detail& detail, const view& v) {
  const auto& d = detail.device();
  fact_sheet sheet;
  sheet.add("Name", {d.name(), tone::strong});
  sheet.add("Id", d.id());
  sheet.add("State", {state_of(d, v), tone_of_state(d.state())});
  sheet.add("Status", {joined(d.status(), ": ", d.status_reason()), tone_of_status(d.status())});
  sheet.add("Group", d.group());
  sheet.add("Tags", tags_of(d));
  sheet.add("Settings", {d.settings_not_applied() == 0
                           ? ""
                           : counted(d.settings_not_applied(), "application does",
                                     "applications do") + " not go by them",
                         tone::warning});
  sheet.add("Last contact", v.time(d.last_contact_us()));
  sheet.add("Last sync", joined(v.time(d.last_sync_us()), ", ", failures_of(d)));
  sheet.add("Last change", v.time(d.last_information_us()));
  sheet.add("Connection", d.keep() ? "kept" : "");
  sheet.add("Wakes", d.wake_port() == 0 ? "" : "UDP port " + std::to_string(d.wake_port()));
  sheet.add("Address", d.address());
  sheet.add("Agent", d.agent_version());
  sheet.add("Enrolled", v.time(d.enrolled_us()));
  sheet.add("Certificate", {"expires " + v.time(d.certificate_expires_us()),
                            d.certificate_expires_us() < v.now ? tone::warning : tone::plain});
  sheet.add("Remark", {d.status_reason().empty() ? remarks_on(d) : same_machine_of(d),
                       tone::warning});
  sheet.add("Operating system",
            joined(os_of(d), ", ",
                   detail.facts().kernel().empty() ? "" : "kernel " + detail.facts().kernel()));
  sheet.add("Up", load_of(d.statistics()));
  add_machine(detail.facts(), d.statistics(), sheet);
  return sheet.text(v.look);
}

std::string deliveries_text(const admin::device_detail& detail, const view& v) {
  if (detail.sections().empty())
    return {};
  table t{{{.title = "SECTION"},
           {.title = "CHANGED"},
           {.title = "SIZE", .right = true},
           {.title = "DIGEST", .leaves = 1}}};
  for (const auto& s : detail.sections())
    t.add({s.section(),
           v.time(s.received_us()),
           amount(s.bytes()),
           {s.digest().substr(0, 2 * short_id_digits), tone::quiet}});
  return t.text(v.look);
}

std::string applications_text(const admin::device_applications& list, const view& v) {
  if (list.applications().empty())
    return {};
  table t{{{.title = "NAME", .may_be_cut = true},
           {.title = "VERSION", .may_be_cut = true},
           {.title = "ARCH", .leaves = 2},
           {.title = "SIZE", .right = true, .leaves = 3},
           {.title = "INSTALLED", .leaves = 1},
           {.title = "BY", .leaves = 5},
           {.title = "VENDOR", .may_be_cut = true, .leaves = 4}}};
  for (const auto& a : list.applications())
    t.add({a.name(), a.version(), a.architecture(), amount(a.size_bytes()),
           a.installed_at_s() == 0 ? "" : v.time(a.installed_at_s() * second_us), a.manager(),
           a.vendor()});
  return t.text(v.look) + "\n" +
         counted(static_cast<std::uint64_t>(list.applications_size()), "application",
                 "applications") +
         ", as of " + v.time(list.received_us()) + "\n";
}

std::string run_states_text(const admin::device_run_states& list, const view& v) {
  if (list.run_states().empty())
    return {};
  table t{{{.title = "NAME", .may_be_cut = true},
           {.title = "STATE"},
           {.title = "DETAIL", .leaves = 4},
           {.title = "SINCE", .leaves = 1},
           {.title = "RESTARTS", .right = true, .leaves = 2},
           {.title = "MEMORY", .right = true, .leaves = 3},
           {.title = "PACKAGE", .may_be_cut = true, .leaves = 5}}};
  for (const auto& r : list.run_states())
    t.add({r.name(),
           {r.state(), tone_of_state(r.state())},
           r.detail(),
           r.since_s() == 0 ? "" : v.time(r.since_s() * second_us),
           r.restarts() == 0 ? "" : std::to_string(r.restarts()),
           r.memory_class_kb() == 0 ? "" : "< " + amount(r.memory_class_kb() * 1024),
           r.application()});
  return t.text(v.look);
}

} // namespace muster::console
