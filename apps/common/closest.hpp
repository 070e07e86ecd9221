#pragma once
// "Did you mean": the nearest of the words there are.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster {

/// Insertions, removals, replacements and swaps of neighbours that turn one into the other. Words
/// longer than 128 bytes are cut.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `word` was most likely meant to be; empty when none is near.
[[nodiscard]] std::optional<std::string> closest(std::string_view word,
                                                 const std::vector<std::string>& candidates);

/// " (did you mean 'agents.port'?)", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& candidates);

} // namespace muster
