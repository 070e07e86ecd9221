// The file of a device's keys for datagrams.
#include "net/datagram_key_file.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  muster::net::datagram_key_owner owner;
  owner.device_id.fill(1);
  const auto keys = muster::net::parse_datagram_keys(text, owner);
  if (keys && muster::net::datagram_keys_text(owner, *keys) != text)
    std::abort(); // only what we would write ourselves
  return 0;
}
