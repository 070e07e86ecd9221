#pragma once
// How a device goes to another server, or follows its own to another address: what
// `muster-agent move` does. Blocking, no actors.

#include "actors/agent/enrolment.hpp"

#include <filesystem>
#include <string>

namespace muster::actors {

struct move_options {
  /// Where to, and what proves that we may. Pin and token are not needed where the server is the one
  /// this device belongs to; trust on first use is not for moves. Needs a clock.
  enrolment_options target;
  /// As the settings name the server; empty: they do not. Void from now on, unless it is the new one.
  std::string server_setting;
};

struct move_outcome {
  bool ok = false;
  bool same_device = false; ///< when ok: the same server at another address
  std::string sentence;     ///< what has happened; on failure why, and that nothing has changed
};

/// What a device would lose by a failure stays where it is until the last step, which is one rename:
/// the new enrolment is made in a directory beside the identity's, with a key of its own. A retry
/// after any failure, a kill included, goes on there. Events that wait in the spool are not touched:
/// whichever server the device says hello to next gets them.
[[nodiscard]] move_outcome move_device(const move_options& options);

/// Where the new enrolment is made.
[[nodiscard]] std::filesystem::path side_directory(const std::filesystem::path& identity_directory);

} // namespace muster::actors
