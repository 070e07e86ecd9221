#include "net/plain_engine.hpp"

#include "net/der.hpp"
#include "net/errc.hpp"
#include "net/plain_messages.hpp"

#include <muster/assert.hpp>

#include <optional>
#include <utility>

namespace muster::net {

namespace {

/// First bytes of TLS records. No first frame of ours is that long.
bool is_tls(char first) {
  return first >= 0x14 && first <= 0x17;
}

} // namespace

plain_engine::plain_engine(server_plain_context_ptr context, const plain_draw& drawn)
  : handshake_(plain_server_side(std::move(context), drawn)), server_(true) {}

plain_engine::plain_engine(client_plain_context_ptr context, const plain_draw& drawn)
  : handshake_(plain_agent_side(std::move(context), drawn)), server_(false) {}

plain_engine::~plain_engine() = default;

std::error_code plain_engine::start(std::string& out) {
  if (!server_)
    handshake_->start(out);
  return {};
}

std::error_code plain_engine::receive(std::span<const std::uint8_t> in, std::string& plain,
                                      std::string& out) {
  if (failed_)
    return errc::malformed;
  auto rest = der::view(in);
  std::error_code ec;
  if (!rest.empty() && !std::exchange(any_byte_, true) && is_tls(rest.front()))
    ec = errc::speaks_tls;
  // Ends: each turn takes a frame's bytes, or leaves. What comes behind the peer's end is nothing.
  while (!ec && !peer_closed_) {
    std::string_view payload;
    const auto bytes_max = open() ? plain_frame_bytes_max : plain_handshake_bytes_max;
    const auto status = cutter_.next(rest, bytes_max, payload);
    if (status == frame_status::incomplete)
      break;
    if (status == frame_status::complete)
      ec = take(payload, plain, out);
    else // nobody who has proved itself says this
      ec = open() ? errc::altered : errc::frame_too_large;
  }
  failed_ = static_cast<bool>(ec);
  return ec;
}

std::error_code plain_engine::take(std::string_view payload, std::string& plain,
                                   std::string& out) {
  if (open())
    return take_sealed(payload, plain);
  if (const auto ec = handshake_->receive(payload, out))
    return ec;
  if (handshake_->finished()) {
    const auto& keys = handshake_->keys();
    traffic_ = std::make_unique<traffic>(
      traffic{plain_sealer(server_ ? keys.from_server : keys.from_agent),
              plain_opener(server_ ? keys.from_agent : keys.from_server),
              handshake_->peer_certificate()});
    handshake_.reset();
  }
  return {};
}

std::error_code plain_engine::take_sealed(std::string_view payload, std::string& plain) {
  auto kind = plain_kind::data;
  std::string_view body;
  if (!traffic_->opener.open(payload, kind, body)) {
    // An agent is finished before the server has looked at its proof.
    const bool judged = !server_ && traffic_->opener.untouched();
    const auto refusal = judged ? plain::read_refusal(payload) : std::nullopt;
    return refusal.value_or(errc::altered);
  }
  if (kind == plain_kind::data)
    plain += body;
  else if (kind == plain_kind::end && body.empty())
    peer_closed_ = true;
  else
    return errc::malformed;
  return {};
}

std::error_code plain_engine::send(std::string_view plain, std::string& out) {
  MUSTER_ASSERT(open() || failed_, "nothing is sent before the handshake is finished");
  if (failed_ || said_end_)
    return errc::malformed;
  do {
    const auto piece = plain.substr(0, plain_data_bytes_max);
    traffic_->sealer.seal(plain_kind::data, piece, out);
    plain.remove_prefix(piece.size());
  } while (!plain.empty());
  return {};
}

void plain_engine::shutdown(std::string& out) {
  if (open() && !failed_ && !std::exchange(said_end_, true))
    traffic_->sealer.seal(plain_kind::end, {}, out);
}

bool plain_engine::open() const noexcept {
  return traffic_ != nullptr;
}

bool plain_engine::peer_closed() const noexcept {
  return peer_closed_;
}

bool plain_engine::in_unit() const noexcept {
  return cutter_.in_frame();
}

peer_info plain_engine::peer() const {
  MUSTER_ASSERT(open(), "nobody has proved anything yet");
  peer_info out;
  out.certificate_sha256 = traffic_->peer;
  return out;
}

} // namespace muster::net
