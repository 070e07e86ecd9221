// A record of a password comes from the database, which an attacker may have written to. The
// password is the first byte.
#include "net/password.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  const std::string record(in.substr(1));
  // Real work takes too long to find anything: these costs are allowed, and only expensive.
  const auto first = record.find('$');
  const int log2_n = first == std::string::npos ? 0 : std::atoi(record.c_str() + first + 1);
  if (log2_n > 6 && log2_n < 17)
    return 0;
  static_cast<void>(muster::net::verify_password(in.substr(0, 1), record));
  return 0;
}
