// The connection's part that speaks of the machine: hello, digests, sections.
#include "actors/agent/connection.hpp"
#include "actors/agent/convert.hpp"
#include "net/limits.hpp"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace muster::actors {

namespace {

std::string bytes(const auto& id) {
  return id.raw();
}

constexpr std::size_t settings_index = wire::section_settings_states - 1;

/// Nothing where nothing is known: such an agent takes no documents.
std::string bytes(const std::optional<document_hash>& documents) {
  return documents ? std::string{reinterpret_cast<const char*>(documents->data()),
                                 documents->size()}
                   : std::string{};
}

} // namespace

/// Takes a snapshot, then goes on, unless the connection has ended meanwhile.
void connection_state::look(std::function<void()> then) {
  looking_ = true;
  const auto number = ++looks_;
  self_->request(peers_.collector, caf::infinite, atom::collect_v)
    .then(
      [this, then = std::move(then), number](const machine_snapshot_ptr& snapshot) {
        if (number != looks_ || !std::exchange(looking_, false))
          return;
        looked_ = true;
        heard_at_ = now();
        snapshot_ = snapshot;
        digests_ = snapshot->digests;
        statistics_ = snapshot->statistics;
        stand(then);
      },
      [this, number](const caf::error& why) {
        if (number != looks_ || !std::exchange(looking_, false))
          return;
        if (stopping_ && phase_ == phase::open)
          return; // the collector stops before us, and events do not need it
        give_up("the machine could not be looked at: " + text_of(why));
      });
}

/// How settings and documents stand, to be told with the machine.
void connection_state::stand(std::function<void()> then) {
  if (!peers_.keeper)
    return then();
  looking_ = true;
  const auto number = ++looks_;
  self_->request(peers_.keeper, caf::infinite, atom::collect_v)
    .then(
      [this, then = std::move(then), number](const keeper_report_ptr& report) {
        if (number != looks_ || !std::exchange(looking_, false))
          return;
        heard_at_ = now();
        documents_ = report->documents;
        digests_[settings_index] = report->states_digest;
        report_ = report;
        then();
      },
      [this, number](const caf::error& why) {
        if (number != looks_ || !std::exchange(looking_, false))
          return;
        give_up("the settings could not be looked at: " + text_of(why));
      });
}

/// Looks at the machine, unless only events are the reason: then the digests told last will do.
void connection_state::prepare() {
  phase_ = phase::preparing;
  looked_ = false;
  if (!sync_wanted_ && digests_ != section_digests{})
    return count_hello();
  look([this] { count_hello(); });
}

/// One write for each hello, and never ahead: a disk that is set back, however little, shows a
/// counter that the server has seen.
void connection_state::count_hello() {
  draw_counter(
    [this](std::uint64_t counter) {
      if (phase_ != phase::preparing) // the machine has said meanwhile that it goes
        return;
      hello_counter_ = counter;
      dial();
    },
    [this](const caf::error& why) {
      if (phase_ == phase::preparing)
        give_up("the hello counter could not be written: " + text_of(why));
    });
}

/// The next of the row that hellos and notices share.
void connection_state::draw_counter(std::function<void(std::uint64_t)> then,
                                    std::function<void(const caf::error&)> failed) {
  const auto drawn = ++*counter_;
  storage::change_batch change{storage::put(storage::family::meta,
                                            storage::keys::setting("hello_counter"),
                                            storage::records::encode_number(drawn))};
  self_
    ->request(peers_.writer, caf::infinite, atom::put_v,
              std::make_shared<const storage::change_batch>(std::move(change)), durability::command)
    .then([then = std::move(then), drawn](caf::ok_atom) { then(drawn); },
          [this, failed = std::move(failed), drawn](const caf::error& why) {
            if (*counter_ == drawn)
              --*counter_;
            failed(why);
          });
}

void connection_state::dial() {
  phase_ = phase::dialling;
  const bool lacks_keys = peers_.key_way.connect && options_.keys.empty();
  for_keys_ = lacks_keys && now() >= keys_due_ && !stopping_;
  if (for_keys_)
    keys_due_ = now() + options_.keys_pause;
  const auto& way = for_keys_ ? peers_.key_way : peers_.way;
  way.connect([me = connection_actor{self_}](const net::accepted_ptr& connection,
                                             std::error_code ec, std::string detail) {
    if (connection)
      caf::anon_send(me, atom::opened_v, connection);
    else
      caf::anon_send(me, atom::failed_v, ec, std::move(detail));
  });
}

