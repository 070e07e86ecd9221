#include "actors/agent/notice_sender.hpp"

#include "net/notice.hpp"

#include <muster/assert.hpp>

#include <spdlog/spdlog.h>

#include <mutex>
#include <system_error>
#include <utility>

namespace muster::actors {

/// From a notice's first try to its answer: the same place, the same question.
class notice_sender::conversation : public std::enable_shared_from_this<conversation> {
public:
  conversation(net::udp_endpoint to, std::string bytes,
               std::shared_ptr<std::atomic<std::uint64_t>> refused)
    : to_(to), bytes_(std::move(bytes)), refused_(std::move(refused)) {}

  [[nodiscard]] bool is_about(const net::udp_endpoint& to, std::string_view bytes) const {
    return to == to_ && bytes == bytes_;
  }

  bool open(net::io_pool& pool) {
    net::udp_options socket;
    socket.bytes_max = net::acknowledgement_bytes;
    socket.window = 1;
    socket.receive_buffer_bytes = 64 * 1024;
    std::error_code ec;
    auto port = net::udp_port::open(
      pool, socket,
      [weak = weak_from_this()](std::string_view bytes, const net::udp_endpoint& from) {
        if (const auto self = weak.lock())
          self->hear(bytes, from);
        return false;
      },
      [](const net::datagram_batch_ptr&) {}, [](std::error_code) {}, ec);
    if (!port)
      spdlog::warn("no socket for a notice: {}", ec.message());
    const std::lock_guard lock(mutex_);
    port_ = std::move(port);
    return port_ != nullptr;
  }

  void send(std::function<bool(std::string_view)> is_answer, std::function<void()> answered) {
    const std::lock_guard lock(mutex_);
    is_answer_ = std::move(is_answer);
    answered_ = std::move(answered);
    if (port_)
      port_->send(std::make_shared<const net::datagram_batch>(
        net::datagram_batch{net::datagram{to_, bytes_}}));
  }

  /// Closes outside of the lock, for the socket may be telling something at this moment.
  void end() {
    std::shared_ptr<net::udp_port> port;
    {
      const std::lock_guard lock(mutex_);
      port = std::exchange(port_, nullptr);
      answered_ = nullptr;
    }
    if (port)
      port->close();
  }

private:
  void hear(std::string_view bytes, const net::udp_endpoint& from) {
    std::function<void()> answered;
    {
      const std::lock_guard lock(mutex_);
      if (!answered_)
        return;
      if (from != to_ || !is_answer_(bytes)) {
        ++*refused_;
        return;
      }
      answered = std::exchange(answered_, nullptr);
    }
    answered();
    end();
  }

  const net::udp_endpoint to_;
  const std::string bytes_;
  const std::shared_ptr<std::atomic<std::uint64_t>> refused_;
  std::mutex mutex_;
  std::shared_ptr<net::udp_port> port_;
  std::function<bool(std::string_view)> is_answer_;
  std::function<void()> answered_;
};

notice_sender::notice_sender(net::io_pool& pool, std::uint16_t server_port)
  : pool_(pool), server_port_(server_port) {}

notice_sender::~notice_sender() {
  if (present_)
    present_->end();
}

void notice_sender::send(const std::string& address, std::string bytes,
                         std::function<bool(std::string_view)> is_answer,
                         std::function<void()> answered) {
  const auto to = net::make_udp_endpoint(address, server_port_);
  MUSTER_ASSERT(to, "a connection tells its peer's address in numbers");
  if (!present_ || !present_->is_about(*to, bytes)) {
    if (const auto before = std::exchange(present_, nullptr))
      before->end();
    const auto fresh = std::make_shared<conversation>(*to, std::move(bytes), refused_);
    if (!fresh->open(pool_))
      return;
    present_ = fresh;
  }
  present_->send(std::move(is_answer), std::move(answered));
}

} // namespace muster::actors
