// What does refusing a flood of forged datagrams cost, beyond receiving them?

#include "bench/cpu.hpp"
#include "bench/datagrams/receiver.hpp"
#include "bench/figures.hpp"
#include "net/notice.hpp"
#include "net/udp_socket.hpp"
#include "net/wake.hpp"

#include <muster/assert.hpp>

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <string>
#include <vector>

using namespace muster;
using namespace muster::bench;

namespace {

constexpr int rounds = 15;
constexpr int slices_per_round = 100;
constexpr std::size_t datagrams_per_slice = 100;
constexpr long slice_ns = 10'000'000;

/// Sends at an even pace, whatever it costs.
class sender {
public:
  sender() {
    std::error_code ec;
    socket_ = net::bind_udp("127.0.0.1", 0, 1 << 16, v6_, ec);
    timer_ = net::owned_descriptor(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const itimerspec pace{{0, slice_ns}, {0, slice_ns}};
    MUSTER_ASSERT(socket_ && timer_ && ::timerfd_settime(timer_.get(), 0, &pace, nullptr) == 0,
                  "there are descriptors");
  }

  void flood(std::uint16_t port, const std::string& forged) {
    const std::vector<net::datagram> slice(
      datagrams_per_slice, net::datagram{*net::make_udp_endpoint("127.0.0.1", port), forged});
    for (int i = 0; i < slices_per_round; ++i) {
      std::uint64_t expired = 0;
      MUSTER_ASSERT(::read(timer_.get(), &expired, sizeof(expired)) == sizeof(expired),
                    "the timer ticks");
      send(slice);
    }
  }

private:
  void send(std::span<const net::datagram> rest) {
    while (!rest.empty()) {
      std::size_t failed = 0;
      std::error_code ec;
      rest = rest.subspan(net::send_udp(socket_.get(), v6_, rest, failed, ec));
      pollfd room{socket_.get(), POLLOUT, 0};
      if (ec)
        static_cast<void>(::poll(&room, 1, 1000));
    }
  }

  bool v6_ = false;
  net::owned_descriptor socket_;
  net::owned_descriptor timer_;
};

struct contender {
  std::string name;
  std::unique_ptr<receiver> whom;
  std::string forged;
  std::vector<double> each; ///< CPU per datagram, us, by round
};

void play(contender& c, sender& from) {
  const auto cpu = c.whom->cpu_us();
  const auto count = c.whom->received();
  from.flood(c.whom->port(), c.forged);
  static_cast<void>(::poll(nullptr, 0, 50)); // the last slice is read
  const auto received = static_cast<double>(c.whom->received() - count);
  MUSTER_ASSERT(received > 0.9 * slices_per_round * datagrams_per_slice,
                "a flood of this size is received");
  c.each.push_back((c.whom->cpu_us() - cpu) / received);
}

double ratio(const contender& ours, const contender& bare) {
  std::vector<double> out;
  for (std::size_t i = 0; i < ours.each.size(); ++i)
    out.push_back(ours.each[i] / bare.each[i]);
  return median(std::move(out));
}

/// As it was recorded, but for the counter.
std::string with_next_counter(std::string datagram) {
  constexpr std::size_t last_byte_of_counter = 48;
  ++datagram[last_byte_of_counter];
  return datagram;
}

} // namespace

int main() {
  net::id_bytes server{};
  net::id_bytes device{};
  std::array<std::uint8_t, 32> seed{};
  net::random_bytes(server);
  net::random_bytes(device);
  net::random_bytes(seed);
  const net::wake_signer signer(seed);
  const net::datagram_keyring keys(seed);
  const net::wake_terms terms{server, device, signer.public_key(), keys.keys_of(device)};
  const auto wake = with_next_counter(
    signer.make({1, server, device, 5, net::wake_purpose::sync}, keys.wake_key(1, device)));
  const auto notice = with_next_counter(net::make_notice(
    {1, device, server, 5, net::notice_reason::shutdown}, keys.notice_key(1, device)));

  std::vector<contender> all(4);
  all[0] = {"bare, wakes", make_bare_receiver(), wake, {}};
  all[1] = {"agent, wakes", make_our_receiver([&](std::string_view bytes, const auto&) {
              net::wake out;
              return net::check_wake(bytes, terms, 5, out) == net::wake_verdict::accepted;
            }),
            wake,
            {}};
  all[2] = {"bare, notices", make_bare_receiver(), notice, {}};
  all[3] = {"server, notices", make_our_receiver([&](std::string_view bytes, const auto&) {
              net::notice out;
              return net::check_notice(bytes, keys, out) == net::notice_verdict::accepted;
            }),
            notice,
            {}};
  stay_on_core(1);
  sender from;
  for (int round = 0; round < rounds + 1; ++round)
    for (auto& c : all) {
      play(c, from);
      if (round == 0)
        c.each.clear();
    }
  figures out("datagrams");
  for (const auto& c : all)
    out.tell(c.name + ", CPU per datagram", median(c.each), "us");
  out.tell("agent refusing 10,000 a second", median(all[1].each), "% of a core");
  out.tell("server refusing 10,000 a second", median(all[3].each), "% of a core");
  out.tell("agent to bare", ratio(all[1], all[0]), "x", at_most(2));
  out.tell("server to bare", ratio(all[3], all[2]), "x", at_most(2));
  return out.exit_code();
}
