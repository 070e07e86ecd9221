#include "apps/load/player.hpp"

#include "apps/load/holdings.hpp"
#include "apps/load/inventory.hpp"
#include "net/enrolment_proof.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"

#include <muster/version.hpp>

#include <zstd.h>

#include <algorithm>
#include <utility>

namespace muster::load {

namespace {

// More than a sync ever has in flight downwards.
constexpr std::size_t credit = 8;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
           std::chrono::system_clock::now().time_since_epoch())
    .count();
}

std::string to_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string compressed(const std::string& content) {
  std::string out(ZSTD_compressBound(content.size()), '\0');
  const auto n = ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 1);
  out.resize(ZSTD_isError(n) ? 0 : n);
  return out;
}

/// 16 bytes that differ from player to player and repeat with the seed.
std::string fingerprint_of(std::uint64_t seed, std::uint32_t number) {
  const auto digest =
    net::sha256("load fingerprint " + std::to_string(seed) + " " + std::to_string(number));
  return to_text(digest).substr(0, 16);
}

} // namespace

/// Hands a link's news to its player, and keeps the player alive as long as the link.
class player::sink final : public net::link_sink {
public:
  sink(std::shared_ptr<player> whom, std::uint32_t generation)
    : player_(std::move(whom)), generation_(generation) {}
  void on_message(std::string bytes) override {
    if (player_->generation_ == generation_)
      player_->on_message(bytes);
  }
  void on_closed(std::error_code why) override {
    if (player_->generation_ == generation_)
      player_->on_closed(why ? why.message() : "the server closed the connection");
  }

private:
  std::shared_ptr<player> player_;
  std::uint32_t generation_;
};

player::player(net::io_pool& pool, const player_options& options, std::uint32_t number,
               player_watcher& watcher)
  : pool_(pool), options_(options), watcher_(watcher), number_(number), key_(nullptr) {
  look_at_inventory();
  const auto known = options_.identities ? options_.identities->find(number) : std::nullopt;
  if (!known)
    return;
  key_ = known->key;
  leaf_ = known->leaf;
  device_ = known->leaf.holder_id();
  server_id_ = known->server_id;
  wake_key_ = known->wake_key;
}

// -- coming ---------------------------------------------------------------------------------------

net::client_tls_context_ptr player::make_context(std::string& problem) {
  net::client_tls_options tls;
  tls.server.authority_pin = options_.pin;
  tls.now_s = [] { return now_ms() / 1000; };
  if (leaf_) {
    tls.key = key_;
    tls.leaf = leaf_;
    tls.server.server_id = server_id_;
    if (options_.resume)
      tls.on_session = [me = weak_from_this()](net::tls_session_ptr ticket) {
        if (const auto self = me.lock())
          self->ticket_ = std::move(ticket);
      };
  }
  std::error_code ec;
  auto context = net::client_tls_context::make(tls, ec);
  if (ec)
    problem = ec.message();
  return context;
}

void player::enrol() {
  phase_ = phase::enrolling;
  if (key_.native() == nullptr)
    key_ = net::key_pair::generate();
  dial();
}

void player::connect(bool keep) {
  phase_ = phase::connecting;
  keep_ = keep;
  dial();
}

void player::dial() {
  const auto generation = ++generation_;
  std::string problem;
  auto context = make_context(problem);
  if (!context)
    return fail(problem);
  net::connect_options to{options_.server, std::move(context), std::exchange(ticket_, nullptr),
                          options_.source_address};
  net::connect(pool_, std::move(to),
               [self = shared_from_this(), generation](const net::accepted_ptr& connection,
                                                       std::error_code ec, const std::string&) {
                 if (self->generation_ != generation)
                   return;
                 // The detail names addresses and times: too many causes to count.
                 if (ec)
                   return self->fail(ec.message());
                 self->on_link(*connection);
               });
}

