#include "actors/agent/device_datagrams.hpp"

#include "net/source_address.hpp"

#include <caf/send.hpp>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace muster::actors {

device_datagrams::device_datagrams(device_datagrams_options options)
  : options_(std::move(options)), sender_(*options_.pool, options_.notice_port) {
  std::string trouble;
  keys_ = net::load_datagram_keys(options_.identity_directory, options_.owner, trouble);
  if (!trouble.empty())
    spdlog::warn("{}", trouble);
  if (options_.wake_port != 0)
    listen();
}

void device_datagrams::listen() {
  wake_listener_options ear;
  ear.pool = options_.pool;
  ear.address = options_.wake_address;
  ear.port = options_.wake_port;
  ear.terms.server_id = options_.owner.server_id;
  ear.terms.device_id = options_.owner.device_id;
  ear.terms.server_key = options_.server_key;
  ear.terms.keys = keys_;
  std::error_code ec;
  listener_ = wake_listener::open(
    std::move(ear),
    [audience = audience_](wake_purpose why, std::uint64_t counter) {
      const std::lock_guard lock(audience->mutex);
      if (audience->whom)
        caf::anon_send(audience->whom, atom::wake_v, why, counter);
    },
    ec);
  if (listener_)
    return spdlog::info("listening for wakes on UDP port {}", listener_->port());
  problem_ = fmt::format("UDP port {} at {} cannot be had ({}): the server cannot call this device; "
                         "choose another one with wake.port, or none (0)",
                         options_.wake_port, options_.wake_address, ec.message());
  spdlog::warn("{}", problem_);
}

datagram_ways device_datagrams::ways() {
  datagram_ways out;
  out.wake_port = [this] { return listener_ ? listener_->port() : std::uint16_t{0}; };
  out.took_wakes = [this](std::uint64_t counter) {
    if (listener_)
      listener_->took(counter);
  };
  out.keep_keys = [this](const auto& keys) { keep(keys); };
  out.send_notice = [this](const std::string& address, std::string bytes, auto is_answer,
                           auto answered) {
    sender_.send(address, std::move(bytes), std::move(is_answer), std::move(answered));
  };
  out.source_towards = net::source_address_towards;
  return out;
}

/// To the disk on the io thread: once in a device's life, and once per rotation. A file that cannot
/// be written costs nothing but another handing over at the next start.
void device_datagrams::keep(const std::vector<net::device_datagram_keys>& keys) {
  if (listener_)
    listener_->learn(keys);
  net::run_on(options_.pool->lane(0),
              [directory = options_.identity_directory, owner = options_.owner, keys] {
                std::string problem;
                if (!net::save_datagram_keys(directory, owner, keys, problem))
                  spdlog::warn("{}", problem);
              });
}

void device_datagrams::tell(connection_actor whom) {
  const std::lock_guard lock(audience_->mutex);
  audience_->whom = std::move(whom);
}

wake_figures device_datagrams::figures() const {
  return listener_ ? listener_->figures() : wake_figures{};
}

} // namespace muster::actors
