#pragma once
// A port, its clients and what each of their links was told: real sockets on the loopback, for a
// test on one thread that waits for conditions.

#include "net/errc.hpp"
#include "net/io_pool.hpp"
#include "net/link.hpp"
#include "net/tcp_connector.hpp"
#include "net/tcp_listener.hpp"
#include "tests/net/plain_world.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>

namespace muster::net::testing {

/// Long enough for a loaded machine; nobody waits for it but a test that fails.
inline constexpr std::chrono::seconds patience{20};

/// What one link was told. Thread-safe.
class link_log {
public:
  /// The next message; empty when none comes.
  [[nodiscard]] std::optional<std::string> message();
  /// Why the link ended; empty when it does not.
  [[nodiscard]] std::optional<std::error_code> end();
  [[nodiscard]] std::size_t messages_told() const;
  [[nodiscard]] bool has_ended() const;

private:
  friend class recording_sink;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> messages_;
  std::size_t told_ = 0;
  std::optional<std::error_code> end_;
};

/// One end of a finished connection.
struct live_link {
  link_ptr connection;
  peer_info peer;
  std::shared_ptr<link_log> log = std::make_shared<link_log>();
  std::error_code failure; ///< of a connection that was not made
  std::string detail;

  explicit operator bool() const { return connection != nullptr; }
};

/// Values handed from io threads to the test.
template <class T>
class handover {
public:
  void put(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  [[nodiscard]] std::optional<T> take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return !values_.empty(); }))
      return std::nullopt;
    T out = std::move(values_.front());
    values_.pop_front();
    return out;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> values_;
};

/// Looks until `condition` holds or patience ends. For figures that nobody announces.
[[nodiscard]] bool comes_true(const std::function<bool()>& condition);

struct socket_world : plain_world {
  io_pool pool{2};

  struct open_port {
    std::shared_ptr<tcp_listener> listener;
    std::shared_ptr<handover<live_link>> accepted = std::make_shared<handover<live_link>>();

    /// The next finished link, attached, with this credit.
    [[nodiscard]] live_link next(std::size_t credit = 1 << 20) const;
    [[nodiscard]] endpoint_name name() const { return {"127.0.0.1", listener->port()}; }
  };

  /// A port for devices unless `options` say otherwise; address and protection (TLS) are filled in
  /// when empty.
  [[nodiscard]] open_port open(listener_options options = {});
  [[nodiscard]] live_link dial(const endpoint_name& to, const client_tls_options& as,
                               const tls_session_ptr& resume = nullptr,
                               std::size_t credit = 1 << 20);
  [[nodiscard]] live_link dial(connect_options options, std::size_t credit = 1 << 20);
  [[nodiscard]] live_link dial(const open_port& to) { return dial(to.name(), device_options()); }
};

} // namespace muster::net::testing
