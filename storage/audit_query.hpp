#pragma once
// What was done, newest first. Bounded; for readers' threads.

#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

namespace muster::storage {

struct audit_query {
  std::int64_t since_us = 0;                   ///< then or later
  std::int64_t until_us = INT64_MAX;           ///< before that
  std::optional<keys::audit_key> after = {};   ///< only what is older than this
  std::size_t limit = 100;                     ///< at most limits::query_rows_max count
};

struct audit_page {
  std::vector<record::audit> entries;
  std::optional<keys::audit_key> next;         ///< where to go on; empty: there is nothing older
};

/// `out` is replaced.
[[nodiscard]] std::error_code find_audits(const store& from, const audit_query& query,
                                          audit_page& out);

} // namespace muster::storage
