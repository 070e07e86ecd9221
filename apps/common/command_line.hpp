#pragma once
// Command lines: one clear line when they are wrong, and the word that was probably meant.

#include <CLI/CLI.hpp>

#include <functional>
#include <optional>
#include <string>

namespace muster {

/// Parses. Empty: go on. Otherwise the program ends with this code: help or version were asked for
/// and printed, or the line was wrong and one line on stderr says how.
[[nodiscard]] std::optional<int> parse_command_line(CLI::App& app, int argc,
                                                    const char* const* argv);

/// Help or version, when that is what `end` means. Returns the exit code.
int print_asked(const CLI::App& app, const CLI::ParseError& end,
                const std::function<void(const std::string&)>& print);

/// The one line for a command line that could not be parsed.
[[nodiscard]] std::string usage_problem(const CLI::App& app, const CLI::ParseError& why);

} // namespace muster
