#include "apps/common/utf8.hpp"
#include "apps/console/views.hpp"

#include <algorithm>

namespace muster::console {

namespace {

constexpr std::size_t event_device_width = 16;
constexpr std::size_t event_severity_width = 8;

/// The server's own events have no device.
std::string device_of(const admin::event& e) {
  if (!e.device_name().empty())
    return e.device_name();
  const bool is_server = e.device_id().find_first_not_of('0') == std::string::npos;
  return is_server ? "(server)" : e.device_id().substr(0, 8);
}

std::string text_of(const admin::event& e) {
  if (!e.text().empty() || !e.has_gap())
    return e.text();
  return counted(e.gap().count(), "event was", "events were") + " dropped before it could be sent";
}

std::string padded(const std::string& text, std::size_t width) {
  auto out = utf8::cut(utf8::clean(text), width);
  out.append(width - std::min(width, utf8::columns(out)), ' ');
  return out;
}

std::string uses_of(const admin::token& t) {
  return std::to_string(t.uses()) +
         (t.uses_max() == 0 ? "" : " of " + std::to_string(t.uses_max()));
}

cell state_of(const admin::token& t, moment_us now) {
  if (t.revoked())
    return {"revoked", tone::bad};
  if (t.expires_us() != 0 && t.expires_us() <= now)
    return {"expired", tone::quiet};
  if (t.uses_max() != 0 && t.uses() >= t.uses_max())
    return {"used up", tone::quiet};
  return {"valid", tone::good};
}

std::string expiry_of(const admin::token& t, const view& v) {
  return t.expires_us() == 0 ? "never" : v.time(t.expires_us());
}

/// A protobuf map has no order of its own.
template <class Map>
std::string counts_of(const Map& map) {
  return counts_text({map.begin(), map.end()});
}

} // namespace

std::string counts_text(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts)
    if (count > 0)
      text += (text.empty() ? "" : ", ") + grouped(count) + " " + name;
  return text;
}

std::string application_counts_text(const admin::application_list& list, const view& v) {
  table t{{{.title = "APPLICATION", .may_be_cut = true},
           {.title = "VERSION", .may_be_cut = true},
           {.title = "ARCH", .leaves = 1},
           {.title = "BY", .leaves = 2},
           {.title = "DEVICES", .right = true}}};
  for (const auto& a : list.applications())
    t.add({a.name(), a.version(), a.architecture(), a.manager(), grouped(a.devices())});
  return t.text(v.look);
}

std::string owners_text(const admin::application_owners& list, const view& v) {
  table t{{{.title = "DEVICE", .may_be_cut = true},
           {.title = "VERSION", .may_be_cut = true},
           {.title = "ARCH", .leaves = 1},
           {.title = "BY", .leaves = 2},
           {.title = "ID", .leaves = 3}}};
  for (const auto& o : list.owners())
    t.add({{o.device_name(), tone::strong},
           o.version(),
           o.architecture(),
           o.manager(),
           {o.device_id().substr(0, 8), tone::quiet}});
  return t.text(v.look);
}

std::string events_text(const admin::event_list& list, const view& v, bool with_device) {
  if (list.events().empty())
    return {};
  table t{{{.title = "TIME"},
           {.title = "DEVICE", .may_be_cut = true},
           {.title = "SEVERITY", .leaves = 2},
           {.title = "TYPE", .may_be_cut = true, .leaves = 1},
           {.title = "TEXT", .may_be_cut = true}}};
  for (int index = list.events_size() - 1; index >= 0; --index) {
    const auto& e = list.events(index);
    t.add({v.clock(e.received_us()),
           {with_device ? device_of(e) : std::string{}, tone::strong},
           {e.severity(), tone_of_severity(e.severity())},
           {e.type(), tone::quiet},
           text_of(e)});
  }
  return t.text(v.look);
}

std::string event_line(const admin::event& e, const view& v) {
  const auto paint = [&](const std::string& text, tone t) {
    return v.look.colour ? painted(text, t) : text;
  };
  return v.clock(e.received_us()) + "  " +
         paint(padded(device_of(e), event_device_width), tone::strong) + "  " +
         paint(padded(e.severity(), event_severity_width), tone_of_severity(e.severity())) + "  " +
         utf8::clean(text_of(e)) + "\n";
}

