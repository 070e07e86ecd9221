#include "actors/agent/wake_listener.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace muster::actors {

// -- judging --------------------------------------------------------------------------------------

void wake_gate::took(std::uint64_t counter) {
  counter_ = std::max(counter_.value_or(0), counter);
}

std::optional<net::wake> wake_gate::judge(std::string_view datagram) {
  if (!counter_) {
    ++figures_.too_early;
    return std::nullopt;
  }
  net::wake out;
  const auto verdict = net::check_wake(datagram, terms_, *counter_, out);
  ++figures_.by_verdict[static_cast<std::size_t>(verdict)];
  if (verdict != net::wake_verdict::accepted)
    return std::nullopt;
  counter_ = out.counter;
  return out;
}

// -- listening ------------------------------------------------------------------------------------

/// Outlives the listener for as long as the io thread is in one of its callbacks.
class wake_listener::ear {
public:
  ear(net::wake_terms terms, on_wake tell) : gate_(std::move(terms)), tell_(std::move(tell)) {}

  /// On the io thread. The socket hands nothing over: all is said here.
  void hear(std::string_view bytes) {
    std::optional<net::wake> heard;
    {
      const std::lock_guard lock(mutex_);
      heard = gate_.judge(bytes);
    }
    if (heard && !hushed_)
      tell_(static_cast<wake_purpose>(heard->purpose), heard->counter);
  }

  void attach(std::shared_ptr<net::udp_port> port) {
    const std::lock_guard lock(mutex_);
    port_ = std::move(port);
  }
  void end() {
    hushed_ = true;
    std::shared_ptr<net::udp_port> port;
    {
      const std::lock_guard lock(mutex_);
      port = std::exchange(port_, nullptr);
    }
    if (port)
      port->close();
  }
  [[nodiscard]] wake_figures figures() const {
    const std::lock_guard lock(mutex_);
    auto out = gate_.figures();
    if (!port_)
      return out;
    const auto counters = port_->counters();
    out.port = port_->port();
    out.dropped = counters.dropped_kernel;
    // Too long for a look: the gate never saw them.
    std::uint64_t seen = out.too_early;
    for (const auto count : out.by_verdict)
      seen += count;
    constexpr auto size = static_cast<std::size_t>(net::wake_verdict::wrong_size);
    out.by_verdict[size] += counters.received - std::min(counters.received, seen);
    return out;
  }
  template <class Change>
  void change(Change what) {
    const std::lock_guard lock(mutex_);
    what(gate_);
  }

private:
  mutable std::mutex mutex_;
  wake_gate gate_;
  on_wake tell_;
  std::shared_ptr<net::udp_port> port_;
  std::atomic<bool> hushed_{false};
};

std::unique_ptr<wake_listener> wake_listener::open(wake_listener_options options, on_wake tell,
                                                   std::error_code& ec) {
  const auto one = std::make_shared<ear>(std::move(options.terms), std::move(tell));
  net::udp_options socket;
  socket.address = options.address;
  socket.port = options.port;
  socket.bytes_max = net::wake_bytes;
  // Callbacks hold it weakly, for it holds the socket.
  auto port = net::udp_port::open(
    *options.pool, socket,
    [weak = std::weak_ptr{one}](std::string_view bytes, const net::udp_endpoint&) {
      if (const auto self = weak.lock())
        self->hear(bytes);
      return false;
    },
    [](const net::datagram_batch_ptr&) {},
    [weak = std::weak_ptr{one}](std::error_code why) {
      spdlog::error("the socket for wakes has failed ({}): this device cannot be called until the "
                    "agent is started again",
                    why.message());
      if (const auto self = weak.lock())
        self->end();
    },
    ec);
  if (!port)
    return nullptr;
  one->attach(std::move(port));
  return std::unique_ptr<wake_listener>(new wake_listener(one));
}

wake_listener::~wake_listener() { ear_->end(); }

std::uint16_t wake_listener::port() const { return figures().port; }

void wake_listener::took(std::uint64_t counter) {
  ear_->change([counter](wake_gate& gate) { gate.took(counter); });
}

void wake_listener::learn(std::vector<net::device_datagram_keys> keys) {
  ear_->change([&keys](wake_gate& gate) { gate.learn(std::move(keys)); });
}

wake_figures wake_listener::figures() const { return ear_->figures(); }

} // namespace muster::actors
