#pragma once
// Watches a call until there is nothing more to wait for.

#include "apps/console/console.hpp"
#include "net/wire/admin.pb.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace muster::console {

struct watch_options {
  bool until_done = false; ///< also those who are queued: --wait
  /// Empty: as long as it takes.
  std::optional<std::chrono::milliseconds> timeout;
};

/// Asks the server how far the call is, often at first and then once a second, and shows it as one
/// changing line where somebody sees that. Outlasts a server that is busy, and a lost connection,
/// for a while; a call that the server no longer knows is a failure. Ctrl-C ends the watching, not
/// the call.
class call_watch {
public:
  call_watch(console& c, std::uint64_t call, watch_options options);

  /// The call as it stood at last, without rows. The line is gone afterwards.
  admin::call run();

private:
  [[nodiscard]] admin::call ask();
  [[nodiscard]] bool is_over(const admin::call& call) const;
  void show(const std::string& line);

  console& c_;
  std::string path_;
  watch_options options_;
  moment_us begun_us_;
  int failures_ = 0;
  std::size_t shown_width_ = 0;
};

} // namespace muster::console
