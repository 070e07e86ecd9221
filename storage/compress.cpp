#include "storage/compress.hpp"

#include <muster/assert.hpp>

#include <zstd.h>

#include <algorithm>
#include <array>

namespace muster::storage {

std::string compress(std::string_view bytes, int level) {
  struct deleter {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };
  const std::unique_ptr<ZSTD_CCtx, deleter> context(ZSTD_createCCtx());
  MUSTER_ASSERT(context != nullptr, "out of memory");
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const auto size =
    ZSTD_compress2(context.get(), out.data(), out.size(), bytes.data(), bytes.size());
  MUSTER_ASSERT(ZSTD_isError(size) == 0, "compression into a sufficient buffer cannot fail");
  out.resize(size);
  return out;
}

void decompressor::deleter::operator()(ZSTD_DCtx_s* context) const noexcept {
  ZSTD_freeDCtx(context);
}

decompressor::decompressor(std::size_t bytes_max) : context_(ZSTD_createDCtx()), left_(bytes_max) {
  MUSTER_ASSERT(context_ != nullptr, "out of memory");
  ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, window_log_max);
}

decompressor::decompressor(decompressor&&) noexcept = default;
decompressor& decompressor::operator=(decompressor&&) noexcept = default;
decompressor::~decompressor() = default;

std::error_code decompressor::fail(errc why) {
  failed_ = why;
  return failed_;
}

/// Whether the frame says that it is one of ours. Library packages are built with decoders for what
/// was written before 2016, which nobody needs here and a stranger must not reach.
bool decompressor::begins_well(std::string_view part) {
  constexpr std::string_view magic{"\x28\xb5\x2f\xfd", 4};
  const auto begin = part.substr(0, magic.size() - magic_seen_);
  const bool good = magic.substr(magic_seen_, begin.size()) == begin;
  magic_seen_ += begin.size();
  return good;
}

std::error_code decompressor::feed(std::string_view part, std::string& out) {
  if (failed_)
    return failed_;
  // A frame that comes whole would be given to another decoder, which judges some damage otherwise
  // than the one for parts. So the first byte goes ahead alone.
  const auto ahead = magic_seen_ == 0 ? std::min<std::size_t>(part.size(), 1) : part.size();
  if (!begins_well(part))
    return fail(errc::corrupt);
  ZSTD_inBuffer input{part.data(), ahead, 0};
  std::array<char, 16 * 1024> piece;
  // Ends: every turn consumes input, yields output (bounded by left_), or is the last.
  while (true) {
    if (finished_)
      return input.pos == input.size ? std::error_code{} : fail(errc::corrupt);
    ZSTD_outBuffer output{piece.data(), piece.size(), 0};
    const auto consumed = input.pos;
    const auto more = ZSTD_decompressStream(context_.get(), &output, &input);
    input.size = part.size();
    if (ZSTD_isError(more) != 0)
      return fail(errc::corrupt);
    if (output.pos > left_)
      return fail(errc::too_large);
    left_ -= output.pos;
    out.append(piece.data(), output.pos);
    finished_ = more == 0;
    const bool stuck = consumed == input.pos && output.pos == 0;
    if (!finished_ && (stuck || (input.pos == input.size && output.pos < output.size)))
      return {};
  }
}

std::error_code decompress(std::string_view bytes, std::size_t bytes_max, std::string& out) {
  out.clear();
  decompressor frame(bytes_max);
  auto ec = frame.feed(bytes, out);
  if (!ec && !frame.finished())
    ec = errc::corrupt;
  if (ec)
    out.clear();
  return ec;
}

} // namespace muster::storage
