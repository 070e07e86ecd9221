#pragma once
// A UDP socket on an io thread: receives in batches and slices, so that a flood costs little and
// starves nobody; lets a filter refuse what is forged before anybody else hears of it. CAF-free.

#include "net/datagram.hpp"
#include "net/io_pool.hpp"
#include "net/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::net {

struct udp_options {
  std::string address = "::";           ///< numeric; "::" takes IPv4 too (dual stack)
  std::uint16_t port = 0;               ///< 0: any free one
  std::size_t bytes_max = 512;          ///< a longer datagram is refused without a look at it
  /// Datagrams handed over and not yet done with (grant); what comes beyond is dropped.
  std::size_t window = limits::datagrams_window;
  /// Datagrams waiting to be sent; what comes beyond is dropped.
  std::size_t queue_max = limits::datagrams_queue_max;
  /// What the kernel keeps between two slices, as far as it lets us.
  std::size_t receive_buffer_bytes = limits::datagram_buffer_bytes;
};

/// Figures since start, readable from any thread.
struct udp_counters {
  std::uint64_t received = 0;       ///< all that came out of the socket
  std::uint64_t refused = 0;        ///< by size or by the filter
  std::uint64_t dropped_busy = 0;   ///< good ones, beyond the window
  std::uint64_t dropped_kernel = 0; ///< the socket's buffer was full
  std::uint64_t sent = 0;
  std::uint64_t send_failed = 0;    ///< no route, no such address family, forbidden
  std::uint64_t send_dropped = 0;   ///< beyond the queue
};

/// Thread-safe; lives on one lane; dropping the last handle closes it.
///
/// A first datagram is handed over at once. After that the socket is looked at every
/// limits::datagram_slice for as long as something comes, each time at most
/// limits::datagrams_per_slice_max: a flood costs a bounded share of the thread, and the kernel
/// drops the rest.
class udp_port {
public:
  /// On the io thread, for every datagram of at most bytes_max: is it worth handing over? One call
  /// at a time.
  using filter = std::function<bool(std::string_view bytes, const udp_endpoint& from)>;
  /// On the io thread: what passed the filter since the last slice. Never empty.
  using on_received = std::function<void(datagram_batch_ptr)>;
  /// Told once when the socket fails for good.
  using on_failed = std::function<void(std::error_code)>;

  [[nodiscard]] static std::shared_ptr<udp_port> open(io_pool& pool, const udp_options& options,
                                                      filter worth, on_received received,
                                                      on_failed failed, std::error_code& ec);
  virtual ~udp_port() = default; ///< as close()

  [[nodiscard]] virtual std::uint16_t port() const = 0;
  [[nodiscard]] virtual udp_counters counters() const = 0;
  /// So many of the datagrams handed over are done with.
  virtual void grant(std::size_t datagrams) = 0;
  /// Sends them in order, without a promise. Any thread.
  virtual void send(datagram_batch_ptr batch) = 0;
  /// Frees the port as soon as the lane gets to it. After the return no callback starts any more. May be called in one.
  virtual void close() = 0;
};

} // namespace muster::net
