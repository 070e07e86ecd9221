// A player's documents: it takes what the server wants it to hold, and says that it has applied it.
#include "apps/load/player.hpp"

#include "apps/load/holdings.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"

#include <algorithm>
#include <utility>

namespace muster::load {

using namespace actors;

player::~player() = default;

void player::take_documents() {
  holdings_ = std::make_unique<holdings>();
}

void player::say_documents(wire::agent_message& message) const {
  if (!holdings_)
    return;
  if (std::exchange(holdings_->to_tell, false))
    holdings_->telling = true;
  const auto digest = holdings_->shelf.digest();
  const std::string text{reinterpret_cast<const char*>(digest.data()), digest.size()};
  auto& digests = message.has_hello() ? *message.mutable_hello()->mutable_digests()
                                      : *message.mutable_sync_request()->mutable_digests();
  if (message.has_hello())
    message.mutable_hello()->set_documents(text);
  else
    message.mutable_sync_request()->set_documents(text);
  if (holdings_->states.empty())
    return;
  const auto states = net::section_digest_of(holdings_->states);
  auto& states_digest = *digests.Add();
  states_digest.set_section(wire::section_settings_states);
  states_digest.set_digest(states.data(), states.size());
}

std::string player::settings_states() const {
  return holdings_ ? holdings_->states : std::string{};
}

void player::on_manifest(const wire::document_manifest& manifest) {
  if (!holdings_)
    return;
  std::string problem;
  auto wanted = manifest_from(manifest, problem);
  if (!wanted)
    return fail("a manifest: " + problem);
  holdings_->wanted = std::move(*wanted);
  fetch();
}

void player::fetch() {
  auto& mine = *holdings_;
  if (mine.fetching)
    return; // its end looks again
  const auto change = mine.shelf.compare(mine.wanted);
  mine.shelf.settle(change);
  if (change.wishes.empty())
    return apply();
  wire::agent_message message;
  for (const auto& wish : change.wishes) {
    auto& to = *message.mutable_documents_request()->add_wishes();
    to.set_kind(static_cast<wire::document_kind>(wish.kind));
    to.set_name(wish.name);
    to.set_hash(wish.hash.data(), wish.hash.size());
    if (wish.have != document_hash{})
      to.set_have(wish.have.data(), wish.have.size());
  }
  mine.parcels = parcel_maker{change.wishes};
  mine.fetching = true;
  say(message, "a request for documents");
}

void player::on_part(const wire::document_part& part) {
  if (!holdings_ || !holdings_->fetching)
    return;
  auto& mine = *holdings_;
  std::string problem;
  switch (mine.parcels.add(part, problem)) {
  case parcel_maker::verdict::broken:
    return fail("a document: " + problem);
  case parcel_maker::verdict::whole: {
    auto document = mine.shelf.open(mine.parcels.take(), problem);
    if (!problem.empty())
      return fail("a document: " + problem);
    if (document)
      mine.shelf.place(std::move(*document));
    break;
  }
  case parcel_maker::verdict::more:
  case parcel_maker::verdict::ignored:
    break;
  }
  if (!part.end())
    return;
  mine.fetching = false;
  if (!part.gone()) // else a newer manifest comes
    fetch();
}

/// What the agent's connectors do takes no time here.
void player::apply() {
  auto& mine = *holdings_;
  wire::settings_states states;
  for (const auto& application : mine.shelf.applications()) {
    const auto* const document = mine.shelf.find(document_kind::settings, application);
    if (document == nullptr)
      continue;
    auto& state = *states.add_items();
    state.set_application(application);
    state.set_revision(document->revision);
    state.set_hash(document->hash.data(), document->hash.size());
    state.set_outcome(wire::settings_applied);
    state.set_since_s(1'700'000'000);
  }
  mine.states = states.SerializeAsString();
  mine.to_tell = true;
  if (is_active() && !syncing_)
    sync();
}

void player::on_synced() {
  syncing_ = false;
  tell(news::synced);
  if (!holdings_)
    return;
  if (std::exchange(holdings_->telling, false))
    tell(news::applied);
  if (holdings_->to_tell && is_active() && !syncing_)
    sync();
}

} // namespace muster::load
