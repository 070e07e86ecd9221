#pragma once
// What actors hand each other when the server calls devices, and when devices say that they go:
// plain data, as in actors/messages.hpp.

#include "actors/messages.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace muster::actors {

/// What the server wants a device for. The numbers are those of the wake (net/wake.hpp).
enum class wake_purpose : std::uint8_t { sync = 1, control = 2, events = 3 };

/// A device to be woken: where it was last seen, and where it said that it listens.
struct wake_order {
  device_id device;
  std::string address;               ///< IP address
  std::uint16_t port = 0;
  wake_purpose purpose = wake_purpose::sync;
};

struct wake_result {
  bool arrived = false;              ///< false: no answer to any of the datagrams
  std::uint32_t sent = 0;            ///< datagrams; 0: none could be (no address, or the socket refused)
  std::string text;                  ///< for people, when none could be sent
};

/// What an administrator wants of a device.
enum class call_kind : std::uint8_t {
  sync,     ///< done with the end of a sync that began after the call
  wake,     ///< done when it is connected
  keep_on,  ///< done when the flag is stored and the device, connected, has been told
  keep_off, ///< done when the flag is stored (and the device, if connected, has been told)
};

/// How a call reached, or will reach, its device.
enum class call_way : std::uint8_t { none, kept, wake, next_contact };

enum class call_step : std::uint8_t {
  waiting, ///< not begun: fan-out is paced
  asked,   ///< its session has been: at once, or when it came (`way` says how)
  waking,
  queued,  ///< no way to reach it now; served by its next connection, expected until `until_us`
  done,
  failed,  ///< revoked, removed, or what it did went wrong: `text` says what
};

/// One turn in the life of a call to one device.
struct call_progress {
  std::uint64_t call = 0;            ///< the board's number
  device_id device;
  call_step step = call_step::waiting;
  call_way way = call_way::none;
  std::int64_t at_us = 0;
  std::int64_t until_us = 0;         ///< queued: when its next connection is expected; 0: unknown
  std::string text;                  ///< for people: "no answer to 4 wakes", "the sync failed: ..."
};

/// A call to many devices, as an administrator orders it.
struct call_order {
  call_kind kind = call_kind::sync;
  std::string target;                ///< DESIGN 10; never empty: "*" is every device
  audit_entry_ptr audit;
};
using call_order_ptr = std::shared_ptr<const call_order>;

/// One device of a call.
struct call_row {
  device_id device;
  std::string device_name;
  call_step step = call_step::waiting;
  call_way way = call_way::none;
  std::int64_t at_us = 0;            ///< of the last step
  std::int64_t until_us = 0;
  std::string text;
};

struct call_query {
  std::uint64_t call = 0;
  std::uint32_t offset = 0;          ///< rows in order of name; next_offset of the page before
  std::uint32_t limit = 100;         ///< 0-1000
  std::optional<call_step> step;     ///< only rows that are there
};

/// A call as it stands. Calls are kept in memory until a day after their creation, the last
/// call_limits::calls_max of them.
struct call_report {
  std::uint64_t call = 0;            ///< 0: no such call
  call_order order;
  std::int64_t created_us = 0;
  bool selecting = false;            ///< still looking for the devices of the target
  std::string problem;               ///< the target is none
  std::uint64_t devices = 0;
  std::array<std::uint64_t, 6> by_step{}; ///< index: call_step
  std::int64_t finished_us = 0;      ///< when no device was waiting, asked or waking any more; 0: not yet
  std::vector<call_row> rows;        ///< as asked for
  std::uint32_t next_offset = 0;     ///< where the next page begins; 0: there is none
};
using call_report_ptr = std::shared_ptr<const call_report>;

/// What a device says at its end, authenticated (net/notice.hpp); not yet judged.
struct notice_facts {
  device_id device;
  boot_id boot;
  std::uint64_t counter = 0;
  off_reason reason = off_reason::none;
};

} // namespace muster::actors
