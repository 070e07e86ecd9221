#pragma once
// A connection that a simulation holds in its hand: nothing arrives unless it lets it.

#include "net/link.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace muster::simulation {

enum class side : std::size_t { agent, server };

[[nodiscard]] constexpr side other(side of) noexcept {
  return of == side::agent ? side::server : side::agent;
}

/// Two ends, a queue each way, credit as net::link has it. A handle that goes closes its end, as
/// that of a tcp_link does. Use by one thread.
class cable : public std::enable_shared_from_this<cable> {
public:
  /// Sees every message that an end could send, when it is sent.
  using tap = std::function<void(cable& on, side from, const std::string& message)>;

  [[nodiscard]] static std::shared_ptr<cable> make(std::size_t agent, std::string name, tap see);
  /// Once for each end.
  [[nodiscard]] net::link_ptr end(side which);

  // -- the simulation decides
  // -----------------------------------------------------------------------
  /// Whether something can arrive at this end: a message, or the end of the connection.
  [[nodiscard]] bool ready(side to) const;
  void step(side to);
  /// The connection breaks; both ends are told, what was on its way is lost.
  void cut();
  /// The cable is pulled: nothing arrives any more, and nobody is told for a long time.
  void pull();
  /// This end is told that the connection is gone, the other is not.
  void forget(side which);
  /// Time has passed.
  void pass(std::chrono::milliseconds time);

  [[nodiscard]] bool over() const;
  [[nodiscard]] std::string status() const;
  [[nodiscard]] bool open(side which) const;
  [[nodiscard]] bool pulled() const noexcept { return pulled_; }
  [[nodiscard]] std::size_t agent() const noexcept { return agent_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  bool welcome = false; ///< the server has let the agent in; set by the simulation

private:
  class handle;
  struct ending {
    std::unique_ptr<net::link_sink> sink;
    std::deque<std::string> sent; ///< on the way to the other end
    std::size_t sent_bytes = 0;
    std::size_t credit = 0;
    bool trusts = false;
    bool closed = false; ///< asked to close, or told of the end
    bool told = false;
  };

  ending& at(side which) { return ends_[static_cast<std::size_t>(which)]; }
  [[nodiscard]] const ending& at(side which) const {
    return ends_[static_cast<std::size_t>(which)];
  }
  bool send(side from, std::string message);
  void tell(side which);
  void finish();

  std::array<ending, 2> ends_;
  tap see_;
  std::string name_;
  std::size_t agent_ = 0;
  bool pulled_ = false;
  std::chrono::milliseconds closing_for_{0};
  std::chrono::milliseconds pulled_for_{0};
};

} // namespace muster::simulation
