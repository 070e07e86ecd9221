#include "net/tcp_listener.hpp"

#include "net/accept_gate.hpp"
#include "net/asio_error.hpp"
#include "net/errc.hpp"
#include "net/lane_resident.hpp"
#include "net/plain_engine.hpp"
#include "net/tcp_link.hpp"
#include "net/tls_engine.hpp"

#include <asio/ip/v6_only.hpp>
#include <asio/steady_timer.hpp>

#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace muster::net {

namespace {

using tcp = asio::ip::tcp;
using tcp_acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;

constexpr int accepts_per_wakeup_max = 64;
constexpr std::chrono::milliseconds exhaustion_pause{100};

/// Makes the server's end of the next connection. Keeps what it needs for that; shared with the
/// handshakes that use it.
using protection = std::function<engine_ptr()>;
using protection_ptr = std::shared_ptr<const protection>;

protection_ptr by(server_tls_context_ptr tls) {
  return std::make_shared<const protection>(
    [tls = std::move(tls)] { return std::make_unique<tls_engine>(*tls); });
}

protection_ptr by(server_plain_context_ptr plain) {
  return std::make_shared<const protection>(
    [plain = std::move(plain)] { return std::make_unique<plain_engine>(plain); });
}

/// Accepts on one lane, hands connections to all lanes in turn. What is below the mutex is
/// touched by any thread, the rest by the acceptor's lane only.
class port_listener final : public tcp_listener,
                            public std::enable_shared_from_this<port_listener>,
                            private lane_resident {
public:
  port_listener(io_pool& pool, io_lane& lane, const listener_options& options, on_accepted accepted,
                on_failed failed)
    : pool_(pool), lane_(lane.shared_from_this()), options_(options), acceptor_(lane.io),
      timer_(lane.io), rate_(options.accepts_per_second_max),
      connections_max_(options.connections_max != 0 ? options.connections_max
                                                    : connections_by_descriptors()),
      told_(std::make_shared<const callbacks>(callbacks{std::move(accepted), std::move(failed)})),
      protection_(options.tls ? by(options.tls) : by(options.plain)) {}

  std::error_code bind();
  void start();

  std::uint16_t port() const override { return port_; }
  listener_counters counters() const override;
  void close() override;
  void use(server_tls_context_ptr tls) override { protect(by(std::move(tls))); }
  void use(server_plain_context_ptr plain) override { protect(by(std::move(plain))); }

private:
  struct callbacks {
    on_accepted accepted;
    on_failed failed;
  };

  void protect(protection_ptr how);
  void arm();
  void accept_some();
  bool may_accept();
  void wait_until_accepting(std::chrono::milliseconds time);
  void on_accept_error(int error);
  void admit(owned_descriptor fd, const tcp::endpoint& peer);
  void begin(io_lane& lane, owned_descriptor fd, const tcp::endpoint& peer);
  void on_handshake(tcp_link& link, std::error_code ec, peer_info peer);
  void uncount_handshake();
  void close_acceptor();
  void on_deadline() override {}
  void on_abandoned() override { close_acceptor(); }

  io_pool& pool_;
  std::shared_ptr<io_lane> lane_;
  const listener_options options_;
  tcp_acceptor acceptor_;
  asio::steady_timer timer_;
  accept_rate rate_;
  reserve_descriptor reserve_;
  const std::size_t connections_max_;
  std::uint16_t port_ = 0;
  bool resident_ = false;

  const std::shared_ptr<link_totals> totals_ = std::make_shared<link_totals>();
  std::atomic<std::uint64_t> accepts_{0};
  std::atomic<std::uint64_t> refused_full_{0};
  std::atomic<std::uint64_t> handshakes_failed_{0};
  std::atomic<std::uint64_t> handshakes_timed_out_{0};
  std::atomic<std::uint64_t> resumed_{0};
  std::atomic<std::size_t> handshakes_{0};
  std::atomic<bool> full_of_handshakes_{false};

  /// Held while a callback runs, so that none runs after close(); recursive, so that a callback
  /// may close.
  mutable std::recursive_mutex mutex_;
  std::shared_ptr<const callbacks> told_; ///< null: closed; shared by a callback while it runs
  protection_ptr protection_;
  std::unordered_map<tcp_link*, std::shared_ptr<tcp_link>> handshaking_;
};

std::error_code port_listener::bind() {
  std::error_code ec;
  auto address = asio::ip::make_address(options_.address, ec);
  if (ec)
    return plain_error(ec);
  acceptor_.open(address.is_v6() ? tcp::v6() : tcp::v4(), ec);
  if (plain_error(ec) == std::errc::address_family_not_supported && address.is_v6() &&
      address.is_unspecified()) {
    // A kernel without IPv6.
    address = asio::ip::address_v4::any();
    acceptor_.open(tcp::v4(), ec);
  }
  if (!ec)
    acceptor_.set_option(tcp_acceptor::reuse_address(true), ec);
  if (!ec && address.is_v6())
    acceptor_.set_option(asio::ip::v6_only(!address.is_unspecified()), ec);
  if (!ec)
    acceptor_.non_blocking(true, ec);
  if (!ec)
    acceptor_.bind({address, options_.port}, ec);
  if (!ec)
    acceptor_.listen(backlog_max, ec);
  if (!ec)
    port_ = acceptor_.local_endpoint(ec).port();
  return plain_error(ec);
}

void port_listener::start() {
  resident_ = lane_->deadlines->add(*this);
  if (!resident_)
    return close_acceptor();
  arm();
}

listener_counters port_listener::counters() const {
  listener_counters now;
  now.accepted = accepts_.load(std::memory_order_relaxed);
  now.refused_full = refused_full_.load(std::memory_order_relaxed);
  now.handshakes_failed = handshakes_failed_.load(std::memory_order_relaxed);
  now.handshakes_timed_out = handshakes_timed_out_.load(std::memory_order_relaxed);
  now.broken = totals_->broken.load(std::memory_order_relaxed);
  now.cut = totals_->cut.load(std::memory_order_relaxed);
  now.resumed = resumed_.load(std::memory_order_relaxed);
  now.open = totals_->open.load(std::memory_order_relaxed);
  now.bytes_in = totals_->bytes_in.load(std::memory_order_relaxed);
  now.bytes_out = totals_->bytes_out.load(std::memory_order_relaxed);
  return now;
}

void port_listener::protect(protection_ptr how) {
  const std::lock_guard lock(mutex_);
  protection_ = std::move(how);
}

// -- accepting ----------------------------------------------------------------

void port_listener::arm() {
  acceptor_.async_wait(tcp_acceptor::wait_read, [self = shared_from_this()](std::error_code ec) {
    if (!ec)
      self->accept_some();
  });
}

void port_listener::accept_some() {
  for (int i = 0; i < accepts_per_wakeup_max; ++i) {
    if (!acceptor_.is_open() || !may_accept())
      return;
    tcp::endpoint peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    owned_descriptor fd(
      ::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd)
      return on_accept_error(errno);
    peer.resize(size);
    admit(std::move(fd), peer);
  }
  arm();
}

/// False: somebody or something will call accept_some() when it is time again.
bool port_listener::may_accept() {
  if (handshakes_.load() >= options_.handshakes_max) {
    full_of_handshakes_.store(true);
    // One may have ended between the two lines above; then nobody else will wake us.
    if (handshakes_.load() >= options_.handshakes_max || !full_of_handshakes_.exchange(false))
      return false;
  }
  const auto wait = rate_.take();
  if (wait.count() > 0)
    wait_until_accepting(wait);
  return wait.count() == 0;
}

void port_listener::wait_until_accepting(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this()](std::error_code ec) {
    if (!ec)
      self->accept_some();
  });
}

