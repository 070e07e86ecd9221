#pragma once
// Between what the agent's actors hand each other and what goes over the wire.

#include "actors/messages.hpp"
#include "net/wire/agent.pb.h"

#include <string>

namespace muster::actors {

/// A section's canonical form: its serialization. Lists must be sorted by now.
[[nodiscard]] std::string canonical_form(const google::protobuf::MessageLite& section);

/// Fills in content i's digest.
void set_content(machine_snapshot& snapshot, wire::section which, std::string content);

/// Index of a section in arrays, `sections` for one that this version does not know.
[[nodiscard]] std::size_t index_of(int section);

void fill(wire::statistics& out, const device_statistics& from);
/// One entry per section.
void fill(google::protobuf::RepeatedPtrField<wire::section_digest>& out,
          const section_digests& from);
/// A batch as the server wants it; `clock_ms` is the device's clock as of now.
[[nodiscard]] wire::agent_message to_wire(const spool_batch& batch, std::int64_t clock_ms);

} // namespace muster::actors
