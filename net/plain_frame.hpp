#pragma once
// What travels on the plain port: everybody may read it, nobody may change it. Pure.
//
//   4 bytes  length of the rest, big-endian        ┐
//   1 byte   kind                                  │ all under the tag, and with them the number of
//   n bytes                                        ┘ the frame, which does not travel
//   16 bytes tag; frames of the handshake have none, its signatures cover them

#include "net/frame.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::net {

enum class plain_kind : std::uint8_t {
  agent_hello = 1,
  server_hello = 2,
  agent_proof = 3,
  refusal = 4, ///< ends a handshake, with a reason; unproved, for people only
  data = 5,
  end = 6, ///< the last frame of a direction
};

using plain_key = std::array<std::uint8_t, 32>;

/// Half of HMAC-SHA256. Who does not have the key can only guess, online, with one guess per
/// connection, because a wrong tag ends it: 128 bits are beyond any number of connections.
inline constexpr std::size_t plain_tag_bytes = 16;

/// What one frame carries; a reader holds at most one.
inline constexpr std::size_t plain_data_bytes_max = std::size_t{16} * 1024;
inline constexpr std::size_t plain_frame_bytes_max = 1 + plain_data_bytes_max + plain_tag_bytes;

/// Appends a frame of the handshake to `out`.
void put_plain_frame(plain_kind kind, std::string_view body, std::string& out);

/// The sending end of one direction.
class plain_sealer {
public:
  explicit plain_sealer(const plain_key& key) : key_(key) {}
  /// Appends one frame. `body` is at most plain_data_bytes_max.
  void seal(plain_kind kind, std::string_view body, std::string& out);

private:
  plain_key key_;
  std::uint64_t number_ = 0;
};

/// The receiving end. A frame passes only if it is, to the bit, the next one that was sealed.
class plain_opener {
public:
  explicit plain_opener(const plain_key& key) : key_(key) {}
  /// `payload` is what followed the length. False: altered, repeated, left out or out of order;
  /// nothing that comes later can be believed. `body` is a view of `payload`.
  [[nodiscard]] bool open(std::string_view payload, plain_kind& kind, std::string_view& body);
  /// Nothing has passed yet.
  [[nodiscard]] bool untouched() const noexcept { return number_ == 0; }

private:
  plain_key key_;
  std::uint64_t number_ = 0;
};

/// Cuts the stream into frames. Holds the beginning of one frame, which grows only as bytes arrive.
class plain_frame_cutter {
public:
  /// Takes from the front of `in` (shortening it). complete: `payload` is valid until the next call
  /// or until `in`'s bytes go. incomplete: all of `in` was taken.
  [[nodiscard]] frame_status next(std::string_view& in, std::size_t bytes_max,
                                  std::string_view& payload);
  /// A frame has begun and is not complete.
  [[nodiscard]] bool in_frame() const noexcept { return !partial_.empty() && !delivered_; }

private:
  std::string partial_;
  bool delivered_ = false; ///< partial_ is the frame that was given out last
};

} // namespace muster::net
