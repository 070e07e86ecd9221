#pragma once
// Finds the devices of a target: pages of all shards, made one list by name. Pure.

#include "actors/messages.hpp"
#include "actors/server/call_ledger.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace muster::actors {

/// Holds at most one page of each shard. Every page is asked for once the one before is used up, so
/// a directory is never asked for more than it is listened to.
class call_selection {
public:
  /// `target` is a good one (rules/device_filter.hpp).
  call_selection(std::string target, std::size_t shards);

  struct question {
    std::size_t shard = 0;
    device_query_ptr query;
  };
  /// What has to be asked now; each is told once. Its answer goes to take().
  [[nodiscard]] std::vector<question> questions();
  /// Adds to `into` what is certain to be next in the order of names.
  void take(std::size_t shard, device_page_ptr page, call_ledger& into);
  /// All are in the ledger.
  [[nodiscard]] bool over() const;

private:
  struct source {
    device_page_ptr page; ///< null: not there yet
    std::size_t used = 0; ///< rows of it
    bool asked = false;
    bool is_last = false;
    [[nodiscard]] bool has_row() const { return page && used < page->rows.size(); }
    [[nodiscard]] bool wants() const { return !has_row() && !is_last; }
  };
  [[nodiscard]] source* next_source();

  std::string target_;
  std::vector<source> sources_;
};

} // namespace muster::actors
