#pragma once
// Where a list goes on, as a text that clients hand back without understanding it. Pure.
//
// It holds positions, no rights: whoever makes one up gets rows he may see anyway, or a refusal. So
// the check is against mistakes (cut, mixed up, from another question), not against malice.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace muster::actors::api {

inline constexpr std::size_t cursor_bytes_max = 8 * 1024;
inline constexpr std::size_t cursor_fields_max = 8;

/// `question` is what the cursor belongs to: path and query without cursor and limit.
[[nodiscard]] std::string encode_cursor(std::string_view question,
                                        std::span<const std::string> fields);

/// Empty when the text is not one of ours, or belongs to another question.
[[nodiscard]] std::optional<std::vector<std::string>> decode_cursor(std::string_view question,
                                                                    std::string_view text);

} // namespace muster::actors::api
