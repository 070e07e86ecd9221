#pragma once
// What settings_keeper does to the machine, so that tests can give it another one.

#include "actors/agent/command_runner.hpp"
#include "actors/agent/connector_folder.hpp"
#include "actors/agent/settings_plan.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace muster::actors {

/// Called by the keeper only, one at a time. All but `run` wait for the disk and nothing else.
struct settings_hands {
  /// Looks at the connector files. True: they say something else than before.
  std::function<bool(found_connectors& out)> connectors;
  /// Whether any of these packages is installed.
  std::function<bool(const std::vector<std::string>& packages)> installed;
  std::function<bool(const std::string& file)> exists;
  /// What would change if somebody wrote this file.
  std::function<std::string(const std::string& file)> mark;
  std::function<file_look(const rules::connector& how)> look;
  /// Empty, or what failed.
  std::function<std::string(const rules::connector& how, const std::string& content)> write;
  std::function<std::string(const rules::connector& how)> remove;
  /// `done` is called once, from any thread, or never when the hands are gone.
  std::function<void(command_order order, std::function<void(command_result)> done)> run;
};

/// This machine's. `root` is where its packages are looked up: "/" but in tests.
[[nodiscard]] settings_hands hands_on_this_machine(std::filesystem::path connectors,
                                                   std::filesystem::path root = "/");

} // namespace muster::actors
