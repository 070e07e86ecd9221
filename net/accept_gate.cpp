#include "net/accept_gate.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace muster::net {

namespace {

constexpr std::size_t descriptor_reserve = 1024;
constexpr std::chrono::milliseconds wait_min{10};

} // namespace

void owned_descriptor::reset() noexcept {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

void owned_descriptor::reset_connection() noexcept {
  const linger at_once{1, 0};
  static_cast<void>(::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
  reset();
}

accept_failure accept_failure_of(int error) noexcept {
  switch (error) {
  case EAGAIN:
  case EINTR:
    return accept_failure::nothing_there;
  case EMFILE:
  case ENFILE:
  case ENOBUFS:
  case ENOMEM:
    return accept_failure::exhausted;
  // accept(2): pending errors of the new connection, and a firewall's refusal.
  case ECONNABORTED:
  case EPROTO:
  case EPERM:
  case ENOPROTOOPT:
  case ENETDOWN:
  case EHOSTDOWN:
  case ENONET:
  case EHOSTUNREACH:
  case ENETUNREACH:
  case ETIMEDOUT:
    return accept_failure::peer_gone;
  default:
    return accept_failure::socket_broken;
  }
}

void reserve_descriptor::shed_one(int listening_fd) noexcept {
  fd_.reset();
  if (owned_descriptor newcomer(::accept4(listening_fd, nullptr, nullptr, SOCK_CLOEXEC)); newcomer)
    newcomer.reset_connection();
  refill();
}

void reserve_descriptor::refill() noexcept {
  fd_ = owned_descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

std::size_t connections_by_descriptors() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return descriptor_reserve;
  const auto descriptors = static_cast<std::size_t>(limit.rlim_cur);
  return descriptors - std::min(descriptor_reserve, descriptors / 4);
}

std::chrono::milliseconds accept_rate::take(std::chrono::steady_clock::time_point now) noexcept {
  if (per_second_max_ == 0)
    return {};
  if (filled_at_ != std::chrono::steady_clock::time_point{}) {
    const std::chrono::duration<double> passed = now - filled_at_;
    tokens_ = std::min(per_second_max_, tokens_ + passed.count() * per_second_max_);
  }
  filled_at_ = now;
  if (tokens_ >= 1) {
    tokens_ -= 1;
    return {};
  }
  const std::chrono::duration<double> missing((1 - tokens_) / per_second_max_);
  return std::max(wait_min, std::chrono::ceil<std::chrono::milliseconds>(missing));
}

} // namespace muster::net
