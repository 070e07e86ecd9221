#pragma once
// A connector: how the agent manages one application, as a file of the device says it.

#include "actors/rules/settings_file.hpp"
#include "actors/rules/settings_value.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

/// A program with its arguments; never a shell's line. The program is an absolute path.
using command_line = std::vector<std::string>;

/// What `/etc/muster/apps.d/NAME.toml` says. Checked as far as it can be without the device: that
/// the file is root's alone, and that programs exist, is for the agent to see.
///
///     name = "sshd"                                  # of the application, in policies
///     title = "OpenSSH server"                       # for people
///     [detect]                                       # any of these that is there
///     packages = ["openssh-server"]
///     files = ["/usr/sbin/sshd"]
///     [settings]
///     file = "/etc/ssh/sshd_config.d/50-muster.conf"
///     format = "lines"                               # json, yaml, ini, lines, template
///     booleans = "yes/no"                            # true/false, yes/no, on/off, 1/0, bare
///     separator = " "                                # ini has "="
///     template = "..."                               # for format = "template"
///     owner = "root"
///     group = "root"
///     mode = "0644"
///     [defaults]                                     # what holds where no policy says anything
///     PermitRootLogin = false
///     [commands]
///     check = ["/usr/sbin/sshd", "-t"]               # exit code 0: the file is good
///     reload = ["/usr/bin/systemctl", "reload", "ssh"]
///     status = ["/usr/sbin/sshd", "-T"]              # prints what the daemon really has
///     status_format = "lines"                        # in which form; any but template
///     timeout = 30                                   # seconds, for each command
struct connector {
  std::string name;
  std::string title;
  std::vector<std::string> packages;
  std::vector<std::string> files;
  std::string file;
  settings_file_style style;
  std::string owner = "root";
  std::string group = "root";
  std::uint32_t mode = 0644;
  settings_document defaults = settings_value::empty_map();
  command_line check;  ///< empty: none
  command_line reload; ///< empty: the daemon notices by itself
  command_line status; ///< empty: its own values are not known
  settings_file_style status_style;
  std::chrono::seconds timeout{30};
};

namespace connector_limits {
inline constexpr std::size_t file_bytes_max = 64 * 1024;
inline constexpr std::size_t problems_max = 20;
inline constexpr std::size_t list_max = 64; ///< packages, files, arguments
inline constexpr std::size_t text_bytes_max = 4096;
inline constexpr std::chrono::seconds timeout_max{600};
} // namespace connector_limits

struct connector_result {
  std::optional<connector> good;
  /// One line each, in the order of the file: "sshd.toml:4: unknown setting 'formt' in [settings]".
  std::vector<std::string> problems;
};

/// `file` is what the text is called in messages. Strict: what is not understood is a mistake.
[[nodiscard]] connector_result read_connector(std::string_view text, std::string_view file);

/// Empty when it can be an application's name: 1 to 64 lower case letters, digits and "-_.+", a
/// letter or digit in front; else a clause.
[[nodiscard]] std::string application_name_problem(std::string_view name);

} // namespace muster::rules
