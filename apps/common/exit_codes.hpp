#pragma once
// With which code a program of ours ends. Scripts rely on them: documented in docs/console.md.

namespace muster {

enum exit_code : int {
  exit_fine = 0,
  exit_failed = 1,       ///< tried, and it did not work
  exit_usage = 2,        ///< command line or configuration is wrong; nothing was tried
  exit_unreachable = 3,  ///< the other side cannot be reached, or is not who it should be
  exit_not_found = 4,    ///< no such device, application, token ...
  exit_refused = 5,      ///< not logged in, or not allowed
  exit_declined = 6,     ///< the person asked said no
  exit_pending = 7,      ///< begun, and not done with every device yet
  exit_interrupted = 130 ///< Ctrl-C, as shells count it
};

} // namespace muster
