#include "apps/load/player.hpp"

#include "apps/load/inventory.hpp"
#include "net/enrolment_proof.hpp"
#include "net/limits.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"

#include <muster/version.hpp>

#include <zstd.h>

#include <chrono>

namespace muster::load {

namespace {

// More than a sync ever has in flight downwards.
constexpr std::size_t credit = 8;

std::int64_t now_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(
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

using inventory_sections = decltype(make_inventory(0, 0));

void fill(google::protobuf::RepeatedPtrField<wire::section_digest>& digests,
          const inventory_sections& inventory) {
  for (std::size_t i = 0; i < inventory.size(); ++i) {
    auto& digest = *digests.Add();
    digest.set_section(static_cast<wire::section>(i + 1));
    digest.set_digest(to_text(net::section_digest_of(inventory[i])));
  }
}

} // namespace

/// Hands a link's news to its player, and keeps the player alive as long as the link.
class player::sink final : public net::link_sink {
public:
  explicit sink(std::shared_ptr<player> whom) : player_(std::move(whom)) {}
  void on_message(std::string bytes) override { player_->on_message(bytes); }
  void on_closed(std::error_code why) override {
    player_->on_closed(why ? why.message() : "the server closed the connection");
  }

private:
  std::shared_ptr<player> player_;
};

player::player(net::io_pool& pool, const player_options& options, std::uint32_t number,
               on_milestone told)
  : pool_(pool),
    options_(options),
    number_(number),
    told_(std::move(told)),
    key_(nullptr) {
  const auto known = options_.identities ? options_.identities->find(number) : std::nullopt;
  if (!known) {
    key_ = net::key_pair::generate();
    return;
  }
  key_ = known->key;
  leaf_ = known->leaf;
  device_ = known->leaf.holder_id();
  server_id_ = known->server_id;
  enrolling_ = false;
}

net::client_tls_context_ptr player::make_context(std::string& problem) const {
  net::client_tls_options tls;
  tls.server.authority_pin = options_.pin;
  tls.now_s = now_s;
  if (leaf_) {
    tls.key = key_;
    tls.leaf = leaf_;
    tls.server.server_id = server_id_;
  }
  std::error_code ec;
  auto context = net::client_tls_context::make(tls, ec);
  if (ec)
    problem = ec.message();
  return context;
}

void player::start() {
  std::string problem;
  auto context = make_context(problem);
  if (!context)
    return fail(problem);
  net::connect_options to{options_.server, std::move(context), nullptr, options_.source_address};
  net::connect(pool_, std::move(to),
               [self = shared_from_this()](const net::accepted_ptr& connection, std::error_code ec,
                                           const std::string& detail) {
                 if (ec)
                   return self->fail(detail);
                 self->link_ = connection->connection;
                 self->link_->attach(std::make_unique<sink>(self));
                 if (self->enrolling_)
                   self->enrol(*connection);
                 else
                   self->greet();
                 self->link_->grant(credit);
               });
}

void player::enrol(const net::accepted& connection) {
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
  if (!link_->try_send(message.SerializeAsString()))
    fail("the link refused the enrolment request");
}

/// The counter must grow from one hello to the next, over runs as well: the clock will do.
void player::greet() {
  greeted_ = true;
  wire::agent_message message;
  auto& hello = *message.mutable_hello();
  hello.set_protocol(1);
  hello.set_agent_version(std::string{version()});
  hello.set_device_id(to_text(device_));
  hello.set_boot_id(fingerprint_of(options_.seed + 1, number_));
  hello.set_fingerprint(fingerprint_of(options_.seed, number_));
  hello.set_counter(static_cast<std::uint64_t>(now_s()));
  hello.set_clock_ms(now_s() * 1000);
  hello.set_keep(true);
  fill(*hello.mutable_digests(), make_inventory(options_.seed, number_));
  link_->trust();
  if (!link_->try_send(message.SerializeAsString()))
    fail("the link refused the hello");
}

void player::on_message(std::string_view bytes) {
  if (over_)
    return;
  wire::server_message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail("the server sent what is no message of ours");
  switch (message.body_case()) {
    case wire::server_message::kEnrolReply: on_enrolled(message); break;
    case wire::server_message::kWelcome: on_plan(message.welcome().plan()); break;
    case wire::server_message::kSyncPlan: on_plan(message.sync_plan()); break;
    case wire::server_message::kSyncDone: keep(); break;
    case wire::server_message::kRefused: fail("refused: " + message.refused().text()); break;
    case wire::server_message::kBusy: fail("the server is busy"); break;
    case wire::server_message::kGoodbye: fail("the server says goodbye"); break;
    case wire::server_message::kPing: answer_ping(); break;
    case wire::server_message::kSyncNow: sync_again(); break;
    default: break;
  }
  link_->grant(1);
}

void player::on_enrolled(const wire::server_message& message) {
  const auto& reply = message.enrol_reply();
  std::error_code ec;
  leaf_ = net::certificate::from_der(reply.certificate(), ec);
  if (ec || reply.device_id().size() != device_.size()
      || reply.server_id().size() != server_id_.size())
    return fail("the server's enrolment reply makes no sense");
  std::copy(reply.device_id().begin(), reply.device_id().end(), device_.begin());
  std::copy(reply.server_id().begin(), reply.server_id().end(), server_id_.begin());
  enrolling_ = false;
  if (options_.identities)
    options_.identities->put(number_, {key_, *leaf_, server_id_});
  told_(milestone::enrolled, {});
  link_->close(); // on_closed goes on
}

void player::on_plan(const wire::sync_plan& plan) {
  if (plan.wanted().empty())
    return keep();
  const auto inventory = make_inventory(options_.seed, number_);
  for (const auto wanted : plan.wanted()) {
    const auto index = static_cast<std::size_t>(wanted) - 1;
    if (index >= inventory.size())
      continue;
    wire::agent_message message;
    auto& chunk = *message.mutable_section_chunk();
    chunk.set_section(static_cast<wire::section>(wanted));
    chunk.set_digest(to_text(net::section_digest_of(inventory[index])));
    chunk.set_data(compressed(inventory[index])); // far below limits::chunk_bytes_max
    chunk.set_last(true);
    if (!link_->try_send(message.SerializeAsString()))
      return fail("the link refused a section");
  }
}

/// An administrator wants it: nothing has changed meanwhile.
void player::sync_again() {
  wire::agent_message message;
  auto& request = *message.mutable_sync_request();
  request.set_clock_ms(now_s() * 1000);
  fill(*request.mutable_digests(), make_inventory(options_.seed, number_));
  if (!link_->try_send(message.SerializeAsString()))
    fail("the link refused a sync request");
}

void player::answer_ping() {
  wire::agent_message message;
  message.mutable_pong();
  if (!link_->try_send(message.SerializeAsString()))
    fail("the link refused a pong");
}

void player::keep() {
  if (!std::exchange(kept_, true))
    told_(milestone::kept, {});
}

void player::on_closed(const std::string& why) {
  link_.reset();
  if (over_)
    return;
  if (!enrolling_ && !greeted_)
    return start(); // enrolled: now with the certificate
  over_ = true;
  told_(kept_ ? milestone::lost : milestone::failed, why);
}

void player::fail(const std::string& why) {
  if (std::exchange(over_, true))
    return;
  if (link_)
    link_->close();
  told_(kept_ ? milestone::lost : milestone::failed, why);
}

} // namespace muster::load
