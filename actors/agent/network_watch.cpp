#include "actors/agent/network_watch.hpp"

#include "actors/agent/probe/netlink.hpp"

#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

namespace muster::actors {

namespace {

constexpr std::uint32_t groups =
  RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
constexpr std::size_t reads_max = 32; // per wake-up; the rest wakes us again

} // namespace

/// Everything here happens on the lane, but the flag.
class network_watch::watcher : public std::enable_shared_from_this<watcher> {
public:
  watcher(net::io_lane& lane, network_watch_options options, callbacks tell)
    : options_(options), tell_(std::move(tell)), news_(lane.io), quiet_(lane.io),
      latest_(lane.io) {}

  void begin() {
    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
      return fail("the kernel does not tell of the network");
    news_.assign(fd);
    sockaddr_nl here{};
    here.nl_family = AF_NETLINK;
    here.nl_groups = groups;
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
      return fail("the kernel does not tell of the network");
    wait();
  }

  void end() {
    ended_ = true;
    std::error_code ignored;
    news_.close(ignored);
    quiet_.cancel();
    latest_.cancel();
  }

  /// From any thread: say nothing any more.
  void hush() { ended_ = true; }

private:
  /// Handlers hold no strong pointer: what waits in a joined lane must not keep itself alive.
  template <class Member>
  auto mine(Member member) {
    return [weak = weak_from_this(), member](std::error_code ec) {
      if (const auto self = weak.lock(); self && !ec && !self->ended_)
        ((*self).*member)();
    };
  }

  void wait() {
    news_.async_wait(asio::posix::stream_descriptor::wait_read, mine(&watcher::on_readable));
  }

  void on_readable() {
    alignas(nlmsghdr) std::array<char, 8192> buffer;
    bool touched = false;
    for (std::size_t reads = 0; reads < reads_max; ++reads) {
      sockaddr_nl from{};
      socklen_t length = sizeof from;
      const auto got = ::recvfrom(news_.native_handle(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &length);
      if (got < 0 && (errno == EAGAIN || errno == EINTR))
        break;
      if (got < 0 && errno == ENOBUFS) { // more news than the socket holds: something has changed
        touched = true;
        continue;
      }
      if (got < 0)
        return fail("the kernel tells no more of the network");
      if (from.nl_pid == 0) // the kernel's own
        touched = probe::tells_of_network({buffer.data(), static_cast<std::size_t>(got)}) || touched;
    }
    if (touched)
      touch();
    wait();
  }

  void touch() {
    quiet_.expires_after(options_.quiet);
    quiet_.async_wait(mine(&watcher::say));
    if (std::exchange(due_, true))
      return;
    latest_.expires_after(options_.latest);
    latest_.async_wait(mine(&watcher::say));
  }

  void say() {
    if (!std::exchange(due_, false))
      return;
    quiet_.cancel();
    latest_.cancel();
    tell_.changed();
  }

  void fail(const std::string& what) {
    const auto why = std::generic_category().message(errno);
    if (ended_)
      return;
    end();
    tell_.broken(what + ": " + why);
  }

  network_watch_options options_;
  callbacks tell_;
  asio::posix::stream_descriptor news_;
  asio::steady_timer quiet_;
  asio::steady_timer latest_;
  bool due_ = false; ///< something has changed that nobody was told of
  std::atomic<bool> ended_{false};
};

network_watch::network_watch(net::io_lane& lane, network_watch_options options, callbacks tell)
  : lane_(lane.shared_from_this()),
    watcher_(std::make_shared<watcher>(lane, options, std::move(tell))) {
  net::run_on(lane, [one = watcher_] { one->begin(); });
}

network_watch::~network_watch() {
  watcher_->hush();
  // Its socket is closed where it is used; in a joined lane nobody uses it.
  net::run_on(*lane_, [one = std::move(watcher_)] { one->end(); });
}

} // namespace muster::actors
