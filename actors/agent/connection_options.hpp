#pragma once
// What the connection is given once, and whom it works with.

#include "actors/protocol.hpp"
#include "actors/rules/backoff.hpp"
#include "actors/wall_clock.hpp"
#include "net/datagram_keys.hpp"
#include "net/tcp_connector.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

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

/// What lies outside of the connection and has to do with datagrams. In production
/// agent/datagram_ways.hpp; in tests functions. Each may be empty: there is no such thing. They
/// return at once and may be called from any thread.
struct datagram_ways {
  /// Where wakes are heard; 0: nowhere.
  std::function<std::uint16_t()> wake_port;
  /// Wakes up to this counter are old; those behind it may be told (atom::wake) from now on.
  std::function<void(std::uint64_t counter)> took_wakes;
  /// These keys (the newest first, at most two) prove wakes from now on; keep them on the disk.
  std::function<void(const std::vector<net::device_datagram_keys>& keys)> keep_keys;
  /// Sends a notice to the server at this address. `answered` is called at most once, from any
  /// thread, when something came back from there that `is_answer` takes for one; never after the
  /// next send.
  std::function<void(const std::string& address, std::string bytes,
                     std::function<bool(std::string_view)> is_answer,
                     std::function<void()> answered)>
    send_notice;
  /// The local address from which this one is reached just now; empty: it is not.
  std::function<std::string(const std::string& address)> source_towards;
};

/// What the server has last said of how it wants this device.
struct server_terms {
  std::chrono::milliseconds sync_period{0};
  std::uint32_t refusal = 0; ///< wire::refusal; 0: it was let in, or has not been there yet
};

/// What a notice may take: then we go without the server's acknowledgement.
inline constexpr std::chrono::milliseconds notice_max{1'000};

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
  std::vector<net::device_datagram_keys> keys; ///< as on the disk, the newest first
  /// After a wake for control it stays at least so long, for the orders to come.
  std::chrono::milliseconds wake_linger{std::chrono::seconds{60}};
  /// Called although connected, or moved to another network: the server has so long to show that
  /// this connection still reaches it.
  std::chrono::milliseconds proof_max{std::chrono::seconds{5}};
  /// A whole office that gets its network back does not connect at the same moment.
  std::chrono::milliseconds spread_max{std::chrono::seconds{2}};
  /// A test of wakes: how long one may take.
  std::chrono::milliseconds wake_probe_max{std::chrono::seconds{5}};
  /// Where `key_way` brought no keys, it is tried again after this time.
  std::chrono::milliseconds keys_pause{std::chrono::hours{1}};
  /// A notice is sent again after this time.
  std::chrono::milliseconds notice_retry{std::chrono::milliseconds{350}};
  /// A machine that said it goes, and runs on for so long, has not gone.
  std::chrono::milliseconds away_max{std::chrono::seconds{60}};
  /// After documents have come, a connection that is not kept waits so long for what comes of them.
  std::chrono::milliseconds settling_max{std::chrono::seconds{10}};
  /// Called with each change, for whoever shows it; returns at once. May be empty.
  std::function<void(const server_terms&)> tell_terms;
  /// How long this machine has slept since its boot; empty: never.
  std::function<std::chrono::milliseconds()> slept;
  /// Called when a sync is over and what it took has been freed. Empty: nothing.
  std::function<void()> after_sync;
};

struct connection_peers {
  connector way;
  /// Where keys for datagrams are given, when they are not on `way` (transport plain); else empty.
  connector key_way;
  collector_actor collector;
  event_spool_actor spool;
  store_writer_actor writer;                   ///< of the spool's store: keeps the hello's counter
  store_reader_actor reader;
  datagram_ways datagrams;
  settings_keeper_actor keeper{};              ///< null: this agent takes no documents
};

} // namespace muster::actors
