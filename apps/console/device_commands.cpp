// devices, device, device rm, revoke.
#include "apps/common/utf8.hpp"
#include "apps/console/console.hpp"

#include <nlohmann/json.hpp>

#include <memory>

namespace muster::console {

namespace {

constexpr const char* recent_events = "5";
constexpr const char* listed_events = "50";

struct device_flags {
  std::string name;
  bool facts = false;
  bool applications = false;
  bool services = false;
  bool events = false;
  bool deliveries = false;
  bool settings = false;

  [[nodiscard]] bool any() const {
    return facts || applications || services || events || deliveries || settings;
  }
};

int list_devices(console& c, const std::vector<std::string>& targets, extent wanted) {
  query q;
  std::string target;
  for (const auto& word : targets)
    target += (target.empty() ? "" : " ") + word;
  if (!target.empty())
    q.emplace("target", target);
  admin::device_list list;
  const auto result = read_pages(c.server(), "/devices", q, wanted, list);
  if (c.json) {
    c.out_json(result.json);
    return exit_fine;
  }
  if (list.devices_size() == 0) {
    c.note(target.empty() ? "No device has enrolled yet; see: muster token create\n"
                          : "No device matches '" + target + "'.\n");
    return exit_fine;
  }
  c.out(devices_text(list, c.look()));
  if (result.more)
    c.note(counted(static_cast<std::uint64_t>(list.devices_size()), "device", "devices") + " of " +
           grouped(list.matching()) + "; --all shows every one.\n");
  else if (c.world().person.shows_to_person())
    c.out(counted(list.matching(), "device", "devices") + "\n");
  return exit_fine;
}

/// What the API says of one device, section by section.
class device_report {
public:
  device_report(console& c, std::string id) : c_(c), path_("/devices/" + id), id_(std::move(id)) {}

