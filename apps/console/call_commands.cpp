// sync, wake, keep, calls, call.
#include "apps/common/quantities.hpp"
#include "apps/console/call_watch.hpp"
#include "apps/console/console.hpp"

#include <memory>

namespace muster::console {

namespace {

/// Of those who did not make it, so many of each kind are named.
constexpr std::uint64_t named_max = 5;

struct call_flags {
  std::vector<std::string> targets;
  bool wait = false;
  std::string timeout;
};

std::uint64_t count_of(const admin::call& call, const char* step) {
  const auto at = call.by_step().find(step);
  return at == call.by_step().end() ? 0 : at->second;
}

exit_code code_of(const admin::call& call) {
  if (!call.problem().empty() || count_of(call, "failed") > 0)
    return exit_failed;
  return count_of(call, "done") == call.devices() && !call.selecting() ? exit_fine : exit_pending;
}

watch_options watch_of(const call_flags& flags) {
  watch_options out;
  out.until_done = flags.wait;
  if (!flags.timeout.empty())
    out.timeout = parse_duration(flags.timeout);
  if (!flags.timeout.empty() && !out.timeout)
    throw failure(exit_usage, "--timeout: '" + flags.timeout + "' is no duration; say 30s or 5m");
  return out;
}

std::string target_of(const call_flags& flags) {
  std::string out;
  for (const auto& word : flags.targets)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

/// Rows of one step, in the words for one device.
std::string lines_of(console& c, const std::string& path, const char* step) {
  admin::call rows;
  const auto result = read_pages(c.server(), path, {{"step", step}}, {named_max, false}, rows);
  std::string out;
  for (const auto& row : rows.rows())
    out += "  " + outcome_line(row, c.look());
  if (result.more)
    out += "  ...\n";
  return out;
}

std::string hint_for(const admin::call& call) {
  return "muster call " + std::to_string(call.id());
}

/// What became of it, for a person.
void tell(console& c, const admin::call& call, const std::string& path) {
  if (call.devices() == 1) {
    const auto one = answer_as<admin::call>(c.server().get(path, {{"limit", "1"}}));
    if (one.rows_size() == 1)
      return c.out(outcome_line(one.rows(0), c.look()));
  }
  c.out(call_summary(call));
  for (const auto* step : {"failed", "queued"})
    if (count_of(call, step) > 0)
      c.out(lines_of(c, path, step));
  if (code_of(call) != exit_fine && !c.world().person.interrupted())
    c.note("All of them: " + hint_for(call) + "\n");
}

int finish(console& c, const admin::call& call) {
  const auto path = "/calls/" + std::to_string(call.id());
  const bool interrupted = c.world().person.interrupted();
  if (c.json) {
    admin::call all;
    c.out_json(read_pages(c.server(), path, {}, {0, true}, all).json);
  } else if (!call.problem().empty()) {
    throw failure(exit_failed, "nobody was called: " + call.problem());
  } else if (call.devices() == 0 && !interrupted) {
    throw failure(exit_not_found, "no device matches '" + call.target() + "'; see: muster devices");
  } else {
    tell(c, call, path);
  }
  if (!interrupted)
    return call.devices() == 0 ? exit_not_found : code_of(call);
  c.note("The call goes on; see how far it is: " + hint_for(call) + "\n");
  return exit_interrupted;
}

int give_call(console& c, const std::string& kind, const call_flags& flags) {
  const auto watched = watch_of(flags);
  admin::call_order order;
  order.set_kind(kind);
  order.set_target(target_of(flags));
  // From here on Ctrl-C must not leave anybody in doubt about whether the call was given.
  c.world().person.remember_interrupt();
  const auto given = answer_as<admin::call>(c.server().post("/calls", body_of(order)));
  return finish(c, call_watch{c, given.id(), watched}.run());
}

int list_calls(console& c) {
  const auto json = c.server().get("/calls");
  if (c.json) {
    c.out_json(json);
    return exit_fine;
  }
  const auto list = answer_as<admin::call_list>(json);
  if (list.calls_size() == 0)
    c.note("No calls in the last day; see: muster sync --help\n");
  else
    c.out(calls_text(list, c.look()));
  return exit_fine;
}

int show_call(console& c, std::uint64_t number, const std::string& step, extent wanted) {
  query q;
  if (!step.empty())
    q.emplace("step", step);
  admin::call call;
  const auto result =
    read_pages(c.server(), "/calls/" + std::to_string(number), q, wanted, call);
  if (c.json) {
    c.out_json(result.json);
    return exit_fine;
  }
  c.out(call_text(call, c.look()));
  if (call.rows_size() > 0)
    c.out("\n" + call_rows_text(call, c.look()));
  if (result.more)
    c.note(counted(static_cast<std::uint64_t>(call.rows_size()), "device", "devices") +
           " shown; --all shows every one, --step failed those who failed.\n");
  return exit_fine;
}

std::shared_ptr<call_flags> add_call_flags(CLI::App& command) {
  auto flags = std::make_shared<call_flags>();
  command
    .add_option("target", flags->targets,
                "names, globs, os:debian, state:silent, id:...; all words must hold; '*' is every "
                "device")
    ->type_name("TARGET")
    ->required();
  command.add_flag("--wait", flags->wait, "until it is done, also with those who are away now");
  command.add_option("--timeout", flags->timeout, "watch no longer than this: 30s, 5m")
    ->type_name("DURATION");
  return flags;
}

void add_kind(CLI::App& app, console& c, const std::string& name, const std::string& kind,
              const std::string& help) {
  auto* command = app.add_subcommand(name, help);
  const auto flags = add_call_flags(*command);
  command->callback(
    [&c, kind, flags] { c.choose([&c, kind, flags] { return give_call(c, kind, *flags); }); });
}

} // namespace

void add_call_commands(CLI::App& app, console& c) {
  add_kind(app, c, "sync", "sync", "have devices sync now");
  add_kind(app, c, "wake", "wake", "have devices connect now");
  auto* keep = app.add_subcommand("keep", "whether the connections of devices are kept");
  keep->require_subcommand(1);
  add_kind(*keep, c, "on", "keep_on", "keep them, so that these devices can be reached at once");
  add_kind(*keep, c, "off", "keep_off", "let them go after each sync, as agents do by themselves");

  auto* calls = app.add_subcommand("calls", "what was asked of devices in the last day");
  calls->callback([&c] { c.choose([&c] { return list_calls(c); }); });

  auto* call = app.add_subcommand("call", "how far one call is, device by device");
  auto number = std::make_shared<std::uint64_t>(0);
  auto step = std::make_shared<std::string>();
  auto wanted = std::make_shared<extent>();
  call->add_option("call", *number, "its number")->type_name("CALL")->required();
  call->add_option("--step", *step, "only devices that are there")
    ->type_name("STEP")
    ->check(CLI::IsMember({"waiting", "asked", "waking", "queued", "done", "failed"}));
  add_extent(*call, *wanted);
  call->callback([&c, number, step, wanted] {
    c.choose([&c, number, step, wanted] { return show_call(c, *number, *step, *wanted); });
  });
}

} // namespace muster::console
