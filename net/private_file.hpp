#pragma once
// Files that only their owner may read: keys and identities. Every failure is one sentence that
// names the file and, where there is one, the remedy.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace muster::net {

/// Replaces `file` by one with this content and mode 0600, such that after a crash at any moment
/// either the old or the new content is there, whole. `content` is secret: `problem` never has it.
[[nodiscard]] bool write_private_file(const std::filesystem::path& file, std::string_view content,
                                      std::string& problem);

/// The content, at most 64 KB. Empty with an empty `problem` when there is no such file; with a
/// problem when it cannot be read or when anybody but its owner may.
[[nodiscard]] std::optional<std::string> read_private_file(const std::filesystem::path& file,
                                                           std::string& problem);

/// Makes the directory with mode 0700 (and what is missing above it) unless it is there; then it
/// must be ours and closed to others.
[[nodiscard]] bool prepare_private_directory(const std::filesystem::path& directory,
                                             std::string& problem);

/// Makes what happened to the names in `directory` survive a crash.
[[nodiscard]] bool sync_directory(const std::filesystem::path& directory, std::string& problem);

} // namespace muster::net
