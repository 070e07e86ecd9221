#pragma once
// Sends notices to the server and listens for their acknowledgement. No retries: those are the
// connection's, who knows how much time there is.

#include "net/io_pool.hpp"
#include "net/udp_port.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace muster::actors {

/// One socket of its own, with a port that the kernel chooses, from a notice to its answer or to
/// the next notice. Not from the port of wakes: a firewall that closes that one lets answers to
/// this one in. Used by one thread at a time.
class notice_sender {
public:
  explicit notice_sender(net::io_pool& pool, std::uint16_t server_port);
  ~notice_sender(); ///< no answer is told after this, save by a callback that is running right now
  notice_sender(const notice_sender&) = delete;
  notice_sender& operator=(const notice_sender&) = delete;

  /// As datagram_ways::send_notice says. Only what comes from where the notice went is looked at.
  void send(const std::string& address, std::string bytes,
            std::function<bool(std::string_view)> is_answer, std::function<void()> answered);

  /// What came while an answer was awaited, and was none. Any thread.
  [[nodiscard]] std::uint64_t refused() const noexcept { return *refused_; }

private:
  class conversation;
  net::io_pool& pool_;
  const std::uint16_t server_port_;
  const std::shared_ptr<std::atomic<std::uint64_t>> refused_ =
    std::make_shared<std::atomic<std::uint64_t>>(0);
  std::shared_ptr<conversation> present_;
};

} // namespace muster::actors
