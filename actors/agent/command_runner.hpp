#pragma once
// Runs a connector's commands beside the actors: with a time limit, a bound on what they print, and
// none left behind.

#include "actors/rules/connector.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace muster::actors {

struct command_order {
  rules::command_line command;
  std::chrono::milliseconds time_max{0};
  std::size_t output_max = 0; ///< of what it prints; the rest is read and thrown away
};

struct command_result {
  std::string problem;    ///< not empty: it could not be started, or took too long
  int exit_code = -1;     ///< 128 + the signal's number when one ended it
  std::string output;     ///< of both its outputs, in order
  bool cut = false;       ///< it had more to say than output_max
  [[nodiscard]] bool good() const noexcept { return problem.empty() && exit_code == 0; }
};

/// One thread, which begins with the first order and waits for one child at a time. A child has a
/// process group of its own, /dev/null to read, an environment of PATH and LC_ALL, and its folder is
/// "/". At its time limit the whole group is killed. No shell anywhere.
///
/// Why not in the actor that wants it: a reload may take half a minute, and that one has to answer a
/// sync meanwhile. Why posix_spawn: between fork and exec a process with threads may do next to
/// nothing, and this says so.
class command_runner {
public:
  command_runner();
  /// Kills what runs, with its group, and waits for it. Whoever waits for an answer gets none.
  ~command_runner();
  command_runner(const command_runner&) = delete;
  command_runner& operator=(const command_runner&) = delete;

  /// `done` is called from the runner's thread, once, in the order of the orders. Any thread.
  void run(command_order order, std::function<void(command_result)> done);

private:
  class worker;
  std::unique_ptr<worker> worker_;
};

} // namespace muster::actors
