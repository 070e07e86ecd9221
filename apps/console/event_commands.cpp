// events.
#include "apps/console/console.hpp"
#include "apps/console/event_follower.hpp"

#include <memory>

namespace muster::console {

namespace {

/// So that there is something to look at.
constexpr std::uint64_t shown_before_following = 10;

struct event_flags {
  bool follow = false;
  std::string device;
  std::string severity;
  std::string since;
  std::string until;
  extent wanted{50, false};
};

void add_moment(console& c, const std::string& text, const char* name, query& q) {
  if (text.empty())
    return;
  const auto moment = parse_moment(text, c.world().now());
  if (!moment)
    throw failure(exit_usage, std::string("--") + name + ": '" + text +
                                "' is no time; say 2h, 2026-11-24 or \"2026-11-24 16:30\"");
  q.emplace(name, std::to_string(*moment));
}

int list_events(console& c, const query& q, extent wanted) {
  admin::event_list list;
  const auto result = read_pages(c.server(), "/events", q, wanted, list);
  if (c.json) {
    c.out_json(result.json);
    return exit_fine;
  }
  if (list.events_size() == 0) {
    c.note("No such events.\n");
    return exit_fine;
  }
  if (result.more)
    c.note("Older ones are left out; --all shows every one.\n");
  c.out(events_text(list, c.look()));
  return exit_fine;
}

int show_events(console& c, const event_flags& flags) {
  query times;
  add_moment(c, flags.since, "since", times);
  add_moment(c, flags.until, "until", times);
  query q;
  if (!flags.device.empty())
    q.emplace("device", device_id_of(c.server(), flags.device));
  if (!flags.severity.empty())
    q.emplace("severity", flags.severity);
  if (flags.follow) {
    const extent before = times.empty() ? extent{shown_before_following, false} : extent{0, true};
    return event_follower{c, q}.run(times, before);
  }
  q.insert(times.begin(), times.end());
  return list_events(c, q, flags.wanted);
}

} // namespace

void add_event_commands(CLI::App& app, console& c) {
  auto* events = app.add_subcommand("events", "what happened on devices and on the server");
  auto flags = std::make_shared<event_flags>();
  events->add_flag("--follow,-f", flags->follow, "show events as they come");
  events->add_option("--device", flags->device, "only of this one")->type_name("NAME");
  events->add_option("--severity", flags->severity, "this one and worse")
    ->type_name("SEVERITY")
    ->check(CLI::IsMember({"info", "warning", "critical", "failure"}));
  events->add_option("--since", flags->since, "2h (ago), 2026-11-24 or \"2026-11-24 16:30\"")
    ->type_name("TIME");
  events->add_option("--until", flags->until, "the same")->type_name("TIME")->excludes("--follow");
  add_extent(*events, flags->wanted);
  events->callback([&c, flags] { c.choose([&c, flags] { return show_events(c, *flags); }); });
}

} // namespace muster::console
