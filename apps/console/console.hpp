#pragma once
// One run of the program: what commands share, and the outside world as they see it.

#include "apps/console/answers.hpp"
#include "apps/console/api.hpp"
#include "apps/console/failure.hpp"
#include "apps/console/moments.hpp"
#include "apps/console/terminal.hpp"
#include "apps/console/views.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace muster::console {

/// Everything a command touches outside itself; tests bring their own.
struct surroundings {
  terminal& person;
  connector connect;
  std::function<moment_us()> now;
  std::filesystem::path directory; ///< of the log-in; empty: there is no home
  std::function<std::optional<std::string>(const char* name)> environment;
};

/// Runs one command line, without the program's name. Returns the exit code.
[[nodiscard]] int run(surroundings& world, const std::vector<std::string>& words);

/// What the commands of one run share.
class console {
public:
  explicit console(surroundings& world) : world_(world) {}

  /// The command that the words named; the first call in one run holds, so that `device rm` comes
  /// before `device`.
  void choose(std::function<int()> command) {
    if (!chosen_)
      chosen_ = std::move(command);
  }
  [[nodiscard]] int run_chosen() { return chosen_ ? chosen_() : exit_usage; }

  /// The server we are logged in to; throws failure when we are not.
  api& server();
  [[nodiscard]] surroundings& world() noexcept { return world_; }
  [[nodiscard]] view look() const;
  void out(const std::string& text) { world_.person.out(text); }
  /// Beside the result: hints, questions, progress.
  void note(const std::string& text) { world_.person.err(text); }
  /// A document as it is, with a line end.
  void out_json(std::string document);
  /// Throws failure unless the person says yes; `yes` (the flag --yes) answers for them.
  void confirm(const std::string& question, bool yes);

  bool json = false; ///< --json
  bool utc = false;  ///< --utc

private:
  surroundings& world_;
  std::function<int()> chosen_;
  std::unique_ptr<api> server_;
};

/// --limit and --all.
void add_extent(CLI::App& command, extent& wanted);

/// The one device that a name, a glob that fits one, an id or the beginning of an id means; throws
/// failure when there is none or several.
[[nodiscard]] std::string device_id_of(api& server, const std::string& name);

// One function per group of commands; each declares them on `app`.
void add_login_commands(CLI::App& app, console& c);
void add_device_commands(CLI::App& app, console& c);
void add_call_commands(CLI::App& app, console& c);
void add_application_commands(CLI::App& app, console& c);
void add_event_commands(CLI::App& app, console& c);
void add_token_commands(CLI::App& app, console& c);
void add_group_commands(CLI::App& app, console& c);
void add_assignment_commands(CLI::App& app, console& c);
void add_policy_commands(CLI::App& app, console& c);
void add_history_commands(CLI::App& policy, console& c); ///< below `policy`
void add_settings_commands(CLI::App& app, console& c);
void add_file_commands(CLI::App& app, console& c);
void add_server_commands(CLI::App& app, console& c);
void add_completion_command(CLI::App& app, console& c);

/// The whole program's command line.
void declare(CLI::App& app, console& c);

} // namespace muster::console
