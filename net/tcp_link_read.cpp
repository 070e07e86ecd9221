// How a link reads: one read per wake-up into the lane's buffer, decrypted into the lane's, cut
// into messages, delivered as far as there is credit.

#include "net/errc.hpp"
#include "net/tcp_link.hpp"

#include <muster/assert.hpp>

#include <asio/ip/address.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <span>
#include <utility>

namespace muster::net {

bool tcp_link::wants_to_read() const noexcept {
  switch (state_) {
  case state::handshaking:
  case state::lingering:
    return true;
  case state::open:
    return credit_ > 0 && !held_;
  default:
    return false;
  }
}

void tcp_link::arm_read() {
  if (reading_ || !wants_to_read())
    return;
  reading_ = true;
  socket_.async_wait(tcp_socket::wait_read, [self = shared_from_this()](std::error_code ec) {
    self->reading_ = false;
    if (!ec && self->wants_to_read())
      self->on_readable();
  });
}

void tcp_link::on_readable() {
  auto& buffer = lane_->read_ahead;
  const auto count = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR)
      return end({errno, std::generic_category()});
    if (write_errno_ != 0) // and there is nothing left to learn
      return end({write_errno_, std::generic_category()});
  } else if (count == 0) {
    return on_end_of_stream();
  } else {
    count_in(static_cast<std::size_t>(count));
    if (state_ != state::lingering)
      on_bytes(static_cast<std::size_t>(count));
  }
  settle();
}

void tcp_link::on_end_of_stream() {
  peer_ended_ = true;
  if (write_errno_ != 0)
    return end({write_errno_, std::generic_category()});
  end(engine_->peer_closed() ? std::error_code{} : make_error_code(errc::truncated));
}

void tcp_link::on_bytes(std::size_t count) {
  auto& lane = *lane_;
  lane.plain.clear();
  lane.cipher.clear();
  const auto* data = reinterpret_cast<const std::uint8_t*>(lane.read_ahead.data());
  const auto ec = engine_->receive(std::span(data, count), lane.plain, lane.cipher);
  send_cipher();
  if (state_ == state::handshaking) {
    if (engine_->open())
      become_open();
    else if (ec || engine_->peer_closed())
      return fail_handshake(ec ? ec : make_error_code(errc::truncated));
    else
      return;
  }
  std::string_view in = lane.plain;
  deliver(in);
  if (state_ != state::open)
    return;
  if (ec) {
    if (totals_)
      totals_->broken.fetch_add(1, std::memory_order_relaxed);
    tell(ec);
    return linger();
  }
  if (!in.empty())
    held_ = std::make_unique<held_plain>(held_plain{std::string(in), 0});
  else if (engine_->peer_closed())
    say_goodbye();
}

void tcp_link::become_open() {
  state_ = state::open;
  const auto over = std::move(handshake_);
  auto peer = engine_->peer();
  auto address = over->peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  peer.address = address.to_string();
  peer.port = over->peer.port();
  first_message_due_ = first_message_max_ms_ != 0;
  if (first_message_due_)
    set_deadline_in(std::chrono::milliseconds(first_message_max_ms_));
  else
    lane_->deadlines->clear_deadline(*this);
  over->opened({}, std::move(peer));
}

/// After new credit.
void tcp_link::deliver_held() {
  if (state_ != state::open || !held_ || credit_ == 0)
    return;
  std::string_view in = held_->bytes;
  in.remove_prefix(held_->offset);
  deliver(in);
  if (state_ != state::open)
    return;
  held_->offset = held_->bytes.size() - in.size();
  if (!in.empty())
    return;
  held_.reset();
  if (engine_->peer_closed())
    say_goodbye();
}

/// Takes from `in` what there is credit for; a message in the making counts when it is complete.
void tcp_link::deliver(std::string_view& in) {
  std::string message;
  std::error_code ec;
  while (credit_ > 0 && !in.empty()) {
    if (!splitter_->next(in, message, ec)) {
      if (auto reply = splitter_->take_reply(); !reply.empty())
        send_now(std::move(reply));
      if (ec)
        return close_because(ec);
      MUSTER_ASSERT(in.empty(), "a splitter takes everything of a message in the making");
      break;
    }
    --credit_;
    first_message_due_ = false;
    sink_->on_message(std::move(message));
    message.clear();
  }
  watch_progress();
}

/// A message that has begun must go on, and so must what it is wrapped in: a length that was changed
/// on its way would make us wait for ever.
void tcp_link::watch_progress() {
  if (first_message_due_)
    return;
  if (splitter_->in_message() || engine_->in_unit())
    set_deadline_in(limits::message_stall_max);
  else
    lane_->deadlines->clear_deadline(*this);
}

} // namespace muster::net
