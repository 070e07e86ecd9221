#include "actors/agent/probe/netlink.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace muster::actors::probe {

namespace {

bool concerns_us(unsigned type) {
  switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case NLMSG_OVERRUN: return true;
    default: return false;
  }
}

} // namespace

bool tells_of_network(std::string_view bytes) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    nlmsghdr head{};
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > bytes.size())
      return false;
    if (concerns_us(head.nlmsg_type))
      return true;
    constexpr std::size_t align = NLMSG_ALIGNTO;
    const std::size_t whole = (head.nlmsg_len + align - 1) / align * align;
    bytes.remove_prefix(std::min(whole, bytes.size()));
  }
  return false;
}

} // namespace muster::actors::probe
