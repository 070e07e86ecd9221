#pragma once
// One connection on one io thread, accepted or made by us, protected by whatever engine it is given:
// the implementation of link.hpp.

#include "net/engine.hpp"
#include "net/io_pool.hpp"
#include "net/lane_resident.hpp"
#include "net/limits.hpp"
#include "net/link.hpp"
#include "net/link_commands.hpp"
#include "net/splitter.hpp"
#include "net/tcp_connector.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::net {

/// Sockets without a type-erased executor: 40 bytes instead of 90.
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

/// What the links of one listener add up. Written by all lanes.
struct link_totals {
  std::atomic<std::uint64_t> open{0}; ///< counted up by the listener, down by the link's end
  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> broken{0}; ///< see listener_counters
  std::atomic<std::uint64_t> cut{0};    ///< likewise
};

struct tcp_link_options {
  make_splitter splitter = make_frame_splitter;
  std::chrono::milliseconds handshake_max = limits::handshake_max;
  /// From the end of the handshake to the first message; zero: the peer may be silent (clients).
  std::chrono::milliseconds first_message_max{0};
  std::shared_ptr<link_totals> totals; ///< may be null
};

/// Lives on one lane: everything but the methods of `link` runs on that lane's thread.
///
/// Handshaking, open, closing (flushing), lingering (our end is said, waiting for the peer's),
/// ended. It is kept alive by its armed operations and by handle(); the last copy of the handle
/// gone means close(), so that an actor that dies in any handler leaves no connection behind.
///
/// Idle it is this object and what asio keeps per descriptor: no buffer, no timer. Bounds: one
/// read-ahead of plaintext not yet delivered (there is no reading without credit), one message in
/// the making, limits::outbound_bytes_max of messages not yet encrypted, one slice of ciphertext.
class tcp_link final : public link,
                       public std::enable_shared_from_this<tcp_link>,
                       private lane_resident {
public:
  /// Told once: the handshake is over, or why it never will be.
  using on_opened = std::function<void(std::error_code ec, peer_info peer)>;

  /// `socket` is connected and belongs to the lane. Null when the lane's pool has been joined.
  [[nodiscard]] static std::shared_ptr<tcp_link> make(io_lane& lane, tcp_socket socket,
                                                      const asio::ip::tcp::endpoint& peer,
                                                      engine_ptr engine,
                                                      const tcp_link_options& options);
  ~tcp_link() override;

  /// Begins the handshake. `opened` may be called before this returns.
  void open(on_opened opened);
  /// Ends a handshake in progress; an open link is not touched. Any thread.
  void abort_handshake();

  /// For whoever uses the link: when the last copy goes, the link closes.
  [[nodiscard]] link_ptr handle();

  /// Any thread.
  [[nodiscard]] link_bytes bytes() const noexcept;

  // -- link, any thread ------------------------------------------------------
  void attach(std::unique_ptr<link_sink> sink) override;
  bool try_send(std::string message) override;
  void grant(std::size_t n) override;
  void trust() override;
  void close() override;

private:
  enum class state : std::uint8_t { handshaking, open, closing, lingering, ended };

  /// Only while the handshake lasts.
  struct handshake {
    on_opened opened;
    asio::ip::tcp::endpoint peer;
    std::chrono::milliseconds handshake_max;
  };

  /// Only while messages wait for credit.
  struct held_plain {
    std::string bytes;
    std::size_t offset = 0;
  };

  /// Only while the socket is full.
  struct backlog {
    std::string cipher;
    std::size_t written = 0;
    command_queue messages;
  };

  tcp_link(io_lane& lane, tcp_socket socket, const asio::ip::tcp::endpoint& peer, engine_ptr engine,
           const tcp_link_options& options);

  // -- commands (tcp_link.cpp) -----------------------------------------------
  /// False, and the command stays the caller's, when the link has ended.
  bool push(std::unique_ptr<link_command>&& command);
  void drain();
  /// False: the command was to close; what came behind it is void.
  [[nodiscard]] bool obey(std::unique_ptr<link_command> command, command_queue& messages);
  /// The last thing every handler does: decides what to wait for next.
  void settle();

  // -- reading (tcp_link_read.cpp) -------------------------------------------
  [[nodiscard]] bool wants_to_read() const noexcept;
  void arm_read();
  void on_readable();
  void on_bytes(std::size_t count);
  void on_end_of_stream();
  void become_open();
  void deliver_held();
  void deliver(std::string_view& in);
  void watch_progress();

  // -- writing (tcp_link_write.cpp) ------------------------------------------
  void send_messages(command_queue messages);
  void send_now(std::string message);
  /// Writes the lane's `cipher`. False: the socket is full (the rest is in backlog_) or broken.
  bool send_cipher();
  [[nodiscard]] bool encrypt_slice(command_queue& messages);
  [[nodiscard]] std::size_t write_some(std::string_view bytes);
  void arm_write();
  void on_writable();
  void say_goodbye();

  // -- ending (tcp_link.cpp) -------------------------------------------------
  void close_because(std::error_code why);
  void fail_handshake(std::error_code why);
  void linger();
  void end(std::error_code why);
  void tell(std::error_code why);
  void release();
  void on_deadline() override;
  void on_abandoned() override;
  void set_deadline_in(std::chrono::milliseconds time);
  void count_in(std::size_t bytes) noexcept;
  void count_out(std::size_t bytes) noexcept;

  std::shared_ptr<io_lane> lane_; // before the socket, which needs it to the end
  tcp_socket socket_;
  engine_ptr engine_;
  std::unique_ptr<splitter> splitter_;
  std::unique_ptr<link_sink> sink_;
  std::unique_ptr<handshake> handshake_;
  std::unique_ptr<held_plain> held_;
  std::unique_ptr<backlog> backlog_;
  std::shared_ptr<link_totals> totals_;
  std::error_code why_;                          ///< of the end; written before commands_ is sealed
  std::atomic<link_command*> commands_{nullptr}; ///< newest first; see link_commands.hpp
  std::atomic<std::uint64_t> bytes_in_{0};
  std::atomic<std::uint64_t> bytes_out_{0};
  std::atomic<std::uint32_t> outbound_bytes_{0};
  std::uint32_t credit_ = 0;
  std::uint32_t first_message_max_ms_ = 0;
  int write_errno_ = 0; ///< writing is over; what the peer had said before may still be read
  std::atomic<bool> close_asked_{false};
  state state_ = state::handshaking;
  bool reading_ = false; ///< a wait for readability is armed
  bool writing_ = false; ///< the same for writability
  bool first_message_due_ = false;
  bool peer_ended_ = false; ///< end of stream, orderly or not
  bool goodbye_said_ = false;
  bool told_ = false;
};

} // namespace muster::net
