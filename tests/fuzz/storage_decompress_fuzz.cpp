// Sections come compressed from agents: whatever is sent, the output stays below its bound, and it
// does not matter into which parts the input was cut. The first byte says how long the parts are.
#include "storage/compress.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace {

using namespace muster::storage;

constexpr std::size_t bytes_max = 128 * 1024;

std::error_code in_parts(std::string_view bytes, std::size_t part, std::string& out) {
  decompressor frame(bytes_max);
  while (!bytes.empty()) {
    const auto ec = frame.feed(bytes.substr(0, part), out);
    MUSTER_ASSERT(out.size() <= bytes_max, "the output is bounded");
    if (ec)
      return ec;
    bytes.remove_prefix(std::min(part, bytes.size()));
  }
  return frame.finished() ? std::error_code{} : errc::corrupt;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  std::string whole;
  const auto ec = decompress(bytes, bytes_max, whole);
  MUSTER_ASSERT(whole.size() <= bytes_max, "the output is bounded");
  MUSTER_ASSERT(!ec || whole.empty(), "an error leaves nothing");
  std::string parts;
  const auto parts_ec = in_parts(bytes, 1 + data[0] % 200, parts);
  MUSTER_ASSERT(static_cast<bool>(ec) == static_cast<bool>(parts_ec),
                "the same input ends the same way, however it is cut");
  if (!ec)
    MUSTER_ASSERT(parts == whole, "the same input is the same content, however it is cut");
  std::string back;
  MUSTER_ASSERT(!decompress(compress(bytes), bytes.size(), back) && back == bytes,
                "what is compressed comes back");
  return 0;
}
