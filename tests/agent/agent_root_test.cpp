#include "actors/agent/agent_root.hpp"
#include "actors/agent/connection_options.hpp"
#include "actors/agent/limits.hpp"
#include "tests/actor_world.hpp"
#include "tests/agent/quiet_log.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;

namespace {

/// What happened, in order: "start spool", "stop spool".
using diary = std::vector<std::string>;

/// A child that writes down its end. Stubborn ones ignore the polite request.
caf::behavior child(caf::event_based_actor* self, diary* notes, std::string label, bool stubborn) {
  self->set_exit_handler([=](const caf::exit_msg& stop) {
    notes->push_back("stop " + label);
    if (!stubborn)
      self->quit(stop.reason);
  });
  return {[=](const std::string&) { self->quit(make_error(errc::internal, label + " broke")); },
          [=](int) { self->quit(make_error(storage::make_error_code(storage::errc::sync_failed))); }};
}

struct root_diary {
  diary notes;
  std::map<std::string, caf::actor> present;
  std::set<std::string> stubborn;
};

struct root_world : test::quiet_log, root_diary, test::actor_world {
  root_world() { root = host(agent_root, options()); }
  ~root_world() { present.clear(); }
  root_world(const root_world&) = delete;
  root_world& operator=(const root_world&) = delete;

  template <class Handle>
  agent_root_options::starter<Handle> starter(std::string label) {
    return [this, label](agent_root_actor::pointer, const agent_children& before) {
      CHECK(has(before, label));
      const auto made = sys.spawn(child, &notes, label, stubborn.contains(label));
      adopt(made);
      notes.push_back("start " + label);
      present[label] = made;
      return caf::actor_cast<Handle>(made);
    };
  }

  /// Whether those before `label` are there.
  static bool has(const agent_children& before, const std::string& label) {
    const bool storage = before.writer && before.reader;
    if (label == "writer")
      return true;
    if (label == "reader")
      return static_cast<bool>(before.writer);
    if (label == "spool")
      return storage;
    if (label == "collector")
      return storage && before.spool;
    if (label == "keeper")
      return storage && before.spool && before.collector;
    if (label == "connection")
      return storage && before.spool && before.collector && before.keeper;
    return storage && before.spool && before.collector && before.keeper && before.connection;
  }

  agent_root_options options() {
    agent_root_options out;
    out.start_writer = starter<store_writer_actor>("writer");
    out.start_reader = starter<store_reader_actor>("reader");
    out.start_spool = starter<event_spool_actor>("spool");
    out.start_collector = starter<collector_actor>("collector");
    out.start_keeper = starter<settings_keeper_actor>("keeper");
    out.start_connection = starter<connection_actor>("connection");
    out.start_local = starter<local_service_actor>("local");
    return out;
  }

  void break_child(const std::string& label) {
    caf::anon_send(present.at(label), std::string{"break"});
    settle();
  }
  void stop_root() {
    caf::anon_send(caf::actor_cast<caf::actor>(root),
                   caf::exit_msg{caf::actor_addr{}, caf::exit_reason::user_shutdown});
    settle();
  }
  /// The root's last word, when it has ended.
  std::optional<caf::error> ended() {
    std::optional<caf::error> out;
    self->monitor(root);
    settle();
    self->receive([&](caf::down_msg& down) { out = down.reason; },
                  caf::after(0s) >> [] {});
    if (!out)
      self->demonitor(root.address());
    return out;
  }
  diary take_notes() { return std::exchange(notes, {}); }

  agent_root_actor root;
};

const diary all_started{"start writer",    "start reader",     "start spool",
                        "start collector", "start keeper",     "start connection",
                        "start local"};
const diary all_stopped{"stop local", "stop keeper", "stop collector", "stop connection",
                        "stop spool", "stop reader", "stop writer"};

} // namespace

TEST_CASE_FIXTURE(root_world, "children start in the order of need; the collector stops before the "
                              "connection, all others the other way round") {
  CHECK(take_notes() == all_started);
  stop_root();
  CHECK(take_notes() == all_stopped);
  REQUIRE(ended());
}

TEST_CASE_FIXTURE(root_world, "the root ends with the reason it was stopped with") {
  stop_root();
  CHECK(ended() == caf::error{caf::exit_reason::user_shutdown});
}

TEST_CASE_FIXTURE(root_world, "a dead spool takes those with it who hold it, and all come back") {
  take_notes();
  break_child("spool");
  CHECK(take_notes() == diary{"stop local", "stop keeper", "stop collector", "stop connection"});
  pass(limits::agent_restart_pause);
  CHECK(take_notes() == diary{"start spool", "start collector", "start keeper", "start connection", "start local"});
  CHECK(ask<std::string>(root, atom::status_v)
        == "writer, reader, spool (started again 1 times), collector, settings keeper, connection, local service");
}