void player::on_link(const net::accepted& connection) {
  link_ = connection.connection;
  resumed_ = connection.peer.resumed;
  link_->attach(std::make_unique<sink>(shared_from_this(), generation_));
  if (phase_ == phase::enrolling)
    ask_for_certificate(connection);
  else
    greet();
  if (link_)
    link_->grant(credit);
}

void player::ask_for_certificate(const net::accepted& connection) {
  if (!connection.peer.exporter)
    return fail("the handshake left no exporter value to sign");
  wire::agent_message message;
  auto& request = *message.mutable_enrol_request();
  request.set_token(options_.token);
  request.set_csr(net::make_csr(key_));
  request.set_fingerprint(fingerprint_of(options_.seed, number_));
  request.set_proof(key_.sign(net::enrolment_proof_message(*connection.peer.exporter)));
  request.set_host_name("load-" + std::to_string(number_));
  request.set_agent_version(std::string{version()});
  say(message, "the enrolment request");
}

void player::greet() {
  wire::agent_message message;
  auto& hello = *message.mutable_hello();
  hello.set_protocol(1);
  hello.set_agent_version(std::string{version()});
  hello.set_device_id(to_text(device_));
  hello.set_boot_id(to_text(boot_id()));
  hello.set_fingerprint(fingerprint_of(options_.seed, number_));
  hello.set_counter(next_counter());
  hello.set_wake_port(options_.wake_port);
  hello.set_wake_counter(wake_counter_);
  hello.set_datagram_generation(datagram_keys_ ? datagram_keys_->generation : 0);
  hello.set_clock_ms(now_ms());
  hello.set_keep(keep_);
  hello.set_events_waiting(!spool_.empty());
  stream_open_ = false;
  stream_asked_ = !spool_.empty();
  batches_ = 0;
  say_digests(message);
  phase_ = phase::greeted;
  syncing_ = true;
  link_->trust();
  say(message, "the hello");
}

void player::say_digests(wire::agent_message& message) const {
  auto& digests = message.has_hello() ? *message.mutable_hello()->mutable_digests()
                                      : *message.mutable_sync_request()->mutable_digests();
  for (std::size_t i = 0; i < digests_.size(); ++i) {
    auto& digest = *digests.Add();
    digest.set_section(static_cast<wire::section>(i + 1));
    digest.set_digest(to_text(digests_[i]));
  }
  say_documents(message);
}

net::id_bytes player::boot_id() const {
  const auto text = fingerprint_of(options_.seed + 1, number_);
  net::id_bytes out{};
  std::copy(text.begin(), text.end(), out.begin());
  return out;
}

void player::look_at_inventory() {
  const auto inventory = make_inventory(options_.seed, number_, changes_);
  for (std::size_t i = 0; i < inventory.size(); ++i)
    digests_[i] = net::section_digest_of(inventory[i]);
}

void player::change_inventory() {
  ++changes_;
  look_at_inventory();
}

// -- what the server says -------------------------------------------------------------------------

void player::on_message(std::string_view bytes) {
  wire::server_message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail("the server sent what is no message of ours");
  const auto generation = generation_;
  take(message);
  if (link_ && generation == generation_)
    link_->grant(1);
}

void player::take(const wire::server_message& message) {
  using body = wire::server_message::BodyCase;
  switch (message.body_case()) {
  case body::kEnrolReply: return on_enrolled(message);
  case body::kWelcome: return on_welcome(message.welcome());
  case body::kSyncPlan: return on_plan(message.sync_plan());
  case body::kSyncDone: return on_synced();
  case body::kDocumentManifest: return on_manifest(message.document_manifest());
  case body::kDocumentPart: return on_part(message.document_part());
  case body::kEventsPosition: return on_position(message.events_position());
  case body::kEventsAck:
    if (message.events_ack().epoch() == epoch_)
      on_acked(message.events_ack().sequence());
    return;
  case body::kRefused: return fail("refused: " + message.refused().text());
  case body::kBusy: return send_away(message.busy().retry_after_ms(), "the server is busy");
  case body::kGoodbye: return send_away(message.goodbye().return_after_ms(), "the server says goodbye");
  case body::kPing: {
    wire::agent_message pong;
    pong.mutable_pong();
    return say(pong, "a pong");
  }
  case body::kSyncNow: return sync();
  default: return;
  }
}

