// Whatever a device sends: a frame becomes a message, its parts become what the actors work with, a
// chunk becomes a section. All of it is data from somebody else's machine.
#include "actors/server/convert.hpp"
#include "actors/server/section_intake.hpp"
#include "actors/server/session_limits.hpp"
#include "net/documents.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"

#include <muster/assert.hpp>

#include <google/protobuf/stubs/logging.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace muster;
using namespace muster::actors;

/// Answers are either there or explained.
template <class Answer>
void explained(const Answer& answer, const std::string& problem) {
  MUSTER_ASSERT(answer.has_value() == problem.empty(),
                "what is refused is explained, nothing else");
}

void read_events(const wire::events& said) {
  std::string problem;
  const auto batch = convert::append_of(said, device_id{}, "mill", 1'700'000'000'000'000, problem);
  explained(batch, problem);
  if (!batch)
    return;
  MUSTER_ASSERT(!batch->events.empty() && batch->events.size() <= convert::events_per_batch_max,
                "a batch keeps its bounds");
  std::uint64_t last = 0;
  for (const auto& one : batch->events) {
    MUSTER_ASSERT(one.sequence > last, "sequences grow");
    MUSTER_ASSERT(one.text.size() <= convert::event_text_bytes_max, "texts keep their bound");
    last = one.sequence;
  }
}

/// Stores a section as a sync would; what is accepted once is a fit predecessor for the same again.
void store_section(std::size_t index, const std::string& content) {
  section_arrival arrival;
  arrival.section = index;
  arrival.content = content;
  arrival.digest = net::section_digest_of(content);
  storage::memory_store db;
  section_intake first;
  MUSTER_ASSERT(!take_in(db, arrival, first), "a store in memory can be read");
  if (!first.problem.empty()) {
    MUSTER_ASSERT(first.changes.empty(), "what is refused is not stored");
    return;
  }
  MUSTER_ASSERT(!db.write(std::span<const storage::change_batch>(&first.changes, 1)),
                "a store in memory can be written");
  section_intake second;
  MUSTER_ASSERT(!take_in(db, arrival, second) && second.problem.empty(),
                "accepted once, accepted again");
  MUSTER_ASSERT(second.changes.size() == 1, "the same again changes nothing in the index");
}

void read_chunk(const wire::section_chunk& chunk) {
  const auto index = static_cast<std::size_t>(chunk.section()) - 1;
  if (chunk.section() < 1 || index >= sections)
    return;
  std::string content;
  const auto bound = session_limits::section_bytes_max[index];
  storage::decompressor frame(bound);
  const auto ec = frame.feed(chunk.data(), content);
  MUSTER_ASSERT(content.size() <= bound, "nothing gets larger than its bound");
  if (!ec && frame.finished())
    store_section(index, content);
}

void read_wishes(const wire::documents_request& said) {
  std::string problem;
  const auto wishes = convert::document_wishes_of(said, problem);
  explained(wishes, problem);
  if (!wishes)
    return;
  MUSTER_ASSERT(!wishes->empty() && wishes->size() <= net::document_limits::entries_max,
                "a request keeps its bounds");
  std::vector<document_parcel> parcels;
  for (const auto& wish : *wishes) {
    MUSTER_ASSERT(!wish.name.empty() && wish.name.size() <= net::document_limits::name_bytes_max,
                  "names keep their bound");
    parcels.push_back({wish.kind, wish.name, wish.hash, wish.have, {}, true});
  }
  const auto parts = convert::document_parts(parcels);
  MUSTER_ASSERT(parts.size() == parcels.size(), "each wish has its answer");
}

void read_message(const wire::agent_message& message) {
  std::string problem;
  if (message.has_hello()) {
    const auto facts = convert::hello(message.hello(), problem);
    explained(facts, problem);
    problem.clear();
    explained(convert::digests(message.hello(), problem), problem);
    problem.clear();
    explained(convert::standing(message.hello().documents(), true, problem), problem);
  } else if (message.has_sync_request()) {
    explained(convert::digests(message, problem), problem);
    problem.clear();
    explained(convert::standing(message.sync_request().documents(), false, problem), problem);
  } else if (message.has_documents_request()) {
    read_wishes(message.documents_request());
  } else if (message.has_enrol_request()) {
    net::peer_info peer;
    peer.exporter.emplace();
    explained(convert::enrolment_of(message.enrol_request(), peer, problem), problem);
  } else if (message.has_events()) {
    read_events(message.events());
  } else if (message.has_section_chunk()) {
    read_chunk(message.section_chunk());
  }
}

/// protobuf writes a line for every text that is no UTF-8.
const auto silence = google::protobuf::SetLogHandler(nullptr);

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  wire::agent_message message;
  if (message.ParseFromString(bytes))
    read_message(message);
  for (std::size_t index = 0; index < sections; ++index)
    store_section(index, bytes);
  return 0;
}
