#include "tests/system/private_network.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include <unistd.h>

namespace muster::test {

namespace {

constexpr const char* ip = "/usr/sbin/ip";
constexpr const char* unshare = "/usr/bin/unshare";
constexpr const char* nsenter = "/usr/bin/nsenter";

std::string namespace_of(const process& holder) {
  return "/proc/" + std::to_string(holder.id()) + "/ns/net";
}

words entering(const process& holder) {
  return {nsenter, "--net=" + namespace_of(holder), "--"};
}

/// A process that does nothing but to live in a network namespace of its own.
std::unique_ptr<process> new_holder() {
  auto out = std::make_unique<process>(words{unshare, "--net", "/bin/sh", "-c",
                                             "echo here; exec sleep infinity"});
  REQUIRE_MESSAGE(out->expect("here\n").has_value(), out->output());
  return out;
}

std::string wire_of(std::size_t host) {
  return "wire" + std::to_string(host);
}

} // namespace

bool private_network::is_possible() {
  for (const auto* program : {ip, unshare, nsenter})
    if (!std::filesystem::exists(program))
      return false;
  return ::geteuid() == 0 && run({unshare, "--net", ip, "link", "show"}).exit_code == 0;
}

void private_network::ip_on(const process& holder, words arguments) const {
  auto command = entering(holder);
  command.emplace_back(ip);
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto done = run(command);
  REQUIRE_MESSAGE(done.exit_code == 0, done.output);
}

private_network::private_network(std::size_t hosts) : hub_(new_holder()) {
  ip_on(*hub_, {"link", "add", "hub", "type", "bridge"});
  ip_on(*hub_, {"link", "set", "hub", "up"});
  for (std::size_t i = 0; i < hosts; ++i) {
    hosts_.push_back(new_holder());
    const auto& host = *hosts_.back();
    ip_on(*hub_, {"link", "add", wire_of(i), "type", "veth", "peer", "name", "eth0", "netns",
                  std::to_string(host.id())});
    ip_on(*hub_, {"link", "set", wire_of(i), "master", "hub", "up"});
    ip_on(host, {"link", "set", "lo", "up"});
    ip_on(host, {"address", "add", address(i) + "/24", "dev", "eth0"});
    ip_on(host, {"link", "set", "eth0", "up"});
  }
}

words private_network::on(std::size_t host) const {
  return entering(*hosts_.at(host));
}

std::string private_network::address(std::size_t host) const {
  return "10.77.0." + std::to_string(host + 1);
}

void private_network::set_plugged(std::size_t host, bool plugged) {
  ip_on(*hub_, {"link", "set", wire_of(host), plugged ? "up" : "down"});
}

void private_network::drop_udp(std::size_t host, std::uint16_t port) {
  // Before the table of local addresses (rule 0), or it would be of no effect.
  ip_on(*hosts_.at(host), {"rule", "add", "priority", "10", "table", "local"});
  ip_on(*hosts_.at(host), {"rule", "delete", "priority", "0"});
  ip_on(*hosts_.at(host), {"rule", "add", "priority", "5", "ipproto", "udp", "dport",
                           std::to_string(port), "blackhole"});
}

} // namespace muster::test
