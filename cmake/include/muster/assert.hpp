// MUSTER_ASSERT ends the process when our own reasoning was wrong.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace muster::detail {

/// Prints where and why, then aborts. Not inline into callers: the failing path should cost them nothing.
[[noreturn, gnu::cold, gnu::noinline]] inline void
assertion_failed(const char* file, int line, const char* condition, const char* why) noexcept {
  std::fprintf(stderr, "%s:%d: assertion '%s' failed: %s\n", file, line, condition, why);
  std::fflush(stderr);
  std::abort();
}

} // namespace muster::detail

/// States what must hold if the program has no bug; `why` is a sentence for whoever reads the crash.
/// On in release builds too. Never for what a peer, a disk or an operator can get wrong: that is an error value.
#define MUSTER_ASSERT(cond, why)                                                                   \
  (static_cast<bool>(cond) ? static_cast<void>(0)                                                  \
                           : ::muster::detail::assertion_failed(__FILE__, __LINE__, #cond, why))