void port_listener::on_accept_error(int error) {
  rate_.give_back();
  switch (accept_failure_of(error)) {
  case accept_failure::nothing_there:
  case accept_failure::peer_gone:
    return arm();
  case accept_failure::exhausted:
    refused_full_.fetch_add(1, std::memory_order_relaxed);
    reserve_.shed_one(acceptor_.native_handle());
    return wait_until_accepting(exhaustion_pause);
  case accept_failure::socket_broken:
    break;
  }
  const std::lock_guard lock(mutex_);
  const auto told = std::exchange(told_, nullptr);
  if (!told)
    return; // it is we who broke it
  close_acceptor();
  told->failed({error, std::generic_category()});
}

void port_listener::admit(owned_descriptor fd, const tcp::endpoint& peer) {
  if (totals_->open.load(std::memory_order_relaxed) >= connections_max_) {
    refused_full_.fetch_add(1, std::memory_order_relaxed);
    return fd.reset_connection();
  }
  accepts_.fetch_add(1, std::memory_order_relaxed);
  totals_->open.fetch_add(1, std::memory_order_relaxed);
  handshakes_.fetch_add(1);
  auto& lane = pool_.next_lane();
  run_on(lane, [self = shared_from_this(), &lane, peer, fd = std::move(fd)]() mutable {
    self->begin(lane, std::move(fd), peer);
  });
}

