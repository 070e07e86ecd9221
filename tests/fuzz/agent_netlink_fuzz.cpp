// News of the kernel's routing socket.
#include "actors/agent/probe/netlink.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(
    muster::actors::probe::tells_of_network({reinterpret_cast<const char*>(data), size}));
  return 0;
}
