// How a link writes: at once, from the lane's buffers; only a full socket makes it remember.

#include "net/tcp_link.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace muster::net {

void tcp_link::send_messages(command_queue messages) {
  if (state_ != state::open && state_ != state::closing)
    return;
  if (backlog_) {
    backlog_->messages.append(std::move(messages));
    return;
  }
  for (std::size_t slices = 0; !messages.empty() && write_errno_ == 0; ++slices) {
    const bool our_turn = slices < limits::write_slices_max;
    if (our_turn && !encrypt_slice(messages))
      return;
    if (our_turn && send_cipher())
      continue;
    if (write_errno_ != 0)
      return;
    if (!backlog_)
      backlog_ = std::make_unique<backlog>();
    backlog_->messages.append(std::move(messages));
    return arm_write();
  }
}

void tcp_link::send_now(std::string message) {
  auto command = std::make_unique<link_command>();
  outbound_bytes_.fetch_add(static_cast<std::uint32_t>(message.size()), std::memory_order_relaxed);
  command->message = std::move(message);
  command_queue one;
  one.push(std::move(command));
  send_messages(std::move(one));
}

/// Messages that wait together share records and writes; a long one goes in several slices.
bool tcp_link::encrypt_slice(command_queue& messages) {
  auto& plain = lane_->plain; // whatever was read is delivered or held by now
  plain.clear();
  while (!messages.empty() && plain.size() < limits::write_slice_bytes) {
    auto& front = messages.front();
    const auto bytes =
      std::min(front.message.size() - front.count, limits::write_slice_bytes - plain.size());
    plain.append(front.message, front.count, bytes);
    front.count += static_cast<std::uint32_t>(bytes);
    if (front.count == front.message.size())
      static_cast<void>(messages.pop());
  }
  outbound_bytes_.fetch_sub(static_cast<std::uint32_t>(plain.size()), std::memory_order_relaxed);
  lane_->cipher.clear();
  if (const auto ec = engine_->send(plain, lane_->cipher)) {
    end(ec);
    return false;
  }
  return true;
}

bool tcp_link::send_cipher() {
  const auto& cipher = lane_->cipher;
  if (write_errno_ != 0)
    return false;
  if (backlog_) {
    backlog_->cipher += cipher;
    return cipher.empty();
  }
  const auto written = write_some(cipher);
  if (written == cipher.size())
    return true;
  if (write_errno_ != 0)
    return false;
  backlog_ = std::make_unique<backlog>();
  backlog_->cipher = cipher.substr(written);
  arm_write();
  return false;
}

/// As much as the socket takes now. An error that is not "full" ends all writing.
std::size_t tcp_link::write_some(std::string_view bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto count = ::send(socket_.native_handle(), bytes.data() + written,
                              bytes.size() - written, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR)
        continue;
      if (errno != EAGAIN) {
        write_errno_ = errno;
        backlog_.reset();
      }
      break;
    }
    written += static_cast<std::size_t>(count);
  }
  count_out(written);
  return written;
}

void tcp_link::arm_write() {
  if (writing_)
    return;
  writing_ = true;
  socket_.async_wait(tcp_socket::wait_write, [self = shared_from_this()](std::error_code ec) {
    self->writing_ = false;
    if (!ec && self->backlog_)
      self->on_writable();
  });
}

void tcp_link::on_writable() {
  const std::string_view rest(backlog_->cipher.data() + backlog_->written,
                              backlog_->cipher.size() - backlog_->written);
  const auto written = write_some(rest);
  if (write_errno_ != 0)
    return settle();
  if (written < rest.size()) {
    backlog_->written += written;
    return arm_write();
  }
  const auto done = std::move(backlog_);
  send_messages(std::move(done->messages));
  if (state_ == state::closing && !backlog_ && write_errno_ == 0)
    say_goodbye();
  settle();
}

/// We close, and everything is written; or the peer has closed in an orderly way.
void tcp_link::say_goodbye() {
  if (!std::exchange(goodbye_said_, true)) {
    lane_->cipher.clear();
    engine_->shutdown(lane_->cipher);
    if (!send_cipher() && backlog_ && state_ == state::closing)
      return; // on_writable comes back here
  }
  if (state_ != state::closing)
    return end({});
  if (!why_ && write_errno_ != 0)
    why_.assign(write_errno_, std::generic_category());
  tell(why_);
  linger();
}

} // namespace muster::net