// -- handshakes, on the connection's lane -------------------------------------

void port_listener::begin(io_lane& lane, owned_descriptor fd, const tcp::endpoint& peer) {
  protection_ptr how;
  {
    const std::lock_guard lock(mutex_);
    if (told_)
      how = protection_;
  }
  tcp_socket socket(lane.io.get_executor());
  if (how) {
    std::error_code ec;
    socket.assign(peer.protocol(), fd.get(), ec);
    if (!ec)
      net::keep_alive(fd.release(), options_.keep_alive);
  }
  std::shared_ptr<tcp_link> made;
  if (socket.is_open()) {
    tcp_link_options options;
    options.splitter = options_.splitter;
    options.handshake_max = options_.handshake_max;
    options.first_message_max = options_.first_message_max;
    options.totals = totals_;
    made = tcp_link::make(lane, std::move(socket), peer, (*how)(), options);
  }
  if (!made) {
    totals_->open.fetch_sub(1, std::memory_order_relaxed);
    return uncount_handshake();
  }
  {
    const std::lock_guard lock(mutex_);
    handshaking_.emplace(made.get(), made);
    if (!told_) // closed since we looked, and close() did not see this one
      made->abort_handshake();
  }
  // The context lives as long as the handshake that uses it.
  made->open(
    [self = shared_from_this(), raw = made.get(), how](std::error_code why, peer_info who) {
      self->on_handshake(*raw, why, std::move(who));
    });
}

void port_listener::on_handshake(tcp_link& finished, std::error_code ec, peer_info peer) {
  uncount_handshake();
  if (!ec && peer.resumed)
    resumed_.fetch_add(1, std::memory_order_relaxed);
  if (ec == errc::timed_out)
    handshakes_timed_out_.fetch_add(1, std::memory_order_relaxed);
  else if (ec && ec != std::errc::operation_canceled)
    handshakes_failed_.fetch_add(1, std::memory_order_relaxed);

  const std::lock_guard lock(mutex_);
  handshaking_.erase(&finished);
  if (ec)
    return;
  auto connection = std::make_shared<accepted>(accepted{finished.handle(), std::move(peer)});
  // Closed meanwhile: the handle goes, and with it the connection.
  if (const auto told = told_)
    told->accepted(std::move(connection));
}

void port_listener::uncount_handshake() {
  handshakes_.fetch_sub(1);
  if (full_of_handshakes_.exchange(false))
    run_on(*lane_, [self = shared_from_this()] { self->accept_some(); });
}

// -- end ----------------------------------------------------------------------

void port_listener::close() {
  std::shared_ptr<const callbacks> told; // what they hold is let go without the lock
  {
    const std::lock_guard lock(mutex_);
    told = std::exchange(told_, nullptr);
    // Frees the port at once; the descriptor itself is closed on its lane.
    if (told && acceptor_.is_open())
      ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    for (auto& [raw, alive] : handshaking_)
      alive->abort_handshake();
  }
  run_on(*lane_, [self = shared_from_this()] { self->close_acceptor(); });
}

void port_listener::close_acceptor() {
  if (std::exchange(resident_, false) && !lane_->deadlines->abandoned())
    lane_->deadlines->remove(*this);
  const std::lock_guard lock(mutex_);
  std::error_code ignored;
  timer_.cancel();
  acceptor_.close(ignored);
}

} // namespace

std::shared_ptr<tcp_listener> tcp_listener::open(io_pool& pool, const listener_options& options,
                                                 on_accepted accepted, on_failed failed,
                                                 std::error_code& ec) {
  auto& lane = pool.next_lane();
  auto made =
    std::make_shared<port_listener>(pool, lane, options, std::move(accepted), std::move(failed));
  ec = made->bind();
  if (ec)
    return nullptr;
  run_on(lane, [made] { made->start(); });
  return {made.get(), [made](tcp_listener*) { made->close(); }};
}

} // namespace muster::net
