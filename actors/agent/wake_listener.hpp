#pragma once
// The device's ear for wakes: refuses what is forged or old on the io thread, so that a flood costs
// a hash a piece and nobody else hears of it.

#include "actors/call_messages.hpp"
#include "net/io_pool.hpp"
#include "net/udp_port.hpp"
#include "net/wake.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::actors {

/// What became of the datagrams, since the start.
struct wake_figures {
  std::uint16_t port = 0;                           ///< 0: nobody listens
  std::array<std::uint64_t, net::wake_verdicts> by_verdict{}; ///< index: net::wake_verdict
  std::uint64_t too_early = 0;   ///< before it was known which counters are old
  std::uint64_t dropped = 0;     ///< by the kernel: more came than was looked at
};

/// Judges datagrams, one after the other. A wake counts as accepted from the moment it is answered,
/// whether or not the caller gets it to the disk: the same bytes are never accepted twice. Not
/// thread-safe.
class wake_gate {
public:
  explicit wake_gate(net::wake_terms terms) : terms_(std::move(terms)) {}

  /// Wakes up to this counter are old. Nothing is accepted before this was said; it never goes back.
  void took(std::uint64_t counter);
  void learn(std::vector<net::device_datagram_keys> keys) { terms_.keys = std::move(keys); }
  [[nodiscard]] std::optional<net::wake> judge(std::string_view datagram);
  [[nodiscard]] const wake_figures& figures() const noexcept { return figures_; }

private:
  net::wake_terms terms_;
  std::optional<std::uint64_t> counter_;
  wake_figures figures_;
};

struct wake_listener_options {
  net::io_pool* pool = nullptr;        ///< outlives the listener
  std::string address = "::";          ///< numeric
  std::uint16_t port = 15000;
  net::wake_terms terms;
};

/// Owns the socket. Thread-safe; what it holds is a lock and a hash away from the io thread.
class wake_listener {
public:
  /// On the io thread, at most once per wake.
  using on_wake = std::function<void(wake_purpose why, std::uint64_t counter)>;

  /// Null with an error when the port cannot be had.
  [[nodiscard]] static std::unique_ptr<wake_listener> open(wake_listener_options options,
                                                           on_wake tell, std::error_code& ec);
  ~wake_listener(); ///< nothing is told after this, save by a callback that is running right now
  wake_listener(const wake_listener&) = delete;
  wake_listener& operator=(const wake_listener&) = delete;

  [[nodiscard]] std::uint16_t port() const; ///< 0: the socket has failed
  void took(std::uint64_t counter);
  void learn(std::vector<net::device_datagram_keys> keys);
  [[nodiscard]] wake_figures figures() const;

private:
  class ear;
  explicit wake_listener(std::shared_ptr<ear> one) : ear_(std::move(one)) {}
  std::shared_ptr<ear> ear_;
};

} // namespace muster::actors