  std::string detail() { return c_.server().get(path_); }
  std::string settings() { return c_.server().get(path_ + "/settings"); }
  /// Nothing of a server from before there were any.
  std::string settings_if_any() {
    try {
      return settings();
    } catch (const failure& why) {
      if (why.code() != exit_not_found)
        throw;
      return "{}";
    }
  }
  std::string applications(admin::device_applications& into) {
    return read_pages(c_.server(), path_ + "/applications", {}, {0, true}, into).json;
  }
  std::string run_states(admin::device_run_states& into) {
    return read_pages(c_.server(), path_ + "/run_states", {}, {0, true}, into).json;
  }
  std::string events(const char* limit) {
    return c_.server().get("/events", {{"device", id_}, {"limit", limit}});
  }

private:
  console& c_;
  std::string path_;
  std::string id_;
};

void print_section(console& c, const std::string& title, const std::string& text,
                   const std::string& nothing) {
  const auto look = c.look();
  c.out("\n" + look.heading(title) + (text.empty() ? nothing + "\n" : text));
}

int show_overview(console& c, device_report& report) {
  const auto detail = answer_as<admin::device_detail>(report.detail());
  const auto look = c.look();
  c.out(device_text(detail, look));
  const auto settings = answer_as<admin::device_settings>(report.settings_if_any());
  if (settings.applications_size() > 0)
    print_section(c, "Settings", settings_states_text(settings, look), "");
  print_section(c, "Deliveries", deliveries_text(detail, look), "nothing was delivered yet");
  const auto events = answer_as<admin::event_list>(report.events(recent_events));
  print_section(c, "Last events", events_text(events, look, false), "none");
  return exit_fine;
}

int show_sections(console& c, device_report& report, const device_flags& flags) {
  const auto look = c.look();
  std::string text;
  const auto add = [&](const std::string& title, const std::string& body,
                       const std::string& nothing) {
    text +=
      (text.empty() ? "" : "\n") + look.heading(title) + (body.empty() ? nothing + "\n" : body);
  };
  if (flags.facts || flags.deliveries) {
    const auto detail = answer_as<admin::device_detail>(report.detail());
    if (flags.facts)
      add("Facts", device_text(detail, look), "");
    if (flags.deliveries)
      add("Deliveries", deliveries_text(detail, look), "nothing was delivered yet");
  }
  if (flags.settings)
    add("Settings",
        settings_states_text(answer_as<admin::device_settings>(report.settings()), look),
        "no policy names an application for it");
  if (flags.applications) {
    admin::device_applications list;
    static_cast<void>(report.applications(list));
    add("Applications", applications_text(list, look), "none are known yet");
  }
  if (flags.services) {
    admin::device_run_states list;
    static_cast<void>(report.run_states(list));
    add("Services", run_states_text(list, look), "none are known yet");
  }
  if (flags.events) {
    const auto list = answer_as<admin::event_list>(report.events(listed_events));
    add("Events", events_text(list, look, false), "none");
  }
  c.out(text);
  return exit_fine;
}

/// One section is the API's own document; several are one object of them.
int show_json(console& c, device_report& report, const device_flags& flags) {
  std::vector<std::pair<std::string, std::string>> parts;
  if (flags.facts || flags.deliveries || !flags.any())
    parts.emplace_back("device", report.detail());
  if (flags.settings)
    parts.emplace_back("settings", report.settings());
  if (flags.applications) {
    admin::device_applications list;
    parts.emplace_back("applications", report.applications(list));
  }
  if (flags.services) {
    admin::device_run_states list;
    parts.emplace_back("runStates", report.run_states(list));
  }
  if (flags.events)
    parts.emplace_back("events", report.events(listed_events));
  if (parts.size() == 1) {
    c.out_json(parts.front().second);
    return exit_fine;
  }
  nlohmann::ordered_json all;
  for (const auto& [name, json] : parts)
    all[name] = nlohmann::ordered_json::parse(json, nullptr, false);
  c.out_json(all.dump());
  return exit_fine;
}

int show_device(console& c, const device_flags& flags) {
  if (flags.name.empty())
    throw failure(exit_usage, "which device? (see muster device --help)");
  device_report report{c, device_id_of(c.server(), flags.name)};
  if (c.json)
    return show_json(c, report, flags);
  return flags.any() ? show_sections(c, report, flags) : show_overview(c, report);
}

/// The device's name and id, as questions and answers call it.
std::string called(console& c, const std::string& id) {
  const auto detail = answer_as<admin::device_detail>(c.server().get("/devices/" + id));
  return utf8::clean(detail.device().name()) + " (" + id + ")";
}

int revoke_device(console& c, const std::string& name, bool yes) {
  const auto id = device_id_of(c.server(), name);
  const auto who = called(c, id);
  // Scripts revoke without being asked: shutting somebody out must not wait for a person.
  if (c.world().person.can_ask())
    c.confirm("Revoke " + who + "? Its key is refused for ever, its session ends now.", yes);
  c.server().post("/devices/" + id + "/revoke");
  c.out("Revoked " + who + ".\n");
  return exit_fine;
}

int remove_device(console& c, const std::string& name, bool yes) {
  const auto id = device_id_of(c.server(), name);
  const auto who = called(c, id);
  c.confirm("Remove " + who + " with everything known of it?", yes);
  c.server().remove("/devices/" + id);
  c.out("Removed " + who + ".\n");
  return exit_fine;
}

void add_device_command(CLI::App& app, console& c) {
  auto* device = app.add_subcommand("device", "one device: facts, applications, services, events");
  auto flags = std::make_shared<device_flags>();
  device->add_option("name", flags->name, "name, glob that fits one, id or its beginning")
    ->type_name("NAME");
  device->add_flag("--facts", flags->facts, "what the machine is");
  device->add_flag("--apps", flags->applications, "installed applications");
  device->add_flag("--services", flags->services, "services and programs, and how they run");
  device->add_flag("--events", flags->events, "the last events");
  device->add_flag("--settings", flags->settings, "how the settings of applications stand");
  device->add_flag("--deliveries", flags->deliveries, "what the server holds of it, since when");
  device->callback([&c, flags] { c.choose([&c, flags] { return show_device(c, *flags); }); });

  auto* rm = device->add_subcommand("rm", "remove a device and everything known of it");
  auto name = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  rm->add_option("name", *name, "name or id")->type_name("NAME")->required();
  rm->add_flag("--yes,-y", *yes, "do not ask");
  rm->callback(
    [&c, name, yes] { c.choose([&c, name, yes] { return remove_device(c, *name, *yes); }); });
}

} // namespace

void add_device_commands(CLI::App& app, console& c) {
  auto* devices = app.add_subcommand("devices", "the devices of the fleet");
  auto targets = std::make_shared<std::vector<std::string>>();
  auto wanted = std::make_shared<extent>();
  devices
    ->add_option("target", *targets,
                 "names, globs, group:eu, tag:laptop, os:debian, state:silent ...; all words must hold")
    ->type_name("TARGET");
  add_extent(*devices, *wanted);
  devices->callback([&c, targets, wanted] {
    c.choose([&c, targets, wanted] { return list_devices(c, *targets, *wanted); });
  });

  add_device_command(app, c);

  auto* revoke = app.add_subcommand("revoke", "refuse a device for ever");
  auto name = std::make_shared<std::string>();
  auto yes = std::make_shared<bool>(false);
  revoke->add_option("name", *name, "name or id")->type_name("NAME")->required();
  revoke->add_flag("--yes,-y", *yes, "do not ask");
  revoke->callback(
    [&c, name, yes] { c.choose([&c, name, yes] { return revoke_device(c, *name, *yes); }); });
}

} // namespace muster::console
