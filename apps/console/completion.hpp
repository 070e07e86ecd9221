#pragma once
// Scripts by which shells complete our commands, made from the commands themselves.

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace muster::console {

/// For "bash", "zsh" or "fish"; empty for any other shell.
[[nodiscard]] std::optional<std::string> completion_script(const CLI::App& program,
                                                           std::string_view shell);

} // namespace muster::console
