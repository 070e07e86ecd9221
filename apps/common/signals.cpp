#include "apps/common/signals.hpp"

#include <muster/assert.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

namespace muster {

namespace {

sigset_t ending() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

/// From now on a signal does what it does by default: it ends us.
void let_signals_through() {
  const auto set = ending();
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

} // namespace

stop_signals::stop_signals() {
  const auto set = ending();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  stopped_ = ::eventfd(0, EFD_CLOEXEC);
  MUSTER_ASSERT(signals_ >= 0 && stopped_ >= 0, "descriptors for signals at start");
}

stop_signals::~stop_signals() {
  ::close(signals_);
  ::close(stopped_);
}

int stop_signals::wait() {
  pollfd what[] = {{signals_, POLLIN, 0}, {stopped_, POLLIN, 0}};
  while (::poll(what, 2, -1) < 0)
    MUSTER_ASSERT(errno == EINTR, "poll on two good descriptors");
  int number = 0;
  if ((what[0].revents & POLLIN) != 0) {
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) == sizeof info)
      number = static_cast<int>(info.ssi_signo);
  }
  let_signals_through();
  return number;
}

void stop_signals::stop() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full: then wait() has its reason already.
  static_cast<void>(!::write(stopped_, &one, sizeof one));
}

} // namespace muster
