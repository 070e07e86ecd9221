#pragma once
// How a program is asked to end: SIGTERM or Ctrl-C, or one of its own threads.

namespace muster {

/// Make it first thing in main(), before any thread: SIGTERM and SIGINT are held back in all
/// threads until wait() takes them; SIGHUP and SIGPIPE are ignored. Programs started by this one
/// inherit that: let them be started before, or reset it there.
class stop_signals {
public:
  stop_signals();
  ~stop_signals();
  stop_signals(const stop_signals&) = delete;
  stop_signals& operator=(const stop_signals&) = delete;

  /// Blocks until a signal comes (its number) or somebody called stop() (0). Afterwards a second
  /// signal ends the process at once, whatever it is doing.
  int wait();

  /// Ends wait(). From any thread, any number of times.
  void stop();

private:
  int signals_;
  int stopped_;
};

} // namespace muster
