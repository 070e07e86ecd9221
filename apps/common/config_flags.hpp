#pragma once
// Settings on the command line: a flag for each, which comes before the file.

#include "apps/common/config_file.hpp"

#include <CLI/CLI.hpp>

#include <deque>
#include <filesystem>
#include <string>
#include <vector>

namespace muster::config {

/// Adds `--config FILE` and one option per setting to `app`. Make it before the command line is
/// parsed, call load() after. `app` and `settings` must outlive it.
///
///     config::table settings;
///     declare(settings, options);                        // the program's own
///     config::flags flags{app, settings, "/etc/muster/server.toml"};
///     if (const auto end = parse_command_line(app, argc, argv))
///       return *end;
///     if (!flags.load_or_complain("muster-server"))
///       return exit_usage;
class flags {
public:
  /// The default file may be missing, one that was named may not.
  flags(CLI::App& app, table& settings, std::filesystem::path default_file);
  flags(const flags&) = delete;
  flags& operator=(const flags&) = delete;

  /// File first, then flags. Every problem is one line; none: all is well.
  [[nodiscard]] std::vector<std::string> load();
  /// The same, with the problems on stderr. False when there were any.
  [[nodiscard]] bool load_or_complain(const std::string& program);
  /// The file that load() reads.
  [[nodiscard]] std::filesystem::path file() const;

private:
  struct flag {
    setting* what;
    CLI::Option* option;
    std::string text;
  };
  table& settings_;
  std::filesystem::path default_file_;
  std::string named_file_;
  CLI::Option* file_option_;
  std::deque<flag> flags_; ///< options keep references into it
};

} // namespace muster::config
