#pragma once
// Passwords and passphrases from the person at the terminal, or from a script's standard input.

#include <optional>
#include <string>

namespace muster {

/// Asks on the controlling terminal without showing what is typed; twice when `twice`, until both
/// are the same (three attempts). Without a terminal on standard input its first line is taken
/// instead. Empty with a sentence in `problem` when nothing came. At most 1024 bytes.
[[nodiscard]] std::optional<std::string> ask_secret(const std::string& what, bool twice,
                                                    std::string& problem);

} // namespace muster
