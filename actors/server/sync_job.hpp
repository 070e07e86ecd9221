#pragma once
// One sync of one device, from the plan to the disk.

#include "actors/protocol.hpp"
#include "actors/server/section_intake.hpp"
#include "actors/server/session_services.hpp"
#include "actors/server/sync_ledger.hpp"
#include "storage/compress.hpp"

#include <caf/actor_clock.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace muster::wire {
class section_chunk;
} // namespace muster::wire

namespace muster::actors {

/// Which sections must travel, as a bit mask: those the agent has and the server does not hold.
[[nodiscard]] std::uint32_t wanted_sections(const section_digests& theirs,
                                            const section_digests& known) noexcept;

struct sync_job_options {
  session_services_ptr services;
  net::link_ptr link;
  session_actor session;
  device_id device;
  std::uint64_t calls_before = 0; ///< of the directory's last call, as this begins
  section_digests theirs{};
  document_standing documents;    ///< of a sync request
  device_statistics statistics;
  /// A hello: the session has sent this plan with the welcome (never an empty one: then there is no
  /// job). Empty for a sync request: the job asks the directory what is known, and sends the plan.
  std::optional<std::uint32_t> wanted;
  /// The first share, when the session has sent the plan.
  content_unit content;
};

/// Takes the wanted sections in any order, one after the other; each is checked and stored as soon
/// as it is whole, in one batch with its changes of the index. When all are in the write-ahead log
/// the directory hears of it, then the session, then the agent.
///
/// Heavy work (digest, parsing, comparing with the section before, compressing) runs on a reader's
/// thread. Storing is one job per device at a time, behind whatever an earlier job of the device
/// has left with the writer, so that the index always follows from the section it replaces; and
/// behind the directory's forgetting of the old digests, so that a job that dies cannot leave it
/// with a wrong picture of the store.
///
/// Ends: done; with the session; with errc::invalid (errc::refused for a limit) and a sentence when
/// the agent breaks the rules; with errc::overloaded when jobs hold too much together or the agent
/// is too slow; with the store's error. Bounds: session_limits, and its share of the ledger.
class sync_job_state {
public:
  static inline const char* name = "sync_job";

  explicit sync_job_state(sync_job_actor::pointer self) : self_(self) {}

  sync_job_actor::behavior_type make_behavior(sync_job_options options);

private:
  using section_arrival_ptr = std::shared_ptr<const section_arrival>;
  /// The section whose parts are coming.
  struct incoming {
    section_arrival arrival;
    storage::decompressor frame;
    std::uint32_t parts = 0;
  };

  void ask_directory();
  void plan(std::uint32_t wanted, const manifest_ptr& manifest);
  void tell(const manifest_ptr& manifest);
  void expect(std::uint32_t wanted);
  void on_chunk(const wire::section_chunk& chunk);
  bool begin_section(const wire::section_chunk& chunk);
  bool feed(const wire::section_chunk& chunk);
  void store_next();
  void take_in_next();
  void on_taken_in(const section_arrival_ptr& arrival,
                   const std::shared_ptr<section_intake>& intake);
  void on_stored(const section_arrival& arrival, const section_view& view);
  void report();
  void on_tick();
  bool fail(errc why, std::string text); ///< always false
  void say(std::string message);
  [[nodiscard]] std::string status() const;

  sync_job_actor::pointer self_;
  sync_job_options options_;
  sync_outcome outcome_;
  std::uint32_t planned_ = 0; ///< sections of this sync
  std::uint32_t wanted_ = 0;  ///< those still to come
  std::optional<incoming> incoming_;
  std::deque<section_arrival_ptr> arrived_; ///< whole, not yet taken in
  std::size_t content_bytes_ = 0;           ///< of all three, and of the one being stored
  storing_unit storing_right_;
  bool storing_ = false;
  caf::actor_clock::time_point began_at_;
  caf::actor_clock::time_point heard_at_;
};

sync_job_actor::behavior_type sync_job(sync_job_actor::stateful_pointer<sync_job_state> self,
                                       sync_job_options options);

} // namespace muster::actors
