#include "actors/agent/network_watch.hpp"

#include "actors/agent/probe/netlink.hpp"

#include <doctest/doctest.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <initializer_list>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;

namespace {

std::string news(std::uint16_t type, std::size_t body) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof head + body);
  head.nlmsg_type = type;
  std::string out(reinterpret_cast<const char*>(&head), sizeof head);
  out.append(body, '\0');
  out.append((4 - out.size() % 4) % 4, '\0');
  return out;
}

} // namespace

TEST_CASE("links, addresses and routes are news, other things are not") {
  for (const int type : std::initializer_list<int>{RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE,
                         RTM_DELROUTE, NLMSG_OVERRUN})
    CHECK(probe::tells_of_network(news(static_cast<std::uint16_t>(type), 8)));
  for (const int type : std::initializer_list<int>{RTM_NEWNEIGH, RTM_NEWQDISC, NLMSG_DONE, NLMSG_NOOP, NLMSG_ERROR})
    CHECK_FALSE(probe::tells_of_network(news(static_cast<std::uint16_t>(type), 8)));
  CHECK(probe::tells_of_network(news(RTM_NEWNEIGH, 5) + news(RTM_NEWADDR, 0)));
}

TEST_CASE("news that are cut or lie about their length are none") {
  const auto whole = news(RTM_NEWNEIGH, 8) + news(RTM_NEWADDR, 8);
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(probe::tells_of_network(std::string_view{whole}.substr(0, length)));
  CHECK(probe::tells_of_network(whole));
  for (const std::uint32_t length : {0U, 1U, 15U, 0x7fffffffU, 0xffffffffU}) {
    auto lying = whole;
    std::memcpy(lying.data(), &length, sizeof length);
    CHECK_FALSE(probe::tells_of_network(lying));
  }
}

/// In a network namespace of the thread's own, where a loopback can be switched on.
TEST_CASE("a change of the network is told once it is over, a burst as one") {
  std::string problem;
  bool first = false;
  bool second = false;
  unsigned told_in_all = 0;
  std::thread{[&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      problem = std::strerror(errno);
      return;
    }
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto switch_loopback = [fd](bool on) {
      ifreq change{};
      std::strcpy(change.ifr_name, "lo");
      change.ifr_flags = on ? IFF_UP : 0;
      return ::ioctl(fd, SIOCSIFFLAGS, &change) == 0;
    };
    std::mutex mutex;
    std::condition_variable changed;
    unsigned changes = 0;
    const auto reach = [&](unsigned count) {
      std::unique_lock lock{mutex};
      return changed.wait_for(lock, 20s, [&] { return changes >= count; });
    };
    net::io_pool pool{1}; // its threads are in the namespace too
    const network_watch watch{pool.lane(0),
                              {.quiet = 50ms, .latest = 5s},
                              {[&] {
                                 const std::lock_guard lock{mutex};
                                 ++changes;
                                 changed.notify_all();
                               },
                               [&](const std::string& why) { problem = why; }}};
    // The watch stands as soon as what was posted behind it has run.
    std::mutex ready;
    ready.lock();
    net::run_on(pool.lane(0), [&] { ready.unlock(); });
    ready.lock();
    static_cast<void>(switch_loopback(true));
    first = reach(1);
    for (int i = 0; i < 5; ++i)
      static_cast<void>(switch_loopback(i % 2 == 1));
    second = reach(2);
    pool.join();
    told_in_all = changes;
    ::close(fd);
  }}.join();
  if (!problem.empty() && !first) {
    MESSAGE("no network namespace here: " << problem);
    return;
  }
  CHECK(first);
  CHECK(second);
  CHECK(told_in_all <= 4); // not one per switch, address and route
}
