#pragma once
// A real agent's connection and spool on a store in memory, with a machine that the simulation
// changes. It can be killed at any moment and started again, with or without what was not synced.

#include "actors/agent/connection_options.hpp"
#include "storage/memory_store.hpp"
#include "tests/actor_world.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace muster::simulation {

using namespace muster::actors;

/// What became of an event that was handed to the spool.
enum class fate : std::uint8_t {
  unknown,  ///< no answer: it may be there or not
  accepted, ///< on the agent's disk: must reach the server
  refused,
};

struct machine {
  std::string host;
  std::set<std::string> applications;
  std::uint32_t services = 0;
};

/// The snapshot that a collector would make of it.
[[nodiscard]] machine_snapshot_ptr snapshot_of(const machine& from);

struct agent_options {
  std::size_t number = 0;
  std::uint64_t seed = 0;
  bool keep = false;
  wall_clock clock;
  /// An attempt to connect; the simulation decides what becomes of it.
  std::function<void(net::on_connected done)> connect;
};

class agent_side {
public:
  agent_side(test::actor_world& world, agent_options options);
  ~agent_side();
  agent_side(const agent_side&) = delete;
  agent_side& operator=(const agent_side&) = delete;

  void start();
  void kill(bool power_loss);
  [[nodiscard]] bool running() const noexcept { return running_; }

  /// Something happens on the machine: an event with a text of its own.
  void raise();
  void ask_sync();
  /// Events that the spool still holds. The world must be able to settle.
  [[nodiscard]] std::uint64_t waiting();

  [[nodiscard]] std::string status();

  [[nodiscard]] const device_id& device() const noexcept { return device_; }
  [[nodiscard]] const machine_fingerprint& fingerprint() const noexcept { return fingerprint_; }
  [[nodiscard]] net::sha256_digest certificate() const;
  [[nodiscard]] std::string name() const { return "device-" + std::to_string(options_.number); }
  [[nodiscard]] const std::map<std::string, fate>& events() const { return *events_; }
  [[nodiscard]] storage::memory_store& db() { return *stores_.back(); }
  [[nodiscard]] simulation::machine& its_machine() { return *machine_; }

private:
  test::actor_world& world_;
  agent_options options_;
  device_id device_;
  machine_fingerprint fingerprint_;
  boot_id boot_;
  std::shared_ptr<simulation::machine> machine_ = std::make_shared<simulation::machine>();
  /// Of all lives; actors of an earlier one may outlive it by a message.
  std::vector<std::unique_ptr<storage::memory_store>> stores_;
  std::shared_ptr<std::map<std::string, fate>> events_ =
    std::make_shared<std::map<std::string, fate>>();
  std::vector<caf::actor> actors_; ///< of this life
  event_spool_actor spool_;
  connection_actor connection_;
  caf::actor raiser_;
  std::uint64_t raised_ = 0;
  std::uint64_t life_ = 0;
  bool running_ = false;
};

} // namespace muster::simulation