void connection_state::greet() {
  wire::agent_message message;
  auto& hello = *message.mutable_hello();
  hello.set_protocol(1);
  hello.set_agent_version(options_.agent_version);
  hello.set_device_id(bytes(options_.device));
  hello.set_boot_id(bytes(options_.boot));
  hello.set_fingerprint(bytes(options_.fingerprint));
  hello.set_counter(hello_counter_);
  hello.set_clock_ms(options_.now_us() / 1000);
  hello.set_keep(keeping());
  hello.set_events_waiting(events_waiting_);
  hello.set_wake_port(peers_.datagrams.wake_port ? peers_.datagrams.wake_port() : 0);
  hello.set_wake_counter(wake_counter_);
  if (options_.period_is_ours || policy_.sync_period_s)
    hello.set_sync_period_s(static_cast<std::uint32_t>(
      std::chrono::ceil<std::chrono::seconds>(period_).count()));
  hello.set_documents(bytes(documents_));
  hello.set_datagram_generation(options_.keys.empty() ? 0 : options_.keys.front().generation);
  fill(*hello.mutable_digests(), digests_);
  fill(*hello.mutable_statistics(), statistics_);
  syncing_ = true; // the welcome has a plan
  if (looked_) // asked for since? Then what is told here will not do
    sync_wanted_ = false;
  events_asked_ = events_waiting_;
  say(message);
}

void connection_state::say(const wire::agent_message& message) {
  if (link_ && !link_->try_send(message.SerializeAsString()))
    give_up("more to say than the connection takes");
}

void connection_state::on_frame(const frame_ptr& frame) {
  if (!link_ || phase_ == phase::closing)
    return;
  heard_at_ = now();
  proving_ = false;
  wire::server_message message;
  if (!message.ParseFromArray(frame->data(), static_cast<int>(frame->size())))
    return give_up("the server sent what is no message of ours");
  on_message(message);
  if (!std::exchange(owes_credit_, false) && link_)
    link_->grant(1);
}

void connection_state::on_message(const wire::server_message& message) {
  using body = wire::server_message::BodyCase;
  switch (message.body_case()) {
  case body::kWelcome: return on_welcome(message.welcome());
  case body::kSyncPlan: return on_plan(message.sync_plan());
  case body::kSyncDone: return on_sync_done();
  case body::kRefused: return on_refused(message.refused());
  case body::kEventsPosition:
    return on_events_position(
      {message.events_position().epoch(), message.events_position().sequence()});
  case body::kEventsAck:
    return on_events_ack({message.events_ack().epoch(), message.events_ack().sequence()});
  case body::kBusy:
    return obey(std::chrono::milliseconds{message.busy().retry_after_ms()}, errc::overloaded,
                "the server is busy");
  case body::kGoodbye:
    spdlog::info("{} said goodbye: {}", options_.server, message.goodbye().text());
    return obey(std::chrono::milliseconds{message.goodbye().return_after_ms()},
                errc::not_connected, "the server said goodbye: " + message.goodbye().text());
  case body::kPing: {
    wire::agent_message pong;
    pong.mutable_pong();
    return say(pong);
  }
  case body::kSyncNow: sync_wanted_ = true; return consider();
  case body::kKeep: kept_by_server_ = message.keep().on(); return consider();
  case body::kWakeTestSent: return on_wake_test_sent(message.wake_test_sent());
  case body::kDocumentManifest: return on_manifest(message.document_manifest());
  case body::kDocumentPart: return on_part(message.document_part());
  case body::kEnrolReply:
  case body::BODY_NOT_SET: spdlog::debug("an unknown message of {}", options_.server); return;
  }
}

