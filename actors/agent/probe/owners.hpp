#pragma once
// Which package a file belongs to.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace muster::actors::probe {

inline constexpr std::size_t owned_paths_max = 4096;                 ///< remembered
inline constexpr std::size_t file_list_bytes_max = 32 * 1024 * 1024; ///< of one package

/// Finds owners in dpkg's lists of files and remembers them until dpkg changes something. Not
/// thread-safe. Bounded by owned_paths_max: when that many are remembered, all are forgotten before
/// the next look; paths of one look above it have no owner.
class package_owners {
public:
  explicit package_owners(std::filesystem::path root) : root_(std::move(root)) {}

  /// All lists are read once for all paths that are new; paths asked before cost nothing.
  void learn(const std::vector<std::string>& paths);
  /// The package's name; empty when nobody owns the path, or learn() was not told of it.
  [[nodiscard]] std::string_view owner_of(const std::string& path) const;

private:
  void forget_if_changed();
  void read_list(const std::filesystem::path& file,
                 const std::unordered_map<std::string, std::string>& wanted);

  std::filesystem::path root_;
  std::int64_t seen_ns_ = -1; ///< when dpkg changed last, as of the last look
  std::unordered_map<std::string, std::string> known_;
};

/// The paths under which a list may name this file: /usr/bin/x is /bin/x in lists made before the
/// two became one. Pure.
[[nodiscard]] std::vector<std::string> listed_names(std::string_view path);

} // namespace muster::actors::probe
