#pragma once
// What every console session needs to know of the server, held once for all of them.

#include "actors/protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace muster::actors {

/// What the server is, for those who ask.
struct server_facts {
  std::string server_id;           ///< 32 hexadecimal digits
  std::string version;
  std::string pin;                 ///< SHA-256 of the CA key, hexadecimal
  std::int64_t started_us = 0;
  std::int64_t certificate_expires_us = 0; ///< of the server's own
  /// HOST or HOST:PORT under which agents reach the server, for `muster token create`. Empty: the
  /// name by which the console reached us.
  std::string agents_public_name;
};

/// Immutable once the first console session exists; shared by all. Holds the fleet's and the
/// storage's handles: whoever owns the services (server_root's options) lets them go when the root
/// ends.
struct console_services {
  std::vector<directory_actor> directories; ///< not empty; index: rules/shard.hpp
  enroller_actor enroller;
  call_board_actor call_board;
  policy_book_actor policy_book;
  accounts_actor accounts;
  event_book_actor event_book;
  store_writer_actor writer;
  std::vector<store_reader_actor> readers;  ///< not empty
  server_facts facts;
  wall_clock now;
  /// What an administrator should know and nobody else tells, as sentences; may be empty or unset.
  /// Callable from any thread, at once. Full disk, little room and a certificate near its end are
  /// told without it.
  std::function<std::vector<std::string>()> troubles;
  /// Below this many bytes free on the volume the server says so.
  std::uint64_t free_bytes_min = 512 * 1024 * 1024;

  /// The shard that decides about this device.
  [[nodiscard]] const directory_actor& directory_of(const device_id& device) const;
  /// Any reader will do; `number` spreads the load.
  [[nodiscard]] const store_reader_actor& reader(std::size_t number) const;
};
using console_services_ptr = std::shared_ptr<const console_services>;

} // namespace muster::actors