std::string tokens_text(const admin::token_list& list, const view& v) {
  table t{{{.title = "NAME", .may_be_cut = true},
           {.title = "STATE"},
           {.title = "USED", .right = true},
           {.title = "EXPIRES"},
           {.title = "GROUP", .may_be_cut = true, .leaves = 3},
           {.title = "CREATED", .leaves = 1},
           {.title = "BY", .may_be_cut = true, .leaves = 2},
           {.title = "ID", .may_be_cut = true}}};
  for (const auto& token : list.tokens())
    t.add({{token.name(), tone::strong},
           state_of(token, v.now),
           uses_of(token),
           expiry_of(token, v),
           token.group(),
           v.time(token.created_us()),
           token.created_by(),
           token.id()});
  return t.text(v.look);
}

std::string enrol_command(const admin::token& t, const std::string& server) {
  return "muster-agent enrol --server " + server + " --pin " + t.pin() + " --token " + t.secret();
}

std::string new_token_text(const admin::token& t, const std::string& server, const view& v) {
  const auto uses = t.uses_max() == 0 ? std::string("any number of devices")
                                      : counted(t.uses_max(), "device", "devices");
  const auto until = t.expires_us() == 0
                       ? std::string("without end")
                       : "until " + v.clock(t.expires_us()) +
                           (v.utc ? "" : " (" + relative(t.expires_us(), v.now) + ")");
  return "Token" + (t.name().empty() ? "" : " '" + utf8::clean(t.name()) + "'") + " for " + uses +
         (t.group().empty() ? "" : ", which go to " + utf8::clean(t.group())) + ", valid " + until +
         ". Type on each client, as root:\n\n  " + enrol_command(t, server) +
         "\n\nThe token is shown only this once.\n";
}

std::string audit_text(const admin::audit_list& list, const view& v) {
  table t{{{.title = "TIME"},
           {.title = "WHO", .may_be_cut = true},
           {.title = "FROM", .may_be_cut = true, .leaves = 1},
           {.title = "ACTION"},
           {.title = "SUBJECT", .may_be_cut = true},
           {.title = "DETAIL", .may_be_cut = true, .leaves = 2}}};
  for (int index = list.entries_size() - 1; index >= 0; --index) {
    const auto& e = list.entries(index);
    t.add({v.clock(e.time_us()),
           {e.actor(), tone::strong},
           e.source(),
           e.action(),
           e.subject(),
           e.detail()});
  }
  return t.text(v.look);
}

std::string server_text(const admin::server_status& s, const view& v) {
  fact_sheet sheet;
  for (const auto& trouble : s.troubles())
    sheet.add("Trouble", {trouble, tone::bad});
  if (s.troubles().empty())
    sheet.add("State", {"fine", tone::good});
  sheet.add("Version", s.version());
  sheet.add("Started", v.time(s.started_us()));
  const auto states = counts_of(s.devices_by_state());
  sheet.add("Devices", grouped(s.devices()) + (states.empty() ? "" : ": ") + states);
  sheet.add("Their status", counts_of(s.devices_by_status()));
  const auto plain = s.agents_plain_port() == 0
                       ? std::string{}
                       : ", without encryption " + std::to_string(s.agents_plain_port());
  sheet.add("Ports", "agents " + std::to_string(s.agents_port()) + plain + ", console " +
                       std::to_string(s.admin_port()));
  sheet.add("Restarted ports", {counts_of(s.port_restarts()), tone::warning});
  sheet.add("Actors", counts_of(s.actors_by_stage()));
  sheet.add("Store", amount(s.store_used_bytes()) + " used, " + amount(s.store_free_bytes()) +
                       " free on the volume");
  char cpu[48];
  std::snprintf(cpu, sizeof cpu, "%.1f s of processor time", s.cpu_seconds());
  sheet.add("Process", amount(s.resident_bytes()) + " of memory, " + cpu);
  sheet.add("Certificate", "expires " + v.time(s.certificate_expires_us()));
  sheet.add("Server id", s.server_id());
  sheet.add("Fingerprint", s.pin());
  return sheet.text(v.look);
}

} // namespace muster::console
