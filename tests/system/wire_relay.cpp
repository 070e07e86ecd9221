#include "tests/system/wire_relay.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace muster::test {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(port);
  return out;
}

void set_no_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/// The peer is told by a reset.
void close_hard(int socket) {
  const linger at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  ::close(socket);
}

bool send_all(int socket, const char* bytes, std::size_t size) {
  while (size > 0) {
    const auto sent = ::send(socket, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

} // namespace

wire_relay::wire_relay(std::uint16_t server_port, std::string from)
  : server_port_(server_port), from_(std::move(from)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(listener_ >= 0);
  auto here = loopback(0);
  REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&here), sizeof(here)) == 0);
  REQUIRE(::listen(listener_, 64) == 0);
  socklen_t size = sizeof(here);
  REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) == 0);
  port_ = ntohs(here.sin_port);
  REQUIRE(::pipe2(wake_, O_CLOEXEC) == 0);
  thread_ = std::thread{[this] { work(); }};
}

wire_relay::~wire_relay() {
  const char word = 0;
  [[maybe_unused]] const auto told = ::write(wake_[1], &word, 1);
  thread_.join();
  for (auto& c : live_)
    end(*c);
  for (const int socket : blind_)
    ::close(socket);
  ::close(listener_);
  ::close(wake_[0]);
  ::close(wake_[1]);
}

void wire_relay::cut_next(const cut& where) {
  const std::lock_guard lock{mutex_};
  next_cut_ = where;
}

std::vector<traffic> wire_relay::connections() {
  const std::lock_guard lock{mutex_};
  return {seen_.begin(), seen_.end()};
}

std::optional<traffic> wire_relay::first_end(std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  const bool ended
    = changed_.wait_for(lock, time, [this] { return !seen_.empty() && seen_.front().ended; });
  return ended ? std::optional{seen_.front()} : std::nullopt;
}

void wire_relay::work() {
  for (;;) {
    std::vector<pollfd> watched{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& c : live_) {
      watched.push_back({c->up_open ? c->agent : -1, POLLIN, 0});
      watched.push_back({c->down_open ? c->server : -1, POLLIN, 0});
    }
    ::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0)
      return;
    const auto known = live_.size();
    if (watched[1].revents != 0)
      accept_one();
    for (std::size_t i = known; i-- > 0;) {
      const bool over = (watched[2 + 2 * i].revents != 0 && !pass(*live_[i], flow::up))
                        || (watched[3 + 2 * i].revents != 0 && !pass(*live_[i], flow::down));
      if (over)
        live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

void wire_relay::accept_one() {
  auto c = std::make_unique<connection>();
  c->agent = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (c->agent < 0)
    return;
  c->server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (!from_.empty()) {
    auto here = loopback(0);
    ::inet_pton(AF_INET, from_.c_str(), &here.sin_addr);
    ::bind(c->server, reinterpret_cast<const sockaddr*>(&here), sizeof(here));
  }
  const auto there = loopback(server_port_);
  if (::connect(c->server, reinterpret_cast<const sockaddr*>(&there), sizeof(there)) != 0) {
    close_hard(c->agent);
    ::close(c->server);
    return;
  }
  set_no_delay(c->agent);
  set_no_delay(c->server);
  {
    const std::lock_guard lock{mutex_};
    c->index = seen_.size();
    c->ending = std::exchange(next_cut_, std::nullopt);
    seen_.emplace_back();
  }
  live_.push_back(std::move(c));
}

bool wire_relay::pass(connection& c, flow direction) {
  const bool up = direction == flow::up;
  std::array<char, 16 * 1024> buffer;
  const auto got = ::recv(up ? c.agent : c.server, buffer.data(), buffer.size(), 0);
  if (got < 0) { // a reset passes on as one
    c.ending = cut{cut_kind::reset, direction, 0, 0};
    end(c);
    return false;
  }
  if (got > 0) {
    const auto size = static_cast<std::size_t>(got);
    const auto passing = count(c, direction, buffer.data(), size);
    const bool taken = send_all(up ? c.server : c.agent, buffer.data(), passing);
    if (passing < size || is_at_cut(c, direction))
      apply_cut(c);
    else if (taken)
      return true;
    else
      end(c);
    return false;
  }
  ::shutdown(up ? c.server : c.agent, SHUT_WR);
  (up ? c.up_open : c.down_open) = false;
  if (c.up_open || c.down_open)
    return true;
  end(c);
  return false;
}

bool wire_relay::is_at_cut(const connection& c, flow direction) const {
  if (!c.ending || c.ending->direction != direction)
    return false;
  const bool up = direction == flow::up;
  const auto& of = seen_[c.index];
  return c.ending->records == (up ? of.up_records : of.down_records)
         && c.ending->bytes == (up ? c.up_reader : c.down_reader).passed;
}

std::size_t wire_relay::count(connection& c, flow direction, const char* bytes, std::size_t size) {
  constexpr std::size_t header_bytes = 5;
  const bool up = direction == flow::up;
  auto& reader = up ? c.up_reader : c.down_reader;
  const std::lock_guard lock{mutex_};
  auto& of = seen_[c.index];
  for (std::size_t i = 0; i < size; ++i) {
    ++(up ? of.up : of.down);
    ++reader.passed;
    if (reader.header.size() < header_bytes) {
      reader.header += bytes[i];
      if (reader.header.size() == header_bytes)
        reader.left = static_cast<std::size_t>(static_cast<std::uint8_t>(reader.header[3])) << 8
                      | static_cast<std::uint8_t>(reader.header[4]);
    } else {
      --reader.left;
    }
    if (reader.header.size() == header_bytes && reader.left == 0) {
      ++(up ? of.up_records : of.down_records);
      reader = {};
    }
    if (is_at_cut(c, direction))
      return i + 1;
  }
  return size;
}

void wire_relay::apply_cut(connection& c) {
  switch (c.ending->kind) {
  case cut_kind::closed:
    ::close(c.agent);
    ::close(c.server);
    break;
  case cut_kind::reset:
    close_hard(c.agent);
    close_hard(c.server);
    break;
  case cut_kind::server_blind:
    close_hard(c.agent);
    blind_.push_back(c.server);
    break;
  case cut_kind::agent_blind:
    close_hard(c.server);
    blind_.push_back(c.agent);
    break;
  }
  const std::lock_guard lock{mutex_};
  seen_[c.index].ended = seen_[c.index].was_cut = true;
  changed_.notify_all();
}

void wire_relay::end(connection& c) {
  tcp_info wire{};
  socklen_t size = sizeof(wire);
  ::getsockopt(c.agent, IPPROTO_TCP, TCP_INFO, &wire, &size);
  if (c.ending && c.ending->kind == cut_kind::reset) {
    close_hard(c.agent);
    close_hard(c.server);
  } else {
    ::close(c.agent);
    ::close(c.server);
  }
  const std::lock_guard lock{mutex_};
  seen_[c.index].ended = true;
  seen_[c.index].segments = wire.tcpi_segs_in + wire.tcpi_segs_out;
  changed_.notify_all();
}

} // namespace muster::test
