#include "actors/server/session.hpp"

#include "actors/errc.hpp"
#include "actors/server/convert.hpp"
#include "actors/server/event_stream.hpp"
#include "actors/server/session_limits.hpp"
#include "actors/server/sync_job.hpp"
#include "net/link_actor.hpp"
#include "net/wire/agent.pb.h"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

namespace muster::actors {

namespace limits = session_limits;

struct session_state::greeting {
  section_digests theirs{};
  device_statistics statistics;
  std::uint32_t datagram_generation = 0;
  bool events_waiting = false;
};

session_state::~session_state() {
  leave();
  answer_probes(false);
}

session_actor::behavior_type session_state::make_behavior(net::accepted_ptr connection,
                                                          session_services_ptr services,
                                                          server_root_actor root) {
  accepted_ = std::move(connection);
  link_ = accepted_->connection;
  services_ = std::move(services);
  root_ = std::move(root);
  state_ = accepted_->peer.certificate_sha256 ? peer_state::proved : peer_state::anonymous;
  over_ = accepted_->peer.encrypted ? rules::channel::encrypted : rules::channel::plain;
  self_->set_exit_handler([this](const caf::exit_msg&) { on_ending(session_end::stopping); });
  self_->set_down_handler([this](const caf::down_msg& down) { on_down(down); });
  net::attach_session(*link_, session_actor{self_});
  link_->grant(1);
  return {
    [this](atom::frame, const frame_ptr& frame) { on_frame(*frame); },
    [this](atom::closed, std::error_code) { on_closed(); },
    [this](atom::ending, session_end why) { on_ending(why); },
    [this](atom::sync, std::uint64_t calls) { on_sync_wanted(calls); },
    [this](atom::keep, bool on) { on_keep(on); },
    [this](atom::publish, const manifest_ptr& manifest) { on_documents(*manifest); },
    [this](atom::probe) { return on_probe(); },
    [this](atom::synced) { job_ = nullptr; },
    [this](atom::left, std::uint32_t taken) { on_stream_idle(taken); },
    [this](atom::tick, std::uint32_t number) { on_time_up(number); },
    [this](atom::status) { return status(); },
  };
}

// -- from the agent -------------------------------------------------------------------------------

void session_state::on_frame(std::string_view frame) {
  answer_probes(true);
  if (state_ == peer_state::ending)
    return;
  const auto message = std::make_shared<wire::agent_message>();
  if (!message->ParseFromArray(frame.data(), static_cast<int>(frame.size())))
    return refuse(refusal::protocol, "what was sent is no message of this protocol");
  const auto what = rules::message_of(message->body_case());
  if (rules::judge(state_, what, over_) != rules::verdict::take)
    return refuse(refusal::protocol, rules::why_refused(state_, what, over_));
  take(what, message);
}

void session_state::take(rules::agent_says what, const agent_message_ptr& message) {
  using says = rules::agent_says;
  if (state_ == peer_state::active)
    note_contact();
  switch (what) {
  case says::enrol_request:
    return on_enrol_request(message->enrol_request());
  case says::hello:
    return on_hello(message->hello());
  case says::sync_request:
    return on_sync_request(*message);
  case says::section_chunk:
    return on_chunk(message);
  case says::events_open:
    return open_stream();
  case says::events:
    return on_events(message);
  case says::pong:
    return link_->grant(1);
  case says::wake_test:
    return on_wake_test();
  case says::documents_request:
    return on_documents_request(*message);
  case says::unknown:
    return; // never allowed
  }
}

void session_state::on_enrol_request(const wire::enrol_request& request) {
  std::string problem;
  const auto order = convert::enrolment_of(request, accepted_->peer, problem);
  if (!order)
    return refuse(refusal::enrolment, problem);
  state_ = peer_state::enrolling;
  self_
    ->request(services_->enroller, caf::infinite, atom::enrol_v,
              std::make_shared<const enrolment>(*order))
    .then(
      [this](const enrolment_result_ptr& result) {
        if (state_ != peer_state::enrolling)
          return;
        if (result->reason != refusal::none)
          return refuse(result->reason, result->text);
        end_with(convert::enrol_reply(*result, services_->gifts));
      },
      [this](const caf::error& why) { send_away("enrolment: " + text_of(why)); });
}

void session_state::on_hello(const wire::hello& said) {
  std::string problem;
  auto facts = convert::hello(said, problem);
  const auto theirs = facts ? convert::digests(said, problem) : std::nullopt;
  const auto documents =
    theirs ? convert::standing(said.documents(), over_ == rules::channel::encrypted, problem)
           : std::nullopt;
  if (!documents)
    return refuse(refusal::protocol, problem);
  state_ = peer_state::admitting;
  device_ = facts->device;
  const greeting hello{*theirs, facts->statistics, said.datagram_generation(), said.events_waiting()};
  facts->certificate_sha256 = *accepted_->peer.certificate_sha256;
  facts->address = accepted_->peer.address;
  facts->documents = *documents;
  facts->session = session_actor{self_};
  self_
    ->request(services_->directory_of(device_), caf::infinite, atom::admit_v,
              std::make_shared<const hello_facts>(std::move(*facts)))
    .then(
      [this, hello](const admission_ptr& decision) {
        if (state_ == peer_state::admitting)
          on_admission(*decision, hello);
      },
      [this](const caf::error& why) { send_away("admission: " + text_of(why)); });
}

/// The welcome comes before anything that a job or stream says, so the session sends it.
void session_state::on_admission(const admission& decision, const greeting& hello) {
  if (decision.reason != refusal::none)
    return refuse(decision.reason, decision.text);
  const auto known = decision.went_back ? section_digests{} : decision.known;
  const auto wanted = wanted_sections(hello.theirs, known);
  auto content =
    wanted ? services_->syncs->reserve(limits::sync_first_share_bytes) : content_unit{};
  if (wanted && !content)
    return send_away("too many syncs at once");
  // Whoever can read along could use them.
  const auto keys = accepted_->peer.encrypted
                      ? services_->datagram_keys_of(device_, hello.datagram_generation)
                      : std::vector<net::device_datagram_keys>{};
  state_ = peer_state::active;
  accepted_.reset();
  calls_ = decision.calls_before;
  device_name_ = decision.device_name;
  contact_told_at_ = self_->clock().now();
  link_->trust();
  if (!link_->try_send(convert::welcome(*services_, decision, wanted, keys)))
    return end_with({});
  if (wanted) {
    sync_job_options sync;
    sync.theirs = hello.theirs;
    sync.statistics = hello.statistics;
    sync.wanted = wanted;
    sync.content = std::move(content);
    start_job(std::move(sync));
  } else {
    tell_synced(hello.statistics);
  }
  // The stream gives back the credit of an events_open; this one came without a frame.
  link_->grant(limits::frames_in_flight - (hello.events_waiting ? 1 : 0));
  if (hello.events_waiting)
    open_stream();
}

void session_state::on_sync_request(const wire::agent_message& message) {
  if (job_)
    return refuse(refusal::protocol, "a sync is already in progress");
  std::string problem;
  const auto theirs = convert::digests(message, problem);
  const auto documents =
    theirs ? convert::standing(message.sync_request().documents(),
                               over_ == rules::channel::encrypted, problem)
           : std::nullopt;
  if (!documents)
    return refuse(refusal::protocol, problem);
  sync_job_options sync;
  sync.theirs = *theirs;
  sync.documents = *documents;
  sync.statistics = convert::statistics(message.sync_request().statistics());
  start_job(std::move(sync));
  link_->grant(1);
}

void session_state::on_chunk(const agent_message_ptr& message) {
  if (!job_)
    return refuse(refusal::protocol, "section_chunk is not allowed while no sync is in progress");
  self_->send(job_, atom::chunk_v, message);
}

void session_state::on_events(const agent_message_ptr& message) {
  need_stream();
  ++stream_messages_;
  self_->send(stream_, atom::events_v, message);
}

void session_state::on_closed() {
  tell_sync_failed();
  leave();
  dismiss_children();
  self_->quit();
}

// -- from the server ------------------------------------------------------------------------------

void session_state::on_ending(session_end why) {
  switch (why) {
  case session_end::revoked:
    return refuse(refusal::revoked, "this device has been revoked");
  case session_end::removed:
    return refuse(refusal::unknown_device, "this device has been removed from the server");
  case session_end::replaced:
    return end_with(convert::goodbye(services_->return_after_ms(),
                                     "another connection of this device has taken over"));
  case session_end::stopping:
    return end_with(convert::goodbye(services_->return_after_ms(), "the server is stopping"));
  }
}

/// Who ends before it is let go has failed, and its reason says what the agent is told.
void session_state::on_down(const caf::down_msg& down) {
  const bool ours =
    (job_ && down.source == job_.address()) || (stream_ && down.source == stream_.address());
  if (!ours)
    return;
  if (job_ && down.source == job_.address())
    tell_sync_failed();
  const auto is_mine = [&](errc code) {
    return down.reason.category() == error_category &&
           down.reason.code() == static_cast<std::uint8_t>(code);
  };
  const auto text = text_of(down.reason);
  if (is_mine(errc::invalid))
    return refuse(refusal::protocol, text);
  if (is_mine(errc::refused))
    return refuse(refusal::limit, text);
  send_away(text);
}

/// Unless a message is on its way to the stream, which would then be lost.
void session_state::on_stream_idle(std::uint32_t taken) {
  if (!stream_ || self_->current_sender() != stream_ || taken != stream_messages_)
    return;
  dismiss(stream_);
}

// -- children -------------------------------------------------------------------------------------

void session_state::start_job(sync_job_options options) {
  options.services = services_;
  options.link = link_;
  options.session = session_actor{self_};
  options.device = device_;
  options.calls_before = calls_;
  job_ = self_->spawn(sync_job, std::move(options));
  adopt(caf::actor_cast<caf::actor>(job_));
}

void session_state::need_stream() {
  if (stream_)
    return;
  stream_ = self_->spawn(event_stream, event_stream_options{.services = services_,
                                                            .link = link_,
                                                            .session = session_actor{self_},
                                                            .device = device_,
                                                            .device_name = device_name_});
  stream_messages_ = 0;
  adopt(caf::actor_cast<caf::actor>(stream_));
}

void session_state::open_stream() {
  need_stream();
  ++stream_messages_;
  self_->send(stream_, atom::open_v);
}

void session_state::adopt(const caf::actor& child) {
  self_->monitor(child);
  self_->send(root_, atom::adopt_v, stage::work, child);
}

template <class Handle>
void session_state::dismiss(Handle& child) {
  if (!child)
    return;
  caf::anon_send<caf::message_priority::high>(
    caf::actor_cast<caf::actor>(child),
    caf::exit_msg{self_->address(), caf::exit_reason::user_shutdown});
  child = nullptr;
}

void session_state::dismiss_children() {
  dismiss(job_);
  dismiss(stream_);
}

// -- words and ends -------------------------------------------------------------------------------

/// A sync that has nothing to take.
void session_state::tell_synced(const device_statistics& statistics) {
  auto outcome = std::make_shared<sync_outcome>();
  outcome->device = device_;
  outcome->finished_us = services_->now();
  outcome->calls_before = calls_;
  outcome->statistics = statistics;
  self_->send(services_->directory_of(device_), atom::synced_v,
              sync_outcome_ptr{std::move(outcome)});
}

/// One that was in progress, or there was none.
void session_state::tell_sync_failed() {
  if (job_ && state_ == peer_state::active)
    self_->send(services_->directory_of(device_), atom::failed_v, device_);
}

void session_state::note_contact() {
  const auto now = self_->clock().now();
  if (now - contact_told_at_ < limits::contact_interval)
    return;
  contact_told_at_ = now;
  self_->send(services_->directory_of(device_), atom::contact_v, device_);
}

void session_state::refuse(refusal why, std::string_view text) {
  if (state_ == peer_state::ending)
    return;
  // Anybody can connect and be refused; only what somebody of ours does is worth a line.
  spdlog::log(device_.is_zero() ? spdlog::level::debug : spdlog::level::warn, "{}: refused: {}",
              subject(), text);
  end_with(convert::refused(why, text));
}

void session_state::send_away(std::string_view text) {
  if (state_ == peer_state::ending)
    return;
  spdlog::warn("{}: sent away for a while: {}", subject(), text);
  end_with(convert::busy(services_->return_after_ms()));
}

void session_state::end_with(std::string last_words) {
  if (std::exchange(state_, peer_state::ending) == peer_state::ending)
    return;
  if (!last_words.empty())
    static_cast<void>(link_->try_send(std::move(last_words)));
  link_->close();
  leave();
  dismiss_children();
  answer_probes(false);
}

void session_state::leave() {
  if (device_.is_zero() || std::exchange(left_, true))
    return;
  caf::anon_send(services_->directory_of(device_), atom::left_v, device_, self_->address());
}

std::string session_state::subject() const {
  if (!device_.is_zero())
    return "device " + device_.text();
  return accepted_ ? "somebody at " + accepted_->peer.address : "somebody";
}

std::string session_state::status() const {
  return subject() + ": " + std::string{rules::name_of(state_)} + (job_ ? ", in a sync" : "") +
         (stream_ ? ", sends events" : "");
}

session_actor::behavior_type session(session_actor::stateful_pointer<session_state> self,
                                     net::accepted_ptr connection, session_services_ptr services,
                                     server_root_actor root) {
  return self->state.make_behavior(std::move(connection), std::move(services), std::move(root));
}

} // namespace muster::actors
