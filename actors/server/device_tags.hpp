#pragma once
// A device's tags as one text: sorted, each once, divided by a space (fleet_messages.hpp says what a
// tag is). Pure.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muster::actors {

/// Views into the text.
[[nodiscard]] std::vector<std::string_view> split_tags(std::string_view text);

/// These tags, and `added`, without `removed`.
[[nodiscard]] std::vector<std::string> changed_tags(std::string_view text,
                                                    std::span<const std::string> added,
                                                    std::span<const std::string> removed);
[[nodiscard]] std::string join_tags(std::span<const std::string> tags);

/// Empty, or what is wrong with such a change.
[[nodiscard]] std::string tags_problem(std::span<const std::string> added,
                                       std::span<const std::string> removed);

} // namespace muster::actors