void connection_state::on_welcome(const wire::welcome& welcome) {
  if (phase_ != phase::greeted)
    return;
  phase_ = phase::open;
  backoff_.reset();
  kept_by_server_ = welcome.keep();
  if (std::exchange(linger_wanted_, false))
    linger_until_ = std::max(linger_until_, now() + options_.wake_linger);
  for (const auto& way : {peers_.way, peers_.key_way})
    if (way.learn_time && welcome.server_time_ms() > 0)
      way.learn_time(welcome.server_time_ms() / 1000);
  clock_told_us_ = options_.now_us();
  clock_offset_ms_ = welcome.server_time_ms() - clock_told_us_ / 1000;
  learn_keys(welcome);
  if (welcome.sync_period_s() > 0) {
    server_period_ = std::chrono::seconds{welcome.sync_period_s()};
    server_jitter_percent_ = welcome.sync_jitter_percent();
  }
  find_terms();
  tell_terms(0);
  spdlog::info("connected to {} ({}{})", options_.server, welcome.server_version(),
               resumed_ ? ", resumed" : "");
  if (welcome.went_back()) {
    spdlog::warn("{} says that this device went back in time; unsent events are numbered anew",
                 options_.server);
    went_back_ = true;
  }
  ask_for_wake();
  if (went_back_) // now, or when it was last told and not yet done
    open_events();
  if (welcome.has_manifest())
    on_manifest(welcome.manifest());
  if (phase_ == phase::open)
    on_plan(welcome.plan());
}

void connection_state::on_plan(const wire::sync_plan& plan) {
  if (stopping_) // the next start tells the rest
    return consider();
  std::vector<std::size_t> wanted;
  for (const auto section : plan.wanted())
    if (const auto i = index_of(section); i < sections)
      wanted.push_back(i);
  if (wanted.empty())
    return on_sync_done();
  if (snapshot_ && (report_ || !peers_.keeper))
    return send_sections(wanted);
  look([this, wanted] { send_sections(wanted); });
}

void connection_state::send_sections(const std::vector<std::size_t>& wanted) {
  for (const auto i : wanted)
    if (!send_section(i))
      return give_up("the inventory is larger than the connection takes at once");
}

bool connection_state::send_section(std::size_t index) {
  const bool of_settings = index == settings_index && report_;
  const auto packed = storage::compress(of_settings ? report_->states : snapshot_->content[index]);
  std::size_t at = 0;
  do {
    const auto part = std::min(net::limits::chunk_bytes_max, packed.size() - at);
    wire::agent_message message;
    auto& chunk = *message.mutable_section_chunk();
    chunk.set_section(static_cast<wire::section>(index + 1));
    chunk.set_digest(digests_[index].data(), digests_[index].size());
    chunk.set_data(packed.data() + at, part);
    at += part;
    chunk.set_last(at == packed.size());
    if (!link_ || !link_->try_send(message.SerializeAsString()))
      return false;
  } while (at < packed.size());
  return true;
}

void connection_state::on_sync_done() {
  if (!std::exchange(syncing_, false))
    return;
  snapshot_.reset();
  report_.reset();
  // Done is what the server wants, too.
  sync_ended_ = documents_pending() && !stopping_;
  if (sync_ended_)
    return consider();
  end_sync();
}

void connection_state::end_sync() {
  if (options_.after_sync)
    options_.after_sync();
  if (std::exchange(looked_, false)) {
    ++syncs_;
    last_sync_us_ = options_.now_us();
    sync_due_ = now() + rules::jittered(period_, jitter_percent_, random_);
    if (!sync_wanted_)
      answer_askers({});
  }
  consider();
}

void connection_state::on_refused(const wire::refused& refused) {
  spdlog::error("{} refused this device: {}", options_.server, refused.text());
  const auto reason = static_cast<std::uint32_t>(refused.reason());
  tell_terms(reason == 0 ? UINT32_MAX : reason); // whatever it is, it is a refusal
  peers_.way.forget_session();
  const auto pause = rules::jittered(options_.refused_pause, 50, random_);
  refused_until_ = now() + pause;
  obey(pause, errc::refused, "refused: " + refused.text());
}

void connection_state::tell_terms(std::uint32_t refusal) const {
  if (options_.tell_terms)
    options_.tell_terms({period_, refusal});
}

/// On a connection that is already open.
void connection_state::begin_sync() {
  syncing_ = true;
  sync_wanted_ = false;
  look([this] {
    wire::agent_message message;
    auto& request = *message.mutable_sync_request();
    request.set_clock_ms(options_.now_us() / 1000);
    fill(*request.mutable_digests(), digests_);
    fill(*request.mutable_statistics(), statistics_);
    request.set_documents(bytes(documents_));
    say(message);
  });
}

} // namespace muster::actors
