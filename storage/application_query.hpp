#pragma once
// The fleet-wide index of applications, both ways: which versions there are and on how many devices,
// and who has one. Bounded; for readers' threads.

#include "storage/keys.hpp"
#include "storage/limits.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace muster::storage {

/// One application in one version.
struct application_count {
  std::string name;
  std::string version;
  std::string architecture;
  std::string manager;
  std::uint64_t devices = 0;
};

struct application_query {
  std::string prefix = {};                       ///< of the name; empty: all
  std::optional<std::string> name = {};          ///< exactly this name; then `prefix` does not count
  std::optional<application_count> after = {};   ///< the last row of the page before
  std::size_t limit = 100;                       ///< at most limits::query_rows_max count
  std::size_t entries_max = limits::application_entries_max;
};

struct application_page {
  std::vector<application_count> applications;
  bool more = false;                             ///< go on behind the last row
};

/// By name, version, architecture, manager, bytewise. A row is always counted to its end: the bound
/// on entries is looked at between two rows. `out` is replaced.
[[nodiscard]] std::error_code count_applications(const store& from, const application_query& query,
                                                 application_page& out);

struct application_owner {
  keys::device_bytes device{};
  std::string device_name;                       ///< empty: the device has no record (any more)
  std::string version;
  std::string architecture;
  std::string manager;
};

struct owner_query {
  std::string name;
  std::optional<std::string> version = {};
  std::optional<application_owner> after = {};   ///< the last row of the page before
  std::size_t limit = 100;                       ///< at most limits::query_rows_max count
};

struct owner_page {
  std::vector<application_owner> owners;
  bool more = false;
};

/// By version, architecture, manager, device. `out` is replaced.
[[nodiscard]] std::error_code find_owners(const store& from, const owner_query& query,
                                          owner_page& out);

} // namespace muster::storage
