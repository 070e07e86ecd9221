#pragma once
// Looks at this machine: facts in canonical form, and its moving figures. Reads files and asks the
// kernel, never blocks on anything but the disk, changes nothing.

#include "actors/messages.hpp"

#include <chrono>
#include <filesystem>
#include <string>

namespace muster::wire {
class device_facts;
}

namespace muster::actors::probe {

struct facts_options {
  std::filesystem::path root = "/"; ///< of the files looked at; another one in tests
  std::string name;                 ///< shown instead of the host name; empty: the host's
};

/// What the machine is. Whatever cannot be found stays empty.
[[nodiscard]] wire::device_facts read_facts(const facts_options& options);

/// What moves.
[[nodiscard]] device_statistics read_statistics(const std::filesystem::path& root);

/// Space on one local disk that can be written to.
struct disk_space {
  std::string mount;
  std::uint64_t size_bytes = 0;
  std::uint64_t free_bytes = 0; ///< for others than root
  std::uint32_t used_percent = 0;
};
[[nodiscard]] std::vector<disk_space> read_disks(const std::filesystem::path& root);

/// How long the machine has slept since its boot: what CLOCK_BOOTTIME counts and CLOCK_MONOTONIC
/// does not.
[[nodiscard]] std::chrono::milliseconds time_slept();

/// Drawn by the kernel at each boot; zero when it cannot be read.
[[nodiscard]] boot_id read_boot_id(const std::filesystem::path& root);

/// SHA-256 of the machine id under our label, cut to 16 bytes, so that the id itself (a secret of
/// the machine) is not what identifies it. Several agents of one machine have the same. Without a
/// machine id: of the host name.
[[nodiscard]] machine_fingerprint read_fingerprint(const std::filesystem::path& root);

} // namespace muster::actors::probe
