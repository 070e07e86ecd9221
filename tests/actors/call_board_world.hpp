#pragma once
// A call board in front of directory shards that the test plays: they have the devices they are
// given, remember the calls they get, and say what the test lets them say.

#include "actors/errc.hpp"
#include "actors/rules/shard.hpp"
#include "actors/server/call_board.hpp"
#include "actors/server/call_limits.hpp"
#include "storage/audit_query.hpp"
#include "storage/memory_store.hpp"
#include "storage/store_writer_actor.hpp"
#include "tests/actor_world.hpp"

#include <doctest/doctest.h>

#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace muster::test {

using namespace muster::actors;
using namespace std::chrono_literals;

/// What all played shards share.
struct played_fleet {
  struct one {
    std::string name;
    device_id device;
  };
  std::vector<std::vector<one>> shards; ///< sorted as the directory sorts
  std::vector<device_call> calls;       ///< in the order in which they came
  std::size_t lists = 0;
  std::string refuses_lists;            ///< why; empty: it does not
};
using played_fleet_ptr = std::shared_ptr<played_fleet>;

/// A page as the directory gives it. Of targets it knows the empty one, and whole names.
inline device_page_ptr page_of(const std::vector<played_fleet::one>& devices,
                               const device_query& query) {
  auto out = std::make_shared<device_page>();
  for (const auto& one : devices) {
    if (!query.target.empty() && query.target != one.name)
      continue;
    ++out->matching;
    if (std::tie(one.name, one.device) <= std::tie(query.after_name, query.after_device)
        || out->rows.size() == query.limit)
      continue;
    device_row row;
    row.device = one.device;
    row.name = one.name;
    out->rows.push_back(std::move(row));
  }
  return out;
}

inline caf::behavior play_directory(caf::event_based_actor*, const played_fleet_ptr& fleet,
                                    std::size_t shard) {
  return {
    [fleet, shard](atom::list, const device_query_ptr& query) -> caf::result<device_page_ptr> {
      ++fleet->lists;
      if (!fleet->refuses_lists.empty())
        return make_error(errc::overloaded, fleet->refuses_lists);
      return page_of(fleet->shards[shard], *query);
    },
    [fleet](atom::call, const device_call& call) { fleet->calls.push_back(call); },
  };
}

struct call_board_stage {
  storage::memory_store db;
  played_fleet_ptr fleet = std::make_shared<played_fleet>();
};

struct call_board_world : call_board_stage, actor_world {
  static constexpr std::size_t shards = 3;

  [[nodiscard]] std::int64_t now_us() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(
             sched.clock().current_time.time_since_epoch())
             .count()
           + 1'790'000'000'000'000;
  }
  wall_clock clock = [this] { return now_us(); };

  store_writer_actor writer =
    host(storage::store_writer, storage::store_writer_options{.db = &db, .clock = clock});
  call_board_actor board = make_board();

  call_board_actor make_board() {
    call_board_options options;
    fleet->shards.resize(shards);
    for (std::size_t i = 0; i < shards; ++i)
      options.directories.push_back(
        caf::actor_cast<directory_actor>(host(play_directory, fleet, i)));
    options.writer = writer;
    options.now = clock;
    return host(call_board, std::move(options));
  }

  ~call_board_world() { fleet->calls.clear(); } // their handles would outlive the world

  device_id enrol(const std::string& name) {
    device_id device;
    const auto number = ++enrolled_;
    for (int i = 0; i < 4; ++i)
      device.bytes[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    fleet->shards[rules::shard_of(device, shards)].push_back({name, device});
    return device;
  }
  /// host-00000, host-00001 ...
  void enrol_many(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto digits = std::to_string(i);
      enrol("host-" + std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits);
    }
  }

  static call_order_ptr order(std::string target = "*", call_kind kind = call_kind::sync) {
    auto out = std::make_shared<call_order>();
    out->kind = kind;
    out->audit = std::make_shared<const audit_entry>(
      audit_entry{"anna", "192.0.2.1", "call.sync", target, ""});
    out->target = std::move(target);
    return out;
  }
  std::uint64_t give(std::string target = "*", call_kind kind = call_kind::sync) {
    return ask<call_report_ptr>(board, atom::create_v, order(std::move(target), kind))->call;
  }
  call_report look(std::uint64_t call, std::uint32_t limit = 100,
                   std::optional<call_step> step = {}, std::uint32_t offset = 0) {
    return *ask<call_report_ptr>(board, atom::get_v, call_query{call, offset, limit, step});
  }
  std::vector<call_report_ptr> calls() {
    return ask<std::vector<call_report_ptr>>(board, atom::list_v);
  }
  static std::uint64_t count(const call_report& report, call_step step) {
    return report.by_step.at(static_cast<std::size_t>(step));
  }

  /// So many turns of the board, each behind the other.
  void turns(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      pass(call_limits::turn_period);
  }

  /// A shard says how far it is with this device.
  void say(std::uint64_t call, const device_id& device, call_step step, std::string text = {},
           std::int64_t until_us = 0) {
    self->send(board, atom::progress_v,
               call_progress{call, device, step, call_way::kept, now_us(), until_us,
                             std::move(text)});
    settle();
  }
  /// Everybody who was called until now is done.
  void finish_all() {
    const auto called = std::exchange(fleet->calls, {});
    for (const auto& one : called)
      self->send(board, atom::progress_v,
                 call_progress{one.call, one.device, call_step::done, call_way::kept, now_us(), 0,
                               {}});
    settle();
  }

private:
  std::uint32_t enrolled_ = 0;
};

} // namespace muster::test
