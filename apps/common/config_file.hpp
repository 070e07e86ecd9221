#pragma once
// Reads a TOML file into a table of settings, strictly: what is not understood is an error that
// says where it stands.

#include "apps/common/settings_table.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace muster::config {

inline constexpr std::size_t file_bytes_max = 1024 * 1024;
/// More than so many problems help nobody.
inline constexpr std::size_t problems_max = 20;

/// Reads `text`; `file` is what it is called in messages. Each problem is one line, in the order of
/// the file: "server.toml:3: unknown setting 'agents.prot' (did you mean 'agents.port'?)". Settings
/// that are fine are assigned even if others are not.
[[nodiscard]] std::vector<std::string> read_text(std::string_view text, const std::string& file,
                                                 table& settings);

/// The same from a file. A missing one is a problem unless `may_be_missing`.
[[nodiscard]] std::vector<std::string> read_file(const std::filesystem::path& file,
                                                 bool may_be_missing, table& settings);

/// What a flag or variable called `source` says. Empty, or one line.
[[nodiscard]] std::string assign_text(setting& s, const std::string& text,
                                      const std::string& source);

} // namespace muster::config
