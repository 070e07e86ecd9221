#pragma once
// What a server needs that has never run: an administrator and a token for the first agents. Both
// secrets go into files that only the server's user may read.

#include "storage/store.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace muster::server {

/// In the data directory. The password's file goes with the first change of the password.
inline constexpr const char* first_password_file = "first-password";
inline constexpr const char* first_token_file = "first-token";

/// Does nothing when the store has a user. A crash in between is mended by the next start, which
/// begins anew: the user comes last, and the password's file before the user. False with a
/// sentence in `problem` when the store or a file cannot be written.
[[nodiscard]] bool prepare_first_start(storage::store& db, const std::filesystem::path& directory,
                                       std::int64_t now_us, std::string& problem);

} // namespace muster::server
