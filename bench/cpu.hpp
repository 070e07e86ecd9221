#pragma once
// CPU time of single threads, and threads that stay on one core.

#include <muster/assert.hpp>

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <thread>

namespace muster::bench {

/// The calling thread runs on this core from now on; on a machine with fewer cores on the last one.
inline void stay_on_core(unsigned core) {
  const auto cores = std::thread::hardware_concurrency();
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core < cores ? core : cores - 1, &one);
  const int failed = ::pthread_setaffinity_np(::pthread_self(), sizeof(one), &one);
  MUSTER_ASSERT(failed == 0, "a thread may choose its core");
}

/// The clock that counts the calling thread's CPU time, user and system; any thread may read it.
[[nodiscard]] inline clockid_t cpu_clock_of_this_thread() {
  clockid_t clock{};
  const int failed = ::pthread_getcpuclockid(::pthread_self(), &clock);
  MUSTER_ASSERT(failed == 0, "every thread has a clock");
  return clock;
}

[[nodiscard]] inline double read_us(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

} // namespace muster::bench
