// settings: how a device's settings stand, and its own values.
#include "apps/common/utf8.hpp"
#include "apps/console/device_work.hpp"
#include "apps/console/policy_edit.hpp"

#include "actors/rules/settings_json.hpp"

#include <array>
#include <memory>

namespace muster::console {

namespace {

struct settings_flags {
  std::vector<std::string> words; ///< DEVICE [APPLICATION [get|set|unset SETTING [VALUE]]]
  bool text = false;
};

int show_states(console& c, const std::string& device) {
  const auto json = c.server().get("/devices/" + device_id_of(c.server(), device) + "/settings");
  if (c.json) {
    c.out_json(json);
    return exit_fine;
  }
  const auto list = answer_as<admin::device_settings>(json);
  if (list.applications_size() == 0)
    c.note("No policy names an application for this device; see: muster policy list\n");
  else
    c.out(settings_states_text(list, c.look()));
  return exit_fine;
}

std::string effective_json(console& c, const std::string& device, const std::string& application) {
  return c.server().get("/devices/" + device_id_of(c.server(), device) + "/settings/effective",
                        {{"application", application}});
}

int show_application(console& c, const std::string& device, const std::string& application) {
  const auto json = effective_json(c, device, application);
  if (c.json)
    c.out_json(json);
  else
    c.out(effective_text(answer_as<admin::effective_settings>(json), c.look()));
  return exit_fine;
}

/// The value alone, or of a map a line for each setting below it.
int get_setting(console& c, const std::string& device, const std::string& application,
                const std::string& setting) {
  const auto at = path_of(setting);
  const auto all =
    answer_as<admin::effective_settings>(effective_json(c, device, application));
  std::string text;
  std::string problem;
  for (const auto& one : all.settings()) {
    const auto path = rules::settings_path::parse(one.path(), problem);
    if (!path || !at.covers(*path))
      continue;
    const auto value = utf8::clean(one.value());
    text += *path == at ? value + "\n" : one.path() + " " + value + "\n";
  }
  if (text.empty())
    throw failure(exit_not_found, "nothing is said of '" + setting + "'; see: muster settings " +
                                    device + " " + application);
  c.out(text);
  return exit_fine;
}

int change_setting(console& c, const settings_flags& flags, const admin::settings_order& order) {
  const auto body = body_of(order);
  return for_each(c, devices_of(c, flags.words.front()), "Changed", [&](const auto& device) {
    c.server().post("/devices/" + device.id + "/settings", body);
  });
}

int run(console& c, const settings_flags& flags) {
  const auto& words = flags.words;
  if (words.size() == 1)
    return show_states(c, words[0]);
  if (words.size() == 2)
    return show_application(c, words[0], words[1]);
  const auto& verb = words[2];
  if (verb == "get" && words.size() == 4)
    return get_setting(c, words[0], words[1], words[3]);
  admin::settings_order order;
  order.set_application(words[1]);
  if (verb == "set" && words.size() == 5) {
    const auto path = path_of(words[3]).text();
    (*order.mutable_set())[path] = rules::to_json(value_of(words[4], flags.text));
    return change_setting(c, flags, order);
  }
  if (verb == "unset" && words.size() >= 4) {
    for (std::size_t i = 3; i < words.size(); ++i)
      order.add_unset(path_of(words[i]).text());
    return change_setting(c, flags, order);
  }
  throw failure(exit_usage, "behind DEVICE APPLICATION stands get SETTING, set SETTING VALUE or "
                            "unset SETTING... (see muster settings --help)");
}

} // namespace

void add_settings_commands(CLI::App& app, console& c) {
  auto* settings = app.add_subcommand(
    "settings", "how a device's settings stand; values of its own: set, unset");
  auto flags = std::make_shared<settings_flags>();
  // One by one: of several words in one option the library takes [a, b] apart.
  const auto single = std::make_shared<std::array<std::string, 5>>();
  std::vector<CLI::Option*> options;
  const auto add = [&](std::size_t i, const char* name, const char* help) {
    options.push_back(settings->add_option(name, single->at(i), help));
    return options.back();
  };
  add(0, "device", "name or id; to set and unset a target, which may mean many")
    ->type_name("DEVICE")
    ->required();
  add(1, "application", "whose settings: sshd, chrony ...")->type_name("APPLICATION");
  add(2, "verb", "get, set or unset")->type_name("VERB");
  add(3, "setting", "its path: server.port")->type_name("SETTING");
  add(4, "value", "22, true, 1.5, a text, [a, b]")->type_name("VALUE");
  const auto more = std::make_shared<std::vector<std::string>>();
  settings->add_option("more", *more, "more settings to unset")->type_name("SETTING");
  settings->add_flag("--text", flags->text, "the value is a text, whatever it looks like");
  settings->callback([&c, flags, single, options, more] {
    for (std::size_t i = 0; i < options.size() && options[i]->count() > 0; ++i)
      flags->words.push_back(single->at(i));
    flags->words.insert(flags->words.end(), more->begin(), more->end());
    c.choose([&c, flags] { return run(c, *flags); });
  });
}

} // namespace muster::console
