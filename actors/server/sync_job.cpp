#include "actors/server/sync_job.hpp"

#include "actors/errc.hpp"
#include "actors/server/convert.hpp"
#include "net/limits.hpp"
#include "net/wire/agent.pb.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>

namespace muster::actors {

static_assert(!std::is_aggregate_v<sync_job_state>);

namespace limits = session_limits;

std::uint32_t wanted_sections(const section_digests& theirs,
                              const section_digests& known) noexcept {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < sections; ++i) {
    if (theirs[i] != section_digest{} && theirs[i] != known[i])
      out |= 1U << i;
  }
  return out;
}

sync_job_actor::behavior_type sync_job_state::make_behavior(sync_job_options options) {
  options_ = std::move(options);
  outcome_.device = options_.device;
  outcome_.statistics = options_.statistics;
  outcome_.calls_before = options_.calls_before;
  began_at_ = heard_at_ = self_->clock().now();
  self_->monitor(options_.session);
  self_->set_down_handler([this](const caf::down_msg&) { self_->quit(); });
  if (options_.wanted)
    expect(*options_.wanted);
  else
    ask_directory();
  return {
    [this](atom::chunk, const agent_message_ptr& message) { on_chunk(message->section_chunk()); },
    [this](atom::tick) { on_tick(); },
    [this](atom::status) { return status(); },
  };
}

// -- the plan -------------------------------------------------------------------------------------

void sync_job_state::ask_directory() {
  const auto& services = *options_.services;
  self_
    ->request(services.directory_of(options_.device), caf::infinite, atom::compare_v,
              options_.device, options_.documents)
    .then(
      [this](const admission_ptr& known) {
        plan(wanted_sections(options_.theirs, known->known), known->manifest);
      },
      [this](const caf::error& why) { self_->quit(why); });
}

void sync_job_state::plan(std::uint32_t wanted, const manifest_ptr& manifest) {
  if (wanted == 0) {
    // Before the agent: it may ask again at once.
    report();
    tell(manifest);
    say(convert::sync_plan(0));
    return self_->quit();
  }
  options_.content = options_.services->syncs->reserve(limits::sync_first_share_bytes);
  if (!options_.content) {
    fail(errc::overloaded, "too many syncs at once");
    return;
  }
  expect(wanted);
  tell(manifest);
  say(convert::sync_plan(wanted));
}

/// In front of the plan: an empty one is the end of a sync for an agent that nobody keeps.
void sync_job_state::tell(const manifest_ptr& manifest) {
  if (manifest)
    say(convert::manifest(*manifest));
}

void sync_job_state::expect(std::uint32_t wanted) {
  wanted_ = planned_ = wanted;
  heard_at_ = self_->clock().now();
  self_->delayed_send(self_, limits::sync_silence_max, atom::tick_v);
}

// -- parts ----------------------------------------------------------------------------------------

void sync_job_state::on_chunk(const wire::section_chunk& chunk) {
  heard_at_ = self_->clock().now();
  if (!begin_section(chunk) || !feed(chunk))
    return;
  options_.link->grant(1);
  if (!chunk.last())
    return;
  wanted_ &= ~(1U << incoming_->arrival.section);
  incoming_->arrival.received_us = options_.services->now();
  arrived_.push_back(std::make_shared<const section_arrival>(std::move(incoming_->arrival)));
  incoming_.reset();
  store_next();
}

/// Whether the part belongs where it comes.
bool sync_job_state::begin_section(const wire::section_chunk& chunk) {
  const auto index = static_cast<std::size_t>(chunk.section()) - 1;
  if (chunk.section() < 1 || index >= sections || !(wanted_ >> index & 1))
    return fail(errc::invalid, "a section that was not asked for");
  section_digest digest;
  if (chunk.digest().size() != digest.size())
    return fail(errc::invalid, "a section digest must have 16 bytes");
  std::memcpy(digest.data(), chunk.digest().data(), digest.size());
  if (!incoming_) {
    incoming_.emplace(incoming{{}, storage::decompressor{limits::section_bytes_max[index]}, 0});
    incoming_->arrival.device = options_.device;
    incoming_->arrival.section = index;
    incoming_->arrival.digest = digest;
  }
  if (incoming_->arrival.section != index || incoming_->arrival.digest != digest)
    return fail(errc::invalid, "the parts of two sections are mixed");
  return true;
}

bool sync_job_state::feed(const wire::section_chunk& chunk) {
  if (chunk.data().size() > net::limits::chunk_bytes_max)
    return fail(errc::invalid, "a part of a section is longer than 256 KB");
  if (++incoming_->parts > limits::section_parts_max || (chunk.data().empty() && !chunk.last()))
    return fail(errc::refused, "a section comes in too many parts");
  auto& content = incoming_->arrival.content;
  const auto before = content.size();
  const auto ec = incoming_->frame.feed(chunk.data(), content);
  if (ec == storage::errc::too_large)
    return fail(errc::refused, "a section is larger than it may be");
  if (ec || (chunk.last() && !incoming_->frame.finished()))
    return fail(errc::invalid, "a section is damaged");
  content_bytes_ += content.size() - before;
  if (!options_.content.grow_to(content_bytes_))
    return fail(errc::overloaded, "syncs hold too much at once");
  return true;
}

