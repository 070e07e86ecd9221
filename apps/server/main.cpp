// muster-server: one process, RocksDB embedded.

#include "apps/common/command_line.hpp"
#include "apps/common/config_flags.hpp"
#include "apps/common/exit_codes.hpp"
#include "apps/common/logging.hpp"
#include "apps/common/signals.hpp"
#include "apps/server/commands.hpp"
#include "apps/server/run_server.hpp"
#include "net/tls_context.hpp"

#include <muster/version.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

namespace {

using namespace muster;

/// Every subcommand with its own options.
struct commands {
  std::string user;
  std::filesystem::path archive;
  bool json = false;
  bool force = false;
  CLI::App* run;
  CLI::App* pin;
  CLI::App* passwd;
  CLI::App* identity;
  CLI::App* export_;
  CLI::App* import;
  CLI::App* rotate;
  CLI::App* check;
  CLI::App* check_config;
  CLI::App* example;

  explicit commands(CLI::App& app)
    : run(app.add_subcommand("run", "be the server (the same as no command)")),
      pin(app.add_subcommand("pin", "print the SHA-256 of the CA key, which agents and consoles pin")),
      passwd(app.add_subcommand("passwd", "set a lost password; root, on the server's machine")),
      identity(app.add_subcommand("identity", "move the server's keys to another machine")),
      export_(identity->add_subcommand("export", "seal the identity into a file under a passphrase")),
      import(identity->add_subcommand("import", "take an identity from such a file")),
      rotate(app.add_subcommand("rotate-datagram-keys", "other keys for wakes and notices; root")),
      check(app.add_subcommand("check", "look at everything a server needs, and at the one that runs")),
      check_config(app.add_subcommand("check-config", "say whether the settings are understood")),
      example(app.add_subcommand("example-config", "print a settings file with every default")) {
    rotate->add_flag("--force", force, "although the last rotation is less than 7 days old");
    check->add_flag("--json", json, "for programs");
    passwd->add_option("user", user, "whose")->required();
    identity->require_subcommand(1);
    identity->fallthrough();
    for (auto* one : {export_, import}) {
      one->add_option("file", archive, "the sealed file")->required();
      one->fallthrough();
    }
  }
};

int run_command(const commands& c, const config::table& table,
                const server::server_settings& settings) {
  if (c.pin->parsed())
    return server::print_pin(settings);
  if (c.passwd->parsed())
    return server::change_password(settings, c.user);
  if (c.export_->parsed())
    return server::export_identity(settings, c.archive);
  if (c.import->parsed())
    return server::import_identity(settings, c.archive);
  if (c.rotate->parsed())
    return server::rotate_datagram_keys(settings, c.force);
  if (c.check->parsed())
    return server::check(settings, c.json);
  if (c.check_config->parsed()) {
    std::printf("%s", config::effective(table).c_str());
    return exit_fine;
  }
  stop_signals signals;
  logging::start(settings.log_level);
  return server::run_server(settings, signals);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"The Muster server: knows every device of a fleet.", "muster-server"};
  app.set_version_flag("--version", "muster-server " + std::string{version()});
  app.require_subcommand(0, 1);
  app.fallthrough();
  server::server_settings settings;
  config::table table;
  server::declare(table, settings);
  config::flags flags{app, table, server::default_config_file};
  const commands c{app};
  if (const auto end = parse_command_line(app, argc, argv))
    return *end;
  if (c.example->parsed()) {
    std::printf("%s", config::example(table, "Settings of muster-server.").c_str());
    return exit_fine;
  }
  if (!flags.load_or_complain("muster-server"))
    return exit_usage;
  if (!net::running_on_boringssl()) {
    std::fprintf(stderr, "muster-server: another TLS library than the one this was built with is in the way\n");
    return exit_failed;
  }
  return run_command(c, table, settings);
}
