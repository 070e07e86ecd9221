#pragma once
// Reads from the store for those who must not block.

#include "actors/protocol.hpp"
#include "storage/store.hpp"

#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>

namespace muster::storage {

/// Detached in production, several of them; any one will do. Has no state but counters, so losing
/// one loses nothing. A job runs on the reader's thread to its end: it must be bounded (as
/// event_query and app_query are), must not write, and must not keep the store.
class store_reader_state {
public:
  static inline const char* name = "store_reader";

  explicit store_reader_state(actors::store_reader_actor::pointer self) : self_(self) {}

  /// `db` outlives the actor.
  actors::store_reader_actor::behavior_type make_behavior(const store* db);

private:
  caf::result<actors::read_result> get(family f, const std::string& key);
  caf::result<caf::ok_atom> run(const actors::read_job& job);

  actors::store_reader_actor::pointer self_;
  const store* db_ = nullptr;
  std::uint64_t gets_ = 0;
  std::uint64_t jobs_ = 0;
  std::uint64_t failures_ = 0;
};

actors::store_reader_actor::behavior_type
store_reader(actors::store_reader_actor::stateful_pointer<store_reader_state> self,
             const store* db);

} // namespace muster::storage
