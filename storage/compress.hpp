#pragma once
// zstd with bounds: what comes from a peer or the disk may claim any size and never gets it.

#include "storage/errc.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

struct ZSTD_DCtx_s;

namespace muster::storage {

/// Fast and good enough: an inventory of 41 KB becomes 11 KB.
inline constexpr int compression_level = 1;
/// A frame that asks the reader for more memory than this is refused, whatever it holds.
inline constexpr int window_log_max = 23;

/// One zstd frame with a checksum inside. Any size; the caller bounds its input.
[[nodiscard]] std::string compress(std::string_view bytes, int level = compression_level);

/// Takes one zstd frame in parts, as they arrive. The output never exceeds the bound, however the
/// input is made. Use by one thread at a time; holds up to 8 MB between parts, usually far less.
class decompressor {
public:
  explicit decompressor(std::size_t bytes_max);
  decompressor(decompressor&&) noexcept;
  decompressor& operator=(decompressor&&) noexcept;
  ~decompressor();

  /// Appends to `out` what `part` yields. errc::too_large above the bound (counting all parts);
  /// errc::corrupt for anything else than one frame, bytes behind its end included. Old formats,
  /// which the library may still read, and frames to be skipped are something else. After an error
  /// it stays that way.
  [[nodiscard]] std::error_code feed(std::string_view part, std::string& out);

  /// Whether the frame is whole. Input that ends earlier was cut.
  [[nodiscard]] bool finished() const noexcept { return finished_; }

private:
  struct deleter {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };
  std::error_code fail(errc why);
  bool begins_well(std::string_view part);

  std::unique_ptr<ZSTD_DCtx_s, deleter> context_;
  std::size_t left_;
  std::size_t magic_seen_ = 0;
  bool finished_ = false;
  std::error_code failed_;
};

/// A whole frame at once. `out` is replaced; empty after an error. errc::too_large when it would be
/// more than `bytes_max`, errc::corrupt when it is damaged, cut, or followed by anything.
[[nodiscard]] std::error_code decompress(std::string_view bytes, std::size_t bytes_max,
                                         std::string& out);

} // namespace muster::storage