// -- storing --------------------------------------------------------------------------------------

void sync_job_state::store_next() {
  if (std::exchange(storing_, true))
    return;
  if (storing_right_)
    return take_in_next();
  storing_right_ = options_.services->syncs->begin_storing(options_.device);
  if (!storing_right_) {
    fail(errc::overloaded, "an earlier sync of the device is still being stored");
    return;
  }
  // From here on the store may hold something else than the directory knows. When this is answered,
  // whatever an earlier job has left with the writer is in the store, too.
  self_
    ->request(options_.services->directory_of(options_.device), caf::infinite, atom::sync_v,
              options_.device, planned_)
    .then([this](caf::ok_atom) { take_in_next(); },
          [this](const caf::error& why) { self_->quit(why); });
}

void sync_job_state::take_in_next() {
  const auto arrival = std::move(arrived_.front());
  arrived_.pop_front();
  const auto intake = std::make_shared<section_intake>();
  const auto work = [arrival, intake](const storage::store& store) {
    return take_in(store, *arrival, *intake);
  };
  self_
    ->request(options_.services->reader_for(options_.device), caf::infinite, atom::read_v,
              std::make_shared<const std::function<std::error_code(const storage::store&)>>(work))
    .then([this, arrival, intake](caf::ok_atom) { on_taken_in(arrival, intake); },
          [this](const caf::error& why) { self_->quit(why); });
}

void sync_job_state::on_taken_in(const section_arrival_ptr& arrival,
                                 const std::shared_ptr<section_intake>& intake) {
  if (!intake->problem.empty()) {
    fail(errc::invalid, intake->problem);
    return;
  }
  self_
    ->request(options_.services->writer, caf::infinite, atom::put_v,
              change_batch_ptr{intake, &intake->changes}, durability::fact)
    .then([this, arrival, intake](caf::ok_atom) { on_stored(*arrival, intake->view); },
          [this](const caf::error& why) { self_->quit(why); });
}

void sync_job_state::on_stored(const section_arrival& arrival, const section_view& view) {
  outcome_.digests[arrival.section] = arrival.digest;
  if (arrival.section == wire::section_facts - 1) {
    outcome_.host_name = view.host_name;
    outcome_.os_id = view.os_id;
    outcome_.os_name = view.os_name;
    outcome_.os_version = view.os_version;
    outcome_.addresses = view.addresses;
  }
  if (arrival.section == wire::section_applications - 1)
    outcome_.applications = view.application_names;
  if (arrival.section == wire::section_run_states - 1)
    outcome_.failed_services = view.failed_services;
  if (arrival.section == wire::section_settings_states - 1)
    outcome_.settings_not_applied = view.settings_not_applied;
  content_bytes_ -= arrival.content.size();
  storing_ = false;
  if (!arrived_.empty())
    return store_next();
  if (wanted_ != 0)
    return;
  report();
  say(convert::sync_done());
  self_->quit();
}

/// To the directory, then to the session, so that whoever hears of the sync finds it there.
void sync_job_state::report() {
  outcome_.finished_us = options_.services->now();
  self_->send(options_.services->directory_of(options_.device), atom::synced_v,
              std::make_shared<const sync_outcome>(outcome_));
  self_->send(options_.session, atom::synced_v);
}

// -- time and ends --------------------------------------------------------------------------------

void sync_job_state::on_tick() {
  const auto now = self_->clock().now();
  if (now - began_at_ >= limits::sync_max) {
    fail(errc::overloaded, "the sync took too long");
    return;
  }
  auto wait = caf::timespan{limits::sync_silence_max};
  if (wanted_ != 0) { // else we are the ones who are slow
    if (now - heard_at_ >= wait) {
      fail(errc::overloaded, "the agent fell silent in the middle of a sync");
      return;
    }
    wait -= now - heard_at_;
  }
  self_->delayed_send(self_, wait, atom::tick_v);
}

bool sync_job_state::fail(errc why, std::string text) {
  self_->quit(make_error(why, std::move(text)));
  return false;
}

void sync_job_state::say(std::string message) {
  // An agent that does not listen has no use for the connection.
  if (!options_.link->try_send(std::move(message)))
    options_.link->close();
}

std::string sync_job_state::status() const {
  return "device " + options_.device.text() + ": wants " + std::to_string(wanted_) + ", holds " +
         std::to_string(content_bytes_) + " bytes" + (storing_ ? ", storing" : "");
}

sync_job_actor::behavior_type sync_job(sync_job_actor::stateful_pointer<sync_job_state> self,
                                       sync_job_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
