// An archive of an identity is a file that somebody brings along. A first byte of zero means the
// packed files inside, which only the right passphrase could have brought there.
#include "net/identity_archive.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::net;
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  if (in.starts_with('\0')) {
    const auto files = unpack_files(in.substr(1));
    MUSTER_ASSERT(!files || pack_files(*files) == in.substr(1), "files are packed in one form");
    return 0;
  }
  // Real work takes too long to find anything: these costs are allowed, and only expensive.
  constexpr std::size_t log2_n_at = 9;
  if (size > log2_n_at && data[log2_n_at] > 6 && data[log2_n_at] < 21)
    return 0;
  std::string problem;
  const auto files = open_identity(in, "correct horse battery", problem);
  MUSTER_ASSERT(files.has_value() == problem.empty(), "a refused archive is explained");
  return 0;
}
