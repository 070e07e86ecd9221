#include "net/tcp_connector.hpp"

#include "net/asio_error.hpp"
#include "net/errc.hpp"
#include "net/lane_resident.hpp"
#include "net/plain_engine.hpp"
#include "net/tcp_link.hpp"
#include "net/tls_engine.hpp"

#include <asio/ip/tcp.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace muster::net {

namespace {

using tcp = asio::ip::tcp;

/// One call of connect(), on one lane. Kept alive by its armed operations.
class connect_attempt final : public std::enable_shared_from_this<connect_attempt>,
                              private lane_resident {
public:
  connect_attempt(io_lane& lane, connect_options options, on_connected done)
    : lane_(lane), options_(std::move(options)), done_(std::move(done)), resolver_(lane.io),
      socket_(lane.io) {}

  void start();

private:
  void resolve();
  void try_next();
  [[nodiscard]] std::error_code bind_source(const tcp::endpoint& to);
  void on_tcp_connected(std::error_code ec);
  [[nodiscard]] engine_ptr make_engine() const;
  void on_handshake(tcp_link& connected, std::error_code ec, peer_info peer);
  void note_failure(std::error_code ec);
  void finish(accepted_ptr connection, std::error_code ec);
  void on_deadline() override;
  void on_abandoned() override;

  io_lane& lane_;
  const connect_options options_;
  on_connected done_;
  asio::ip::basic_resolver<tcp, asio::io_context::executor_type> resolver_;
  tcp_socket socket_;
  std::vector<tcp::endpoint> endpoints_;
  std::size_t next_ = 0;
  std::error_code last_error_;
  std::string tried_;
  bool timed_out_ = false; ///< why the present operation is being cancelled
  bool resident_ = false;
};

void connect_attempt::start() {
  resident_ = lane_.deadlines->add(*this);
  if (!resident_)
    return finish(nullptr, std::make_error_code(std::errc::operation_canceled));
  std::error_code not_numeric;
  const auto address = asio::ip::make_address(options_.to.host, not_numeric);
  if (not_numeric)
    return resolve();
  endpoints_.emplace_back(address, options_.to.port);
  try_next();
}

void connect_attempt::resolve() {
  lane_.deadlines->set_deadline(*this, std::chrono::steady_clock::now() + options_.connect_max);
  resolver_.async_resolve(options_.to.host, std::to_string(options_.to.port),
                          asio::ip::resolver_base::numeric_service,
                          [self = shared_from_this()](std::error_code ec, const auto& results) {
                            if (!self->done_)
                              return;
                            for (const auto& result : results)
                              self->endpoints_.push_back(result.endpoint());
                            if (ec || self->endpoints_.empty())
                              return self->finish(nullptr, errc::name_not_found);
                            self->try_next();
                          });
}

void connect_attempt::try_next() {
  while (next_ < endpoints_.size()) {
    const auto& to = endpoints_[next_];
    std::error_code ec;
    socket_.open(to.protocol(), ec);
    if (!ec)
      ec = bind_source(to);
    if (!ec) {
      timed_out_ = false;
      lane_.deadlines->set_deadline(*this, std::chrono::steady_clock::now() + options_.connect_max);
      return socket_.async_connect(
        to, [self = shared_from_this()](std::error_code why) { self->on_tcp_connected(why); });
    }
    note_failure(ec);
  }
  finish(nullptr, last_error_);
}

std::error_code connect_attempt::bind_source(const tcp::endpoint& to) {
  if (options_.from_address.empty())
    return {};
  std::error_code ec;
  const auto from = asio::ip::make_address(options_.from_address, ec);
  if (ec)
    return ec;
  if (from.is_v6() != to.address().is_v6())
    return std::make_error_code(std::errc::address_family_not_supported);
  // The port is chosen when the destination is known: many destinations can share one.
  const int late = 1;
  static_cast<void>(::setsockopt(socket_.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
                                 &late, sizeof(late)));
  socket_.bind({from, 0}, ec);
  return ec;
}

void connect_attempt::on_tcp_connected(std::error_code ec) {
  if (!done_)
    return;
  if (ec) {
    note_failure(timed_out_ ? make_error_code(errc::timed_out) : ec);
    return try_next();
  }
  lane_.deadlines->clear_deadline(*this); // the link has its own
  tcp_socket connected(std::exchange(socket_, tcp_socket(lane_.io)));
  net::keep_alive(connected.native_handle(), options_.keep_alive);
  const auto made =
    tcp_link::make(lane_, std::move(connected), endpoints_[next_], make_engine(), {});
  if (!made)
    return finish(nullptr, std::make_error_code(std::errc::operation_canceled));
  made->open([self = shared_from_this(), raw = made.get()](std::error_code why, peer_info peer) {
    self->on_handshake(*raw, why, std::move(peer));
  });
}

engine_ptr connect_attempt::make_engine() const {
  if (options_.plain)
    return std::make_unique<plain_engine>(options_.plain);
  return std::make_unique<tls_engine>(*options_.tls, options_.resume);
}

void connect_attempt::on_handshake(tcp_link& connected, std::error_code ec, peer_info peer) {
  if (!done_) // abandoned, and so is the link
    return;
  if (!ec)
    return finish(std::make_shared<accepted>(accepted{connected.handle(), std::move(peer)}), {});
  note_failure(ec);
  try_next();
}

void connect_attempt::note_failure(std::error_code ec) {
  std::error_code ignored;
  socket_.close(ignored);
  last_error_ = plain_error(ec);
  if (!tried_.empty())
    tried_ += "; ";
  tried_ += endpoints_[next_].address().to_string() + ": " + ec.message();
  ++next_;
}

void connect_attempt::finish(accepted_ptr connection, std::error_code ec) {
  if (std::exchange(resident_, false))
    lane_.deadlines->remove(*this);
  std::string detail;
  if (!connection) {
    detail = "cannot connect to " + options_.to.host + " port " + std::to_string(options_.to.port) +
             " (" + (tried_.empty() ? ec.message() : tried_) + ")";
  }
  if (const auto done = std::exchange(done_, {}))
    done(std::move(connection), ec, std::move(detail));
}

/// Cancelling makes the present operation come back with an error.
void connect_attempt::on_deadline() {
  timed_out_ = true;
  if (endpoints_.empty()) {
    resolver_.cancel();
    return finish(nullptr, errc::timed_out);
  }
  std::error_code ignored;
  socket_.close(ignored);
}

void connect_attempt::on_abandoned() {
  resident_ = false;
  resolver_.cancel();
  std::error_code ignored;
  socket_.close(ignored);
  finish(nullptr, std::make_error_code(std::errc::operation_canceled));
}

} // namespace

void connect(io_pool& pool, connect_options options, on_connected done) {
  auto& lane = pool.next_lane();
  run_on(lane, [attempt = std::make_shared<connect_attempt>(
                  lane, std::move(options), std::move(done))] { attempt->start(); });
}

} // namespace muster::net
