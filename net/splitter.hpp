#pragma once
// Cuts a byte stream into messages. Pure; one per link.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::net {

/// Holds no memory between messages beyond itself; a message in the making is bounded.
class splitter {
public:
  virtual ~splitter() = default;
  /// Takes bytes from the front of `in` (shortening it). Returns true when `out` holds one
  /// complete message; false when more bytes are needed or `ec` says why there never will be one.
  [[nodiscard]] virtual bool next(std::string_view& in, std::string& out, std::error_code& ec) = 0;
  /// Raises the bound to what an authenticated peer may send.
  virtual void trust() = 0;
  /// A message has begun and is not complete.
  [[nodiscard]] virtual bool in_message() const = 0;
  /// What must be put before and behind an outgoing message (a frame header; nothing for HTTP).
  /// Unlike the rest it may be called from any thread at any time.
  virtual void wrap(std::string& message) const = 0;
  /// What the peer must be told now, after next() has returned false: HTTP's "100 Continue" in the
  /// middle of a message, or a last word with an error. Empty for frames.
  [[nodiscard]] virtual std::string take_reply() { return {}; }
};

using make_splitter = std::unique_ptr<splitter> (*)();

/// 4-byte big-endian length and payload (net/frame.hpp).
[[nodiscard]] std::unique_ptr<splitter> make_frame_splitter();
/// Whole HTTP/1.1 requests, head and body, as received (net/http.hpp).
[[nodiscard]] std::unique_ptr<splitter> make_request_splitter();

} // namespace muster::net
