#pragma once
// Every bound on what policy_book keeps or does at once, in one place. What a single document may
// be is rules' (settings_limits, policy_limits, moving_limits, task_limits).

#include "net/documents.hpp"

#include <cstddef>

namespace muster::actors::policy_book_limits {

/// Of one order. A megabyte takes a second or two, and whoever asks meanwhile (/metrics) waits.
inline constexpr std::size_t files_max = 1'000;
inline constexpr std::size_t text_bytes_max = 2 * 1024 * 1024;

/// Orders that wait for the one in work; the next one is refused as overloaded.
inline constexpr std::size_t orders_waiting_max = 256;

inline constexpr std::size_t policies_max = 100'000;
inline constexpr std::size_t tasks_max = 2'000;
/// Canonical bytes of all policies, rules and tasks together: they are in memory, and are copied
/// for a plan that prunes.
inline constexpr std::size_t spec_bytes_max = 128 * 1024 * 1024;

/// Applications that a device may have own settings of, and their canonical bytes together. Counted
/// in memory for devices that have any: their bytes and some 300 for each application.
inline constexpr std::size_t own_applications_max = 64;
inline constexpr std::size_t own_bytes_max = 256 * 1024;
/// The same of all devices together.
inline constexpr std::size_t all_own_bytes_max = 256 * 1024 * 1024;

/// Applications with a policy on the way from the root to a group: with a device's own ones they
/// must fit into one manifest.
inline constexpr std::size_t applications_max =
  net::document_limits::entries_max - own_applications_max;

/// An audit entry names so many changed settings.
inline constexpr std::size_t audit_paths_max = 20;

} // namespace muster::actors::policy_book_limits
