#include "bench/cpu.hpp"
#include "bench/datagrams/receiver.hpp"
#include "net/udp_socket.hpp"

#include <muster/assert.hpp>

#include <poll.h>

#include <array>
#include <atomic>
#include <future>
#include <thread>

namespace muster::bench {

namespace {

constexpr std::size_t batch = 64;
constexpr std::size_t bytes_max = 512;
constexpr int slice_ms = 10;

class bare_receiver final : public receiver {
public:
  bare_receiver() {
    bool v6 = false;
    std::error_code ec;
    socket_ = net::bind_udp("127.0.0.1", 0, 4 << 20, v6, ec);
    MUSTER_ASSERT(socket_, "there is a free port");
    std::promise<clockid_t> clock;
    thread_ = std::thread([this, &clock] {
      stay_on_core(0);
      clock.set_value(cpu_clock_of_this_thread());
      run();
    });
    clock_ = clock.get_future().get();
  }
  ~bare_receiver() override {
    stop_ = true;
    thread_.join();
  }

  std::uint16_t port() const override { return net::udp_port_of(socket_.get()); }
  double cpu_us() const override { return read_us(clock_); }
  std::uint64_t received() const override { return received_; }

private:
  void run() {
    for (auto& part : parts_)
      part = {buffers_[static_cast<std::size_t>(&part - parts_.data())].data(), bytes_max};
    while (!stop_) {
      std::size_t got = batch;
      while (got == batch) {
        for (std::size_t i = 0; i < batch; ++i) {
          headers_[i].msg_hdr = {};
          headers_[i].msg_hdr.msg_name = &from_[i];
          headers_[i].msg_hdr.msg_namelen = sizeof(from_[i]);
          headers_[i].msg_hdr.msg_iov = &parts_[i];
          headers_[i].msg_hdr.msg_iovlen = 1;
        }
        const int count =
          ::recvmmsg(socket_.get(), headers_.data(), batch, MSG_DONTWAIT, nullptr);
        got = count > 0 ? static_cast<std::size_t>(count) : 0;
        received_ += got;
      }
      static_cast<void>(::poll(nullptr, 0, slice_ms));
    }
  }

  net::owned_descriptor socket_;
  std::array<std::array<char, bytes_max>, batch> buffers_{};
  std::array<sockaddr_in6, batch> from_{};
  std::array<iovec, batch> parts_{};
  std::array<mmsghdr, batch> headers_{};
  std::atomic<std::uint64_t> received_{0};
  std::atomic<bool> stop_{false};
  clockid_t clock_{};
  std::thread thread_;
};

} // namespace

std::unique_ptr<receiver> make_bare_receiver() {
  return std::make_unique<bare_receiver>();
}

} // namespace muster::bench
