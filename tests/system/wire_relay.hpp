#pragma once
// A wire between an agent and its server that a test may weigh and cut: takes connections on a
// loopback port, passes every byte on, counts them.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace muster::test {

enum class flow : std::uint8_t { up, down }; ///< to the server, to the agent

/// What happens to a connection once enough bytes have passed.
enum class cut_kind : std::uint8_t {
  closed,       ///< both sides are told in an orderly way
  reset,        ///< both sides are told by a reset
  server_blind, ///< the agent's side is reset, the server's side stays open in silence
  agent_blind,  ///< the server's side is reset, the agent's side stays open in silence
};

/// Behind so many records of TLS in this direction, and so many bytes of the next one, nothing
/// passes any more, in any direction.
struct cut {
  cut_kind kind = cut_kind::reset;
  flow direction = flow::up;
  std::size_t records = 0;
  std::size_t bytes = 0;
};

/// One connection that was, or is.
struct traffic {
  std::size_t up = 0;
  std::size_t down = 0;
  std::size_t up_records = 0; ///< of TLS (RFC 8446, 5.1), whole ones
  std::size_t down_records = 0;
  /// Of TCP, both ways, acknowledgements included; known once it has ended.
  std::size_t segments = 0;
  bool ended = false;
  bool was_cut = false;
};

/// Has a thread of its own; may be asked from the test's thread.
class wire_relay {
public:
  /// `from`: as whom it goes on to the server, another address of loopback; that is then all the
  /// server sees of the agent's, as behind address translation.
  explicit wire_relay(std::uint16_t server_port, std::string from = {});
  ~wire_relay();
  wire_relay(const wire_relay&) = delete;
  wire_relay& operator=(const wire_relay&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// The next connection that begins gets this cut; those after it none.
  void cut_next(const cut& where);
  /// All connections since the beginning, in order.
  [[nodiscard]] std::vector<traffic> connections();
  /// Waits until the first connection has ended, cut or not. Empty: not in time.
  [[nodiscard]] std::optional<traffic> first_end(std::chrono::milliseconds time);

private:
  struct connection {
    int agent = -1;
    int server = -1;
    std::optional<cut> ending;
    bool up_open = true, down_open = true;
    std::size_t index = 0; ///< in seen_
    struct reader {
      std::string header;     ///< of the present record, as far as it has come
      std::size_t left = 0;   ///< of its content
      std::size_t passed = 0; ///< bytes of it
    } up_reader, down_reader;
  };

  void work();
  void accept_one();
  /// False when the connection is over.
  bool pass(connection& c, flow direction);
  /// Answers how many of them may pass: fewer when the cut is among them.
  std::size_t count(connection& c, flow direction, const char* bytes, std::size_t size);
  [[nodiscard]] bool is_at_cut(const connection& c, flow direction) const;
  void apply_cut(connection& c);
  void end(connection& c);

  std::uint16_t server_port_;
  std::string from_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<traffic> seen_;
  std::optional<cut> next_cut_;
  std::vector<std::unique_ptr<connection>> live_; ///< the thread's
  std::vector<int> blind_;                        ///< sockets left open in silence
  std::thread thread_;
};

} // namespace muster::test
