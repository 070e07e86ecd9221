#pragma once
// The plain protocol as an engine: handshake (plain_handshake.hpp), then frames under a tag
// (plain_frame.hpp).

#include "net/engine.hpp"
#include "net/plain_context.hpp"
#include "net/plain_frame.hpp"
#include "net/plain_handshake.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::net {

/// Idle it is two keys, two counters and the hash of the peer's certificate. Bounds: one message
/// of the handshake, afterwards one frame of plain_frame_bytes_max in the making. Nothing is
/// delivered before its tag is checked.
class plain_engine final : public engine {
public:
  explicit plain_engine(server_plain_context_ptr context,
                        const plain_draw& drawn = plain_draw::make());
  explicit plain_engine(client_plain_context_ptr context,
                        const plain_draw& drawn = plain_draw::make());
  ~plain_engine() override;

  [[nodiscard]] std::error_code start(std::string& out) override;
  [[nodiscard]] std::error_code receive(std::span<const std::uint8_t> in, std::string& plain,
                                        std::string& out) override;
  [[nodiscard]] std::error_code send(std::string_view plain, std::string& out) override;
  void shutdown(std::string& out) override;
  [[nodiscard]] bool open() const noexcept override;
  [[nodiscard]] bool peer_closed() const noexcept override;
  [[nodiscard]] bool in_unit() const noexcept override;
  /// Never anonymous, never resumed.
  [[nodiscard]] peer_info peer() const override;

private:
  [[nodiscard]] std::error_code take(std::string_view payload, std::string& plain,
                                     std::string& out);
  [[nodiscard]] std::error_code take_sealed(std::string_view payload, std::string& plain);

  /// What is left of the handshake when it is over.
  struct traffic {
    plain_sealer sealer;
    plain_opener opener;
    sha256_digest peer;
  };

  std::unique_ptr<plain_handshake> handshake_; ///< until it is finished
  std::unique_ptr<traffic> traffic_;           ///< afterwards
  plain_frame_cutter cutter_;
  bool server_;
  bool any_byte_ = false;
  bool peer_closed_ = false;
  bool said_end_ = false;
  bool failed_ = false;
};

} // namespace muster::net
