// Compressed data obeys its bound, and is refused when cut, damaged or followed by anything.

#include "storage/compress.hpp"

#include <doctest/doctest.h>
#include <zstd.h>

#include <random>
#include <string>

using namespace muster::storage;

namespace {

std::string noise(std::size_t bytes, unsigned letters) {
  std::mt19937 random(7);
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i)
    out.push_back(static_cast<char>(random() % letters));
  return out;
}

constexpr std::size_t plenty = 16 * 1024 * 1024;

} // namespace

TEST_CASE("what is compressed comes back, whatever its size") {
  for (const std::size_t size : {0, 1, 100, 16 * 1024, 16 * 1024 + 1, 1'000'000}) {
    CAPTURE(size);
    const auto text = noise(size, 20);
    std::string out;
    REQUIRE_FALSE(decompress(compress(text), size, out));
    CHECK(out == text);
  }
}

TEST_CASE("nothing above the bound comes out of a frame") {
  const auto bomb = compress(std::string(10'000'000, 'x'));
  CHECK(bomb.size() < 2'000);
  std::string out;
  CHECK(decompress(bomb, 9'999'999, out) == errc::too_large);
  CHECK(out.empty());
  CHECK(decompress(compress("x"), 0, out) == errc::too_large);

  decompressor parts(1'000);
  CHECK(parts.feed(bomb, out) == errc::too_large);
  CHECK(out.size() <= 1'000);
  CHECK(parts.feed({}, out) == errc::too_large);
}

TEST_CASE("a frame cut anywhere is damaged, whole or in parts") {
  const auto bytes = compress(noise(500, 250));
  std::string out;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK(decompress(bytes.substr(0, size), plenty, out) == errc::corrupt);
    CHECK(out.empty());
    decompressor parts(plenty);
    CHECK_FALSE(parts.feed(bytes.substr(0, size), out));
    CHECK_FALSE(parts.finished());
    out.clear();
  }
}

TEST_CASE("any flipped bit is found") {
  const auto bytes = compress(noise(200, 250));
  const auto text = noise(200, 250);
  std::string out;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto ec = decompress(damaged, plenty, out);
    CHECK((ec || out == text)); // a few bits of the header mean nothing
  }
}

TEST_CASE("bytes behind the frame are refused, a second frame too") {
  std::string out;
  CHECK(decompress(compress("a") + "x", plenty, out) == errc::corrupt);
  CHECK(decompress(compress("a") + compress("b"), plenty, out) == errc::corrupt);
  decompressor parts(plenty);
  CHECK_FALSE(parts.feed(compress("a"), out));
  CHECK(parts.finished());
  CHECK_FALSE(parts.feed({}, out));
  CHECK(parts.feed("x", out) == errc::corrupt);
}

TEST_CASE("a frame arrives in parts of any size") {
  const auto text = noise(200'000, 50);
  const auto bytes = compress(text);
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    CAPTURE(step);
    decompressor parts(text.size());
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      REQUIRE_FALSE(parts.finished());
      REQUIRE_FALSE(parts.feed(std::string_view(bytes).substr(at, step), out));
    }
    CHECK(parts.finished());
    CHECK(out == text);
  }
}

TEST_CASE("a frame that wants a huge window is refused before it gets the memory") {
  struct deleter {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  const std::unique_ptr<ZSTD_CCtx, deleter> context(ZSTD_createCCtx());
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, 27);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0);
  // Streamed with the size unknown, so that the window is not made to fit.
  std::string bytes(1'000, '\0');
  ZSTD_outBuffer to{bytes.data(), bytes.size(), 0};
  ZSTD_inBuffer first{"hello", 5, 0};
  REQUIRE(ZSTD_isError(ZSTD_compressStream2(context.get(), &to, &first, ZSTD_e_flush)) == 0);
  ZSTD_inBuffer nothing{nullptr, 0, 0};
  REQUIRE(ZSTD_compressStream2(context.get(), &to, &nothing, ZSTD_e_end) == 0);
  bytes.resize(to.pos);
  std::string out;
  CHECK(decompress(bytes, plenty, out) == errc::corrupt);
}

TEST_CASE("formats of the past and frames to be skipped are damage, in whatever parts they come") {
  const std::string rest("\x00\xd0\x70\x00\x00\x00\x00\x00", 8);
  for (const std::uint32_t magic : {0xFD2FB522U, 0xFD2FB523U, 0xFD2FB524U, 0xFD2FB525U, 0xFD2FB526U,
                                    0xFD2FB527U, 0x184D2A50U, 0xEC30A437U}) {
    std::string frame;
    for (int shift = 0; shift < 32; shift += 8)
      frame.push_back(static_cast<char>(static_cast<std::uint8_t>(magic >> shift)));
    frame += rest;
    CAPTURE(magic);
    std::string out;
    CHECK(decompress(frame, 1000, out) == errc::corrupt);
    decompressor bytewise(1000);
    std::error_code ec;
    for (const char c : frame)
      ec = bytewise.feed({&c, 1}, out);
    CHECK(ec == errc::corrupt);
    CHECK(out.empty());
  }
}

TEST_CASE("a frame is judged the same whole and in parts, also one that lies about its size") {
  const std::string lies("\x28\xb5\x2f\xfd\x40\x0d\x0c\x00\x01\x00\x00", 11);
  std::string whole;
  const auto ec = decompress(lies, 1000, whole);
  decompressor bytewise(1000);
  std::string parts;
  std::error_code parts_ec;
  for (const char c : lies)
    parts_ec = bytewise.feed({&c, 1}, parts);
  CHECK(ec == parts_ec);
  CHECK(whole == parts);
}
