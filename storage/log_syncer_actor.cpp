#include "storage/log_syncer_actor.hpp"

#include <caf/result.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace muster::storage {

actors::log_syncer_actor::behavior_type log_syncer(actors::log_syncer_actor::pointer, store* db) {
  return {
    [db](atom::commit) -> caf::result<caf::ok_atom> {
      if (const auto ec = db->sync())
        return actors::make_error(ec);
      return caf::ok_atom_v;
    },
  };
}

} // namespace muster::storage
