// muster-agent: runs on every client computer.

#include "apps/agent/check.hpp"
#include "apps/agent/commands.hpp"
#include "apps/agent/run_agent.hpp"
#include "apps/common/command_line.hpp"
#include "apps/common/config_flags.hpp"
#include "apps/common/exit_codes.hpp"
#include "apps/common/logging.hpp"
#include "apps/common/signals.hpp"
#include "net/tls_context.hpp"

#include <muster/version.hpp>

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace {

using namespace muster;

/// Every subcommand with its own options.
struct commands {
  agent::enrol_command enrolment;
  agent::move_command move_order;
  agent::event_command event;
  bool json = false;
  CLI::App* run;
  CLI::App* enrol;
  CLI::App* raise;
  CLI::App* status;
  CLI::App* sync;
  CLI::App* check;
  CLI::App* move;
  CLI::App* check_config;
  CLI::App* example;

  explicit commands(CLI::App& app)
    : run(app.add_subcommand("run", "be the agent (the same as no command)")),
      enrol(app.add_subcommand("enrol", "make this machine a device of a server, once")),
      raise(app.add_subcommand("event", "have the running agent report something")),
      status(app.add_subcommand("status", "how the running agent is doing")),
      sync(app.add_subcommand("sync", "have the running agent sync now; waits until it is done")),
      check(app.add_subcommand("check", "try the whole way to the server, and say where it ends")),
      move(app.add_subcommand("move", "go to another server, or to the same one elsewhere")),
      check_config(app.add_subcommand("check-config", "say whether the settings are understood")),
      example(app.add_subcommand("example-config", "print a settings file with every default")) {
    enrol->add_option("--server", enrolment.server, "HOST[:PORT]")->required();
    enrol->add_option("--pin", enrolment.pin, "SHA-256 of the server's CA key, hexadecimal");
    enrol->add_flag("--trust-on-first-use", enrolment.trust_on_first_use,
                    "without a pin: trust whoever answers, and say who it was");
    enrol->add_option("--token", enrolment.token, "enrolment token (or MUSTER_TOKEN)")
      ->envname("MUSTER_TOKEN");
    enrol->add_option("--token-file", enrolment.token_file, "a file with the token");
    raise->add_option("--severity", event.severity, "info, warning, critical or failure")
      ->capture_default_str();
    raise->add_option("--type", event.type, "dotted, for programs: backup.late");
    raise->add_option("--attribute", event.attributes, "KEY=VALUE; may be repeated");
    raise->add_option("text", event.text, "what happened, for people")->required();
    status->add_flag("--json", json, "for programs");
    check->add_flag("--json", json, "for programs");
    move->add_option("--server", move_order.server, "HOST[:PORT]")->required();
    move->add_option("--pin", move_order.pin,
                     "SHA-256 of the new server's CA key, hexadecimal; not for a new address alone");
    move->add_option("--token", move_order.token, "enrolment token there (or MUSTER_TOKEN)")
      ->envname("MUSTER_TOKEN");
    move->add_option("--token-file", move_order.token_file, "a file with the token");
  }
};

/// This process becomes a new one of the same program, with the same words.
int begin_again(char** argv) {
  std::fflush(nullptr);
  ::execv("/proc/self/exe", argv);
  std::fprintf(stderr, "muster-agent: cannot start anew: %s\n", std::strerror(errno));
  return exit_failed; // a service manager starts it
}

int run_command(const commands& c, const config::table& table,
                const agent::agent_settings& settings, char** argv) {
  if (c.enrol->parsed())
    return agent::enrol(settings, c.enrolment);
  if (c.raise->parsed())
    return agent::raise_event(settings, c.event);
  if (c.status->parsed())
    return agent::show_status(settings, c.json);
  if (c.sync->parsed())
    return agent::sync_now(settings);
  if (c.move->parsed())
    return agent::move(settings, c.move_order);
  if (c.check_config->parsed()) {
    std::printf("%s", config::effective(table).c_str());
    return exit_fine;
  }
  stop_signals signals;
  logging::start(settings.log_level);
  const auto end = agent::run_agent(settings, signals);
  return end.again ? begin_again(argv) : end.exit_code;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"The agent of a client computer: reports to a Muster server.", "muster-agent"};
  app.set_version_flag("--version", "muster-agent " + std::string{version()});
  app.require_subcommand(0, 1);
  app.fallthrough();
  agent::agent_settings settings;
  config::table table;
  agent::declare(table, settings);
  config::flags flags{app, table, agent::default_config_file};
  const commands c{app};
  if (const auto end = parse_command_line(app, argc, argv))
    return *end;
  if (c.example->parsed()) {
    std::printf("%s", config::example(table, "Settings of muster-agent.").c_str());
    return exit_fine;
  }
  if (c.check->parsed() && net::running_on_boringssl())
    return agent::check(settings, flags.file(), flags.load(), c.json);
  if (!flags.load_or_complain("muster-agent"))
    return exit_usage;
  if (!net::running_on_boringssl()) {
    std::fprintf(stderr, "muster-agent: another TLS library than the one this was built with is in the way\n");
    return exit_failed;
  }
  return run_command(c, table, settings, argv);
}
