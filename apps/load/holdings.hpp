#pragma once
// What a player holds of documents. For player*.cpp only.

#include "actors/agent/document_shelf.hpp"
#include "apps/load/player.hpp"

#include <string>

namespace muster::load {

/// With the agent's own rules, and nothing on a disk.
struct player::holdings {
  actors::document_shelf shelf;
  actors::document_manifest wanted;
  actors::parcel_maker parcels;
  std::string states; ///< section 4
  bool fetching = false;
  bool to_tell = false; ///< something was applied, and no sync has said so yet
  bool telling = false; ///< the present one does
};

} // namespace muster::load
