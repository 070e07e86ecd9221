// The file of a server's secrets for datagrams.
#include "net/datagram_secret_file.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto secrets = muster::net::parse_datagram_secrets(text);
  if (secrets && muster::net::datagram_secrets_text(*secrets) != text)
    std::abort(); // only what we would write ourselves
  return 0;
}
