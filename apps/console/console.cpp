#include "apps/console/console.hpp"

#include "apps/common/command_line.hpp"
#include "apps/common/utf8.hpp"

#include <muster/version.hpp>

#include <algorithm>
#include <string_view>

namespace muster::console {

namespace {

constexpr std::size_t candidates_max = 10;

bool is_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// A target that matches at least the device called `name`: what divides targets becomes a
/// wildcard.
std::string target_for(std::string name) {
  for (char& c : name)
    if (c == ' ' || c == ',')
      c = '?';
  return name;
}

std::string several(const admin::device_list& list, const std::string& name) {
  constexpr std::size_t short_id_digits = 8;
  std::string text = "'" + name + "' means several devices; give a name or an id that one has: ";
  for (int index = 0; index < list.devices_size(); ++index) {
    const auto& device = list.devices(index);
    if (index > 0)
      text += ", ";
    text += utf8::clean(device.name()) + " (" + device.id().substr(0, short_id_digits) + ", " +
            device.state() + ")";
  }
  const auto shown = static_cast<std::uint64_t>(list.devices_size());
  if (list.matching() > shown)
    text += " and " + std::to_string(list.matching() - shown) + " more";
  return text;
}

admin::device_list ask_for(api& server, const std::string& target) {
  return answer_as<admin::device_list>(
    server.get("/devices", {{"target", target}, {"limit", std::to_string(candidates_max)}}));
}

} // namespace

std::string device_id_of(api& server, const std::string& name) {
  constexpr std::size_t id_digits = 32;
  constexpr std::size_t id_digits_min = 4;
  if (name.size() == id_digits && is_hex(name))
    return name;
  auto list = ask_for(server, target_for(name));
  if (list.devices_size() == 0 && name.size() >= id_digits_min && is_hex(name))
    list = ask_for(server, "id:" + name + "*");
  if (list.devices_size() == 0)
    throw failure(exit_not_found, "no device is called '" + name + "'; see: muster devices");
  if (list.devices_size() > 1)
    throw failure(exit_not_found, several(list, name));
  return list.devices(0).id();
}

api& console::server() {
  if (server_ == nullptr) {
    std::string problem;
    auto p = load_profile(world_.directory, problem);
    if (!p && !problem.empty())
      throw failure(exit_failed, problem);
    if (!p || p->token.empty())
      throw failure(exit_unreachable, "not logged in; log in first: muster login " +
                                        (p ? p->url() : std::string("https://SERVER")));
    server_ = std::make_unique<api>(world_.connect, *p);
  }
  return *server_;
}

view console::look() const {
  return {world_.person.look(), world_.now(), utc};
}

void console::out_json(std::string document) {
  if (!document.ends_with('\n'))
    document += '\n';
  out(document);
}

void console::confirm(const std::string& question, bool yes) {
  if (yes)
    return;
  if (!world_.person.can_ask())
    throw failure(exit_usage, "nobody can be asked here; say --yes");
  const auto answer = world_.person.ask(question + " [y/N] ", false);
  if (!answer || (*answer != "y" && *answer != "Y" && *answer != "yes"))
    throw failure(exit_declined, "nothing was changed");
}

void add_extent(CLI::App& command, extent& wanted) {
  command
    .add_option("--limit", wanted.limit, "at most so many [" + std::to_string(wanted.limit) + "]")
    ->type_name("N")
    ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}));
  command.add_flag("--all", wanted.all, "all of them");
}

void declare(CLI::App& app, console& c) {
  app.name("muster");
  app.set_version_flag("--version", "muster " + std::string{version()});
  // So that --json may stand anywhere.
  app.fallthrough();
  app.add_flag("--json", c.json, "print what the server answers, for programs");
  app.add_flag("--utc", c.utc, "exact times in UTC instead of \"3 min ago\"");
  add_login_commands(app, c);
  add_device_commands(app, c);
  add_call_commands(app, c);
  add_group_commands(app, c);
  add_assignment_commands(app, c);
  add_policy_commands(app, c);
  add_settings_commands(app, c);
  add_file_commands(app, c);
  add_application_commands(app, c);
  add_event_commands(app, c);
  add_token_commands(app, c);
  add_server_commands(app, c);
  add_completion_command(app, c);
  app.require_subcommand(1);
}

int run(surroundings& world, const std::vector<std::string>& words) {
  console c{world};
  CLI::App app{"The administrator's console of Muster."};
  declare(app, c);
  // The library takes the words from the end.
  std::vector<std::string> reversed{words.rbegin(), words.rend()};
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& end) {
    if (end.get_exit_code() == 0)
      return print_asked(app, end, [&](const std::string& text) { c.out(text); });
    c.note("muster: " + usage_problem(app, end) + "\n");
    return exit_usage;
  }
  try {
    return c.run_chosen();
  } catch (const failure& why) {
    c.note("muster: " + why.text() + "\n");
    return why.code();
  }
}

} // namespace muster::console
