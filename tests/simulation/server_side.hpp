#pragma once
// The real server on a store in memory: root, directory, sessions, jobs, streams, writer. It can be
// started, stopped, and killed in the middle of anything.

#include "actors/server/server_root.hpp"
#include "actors/server/session_services.hpp"
#include "storage/memory_store.hpp"
#include "tests/actor_world.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace muster::simulation {

using namespace muster::actors;

/// Copies what survives: everything written, or (power) everything synced.
[[nodiscard]] std::unique_ptr<storage::memory_store> survivor(const storage::memory_store& of,
                                                              bool power_loss);

/// An enrolled device, as the enroller would have stored it.
void store_device(storage::memory_store& db, const device_id& device,
                  const net::sha256_digest& certificate, const machine_fingerprint& fingerprint,
                  const std::string& name, std::int64_t now_us);

/// Texts of the events in a store, by device, in the order of receive time.
[[nodiscard]] std::vector<std::string> stored_texts(const storage::memory_store& db,
                                                    const device_id& of);
/// Names of the applications that the index has for a device.
[[nodiscard]] std::vector<std::string> indexed_names(const storage::memory_store& db,
                                                     const device_id& of);
/// The canonical form of a section, decompressed; empty when there is none.
[[nodiscard]] std::string stored_section(const storage::memory_store& db, const device_id& of,
                                         std::uint16_t number);

/// From a start to its end. Handles are kept until then, so that a crash finds everybody.
class server_side {
public:
  server_side(test::actor_world& world, storage::memory_store& db, wall_clock clock,
              std::function<std::uint32_t(std::uint32_t)> random_below);
  /// Kills whoever is left.
  ~server_side();
  server_side(const server_side&) = delete;
  server_side& operator=(const server_side&) = delete;

  void open(const net::accepted_ptr& connection);
  /// The polite way; run the world until ended().
  void stop();
  /// Nothing of it runs any more; what it was doing is cut off wherever it was.
  void kill_all();
  /// The reason why the root has ended; empty while it lives.
  [[nodiscard]] const std::optional<caf::error>& ended() const { return notes_->ended; }
  /// Actors of this life that still run.
  [[nodiscard]] std::size_t alive();
  /// Those that a simulation may kill at any time: sessions, jobs, streams.
  [[nodiscard]] const std::vector<caf::actor>& expendable() const { return notes_->expendable; }
  [[nodiscard]] const directory_actor& directory_of(const device_id& device) const {
    return services_->directory_of(device);
  }

private:
  /// Shared with actors that may outlive us by a message.
  struct life_notes {
    std::vector<caf::actor> expendable;
    std::optional<caf::error> ended;
  };
  static server_root_actor::behavior_type adopter(server_root_actor::pointer self,
                                                  server_root_actor root,
                                                  std::shared_ptr<life_notes> notes);
  template <class Handle>
  Handle keep(stage at, Handle handle);

  test::actor_world& world_;
  std::shared_ptr<session_services> services_;
  std::vector<std::pair<stage, caf::actor>> residents_;
  std::shared_ptr<life_notes> notes_ = std::make_shared<life_notes>();
  server_root_actor root_;
  bool killed_ = false;
  /// Between sessions and root: writes down whom they raise, and the root's end.
  std::shared_ptr<server_root_actor> adopter_ = std::make_shared<server_root_actor>();
};

} // namespace muster::simulation
