#pragma once
// A collector that looks at a machine the test makes up, and a spool that shows what it was told.

#include "actors/agent/collector.hpp"
#include "actors/agent/convert.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/store_reader_actor.hpp"
#include "storage/store_writer_actor.hpp"
#include "tests/actor_world.hpp"
#include "tests/agent/quiet_log.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace muster::test {

using namespace muster::actors;
using namespace std::chrono_literals;

/// What the collector sees. Outlives it.
struct fake_machine {
  wire::device_facts facts;
  std::optional<wire::applications> applications{wire::applications{}}; ///< empty: unreadable
  std::optional<wire::run_states> run_states{wire::run_states{}};
  std::optional<std::vector<probe::unit_condition>> services{std::vector<probe::unit_condition>{}};
  std::vector<probe::disk_space> disks;
  device_statistics statistics;
  std::int64_t now_us = 1'700'000'000'000'000;
  std::int64_t boot_time_us = 3'600'000'000;

  machine_view view() {
    machine_view out;
    out.facts = [this] { return facts; };
    out.applications = [this](wire::applications& list) {
      list = applications.value_or(wire::applications{});
      return applications.has_value();
    };
    out.run_states = [this](wire::run_states& list) {
      list = run_states.value_or(wire::run_states{});
      return run_states.has_value();
    };
    out.services = [this](std::vector<probe::unit_condition>& list) {
      list = services.value_or(std::vector<probe::unit_condition>{});
      return services.has_value();
    };
    out.statistics = [this] { return statistics; };
    out.disks = [this] { return disks; };
    out.now_us = [this] { return now_us; };
    out.boot_time_us = [this] { return boot_time_us; };
    return out;
  }

  void install(const std::string& name, const std::string& version) {
    remove(name);
    auto& item = *applications->add_items();
    item.set_name(name);
    item.set_version(version);
    item.set_architecture("amd64");
    item.set_vendor("somebody");
    item.set_manager("dpkg");
  }
  void remove(const std::string& name) {
    auto& items = *applications->mutable_items();
    for (int i = items.size(); i-- > 0;)
      if (items[i].name() == name)
        items.DeleteSubrange(i, 1);
  }
  void use_disk(std::uint32_t percent) {
    const std::uint64_t size = 100'000'000'000;
    disks = {{"/", size, size / 100 * (100 - percent), percent}};
  }
};

/// What a spool would have on its disk, and how it answers just now.
struct fake_spool {
  enum class mood : std::uint8_t { writes, takes_one, refuses, is_silent };
  mood how = mood::writes;
  std::vector<raised_event_ptr> events;
  std::vector<caf::typed_response_promise<caf::ok_atom>> waiting;

  /// The types since the last call.
  std::vector<std::string> take() {
    std::vector<std::string> out;
    for (const auto& one : events)
      out.push_back(one->type);
    seen = std::exchange(events, {});
    return out;
  }
  std::vector<raised_event_ptr> seen; ///< what the last take() took
};

class fake_spool_state {
public:
  static inline const char* name = "fake_spool";
  explicit fake_spool_state(event_spool_actor::pointer self) : self_(self) {}

  event_spool_actor::behavior_type make_behavior(fake_spool& what) {
    return {
      [this, &what](atom::raise, const raised_event_ptr& event) -> caf::result<caf::ok_atom> {
        if (what.how == fake_spool::mood::refuses ||
            (what.how == fake_spool::mood::takes_one && !what.events.empty()))
          return make_error(std::error_code{storage::errc::disk_full});
        if (what.how == fake_spool::mood::is_silent) {
          what.waiting.push_back(self_->make_response_promise<caf::ok_atom>());
          return what.waiting.back();
        }
        what.events.push_back(event);
        return caf::ok_atom_v;
      },
      [](atom::next, const event_position&, std::uint32_t) {
        return std::make_shared<const spool_batch>();
      },
      [](atom::acked, const event_position&) {},
      [](atom::renumber, const event_position&) -> caf::result<caf::ok_atom> {
        return caf::ok_atom_v;
      },
      [](atom::count) { return std::uint64_t{0}; },
      [](atom::subscribe, const caf::actor&) {},
      [&what](atom::tick) { // the disk has done it
        for (auto& one : std::exchange(what.waiting, {}))
          one.deliver(caf::ok_atom_v);
      },
      [](atom::status) { return std::string{"fake"}; },
    };
  }

private:
  event_spool_actor::pointer self_;
};

inline event_spool_actor::behavior_type
fake_spool_actor(event_spool_actor::stateful_pointer<fake_spool_state> self, fake_spool* what) {
  return self->state.make_behavior(*what);
}

/// Outlives the actors.
struct collector_stage {
  storage::memory_store db;
  fake_machine machine;
  fake_spool spool;
};

/// Nothing looks at the machine before start().
struct collector_world : private quiet_log, collector_stage, actor_world {
  event_spool_actor spool_actor = host(fake_spool_actor, &spool);
  store_writer_actor writer =
    host(storage::store_writer,
         storage::store_writer_options{.db = &db, .clock = [this] { return machine.now_us; }});
  store_reader_actor reader = host(storage::store_reader, &db);
  collector_actor eyes;

  void start() {
    eyes = host(collector, collector_options{.view = machine.view(),
                                             .spool = spool_actor,
                                             .writer = writer,
                                             .reader = reader,
                                             .agent_version = "1.2.3",
                                             .changes_max = 5});
  }
  /// As a user stops the agent.
  void stop_eyes() {
    stop(eyes);
    eyes = nullptr;
  }
  /// The silent spool answers what it was asked, and anew from now on.
  void wake_spool() {
    spool.how = fake_spool::mood::writes;
    self->send(spool_actor, atom::tick_v);
    settle();
  }
  void see_packages() {
    self->send(eyes, atom::watch_v);
    settle();
  }
  /// Both clocks go on, as they do.
  void live(std::chrono::seconds time) {
    machine.now_us += std::chrono::microseconds{time}.count();
    machine.boot_time_us += std::chrono::microseconds{time}.count();
    pass(time);
  }
  machine_snapshot_ptr collect() { return ask<machine_snapshot_ptr>(eyes, atom::collect_v); }
  using types = std::vector<std::string>;
};

} // namespace muster::test
