#include "actors/rules/task_spec.hpp"

#include "actors/rules/device_filter.hpp"

#include <algorithm>
#include <array>

namespace muster::rules {

namespace {

constexpr std::array<std::string_view, task_kinds> kind_names{
  "command", "script", "install", "remove", "upgrade", "refresh", "collect", "place", "restart"};

bool is_absolute(std::string_view path) noexcept {
  const auto whole = std::string{path} + "/";
  return path.starts_with('/') && whole.find("/../") == std::string::npos &&
         path.find('\0') == std::string_view::npos;
}

bool is_program(task_kind kind) noexcept {
  return kind == task_kind::command || kind == task_kind::script;
}

bool takes_packages(task_kind kind) noexcept {
  return kind == task_kind::install || kind == task_kind::remove || kind == task_kind::upgrade;
}

bool is_package(std::string_view name) noexcept {
  return !name.starts_with('-') && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"+-.:_~="}.find(c) != std::string_view::npos;
  });
}

/// Which of the kinds an action names; it names one.
std::optional<task_kind> kind_of(const yaml_node& action, node_reader& in) {
  std::optional<task_kind> out;
  for (std::size_t i = 0; i < task_kinds; ++i) {
    if (in.take(kind_names[i]) == nullptr)
      continue;
    if (out) {
      in.fail(action.line, "an action is one thing: " + std::string{name_of(*out)} + " or " +
                             std::string{kind_names[i]});
      return std::nullopt;
    }
    out = static_cast<task_kind>(i);
  }
  if (!out)
    in.fail(action.line, "an action is one of command, script, install, remove, upgrade, refresh, "
                         "collect, place and restart");
  return out;
}

void read_place(const yaml_node& node, task_action& out, std::vector<text_problem>& problems) {
  node_reader in{node, "place", problems};
  if (in.need("path") != nullptr)
    in.text("path", out.path, task_limits::text_bytes_max);
  if (in.need("sha256") != nullptr)
    in.text("sha256", out.sha256, 64);
  in.text("mode", out.mode, 4);
  if (!out.sha256.empty() &&
      (out.sha256.size() != 64 ||
       out.sha256.find_first_not_of("0123456789abcdef") != std::string::npos))
    in.fail(node.line, "'sha256' of place has 64 hexadecimal digits in lower case");
  if (out.mode.size() != 4 || out.mode[0] != '0' ||
      out.mode.find_first_not_of("01234567") != std::string::npos)
    in.fail(node.line, "'mode' of place is written \"0644\"");
  in.finish();
}

void read_environment(const yaml_node& node, task_action& out, node_reader& in) {
  if (node.kind != value_kind::map || node.entries.size() > task_limits::variables_max) {
    in.fail(node.line, "'environment' is a map of at most " +
                         std::to_string(task_limits::variables_max) + " variables");
    return;
  }
  for (const auto& entry : node.entries) {
    const auto* text = entry.value.scalar.as_text();
    const bool good = text != nullptr && text->size() <= task_limits::text_bytes_max &&
                      text->find('\0') == std::string::npos && !entry.name.empty() &&
                      entry.name.find_first_of(std::string_view{"=\0", 2}) == std::string::npos;
    if (good)
      out.environment.emplace(entry.name, *text);
    else
      in.fail(entry.line, "the variable '" + entry.name + "' is no text of at most " +
                            std::to_string(task_limits::text_bytes_max) + " bytes");
  }
}

