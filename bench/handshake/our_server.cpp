#include "bench/cpu.hpp"
#include "bench/handshake/server.hpp"
#include "net/io_pool.hpp"
#include "net/tcp_listener.hpp"

#include <muster/assert.hpp>

#include <asio/post.hpp>

#include <atomic>
#include <future>
#include <utility>

namespace muster::bench {

namespace {

/// Stands in for the session: holds the link until it has ended.
class guest final : public net::link_sink {
public:
  guest(net::link_ptr connection, std::atomic<std::uint64_t>& gone)
    : connection_(std::move(connection)), gone_(gone) {}

  void on_message(std::string) override { MUSTER_ASSERT(false, "this client says nothing"); }

  void on_closed(std::error_code) override {
    connection_.reset();
    gone_.fetch_add(1, std::memory_order_release);
    gone_.notify_one();
  }

private:
  net::link_ptr connection_;
  std::atomic<std::uint64_t>& gone_;
};

class our_server final : public server {
public:
  explicit our_server(const trust& who) {
    std::promise<clockid_t> clock;
    asio::post(pool_.lane(0).io, [&clock] {
      stay_on_core(0);
      clock.set_value(cpu_clock_of_this_thread());
    });
    clock_ = clock.get_future().get();

    net::server_tls_options tls;
    tls.key = who.server_key;
    tls.leaf = who.server_leaf;
    tls.authority = who.authority.self();
    tls.tickets = who.tickets;
    net::listener_options options;
    options.address = "127.0.0.1";
    std::error_code ec;
    options.tls = net::server_tls_context::make(tls, ec);
    MUSTER_ASSERT(options.tls != nullptr, "the server's certificate is good");
    listener_ = net::tcp_listener::open(
      pool_, options, [this](const net::accepted_ptr& arrived) { welcome(arrived); },
      [](std::error_code) { MUSTER_ASSERT(false, "the listening socket works"); }, ec);
    MUSTER_ASSERT(listener_ != nullptr, "there is a free port");
  }

  ~our_server() override {
    listener_->close();
    pool_.join();
  }

  std::uint16_t port() const override { return listener_->port(); }
  double cpu_us() const override { return read_us(clock_); }
  std::uint64_t resumed() const override { return listener_->counters().resumed; }

  void wait_for(std::uint64_t connections) override {
    for (auto now = gone_.load(std::memory_order_acquire); now < connections;
         now = gone_.load(std::memory_order_acquire))
      gone_.wait(now, std::memory_order_acquire);
  }

private:
  void welcome(const net::accepted_ptr& arrived) {
    MUSTER_ASSERT(arrived->peer.certificate_sha256.has_value(), "the client has shown itself");
    const auto& connection = arrived->connection;
    connection->attach(std::make_unique<guest>(connection, gone_));
    connection->grant(1);
    const bool queued = connection->try_send({});
    MUSTER_ASSERT(queued, "a new link takes a message");
  }

  net::io_pool pool_{1};
  clockid_t clock_{};
  std::atomic<std::uint64_t> gone_{0};
  std::shared_ptr<net::tcp_listener> listener_;
};

} // namespace

std::unique_ptr<server> make_our_server(const trust& who) {
  return std::make_unique<our_server>(who);
}

} // namespace muster::bench
