#pragma once
// The pieces of admission in front of a TLS handshake: whether there is a descriptor, a token, a
// reason to go on. Small, without threads or asio.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace muster::net {

/// A file descriptor that is closed with its owner.
class owned_descriptor {
public:
  owned_descriptor() = default;
  explicit owned_descriptor(int fd) noexcept : fd_(fd) {}
  ~owned_descriptor() { reset(); }
  owned_descriptor(owned_descriptor&& other) noexcept : fd_(other.release()) {}
  owned_descriptor& operator=(owned_descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;
  /// Closes a TCP connection with a reset: cheap, and nothing of it stays in the kernel.
  void reset_connection() noexcept;

private:
  int fd_ = -1;
};

/// What an error of accept(2) means.
enum class accept_failure { nothing_there, peer_gone, exhausted, socket_broken };
[[nodiscard]] accept_failure accept_failure_of(int error) noexcept;

/// A descriptor kept for the moment when there is none left: without it the newcomer would stay
/// at the head of the queue, and the loop would find it there again and again.
class reserve_descriptor {
public:
  reserve_descriptor() { refill(); }
  /// Gives the reserve up, accepts and resets one connection, takes the reserve again.
  void shed_one(int listening_fd) noexcept;

private:
  void refill() noexcept;
  owned_descriptor fd_;
};

/// RLIMIT_NOFILE less what files, logs and the other ports need.
[[nodiscard]] std::size_t connections_by_descriptors() noexcept;

/// A token bucket with a burst of one second.
class accept_rate {
public:
  /// 0: no limit.
  explicit accept_rate(std::size_t per_second_max) noexcept
    : per_second_max_(static_cast<double>(per_second_max)), tokens_(per_second_max_) {}

  /// Zero when one may be accepted now (and is counted), else how long to wait.
  [[nodiscard]] std::chrono::milliseconds
  take(std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now()) noexcept;
  /// There was nobody to accept.
  void give_back() noexcept { tokens_ += 1; }

private:
  double per_second_max_;
  double tokens_;
  std::chrono::steady_clock::time_point filled_at_{};
};

} // namespace muster::net