void player::on_enrolled(const wire::server_message& message) {
  const auto& reply = message.enrol_reply();
  std::error_code ec;
  auto leaf = net::certificate::from_der(reply.certificate(), ec);
  if (ec || reply.wake_public_key().size() != wake_key_.size() ||
      reply.device_id().size() != device_.size() ||
      reply.server_id().size() != server_id_.size())
    return fail("the server's enrolment reply makes no sense");
  leaf_ = std::move(leaf);
  std::copy(reply.device_id().begin(), reply.device_id().end(), device_.begin());
  std::copy(reply.server_id().begin(), reply.server_id().end(), server_id_.begin());
  std::copy(reply.wake_public_key().begin(), reply.wake_public_key().end(), wake_key_.begin());
  if (options_.identities)
    options_.identities->put(number_, {key_, *leaf_, server_id_, wake_key_});
  link_->close(); // on_closed goes on
}

void player::on_welcome(const wire::welcome& welcome) {
  phase_ = phase::active;
  learn_keys(welcome);
  tell(news::welcome);
  if (phase_ == phase::active)
    on_plan(welcome.plan());
  if (phase_ == phase::active && welcome.has_manifest())
    on_manifest(welcome.manifest());
}

void player::on_plan(const wire::sync_plan& plan) {
  if (plan.wanted().empty())
    return on_synced();
  const auto inventory = make_inventory(options_.seed, number_, changes_);
  for (const auto wanted : plan.wanted()) {
    const auto index = static_cast<std::size_t>(wanted) - 1;
    if (index > inventory.size())
      continue;
    const auto content = index < inventory.size() ? inventory[index] : settings_states();
    wire::agent_message message;
    auto& chunk = *message.mutable_section_chunk();
    chunk.set_section(static_cast<wire::section>(wanted));
    chunk.set_digest(to_text(net::section_digest_of(content)));
    chunk.set_data(compressed(content)); // far below limits::chunk_bytes_max
    chunk.set_last(true);
    say(message, "a section");
  }
}

void player::sync() {
  syncing_ = true;
  wire::agent_message message;
  message.mutable_sync_request()->set_clock_ms(now_ms());
  say_digests(message);
  say(message, "a sync request");
}

// -- going ----------------------------------------------------------------------------------------

void player::leave() {
  if (phase_ == phase::away || !link_)
    return;
  phase_ = phase::leaving;
  link_->close();
}

void player::send_away(std::uint64_t after_ms, std::string_view why) {
  ++generation_;
  phase_ = phase::away;
  if (const auto link = std::exchange(link_, nullptr))
    link->close();
  tell(news::sent_away, after_ms, why);
}

void player::on_closed(const std::string& why) {
  link_.reset();
  const auto was = std::exchange(phase_, phase::away);
  if (was == phase::enrolling && leaf_)
    return tell(news::enrolled);
  if (was == phase::leaving)
    return tell(news::closed);
  fail(why);
}

void player::fail(const std::string& why) {
  ++generation_;
  phase_ = phase::away;
  if (const auto link = std::exchange(link_, nullptr))
    link->close();
  tell(news::failed, 0, why);
}

void player::say(const wire::agent_message& message, const char* what) {
  if (link_ && !link_->try_send(message.SerializeAsString()))
    fail(std::string{"the link refused "} + what);
}

void player::tell(news what, std::uint64_t amount, std::string_view text) {
  watcher_.on_news(*this, {what, amount, {}, text});
}

} // namespace muster::load
