// A server's list of documents and the documents themselves: what is taken is what its hash says, and
// what is refused is explained.
#include "actors/agent/document_shelf.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_diff.hpp"
#include "net/documents.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace {

using namespace muster;
using namespace muster::actors;

/// What the device holds already: patches are of this.
held_document base_of(const document_entry& wanted) {
  auto document = rules::settings_value::empty_map();
  document.set("values", rules::settings_value::empty_map());
  held_document out{wanted.kind, wanted.name, 1, {}, rules::to_bytes(document)};
  out.hash = net::section_digest_of(out.content);
  return out;
}

void take_manifest(const wire::document_manifest& wire) {
  std::string problem;
  const auto manifest = manifest_from(wire, problem);
  MUSTER_ASSERT(manifest.has_value() == problem.empty(), "a refused list is explained");
  if (!manifest)
    return;
  MUSTER_ASSERT(manifest->entries.size() <= net::document_limits::entries_max, "lists are bounded");
  document_shelf shelf;
  const auto change = shelf.compare(*manifest);
  MUSTER_ASSERT(change.wishes.size() == manifest->entries.size(), "nothing is here yet");
  MUSTER_ASSERT(change.on_disk.empty(), "nothing changes by a list alone");
}

void take_part(const wire::document_part& part) {
  document_wish wish{static_cast<document_kind>(part.kind()), part.name(), {}, {}};
  if (part.hash().size() == wish.hash.size())
    std::memcpy(wish.hash.data(), part.hash().data(), wish.hash.size());
  document_shelf shelf;
  const document_entry entry{wish.kind, wish.name, 2, wish.hash};
  const auto base = base_of(entry);
  shelf.place(base);
  wish.have = base.hash;
  const auto change = shelf.compare({{entry}, {}});
  std::string problem;
  parcel_maker maker{{wish}};
  const auto verdict = maker.add(part, problem);
  MUSTER_ASSERT((verdict == parcel_maker::verdict::broken) == !problem.empty(),
                "a refused part is explained");
  if (verdict != parcel_maker::verdict::whole)
    return;
  const auto parcel = maker.take();
  MUSTER_ASSERT(parcel.data.size() == part.data().size(), "nothing is lost");
  const auto taken = shelf.open(parcel, problem);
  if (!taken)
    return;
  MUSTER_ASSERT(problem.empty() && net::section_digest_of(taken->content) == wish.hash,
                "what is taken is what its hash says");
  MUSTER_ASSERT(rules::settings_from_bytes(taken->content, problem).has_value(),
                "what is taken can be read");
  const auto written = document_shelf::put(*taken);
  document_shelf again;
  MUSTER_ASSERT(wish.name.size() > net::document_limits::name_bytes_max ||
                  wish.kind > document_kind::own_settings || wish.kind < document_kind::settings ||
                  again.restore(written.key, written.value),
                "what was written can be read");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wire::server_message message;
  if (!message.ParseFromArray(data, static_cast<int>(size)))
    return 0;
  if (message.has_document_manifest())
    take_manifest(message.document_manifest());
  if (message.has_welcome() && message.welcome().has_manifest())
    take_manifest(message.welcome().manifest());
  if (message.has_document_part())
    take_part(message.document_part());
  return 0;
}
