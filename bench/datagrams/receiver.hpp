#pragma once
// Who is flooded: something on a thread of its own, on core 0, that receives and refuses.

#include "net/udp_port.hpp"

#include <cstdint>
#include <memory>

namespace muster::bench {

class receiver {
public:
  virtual ~receiver() = default;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  [[nodiscard]] virtual double cpu_us() const = 0;
  /// Datagrams so far.
  [[nodiscard]] virtual std::uint64_t received() const = 0;
};

/// Reads in slices, throws away.
[[nodiscard]] std::unique_ptr<receiver> make_bare_receiver();

/// net::udp_port; ends the program when a datagram passes the filter.
[[nodiscard]] std::unique_ptr<receiver> make_our_receiver(net::udp_port::filter worth);

} // namespace muster::bench
