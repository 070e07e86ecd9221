#pragma once
// The command line of muster-load.

#include "apps/load/identities.hpp"
#include "apps/load/requirement.hpp"
#include "apps/load/scenarios.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace muster::load {

struct load_options {
  std::string scenario;
  std::function<std::unique_ptr<load::scenario>(stage&, const scenario_options&, result&)> make;
  scenario_options settings;
  std::string server = "127.0.0.1:13000";
  std::string pin, token;
  std::string identities;        ///< file; empty: nobody is remembered
  std::string report;            ///< file; empty: no page
  std::string require;
  std::string duration = "60s";
  std::string period = "60s";
  std::uint16_t notices_port = 13000;
  std::vector<requirement> requirements;
  bool watch_server = true;
  int server_pid = 0;            ///< 0: the one muster-server of this machine
  bool verify = false;
};

/// A subcommand for each scenario.
void declare(CLI::App& app, load_options& into);

/// Understands what was said. False with a sentence that names the option. `known` must outlive the
/// run.
[[nodiscard]] bool complete(load_options& options, identity_file& known, std::string& problem);

} // namespace muster::load