/// What the name of the kind stands before.
void read_subject(const yaml_node& action, node_reader& in, task_action& out,
                  std::vector<text_problem>& problems) {
  const auto name = name_of(out.kind);
  const auto& node = *in.take(name);
  if (out.kind == task_kind::command) {
    in.texts(name, out.argv, task_limits::arguments_max, task_limits::text_bytes_max, true);
    if (!out.argv.empty() && !is_absolute(out.argv.front()))
      in.fail(node.line, "a command begins with the absolute path of a program");
    if (std::any_of(out.argv.begin(), out.argv.end(),
                    [](const auto& text) { return text.find('\0') != std::string::npos; }))
      in.fail(node.line, "an argument has a zero byte");
  } else if (out.kind == task_kind::script) {
    in.text(name, out.script, task_limits::script_bytes_max);
    if (!out.script.starts_with("#!/") && !out.script.empty())
      in.fail(node.line, "a script begins with #! and the path of its interpreter");
  } else if (takes_packages(out.kind)) {
    const auto* all = node.scalar.as_text();
    if (out.kind != task_kind::upgrade || all == nullptr || *all != "all")
      in.texts(name, out.packages, task_limits::packages_max, 128);
    for (const auto& package : out.packages)
      if (!is_package(package))
        in.fail(node.line, "'" + package + "' is no name of a package");
  } else if (out.kind == task_kind::refresh) {
    bool yes = false;
    in.flag(name, yes);
    if (!yes)
      in.fail(node.line, "write 'refresh: true'");
  } else if (out.kind == task_kind::collect) {
    in.text(name, out.path, task_limits::text_bytes_max);
  } else if (out.kind == task_kind::place) {
    read_place(node, out, problems);
  } else {
    in.text(name, out.service, 256);
    if (out.service.starts_with('-') || out.service.find_first_of(" /\n") != std::string::npos)
      in.fail(node.line, "'" + out.service + "' is no name of a service");
  }
  if (!out.path.empty() && !is_absolute(out.path))
    in.fail(action.line, "'" + out.path + "' is no absolute path");
}

task_action read_action(const yaml_node& node, std::vector<text_problem>& problems) {
  task_action out;
  node_reader in{node, "action", problems};
  const auto kind = kind_of(node, in);
  if (!kind)
    return out;
  out.kind = *kind;
  read_subject(node, in, out, problems);
  if (is_program(out.kind)) {
    in.text("user", out.user, 64);
    in.text("directory", out.directory, task_limits::text_bytes_max);
    if (!is_absolute(out.directory))
      in.fail(node.line, "'directory' is an absolute path");
    if (const auto* environment = in.take("environment"))
      read_environment(*environment, out, in);
  }
  in.duration("timeLimit", out.time_limit, task_limits::time_limit_max);
  if (out.time_limit <= std::chrono::seconds{0})
    in.fail(node.line, "'timeLimit' is more than nothing");
  in.bytes("outputMax", out.output_bytes, task_limits::output_bytes_max);
  in.finish();
  return out;
}

void read_scope(node_reader& in, task_spec& out) {
  const auto* target = in.take("target");
  const auto* devices = in.take("devices");
  if ((target == nullptr) == (devices == nullptr)) {
    in.fail(in.line(), "spec has either a 'target' or 'devices'");
    return;
  }
  in.texts("devices", out.devices, task_limits::devices_max, 256);
  in.text("target", out.target, device_filter::target_bytes_max);
  std::string problem;
  if (target != nullptr && !out.target.empty() && !device_filter::parse(out.target, problem))
    in.fail(target->line, "'target' of spec: " + problem);
}

void read_rollout(node_reader& in, rollout_plan& out) {
  if (const auto* waves = in.take("waves")) {
    out.waves.clear();
    for (const auto& item : waves->items) {
      const auto* percent = item.scalar.as_integer();
      out.waves.push_back(percent != nullptr && *percent >= 0 && *percent <= 100
                            ? static_cast<std::uint8_t>(*percent)
                            : std::uint8_t{255});
    }
  }
  std::int64_t enough = out.enough_percent;
  std::int64_t failed = out.failed_percent_max;
  in.number("enoughPercent", enough, 1, 100);
  in.number("failedPercentMax", failed, 0, 100);
  out.enough_percent = static_cast<std::uint8_t>(enough);
  out.failed_percent_max = static_cast<std::uint8_t>(failed);
  if (auto problem = problem_with(out); !problem.empty())
    in.fail(in.line(), "'waves' of spec: " + problem);
}

settings_value list_of(const std::vector<std::string>& texts) {
  settings_value::list out;
  for (const auto& text : texts)
    out.emplace_back(text);
  return out;
}

