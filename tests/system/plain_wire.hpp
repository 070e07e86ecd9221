#pragma once
// The plain port from both sides of the law: an agent that is only its protocol, and somebody who
// sits between it and the server.

#include "net/accept_gate.hpp"
#include "net/plain_engine.hpp"
#include "tests/system/wire_client.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace muster::test {

/// One connection over the plain protocol, blocking. Does nothing of its own accord: the connection
/// ends when the test says so, or abruptly with this object.
class plain_talk {
public:
  plain_talk(const wire_identity& who, std::uint16_t port);

  /// False: why() says what went wrong.
  [[nodiscard]] bool handshake(std::chrono::milliseconds time);
  void say(const wire::agent_message& message);
  /// The next message; empty when none came in time or the connection has failed.
  [[nodiscard]] std::optional<wire::server_message> hear(std::chrono::milliseconds time);
  /// Says the end and waits for the server's. True: all that either side said has arrived.
  [[nodiscard]] bool finish(std::chrono::milliseconds time);
  [[nodiscard]] std::string why() const { return ec_ ? ec_.message() : std::string{}; }

private:
  void write();
  /// False: nothing more comes, or not in time.
  bool read(std::chrono::steady_clock::time_point until);

  net::plain_engine engine_;
  net::owned_descriptor fd_;
  std::string heard_;
  std::string out_;
  std::error_code ec_;
};

/// What somebody does to one frame.
enum class deed : std::uint8_t { nothing, flip, drop, repeat, swap, cut };
[[nodiscard]] std::string_view name_of(deed what);

struct script {
  bool up = true;        ///< from the agent to the server
  std::size_t frame = 0; ///< of that direction, from 0
  deed what = deed::nothing;
};

/// Passes connections on to the server, frame by frame, one after the other, and does its deed to
/// each. On a thread of its own, until both ends of the last one have closed or this object ends.
class middle {
public:
  middle(std::uint16_t server_port, script what) : middle(server_port, std::vector{what}) {}
  middle(std::uint16_t server_port, std::vector<script> each);
  ~middle();
  middle(const middle&) = delete;
  middle& operator=(const middle&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// How many connections are over, and in how many of them the deed was done.
  [[nodiscard]] std::size_t over() const { return over_; }
  [[nodiscard]] std::size_t deeds() const { return deeds_; }
  /// Waits until all connections are over; afterwards the rest may be asked, about the last one.
  void join();
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] std::size_t frames(bool up) const { return up ? up_.frames : down_.frames; }
  /// Every frame as it came, in this order, with its length; true: from the agent.
  [[nodiscard]] const std::vector<std::pair<bool, std::string>>& passed() const { return passed_; }
  /// All that the agent sent.
  [[nodiscard]] const std::string& recorded() const { return up_.recorded; }

private:
  struct direction {
    bool up;
    std::string partial;
    std::string held; ///< a frame that lets the next one pass
    std::string recorded;
    std::size_t frames = 0;
    bool over = false;
  };
  void run();
  void serve();
  void pump(direction& which, int from, int to);
  /// What goes on instead of this frame. False: the wire is cut behind it.
  bool pass(direction& which, std::string frame, std::string& out);

  const std::vector<script> scripts_;
  script script_; ///< of the present connection
  net::owned_descriptor listening_;
  std::uint16_t port_ = 0;
  std::uint16_t server_port_;
  direction up_{true, {}, {}, {}, 0, false};
  direction down_{false, {}, {}, {}, 0, false};
  std::vector<std::pair<bool, std::string>> passed_;
  bool done_ = false;
  bool cut_ = false;
  std::atomic<std::size_t> over_{0};
  std::atomic<std::size_t> deeds_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// Sends these bytes to a port of loopback and answers what came back until the other end closed,
/// or time was up.
[[nodiscard]] std::string answer_to(std::string_view bytes, std::uint16_t port,
                                    std::chrono::milliseconds time);

} // namespace muster::test
