#include "actors/agent/network_watch.hpp"

#include "actors/agent/probe/netlink.hpp"
#include "actors/agent/settling_watch.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace muster::actors {

namespace {

constexpr std::uint32_t groups =
  RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
constexpr std::size_t reads_max = 32; // per wake-up; the rest wakes us again

} // namespace

class network_watch::watcher : public settling_watch {
public:
  watcher(net::io_lane& lane, const network_watch_options& options, callbacks tell)
    : settling_watch(lane, options.quiet, options.latest, std::move(tell.changed)),
      broken_(std::move(tell.broken)) {}

  void begin() override {
    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
      return fail("the kernel does not tell of the network");
    take(fd);
    sockaddr_nl here{};
    here.nl_family = AF_NETLINK;
    here.nl_groups = groups;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
      return fail("the kernel does not tell of the network");
    wait();
  }

private:
  bool read_news() override {
    alignas(nlmsghdr) std::array<char, 8192> buffer;
    bool touched = false;
    for (std::size_t reads = 0; reads < reads_max; ++reads) {
      sockaddr_nl from{};
      socklen_t length = sizeof from;
      const auto got = ::recvfrom(descriptor(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &length);
      if (got < 0 && (errno == EAGAIN || errno == EINTR))
        break;
      if (got < 0 && errno == ENOBUFS) { // more news than the socket holds: something has changed
        touched = true;
        continue;
      }
      if (got < 0) {
        fail("the kernel tells no more of the network");
        return false;
      }
      if (from.nl_pid == 0) // the kernel's own
        touched = probe::tells_of_network({buffer.data(), static_cast<std::size_t>(got)}) || touched;
    }
    return touched;
  }

  void fail(const std::string& what) {
    const auto why = std::generic_category().message(errno);
    if (has_ended())
      return;
    end();
    broken_(what + ": " + why);
  }

  std::function<void(const std::string&)> broken_;
};

network_watch::network_watch(net::io_lane& lane, network_watch_options options, callbacks tell)
  : lane_(lane.shared_from_this()),
    watcher_(std::make_shared<watcher>(lane, options, std::move(tell))) {
  begin_watch(lane, watcher_);
}

network_watch::~network_watch() { end_watch(*lane_, std::move(watcher_)); }

} // namespace muster::actors