settings_document action_document(const task_action& action) {
  const task_action plain;
  auto out = settings_value::empty_map();
  const auto name = name_of(action.kind);
  switch (action.kind) {
  case task_kind::command:
    out.set(name, list_of(action.argv));
    break;
  case task_kind::script:
    out.set(name, action.script);
    break;
  case task_kind::install:
  case task_kind::remove:
    out.set(name, list_of(action.packages));
    break;
  case task_kind::upgrade:
    out.set(name, action.packages.empty() ? settings_value{"all"} : list_of(action.packages));
    break;
  case task_kind::refresh:
    out.set(name, true);
    break;
  case task_kind::collect:
    out.set(name, action.path);
    break;
  case task_kind::place: {
    auto& place = out.set(name, settings_value::empty_map());
    place.set("path", action.path);
    place.set("sha256", action.sha256);
    if (action.mode != plain.mode)
      place.set("mode", action.mode);
    break;
  }
  case task_kind::restart:
    out.set(name, action.service);
    break;
  }
  if (action.user != plain.user)
    out.set("user", action.user);
  if (action.directory != plain.directory)
    out.set("directory", action.directory);
  if (!action.environment.empty()) {
    auto& environment = out.set("environment", settings_value::empty_map());
    for (const auto& [variable, value] : action.environment)
      environment.set(variable, value);
  }
  if (action.time_limit != plain.time_limit)
    out.set("timeLimit", duration_text(action.time_limit));
  if (action.output_bytes != plain.output_bytes)
    out.set("outputMax", action.output_bytes);
  return out;
}

} // namespace

std::string_view name_of(task_kind kind) noexcept {
  return kind_names[static_cast<std::size_t>(kind)];
}

task_spec task_from_node(const yaml_node& spec, std::vector<text_problem>& problems) {
  task_spec out;
  node_reader in{spec, "spec", problems};
  read_scope(in, out);
  if (const auto* action = in.need("action"))
    out.action = read_action(*action, problems);
  if (const auto* when = in.need("schedule")) {
    std::string text;
    std::string problem;
    in.text("schedule", text, schedule::text_bytes_max);
    if (auto read = schedule::parse(text, problem))
      out.when = std::move(*read);
    else if (!text.empty())
      in.fail(when->line, "'schedule' of spec: " + problem);
  }
  in.text("zone", out.zone, time_zone::name_bytes_max);
  if (!out.zone.empty() && !time_zone::is_name(out.zone))
    in.fail(in.line(), "'zone' of spec is called like Europe/Berlin");
  in.duration("spread", out.options.spread, schedule_options::spread_max);
  in.flag("runIfMissed", out.options.run_if_missed);
  read_rollout(in, out.rollout);
  in.flag("enabled", out.enabled);
  in.finish();
  return out;
}

settings_document task_document(const task_spec& task) {
  const task_spec plain;
  auto out = settings_value::empty_map();
  if (task.devices.empty())
    out.set("target", task.target);
  else
    out.set("devices", list_of(task.devices));
  out.set("action", action_document(task.action));
  out.set("schedule", task.when.text());
  if (!task.zone.empty())
    out.set("zone", task.zone);
  if (task.options.spread.count() != 0)
    out.set("spread", duration_text(task.options.spread));
  if (task.options.run_if_missed)
    out.set("runIfMissed", true);
  if (task.rollout.waves != plain.rollout.waves) {
    auto& waves = out.set("waves", settings_value::empty_list());
    for (const auto percent : task.rollout.waves)
      waves.as_list()->emplace_back(std::int64_t{percent});
  }
  if (task.rollout.enough_percent != plain.rollout.enough_percent)
    out.set("enoughPercent", std::int64_t{task.rollout.enough_percent});
  if (task.rollout.failed_percent_max != plain.rollout.failed_percent_max)
    out.set("failedPercentMax", std::int64_t{task.rollout.failed_percent_max});
  if (!task.enabled)
    out.set("enabled", false);
  return out;
}

} // namespace muster::rules