TEST_CASE_FIXTURE(root_world, "a dead collector takes with it who looks through it, nobody else") {
  take_notes();
  break_child("collector");
  CHECK(take_notes() == diary{"stop local", "stop keeper", "stop connection"});
  pass(limits::agent_restart_pause);
  CHECK(take_notes() == diary{"start collector", "start keeper", "start connection", "start local"});
}

TEST_CASE_FIXTURE(root_world, "the last one started takes nobody with it") {
  take_notes();
  break_child("local");
  pass(limits::agent_restart_pause);
  CHECK(take_notes() == diary{"start local"});
}

TEST_CASE_FIXTURE(root_world, "a second death while the first is being mended begins further down") {
  take_notes();
  SUBCASE("in the pause") {
    break_child("connection");
    CHECK(take_notes() == diary{"stop local"});
    break_child("reader");
    CHECK(take_notes() == diary{"stop keeper", "stop collector", "stop spool"});
  }
  SUBCASE("while the others stop") {
    stubborn.insert("local");
    break_child("local");
    pass(limits::agent_restart_pause);
    take_notes();
    break_child("connection"); // local does not stop yet
    break_child("reader");
    CHECK(take_notes() == diary{"stop local"});
    stubborn.clear();
    pass(1s); // killed
    CHECK(take_notes() == diary{"stop keeper", "stop collector", "stop spool"});
  }
  pass(limits::agent_restart_pause);
  CHECK(take_notes()
        == diary{"start reader", "start spool", "start collector", "start keeper", "start connection",
                 "start local"});
  pass(2s);
  CHECK(take_notes().empty()); // started once, not twice
}

TEST_CASE_FIXTURE(root_world, "deaths are forgiven within a budget, then the agent ends with the error") {
  for (std::size_t i = 0; i < limits::agent_restarts_max; ++i) {
    break_child("connection");
    REQUIRE_FALSE(ended());
    pass(limits::agent_restart_pause);
  }
  take_notes();
  break_child("connection");
  const auto reason = ended();
  REQUIRE(reason);
  CHECK(text_of(*reason) == "connection broke");
  CHECK(take_notes()
        == diary{"stop local", "stop keeper", "stop collector", "stop spool", "stop reader", "stop writer"});
}

TEST_CASE_FIXTURE(root_world, "deaths far apart are forgiven for ever") {
  for (std::size_t i = 0; i < 3 * limits::agent_restarts_max; ++i) {
    break_child("spool");
    pass(20s);
  }
  CHECK_FALSE(ended());
}

TEST_CASE_FIXTURE(root_world, "a disk that cannot be trusted ends the agent at once, with that reason") {
  take_notes();
  caf::anon_send(present.at("writer"), 1);
  settle();
  const auto reason = ended();
  REQUIRE(reason);
  CHECK(is(*reason, storage::errc::sync_failed));
  CHECK(take_notes()
        == diary{"stop local", "stop keeper", "stop collector", "stop connection", "stop spool", "stop reader"});
}

TEST_CASE_FIXTURE(root_world, "a disk that fails during the stop is not passed over") {
  stubborn.insert("connection");
  break_child("connection");
  pass(limits::agent_restart_pause);
  stop_root(); // waits for the connection
  caf::anon_send(present.at("writer"), 1);
  settle();
  CHECK_FALSE(ended());
  pass(hand_over_max + notice_max); // the last events' and the notice's: its own is not over
  CHECK_FALSE(ended());
  pass(1s);
  const auto reason = ended();
  REQUIRE(reason);
  CHECK(is(*reason, storage::errc::sync_failed));
}

TEST_CASE_FIXTURE(root_world, "who does not stop in time is killed, and the stop goes on") {
  stubborn = {"collector", "spool"};
  break_child("spool");
  pass(limits::agent_restart_pause);
  take_notes();
  stop_root();
  CHECK(take_notes() == diary{"stop local", "stop keeper", "stop collector"});
  pass(5s);
  CHECK(take_notes() == diary{"stop connection", "stop spool"});
  pass(10s);
  CHECK(take_notes() == diary{"stop reader", "stop writer"});
  CHECK(ended());
}

TEST_CASE_FIXTURE(root_world, "a stop in the middle of mending stops what is left and starts nothing") {
  break_child("spool");
  take_notes();
  stop_root();
  CHECK(take_notes() == diary{"stop reader", "stop writer"});
  CHECK(ended());
  pass(2s);
  CHECK(take_notes().empty());
}

TEST_CASE_FIXTURE(root_world, "asked twice it stops once") {
  take_notes();
  stubborn.insert("local");
  stop_root();
  stop_root();
  CHECK(take_notes() == all_stopped);
}
