#include "bench/cpu.hpp"
#include "bench/datagrams/receiver.hpp"

#include <muster/assert.hpp>

#include <asio/post.hpp>

#include <future>
#include <utility>

namespace muster::bench {

namespace {

class our_receiver final : public receiver {
public:
  explicit our_receiver(net::udp_port::filter worth) {
    std::promise<clockid_t> clock;
    asio::post(pool_.lane(0).io, [&clock] {
      stay_on_core(0);
      clock.set_value(cpu_clock_of_this_thread());
    });
    clock_ = clock.get_future().get();
    net::udp_options options;
    options.address = "127.0.0.1";
    std::error_code ec;
    port_ = net::udp_port::open(
      pool_, options, std::move(worth),
      [](const net::datagram_batch_ptr&) { MUSTER_ASSERT(false, "no forgery is good"); },
      [](std::error_code) { MUSTER_ASSERT(false, "the socket works"); }, ec);
    MUSTER_ASSERT(port_ != nullptr, "there is a free port");
  }
  ~our_receiver() override {
    port_->close();
    pool_.join();
  }

  std::uint16_t port() const override { return port_->port(); }
  double cpu_us() const override { return read_us(clock_); }
  std::uint64_t received() const override {
    const auto now = port_->counters();
    MUSTER_ASSERT(now.refused == now.received, "every forgery is refused");
    return now.received;
  }

private:
  net::io_pool pool_{1};
  clockid_t clock_{};
  std::shared_ptr<net::udp_port> port_;
};

} // namespace

std::unique_ptr<receiver> make_our_receiver(net::udp_port::filter worth) {
  return std::make_unique<our_receiver>(std::move(worth));
}

} // namespace muster::bench
