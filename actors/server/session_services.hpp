#pragma once
// What every session, sync job and event stream needs to know of the server, held once for all of
// them, so that a session costs few bytes.

#include "actors/protocol.hpp"
#include "actors/server/event_budgets.hpp"
#include "actors/server/sync_ledger.hpp"
#include "net/datagram_keys.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace muster::actors {

/// What agents are told of how to behave. Fixed at start until the agent policy exists.
struct session_settings {
  std::uint32_t sync_period_s = 900;
  std::uint32_t sync_jitter_percent = 10;
  /// A goodbye and a busy name a random time between these.
  std::chrono::milliseconds return_after_min{1'000};
  std::chrono::milliseconds return_after_max{30'000};
  std::string server_version;
};

/// Public things that a newly enrolled agent gets beside its certificate.
struct enrolment_gifts {
  std::vector<std::string> bundle; ///< DER of every CA certificate to trust
  std::string server_id;           ///< 16 bytes
  std::string wake_public_key;     ///< 32 bytes
};

/// Immutable once the first session exists; shared by all. Holds the fleet's and the storage's
/// handles: whoever owns the services (server_root's options) lets them go when the root ends.
struct session_services {
  store_writer_actor writer;
  std::vector<store_reader_actor> readers;   ///< not empty
  std::vector<directory_actor> directories;  ///< not empty; index: rules/shard.hpp
  enroller_actor enroller;
  event_book_actor event_book;
  session_settings settings;
  enrolment_gifts gifts;
  /// What devices prove notices with, and we wakes; handed to them over TLS, also after a rotation,
  /// in each session of one who does not hold the newest. Null: nothing is.
  std::shared_ptr<const net::live_datagram_keys> datagram_keys;
  /// Shared by all event streams: what each device may send.
  event_budgets_ptr budgets = std::make_shared<event_budgets>();
  /// Shared by all sync jobs: bounds what they hold together.
  sync_ledger_ptr syncs = std::make_shared<sync_ledger>();
  wall_clock now;
  /// A number in [0, bound); bound is never 0. Callable from any thread.
  std::function<std::uint32_t(std::uint32_t bound)> random_below;

  /// The shard that decides about this device.
  [[nodiscard]] const directory_actor& directory_of(const device_id& device) const;
  /// Any reader will do; the device picks one, so that the load spreads.
  [[nodiscard]] const store_reader_actor& reader_for(const device_id& device) const;
  /// What to hand to this device, whose newest keys are of this generation: nothing, or every one.
  [[nodiscard]] std::vector<net::device_datagram_keys>
  datagram_keys_of(const device_id& device, std::uint32_t generation_held) const;
  /// When to come back: random, so that a fleet sent away together does not return together.
  [[nodiscard]] std::uint32_t return_after_ms() const;
};
using session_services_ptr = std::shared_ptr<const session_services>;

} // namespace muster::actors
