#include "apps/load/options.hpp"

#include "apps/common/quantities.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace muster::load {

namespace {

void declare_common(CLI::App& to, load_options& o) {
  auto& fleet = o.settings.fleet;
  to.add_option("--server", o.server, "HOST:PORT of the server")->capture_default_str();
  to.add_option("--pin", o.pin, "SHA-256 of the server's CA key")->required();
  to.add_option("--token", o.token, "enrolment token (or MUSTER_TOKEN)")->envname("MUSTER_TOKEN");
  to.add_option("--identities", o.identities,
                "file of who enrolled: read if it is there, written at the end");
  to.add_option("--agents", fleet.agents, "how many; 20,000 need as many file descriptors")
    ->capture_default_str()
    ->check(CLI::Range(1, 200'000));
  to.add_option("--first", fleet.first_number, "number of the first one");
  to.add_option("--at-once", fleet.at_once, "enrolments, or connections of a ramp, in progress")
    ->capture_default_str()
    ->check(CLI::Range(1, 4096));
  to.add_option("--source", fleet.player.source_address, "source address, e.g. 127.0.0.2");
  to.add_option("--seed", fleet.player.seed, "the same seed plays the same fleet")
    ->capture_default_str();
  to.add_flag("!--no-resume", fleet.player.resume, "a full handshake each time");
  to.add_flag("!--no-watch", o.watch_server, "do not look at the CPU and memory of a local server");
  to.add_option("--server-pid", o.server_pid, "process whose CPU and memory are watched; else the one muster-server here");
  to.add_option("--require", o.require, "what must hold, e.g. 'p99<100ms,errors=0'; else exit code 1");
  to.add_option("--report", o.report, "write an HTML page of the run to this file");
}

} // namespace

void declare(CLI::App& app, load_options& o) {
  app.require_subcommand(1);
  const auto add = [&](const char* name, const char* what, const auto& make) {
    auto* const sub = app.add_subcommand(name, what);
    declare_common(*sub, o);
    sub->callback([&o, name, make] {
      o.scenario = name;
      o.make = make;
    });
    return sub;
  };
  auto* const keep = add("keep", "enrol, connect and stay: what does a kept connection cost?", keep_scenario);
  keep->add_option("--hold,--duration", o.duration, "how long to stay once all are there")
    ->default_str("60s");
  auto* const sync = add("sync", "steady state: everybody syncs once a period", sync_scenario);
  sync->add_option("--duration", o.duration, "how long")->default_str("60s");
  sync->add_option("--period", o.period, "between two syncs of an agent")->default_str("60s");
  sync->add_option("--changed", o.settings.changed_percent, "percent of syncs with a changed inventory")
    ->capture_default_str()
    ->check(CLI::Range(0, 100));
  add("storm", "everybody comes back in the same moment", storm_scenario);
  add("wake", "everybody is away, and is woken by one call of the console; needs a 'muster login'", wake_scenario);
  add("fanout", "a policy is changed: until the last of N kept agents has applied it; needs a 'muster login'", fanout_scenario);
  auto* const notices = add("notices", "everybody says that it goes", notices_scenario);
  notices->add_option("--duration", o.duration, "over which time they go")->default_str("60s");
  notices->add_option("--notices-port", o.notices_port, "UDP port of the server")->capture_default_str();
  auto* const events = add("events", "events over kept connections, at a rate", events_scenario);
  events->add_option("--duration", o.duration, "how long")->default_str("60s");
  events->add_option("--rate", o.settings.events_per_second, "events in a second, of all agents together")
    ->capture_default_str()
    ->check(CLI::Range(1.0, 10'000'000.0));
  events->add_flag("--verify", o.verify,
                   "prove afterwards that what was acknowledged is stored once; needs a 'muster login'");
}

bool complete(load_options& o, identity_file& known, std::string& problem) {
  auto& player = o.settings.fleet.player;
  const auto endpoint = net::parse_endpoint(o.server, 13000);
  const auto pin = net::from_hex(o.pin);
  // A bare number is seconds, as it was before there were units.
  const auto time_of = [](const std::string& text) {
    const bool bare = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    return parse_duration(bare ? text + "s" : text);
  };
  const auto duration = time_of(o.duration);
  const auto period = time_of(o.period);
  auto requirements = parse_requirements(o.require, problem);
  if (!endpoint)
    problem = "--server: '" + o.server + "' is not HOST or HOST:PORT";
  else if (!pin || pin->size() != player.pin.size())
    problem = "--pin: give the 64 hexadecimal digits that the server prints";
  else if (o.token.empty() && o.identities.empty())
    problem = "no enrolment token: give --token or MUSTER_TOKEN, or --identities of a run before";
  else if (!duration)
    problem = "--duration: '" + o.duration + "' is no time; write for instance 90s or 5m";
  else if (!period || *period < std::chrono::milliseconds{1})
    problem = "--period: '" + o.period + "' is no time; write for instance 90s or 15m";
  else if (!requirements)
    problem = "--require: " + problem;
  else if (!o.identities.empty() && !known.load(o.identities, problem))
    problem = "--identities: " + problem;
  if (!problem.empty())
    return false;
  if (o.scenario == "notices") {
    const auto to = net::make_udp_endpoint(endpoint->host, o.notices_port);
    if (!to) {
      problem = "--server: notices need a numeric address";
      return false;
    }
    o.settings.notices = *to;
  }
  player.server = *endpoint;
  std::copy(pin->begin(), pin->end(), player.pin.begin());
  player.token = o.token;
  player.identities = &known;
  o.settings.duration = *duration;
  o.settings.period = *period;
  o.requirements = std::move(*requirements);
  return true;
}

} // namespace muster::load
