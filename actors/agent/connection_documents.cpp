// The connection's part that fetches what the server wants on this device.
#include "actors/agent/connection.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace muster::actors {

namespace {

bool is(const caf::error& why, errc code) {
  return why.category() == error_category && why.code() == static_cast<std::uint8_t>(code);
}

} // namespace

void connection_state::on_manifest(const wire::document_manifest& manifest) {
  if (phase_ != phase::open || stopping_ || !peers_.keeper)
    return; // who takes none says so in its hello
  std::string problem;
  auto taken = manifest_from(manifest, problem);
  if (!taken)
    return give_up("the server's list of documents makes no sense: " + problem);
  manifest_ = std::make_shared<const document_manifest>(std::move(*taken));
  as_wholes_.clear();
  documents_gone_ = false;
  take_manifest();
}

/// What has to be fetched, as of now.
void connection_state::take_manifest() {
  manifest_again_ = manifest_asked_;
  if (std::exchange(manifest_asked_, true))
    return;
  const auto number = documents_ended_;
  self_->request(peers_.keeper, caf::infinite, atom::publish_v, manifest_)
    .then(
      [this, number](const document_wishes_ptr& wishes) {
        if (number != documents_ended_)
          return;
        manifest_asked_ = false;
        if (std::exchange(manifest_again_, false))
          return take_manifest();
        on_wishes(*wishes);
      },
      [this, number](const caf::error& why) {
        if (number == documents_ended_)
          give_up("what the server wants here could not be written down: " + text_of(why));
      });
}

void connection_state::on_wishes(const document_wishes& wishes) {
  if (documents_asked_) // its answer is to an older manifest; what is still missing comes behind it
    return;
  if (wishes.empty() || documents_gone_)
    return end_documents();
  wire::agent_message message;
  auto asked = wishes;
  for (auto& wish : asked) {
    if (as_wholes_.contains({wish.kind, wish.name}))
      wish.have = {};
    auto& out = *message.mutable_documents_request()->add_wishes();
    out.set_kind(static_cast<wire::document_kind>(wish.kind));
    out.set_name(wish.name);
    out.set_hash(wish.hash.data(), wish.hash.size());
    if (wish.have != document_hash{})
      out.set_have(wish.have.data(), wish.have.size());
  }
  parcels_ = parcel_maker{std::move(asked)}; // a manifest has no more entries than a request may have
  documents_asked_ = true;
  documents_came_ = false;
  heard_at_ = now();
  say(message);
}

void connection_state::on_part(const wire::document_part& part) {
  if (phase_ != phase::open || !documents_asked_)
    return; // nobody asked
  std::string problem;
  switch (parcels_.add(part, problem)) {
    case parcel_maker::verdict::broken:
      return give_up("what the server sent is no document: " + problem);
    case parcel_maker::verdict::whole: keep_document(parcels_.take()); break;
    case parcel_maker::verdict::more:
    case parcel_maker::verdict::ignored: break;
  }
  if (!part.end())
    return;
  if (parcels_.open())
    return give_up("the server ended in the middle of a document");
  documents_asked_ = false;
  on_answer_ended();
}

/// The server may go on when it is on the disk.
void connection_state::keep_document(document_parcel parcel) {
  if (parcel.gone) {
    documents_gone_ = true;
    return;
  }
  ++puts_;
  owes_credit_ = true;
  const auto number = documents_ended_;
  const auto what = std::make_shared<const document_parcel>(std::move(parcel));
  self_->request(peers_.keeper, caf::infinite, atom::put_v, what)
    .then(
      [this, number](caf::ok_atom) {
        if (number != documents_ended_)
          return;
        --puts_;
        documents_came_ = true;
        settling_until_ = now() + options_.settling_max;
        if (link_)
          link_->grant(1);
        on_answer_ended();
      },
      [this, number, what](const caf::error& why) {
        if (number != documents_ended_)
          return;
        --puts_;
        const bool patch = what->base != document_hash{};
        const bool unfit = is(why, errc::invalid);
        if (!unfit || !patch)
          return give_up("what the server sent could not be kept: " + text_of(why));
        spdlog::warn("{}; asking for the whole of it", text_of(why));
        as_wholes_.emplace(what->kind, what->name);
        documents_came_ = true; // the next answer will be another one
        if (link_)
          link_->grant(1);
        on_answer_ended();
      });
}

/// When the answer is all here and on the disk: is anything still missing?
void connection_state::on_answer_ended() {
  if (documents_asked_ || puts_ > 0 || !manifest_)
    return;
  if (!documents_came_ && !documents_gone_)
    return give_up("the server names documents that it does not send");
  take_manifest();
}

/// All is here; or the server has said that another list follows, which will begin anew.
void connection_state::end_documents() {
  if (std::exchange(documents_gone_, false))
    settling_until_ = now() + options_.settling_max;
  manifest_.reset();
  as_wholes_.clear();
  if (std::exchange(sync_ended_, false))
    return end_sync();
  consider();
}

/// The connection is gone. What is on the disk stays; the rest is found by the next hello.
void connection_state::forget_documents() {
  ++documents_ended_;
  manifest_.reset();
  manifest_asked_ = manifest_again_ = documents_asked_ = documents_came_ = documents_gone_ = false;
  owes_credit_ = sync_ended_ = false;
  puts_ = 0;
  parcels_ = parcel_maker{};
  as_wholes_.clear();
  settling_until_ = now();
}

void connection_state::on_states_changed() {
  if (stopping_)
    return;
  if (!looking_) // else the keeper's report is still to come, and says it
    sync_wanted_ = true;
  settling_until_ = now(); // this was worth waiting for
  consider();
}

// -- the agent's own policy -----------------------------------------------------------------------

void connection_state::on_policy(const agent_policy& policy) {
  policy_ = policy;
  const auto before = period_;
  find_terms();
  if (period_ < before)
    sync_due_ = std::min(sync_due_, now() + rules::jittered(period_, jitter_percent_, random_));
  if (period_ != before)
    tell_terms(0);
  consider();
}

/// The agent's policy, then its own file, then what the server says to all.
void connection_state::find_terms() {
  const bool told = server_period_.count() > 0 && !options_.period_is_ours;
  period_ = policy_.sync_period_s ? std::chrono::seconds{*policy_.sync_period_s}
            : told                ? server_period_
                                  : options_.period;
  jitter_percent_ =
    policy_.sync_jitter_percent.value_or(told ? server_jitter_percent_ : options_.jitter_percent);
}

} // namespace muster::actors
