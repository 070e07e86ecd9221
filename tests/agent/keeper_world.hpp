#pragma once
// The settings keeper on a store that outlives it and a machine of the test's: one life between a
// start and a crash.

#include "storage/memory_store.hpp"
#include "tests/agent/settings_machine.hpp"
#include "tests/agent/spool_world.hpp"

namespace muster::test {

inline const std::string sshd_file = "/etc/ssh/sshd_config.d/50-muster.conf";

class keeper_life : public spool_life {
public:
  keeper_life(storage::store& db, settings_machine& where) : spool_life(db), machine(where) {
    machine.connectors_changed = true;
    machine.commands.clear();
    start();
  }

  settings_keeper_options defaults() {
    settings_keeper_options options;
    options.hands = machine.hands();
    options.connectors = "/etc/muster/apps.d";
    options.now_us = [this] { return now_us; };
    options.tell_changed = [this] { machine.changes_told.emplace_back("changed"); };
    options.tell_policy = [this](const agent_policy& policy) { machine.policies.push_back(policy); };
    return options;
  }
  void start() { start(defaults()); }
  void start(settings_keeper_options options) {
    if (keeper)
      stop(keeper);
    keeper = host(settings_keeper, std::move(options), settings_keeper_peers{writer, reader, spool});
  }

  document_wishes want(const std::vector<made_document>& documents) {
    return *ask<document_wishes_ptr>(keeper, atom::publish_v, manifest_of(documents));
  }
  caf::expected<caf::ok_atom> put(document_parcel parcel) {
    return try_ask<caf::ok_atom>(keeper, atom::put_v,
                                 std::make_shared<const document_parcel>(std::move(parcel)));
  }
  /// The manifest and all that it lacks.
  void give(const std::vector<made_document>& documents) {
    const auto wishes = want(documents);
    for (const auto& wish : wishes)
      for (const auto& one : documents)
        if (one.kind == wish.kind && one.name == wish.name)
          REQUIRE(put(one.parcel()));
    settle();
  }

  /// The oldest command that runs ends.
  std::string end_command(int exit_code = 0, std::string output = {}) {
    REQUIRE_FALSE(machine.commands.empty());
    auto one = std::move(machine.commands.front());
    machine.commands.pop_front();
    command_result result;
    result.exit_code = exit_code;
    result.output = std::move(output);
    one.done(std::move(result));
    settle();
    return one.order.command.front() + " " + one.order.command.back();
  }
  /// All that run and those that follow, well.
  void end_commands() {
    while (!machine.commands.empty())
      end_command(0, "PermitRootLogin no\n");
  }
  void tick() { pass(std::chrono::seconds{10}); }

  keeper_report_ptr report() { return ask<keeper_report_ptr>(keeper, atom::collect_v); }
  wire::settings_states states() {
    wire::settings_states out;
    REQUIRE(out.ParseFromString(report()->states));
    return out;
  }
  wire::settings_state state(const std::string& application = "sshd") {
    const auto all_states = states();
    for (const auto& one : all_states.items())
      if (one.application() == application)
        return one;
    return {};
  }
  /// "settings.repaired: text", in the order in which they were raised.
  std::vector<std::string> events() {
    std::vector<std::string> out;
    for (const auto& one : all())
      out.push_back(one.item.type + ": " + one.item.text);
    return out;
  }

  settings_machine& machine;
  settings_keeper_actor keeper;
};

/// A store and a machine in front of the actors that hold them.
struct keeper_ground {
  keeper_ground() { machine_.connect(sshd_connector); }
  storage::memory_store db;
  settings_machine machine_;
};
struct keeper_world : keeper_ground, keeper_life {
  keeper_world() : keeper_life(db, machine_) {}
};

} // namespace muster::test
