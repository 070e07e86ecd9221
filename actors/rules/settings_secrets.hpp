#pragma once
// Settings that nobody may read back: how they are marked, and what becomes of them.
//
// A secret is a map with the one entry `secret`:
//
//     password: {secret: "correct horse"}    as somebody sets it
//     password: {secret: kept}               as it is shown, exported, and applied again unchanged
//
// A device gets what is inside, in place of the map. What has a secret inside travels over no
// connection that others can read.

#include "actors/rules/settings_path.hpp"
#include "actors/rules/settings_value.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::rules {

inline constexpr std::string_view secret_name = "secret";
inline constexpr std::string_view secret_kept = "kept";
inline constexpr std::size_t secret_bytes_max = 64 * 1024;

/// Whether this is a map that marks a secret. What is in it may still be wrong.
[[nodiscard]] bool is_secret(const settings_value& value) noexcept;
[[nodiscard]] bool has_secrets(const settings_value& value) noexcept;

/// Empty, or a clause: what is in a mark must be a text, at most 64 KB, and not empty.
[[nodiscard]] std::string secrets_problem(const settings_value& value);

/// The same with `{secret: kept}` for every secret: for people and files.
[[nodiscard]] settings_value concealed(const settings_value& value);

/// The same with what is inside each mark in its place: for devices.
[[nodiscard]] settings_value revealed(const settings_value& value);

/// The same with each `{secret: kept}` replaced by the secret that `before` has there. Empty, with a
/// clause in `problem` that names the path, where it has none.
[[nodiscard]] std::optional<settings_value>
with_kept(const settings_value& value, const settings_value& before, std::string& problem);

/// The same with the text of each secret passed through `turn`, with its path: to seal for the disk
/// and to open again. Empty when `turn` answers empty for one.
[[nodiscard]] std::optional<settings_value>
turned(const settings_value& value,
       const std::function<std::optional<std::string>(const std::string& text,
                                                      const settings_path& at)>& turn);

} // namespace muster::rules
