#pragma once
// Several hosts on one machine: a network namespace each, all on one switch, which is one, too.
// Nothing of it has a name outside; it is gone with the processes that hold it.

#include "tests/system/fleet.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace muster::test {

class private_network {
public:
  /// Whether this process may make one (it takes root and the programs ip, unshare and nsenter).
  [[nodiscard]] static bool is_possible();

  /// 1 to 200 hosts. REQUIREs that it works.
  explicit private_network(std::size_t hosts);

  /// What has to stand in front of a program for it to run there.
  [[nodiscard]] words on(std::size_t host) const;
  [[nodiscard]] std::string address(std::size_t host) const;
  /// Pulls the plug, or puts it back: nobody is told.
  void set_plugged(std::size_t host, bool plugged);
  /// A firewall that drops UDP to this port of the host, in silence.
  void drop_udp(std::size_t host, std::uint16_t port);

private:
  void ip_on(const process& holder, words arguments) const;

  std::unique_ptr<process> hub_;
  std::vector<std::unique_ptr<process>> hosts_;
};

} // namespace muster::test
