#pragma once
// From the bytes an agent sent for a section to the changes of the store. Pure but for reading the
// store; CAF-free.

#include "actors/messages.hpp"
#include "actors/rules/inventory.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::actors {

/// Bounds on what a section may list, and on each text in it.
inline constexpr std::size_t section_text_bytes_max = 1024;
inline constexpr int applications_max = 20'000;
inline constexpr int run_states_max = 10'000;
inline constexpr int disks_max = 256;
inline constexpr int addresses_max = 1024;
inline constexpr int users_max = 1024;
inline constexpr int settings_states_max = 256;
inline constexpr std::size_t settings_detail_bytes_max = 2 * 1024;

/// What of a section the server looks at itself; the rest it only keeps.
struct section_view {
  std::string host_name, os_id, os_name, os_version; ///< facts
  std::vector<std::string> addresses;                ///< facts
  std::vector<rules::application_key> applications;  ///< applications
  std::vector<std::string> application_names;        ///< the same: sorted, each once
  std::uint32_t failed_services = 0;                 ///< run states
  std::uint32_t settings_not_applied = 0;            ///< settings states
};

/// Reads a section's canonical form, judged against every bound. Empty when it is not one; then
/// `problem` says in a sentence why.
[[nodiscard]] std::optional<section_view>
read_section(std::size_t section, std::string_view content, std::string& problem);

/// A section as a whole, as it came off the wire.
struct section_arrival {
  device_id device;
  std::size_t section = 0; ///< index: wire number - 1
  section_digest digest{}; ///< what the agent says it is
  std::string content;     ///< decompressed
  std::int64_t received_us = 0;
};

struct section_intake {
  std::string problem; ///< not empty: the agent's fault, and nothing is to be stored
  section_view view;
  storage::change_batch changes; ///< the section's record and what follows for the index
};

/// Checks the digest, reads the section, and finds out what its arrival changes. Runs on a reader's
/// thread: bounded by session_limits::section_bytes_max. `out` is replaced.
[[nodiscard]] std::error_code take_in(const storage::store& store, const section_arrival& arrived,
                                      section_intake& out);

} // namespace muster::actors
