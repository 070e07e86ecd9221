#pragma once
// What dpkg says is installed.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace muster::wire {
class applications;
}

namespace muster::actors::probe {

inline constexpr std::size_t packages_max = 20'000;
inline constexpr std::size_t dpkg_status_bytes_max = 64 * 1024 * 1024;

/// One installed package.
struct package {
  std::string name;
  std::string version;
  std::string architecture;
  std::string maintainer;
  std::string source; ///< the package's own name when it is its own source
  std::uint64_t size_bytes = 0;
  bool multi_arch_same = false; ///< its files in info/ carry the architecture in their names
};

/// Reads /var/lib/dpkg/status. Only what is completely installed counts; a paragraph without name
/// or version is left out, and so is one that the end of the text cuts before its blank line has
/// come: `complete` is false then, and the list must not be compared with an older one. At most
/// packages_max. Pure.
struct package_list {
  std::vector<package> packages; ///< in the order of the file
  bool complete = true;
};
[[nodiscard]] package_list parse_dpkg_status(std::string_view text);

/// The same with the file read and the install times found (modification time of info/NAME.list).
/// `root` is "/" but in tests. Sorted as the canonical form asks. False when dpkg is not there or
/// its file could not be read to its end; `out` is empty then.
[[nodiscard]] bool read_applications(const std::filesystem::path& root, wire::applications& out);

} // namespace muster::actors::probe
