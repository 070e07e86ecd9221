#pragma once
// What the connection is given once, and whom it works with.

#include "actors/protocol.hpp"
#include "actors/rules/backoff.hpp"
#include "actors/wall_clock.hpp"
#include "net/tcp_connector.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace muster::actors {

/// The way to the server. In production agent/dialer.hpp; in tests a function.
struct connector {
  /// Begins one attempt; `done` is called exactly once, from any thread.
  std::function<void(net::on_connected done)> connect;
  /// What may be resumed is not worth it any more: the next handshake is a full one.
  std::function<void()> forget_session;
  /// The server told its time (seconds since 1970).
  std::function<void(std::int64_t now_s)> learn_time;
};

/// What the last events may take at the stop. Whoever stops a connection waits longer.
inline constexpr std::chrono::milliseconds hand_over_max{1'500};

struct connection_options {
  device_id device;
  boot_id boot;
  machine_fingerprint fingerprint;
  std::string agent_version;
  std::string server;                          ///< for logs
  std::chrono::milliseconds period{std::chrono::minutes{15}};
  unsigned jitter_percent = 10;
  bool period_is_ours = false;                 ///< set by the local settings: the server's is not taken
  bool keep = false;
  rules::backoff_limits backoff;
  std::chrono::milliseconds refused_pause{std::chrono::minutes{10}};
  std::chrono::milliseconds silence_max{std::chrono::seconds{30}};
  std::chrono::milliseconds tick_max{std::chrono::seconds{5}};
  std::uint32_t batch_bytes_max = 64 * 1024;
  std::size_t window = 4;
  /// After events the connection stays at least so long: the next one costs no handshake. It ends
  /// with the tick after.
  std::chrono::milliseconds linger{std::chrono::seconds{2}};
  /// Asked to stop, it goes on for at most so long, to hand over what the spool holds.
  std::chrono::milliseconds stop_max = hand_over_max;
  std::uint64_t seed = 0;                      ///< of all jitter
  wall_clock now_us;
};

struct connection_peers {
  connector way;
  collector_actor collector;
  event_spool_actor spool;
  store_writer_actor writer;                   ///< of the spool's store: keeps the hello's counter
  store_reader_actor reader;
};

} // namespace muster::actors
