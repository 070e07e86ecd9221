#pragma once
// Says when this machine is about to go: shutdown, restart, suspend; and holds it back for the
// moment that a last word takes.

#include "actors/messages.hpp"
#include "net/io_pool.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace muster::actors::probe {

struct logind_watch_options {
  std::string bus_address;                             ///< empty: the system bus
  std::chrono::milliseconds again{std::chrono::minutes{1}}; ///< after a bus that is not there
};

/// Holds a delay inhibitor of logind: the machine waits (some seconds at most, as logind is
/// configured) until every `going` has been answered. Where there is no system bus or no logind
/// nobody is told anything. Comes back when bus or logind do. Lives on one io lane: the callbacks
/// are called there and must not block. The lane's pool may be joined before or after the watch is
/// dropped.
class logind_watch {
public:
  struct callbacks {
    /// The machine goes. `done` lets it go; to be called from any thread, or never.
    std::function<void(off_reason why, std::function<void()> done)> going;
    /// It is back, or stays after all.
    std::function<void()> staying;
  };

  logind_watch(net::io_lane& lane, logind_watch_options options, callbacks tell);
  /// Lets the machine go. Nothing is told after this, save by a callback that is running right now.
  /// Any thread.
  ~logind_watch();
  logind_watch(const logind_watch&) = delete;
  logind_watch& operator=(const logind_watch&) = delete;

private:
  class watcher;
  std::shared_ptr<net::io_lane> lane_; ///< outlives the watcher's sockets
  std::shared_ptr<watcher> watcher_;
};

/// What logind calls a kind of shutdown ("power-off", "reboot", "kexec" ...).
[[nodiscard]] off_reason reason_of_shutdown(std::string_view type);

} // namespace muster::actors::probe
