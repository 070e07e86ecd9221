#pragma once
// An agent that is only its protocol: says exactly what a test wants it to say, and tells what it
// was answered. Blocking; the sockets live on an io pool of its own.

#include "net/certificate.hpp"
#include "net/io_pool.hpp"
#include "net/link.hpp"
#include "net/tls_context.hpp"
#include "net/wire/agent.pb.h"
#include "tests/system/process.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>

namespace muster::test {

/// What an enrolled device has, beside its luck.
struct wire_identity {
  net::key_pair key = net::key_pair::generate();
  std::optional<net::certificate> leaf; ///< empty: not enrolled
  std::string device_id;                ///< 16 bytes
  net::id_bytes server_id{};
  net::sha256_digest pin{};
  std::string boot = std::string(16, 'b');        ///< 16 bytes
  std::string fingerprint = std::string(16, 'f'); ///< 16 bytes
  std::uint64_t counter = 0;                      ///< of hellos
};

/// One connection after the other. One thread.
class wire_client {
public:
  wire_client() = default;
  ~wire_client();
  wire_client(const wire_client&) = delete;
  wire_client& operator=(const wire_client&) = delete;

  /// Connects to loopback and handshakes as this device (or as a stranger, when it has no
  /// certificate). Offers the newest ticket when `resume`. Empty, or why it failed.
  [[nodiscard]] std::string connect(const wire_identity& who, std::uint16_t port,
                                    bool resume = false);
  /// As the last handshake told.
  [[nodiscard]] const net::peer_info& peer() const { return peer_; }

  /// False when the connection has ended.
  bool say(const wire::agent_message& message) { return say_bytes(message.SerializeAsString()); }
  bool say_bytes(std::string message);
  /// The next message. Empty: nothing came in time, or the connection has ended and everything was
  /// taken. Pings are answered on the way.
  [[nodiscard]] std::optional<wire::server_message>
  hear(std::chrono::milliseconds time = patience);
  /// The same; pings are answered by the test.
  [[nodiscard]] std::optional<wire::server_message>
  hear_any(std::chrono::milliseconds time = patience);
  /// Waits for the end of the connection. False: it still stands.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds time = patience);
  /// Why it ended, in words; empty: in an orderly way, or not yet.
  [[nodiscard]] std::string why_ended() const;
  void hang_up();

private:
  struct mailbox {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::string> messages;
    bool ended = false;
    std::error_code why;
  };
  class sink;

  net::io_pool pool_{1};
  std::shared_ptr<mailbox> inbox_;
  net::link_ptr link_;
  net::peer_info peer_;
  net::tls_session_ptr ticket_;
  std::shared_ptr<std::mutex> ticket_mutex_ = std::make_shared<std::mutex>();
};

/// Messages of the kind every test sends.
[[nodiscard]] wire::agent_message make_enrol_request(const wire_identity& who,
                                                     const net::peer_info& peer,
                                                     const std::string& token,
                                                     const std::string& host_name);
/// Counts the counter up. No digests: nothing to sync.
[[nodiscard]] wire::agent_message make_hello(wire_identity& who);

/// Enrols over a connection of its own; the identity is then complete. Empty, or why it failed.
[[nodiscard]] std::string enrol(wire_identity& who, std::uint16_t port, const std::string& token,
                                const std::string& host_name);
/// Connects and says hello. Empty when welcome, else what was said instead.
[[nodiscard]] std::string greet(wire_client& client, wire_identity& who, std::uint16_t port,
                                bool resume = false);

} // namespace muster::test
