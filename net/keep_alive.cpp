#include "net/keep_alive.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace muster::net {

namespace {

void set_option(int socket, int level, int name, int value) noexcept {
  // Each of these only tunes: a socket that refuses one still works.
  static_cast<void>(::setsockopt(socket, level, name, &value, sizeof(value)));
}

} // namespace

void keep_alive(int socket, std::chrono::seconds period) noexcept {
  const int on = period.count() > 0 ? 1 : 0;
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, on);
  if (on == 0)
    return set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
  const auto seconds = static_cast<int>(std::clamp<std::int64_t>(period.count(), 1, 9 * 3600));
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, std::max(seconds / 4, 1));
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, 4);
  // In milliseconds; outweighs the number of questions.
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 2 * seconds * 1000);
}

} // namespace muster::net
