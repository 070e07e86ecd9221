#include "bench/tls_memory/crowd.hpp"

#include "net/enrolment_proof.hpp"
#include "net/section_digest.hpp"
#include "net/tcp_connector.hpp"
#include "net/tls_context.hpp"
#include "net/wire/agent.pb.h"

#include <muster/assert.hpp>

#include <zstd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

namespace muster::bench {

namespace {

constexpr std::size_t at_once_max = 64;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "tls_memory: %s\n", why.c_str());
  std::exit(2);
}

std::string text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string facts_of(std::size_t number) {
  wire::device_facts facts;
  facts.set_host_name("desk-" + std::to_string(number));
  facts.set_os_id("debian");
  facts.set_os_name("Debian GNU/Linux 12 (bookworm)");
  facts.set_os_version("12");
  facts.set_kernel("6.1.0-32-amd64");
  facts.set_architecture("x86_64");
  return facts.SerializeAsString();
}

std::string compressed(const std::string& content) {
  std::string out(ZSTD_compressBound(content.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), content.data(), content.size(), 1));
  return out;
}

} // namespace

struct crowd::agent {
  std::size_t number = 0;
  errand what = errand::enrol;
  net::key_pair key = net::key_pair::generate();
  std::optional<net::certificate> leaf;
  std::string device_id;
  net::id_bytes server_id{};
  std::uint64_t counter = 0;
  bool is_done = false; ///< with the errand; not with the connection
  net::link_ptr link;

  [[nodiscard]] wire::agent_message request(const crowd_options& options,
                                            const net::peer_info& peer) const {
    wire::agent_message message;
    auto& request = *message.mutable_enrol_request();
    request.set_token(options.token);
    request.set_csr(net::make_csr(key));
    request.set_fingerprint(fingerprint());
    request.set_proof(key.sign(net::enrolment_proof_message(*peer.exporter)));
    request.set_host_name("desk-" + std::to_string(number));
    request.set_agent_version("bench");
    return message;
  }

  [[nodiscard]] wire::agent_message hello() {
    wire::agent_message message;
    auto& hello = *message.mutable_hello();
    hello.set_protocol(1);
    hello.set_agent_version("bench");
    hello.set_device_id(device_id);
    hello.set_boot_id(std::string(16, 'b'));
    hello.set_fingerprint(fingerprint());
    hello.set_counter(++counter);
    hello.set_keep(what == errand::stay);
    auto& digest = *hello.add_digests();
    digest.set_section(wire::section_facts);
    digest.set_digest(text_of(net::section_digest_of(facts_of(number))));
    return message;
  }

  [[nodiscard]] wire::agent_message facts() const {
    wire::agent_message message;
    const auto content = facts_of(number);
    auto& chunk = *message.mutable_section_chunk();
    chunk.set_section(wire::section_facts);
    chunk.set_digest(text_of(net::section_digest_of(content)));
    chunk.set_data(compressed(content));
    chunk.set_last(true);
    return message;
  }

  void take(const wire::enrol_reply& reply) {
    std::error_code ec;
    leaf = net::certificate::from_der(reply.certificate(), ec);
    MUSTER_ASSERT(leaf && reply.server_id().size() == server_id.size(), "a whole reply");
    device_id = reply.device_id();
    std::copy(reply.server_id().begin(), reply.server_id().end(), server_id.begin());
  }

  void say(const wire::agent_message& message) const {
    if (!link->try_send(message.SerializeAsString()))
      give_up("the server ended a connection of agent " + std::to_string(number));
  }

private:
  [[nodiscard]] std::string fingerprint() const {
    return text_of(net::sha256("machine " + std::to_string(number))).substr(0, 16);
  }
};

class crowd::sink final : public net::link_sink {
public:
  sink(crowd& owner, agent& who) : owner_(owner), who_(who) {}
  void on_message(std::string bytes) override { owner_.hear(who_, bytes); }
  void on_closed(std::error_code) override { owner_.gone(who_); }

private:
  crowd& owner_;
  agent& who_;
};

crowd::crowd(net::io_pool& pool, crowd_options options)
  : pool_(pool), options_(std::move(options)) {}

crowd::~crowd() {
  leave();
}

void crowd::enrol(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    agents_.push_back(std::make_unique<agent>());
    agents_.back()->number = i;
  }
  run(errand::enrol, 0, count);
  leave();
  run(errand::sync, 0, count);
  leave();
}

void crowd::come(std::size_t count) {
  run(errand::stay, present_, count);
  present_ = count;
}

void crowd::leave() {
  for (auto& who : agents_)
    who->link.reset();
  present_ = 0;
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return linked_ == 0; });
}

void crowd::run(errand what, std::size_t from, std::size_t until) {
  for (auto i = from; i < until; ++i) {
    auto& who = *agents_[i];
    who.what = what;
    who.is_done = false;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return in_progress_ < at_once_max; });
      ++in_progress_;
    }
    connect(who);
  }
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return in_progress_ == 0; });
}

void crowd::connect(agent& who) {
  net::client_tls_options tls;
  tls.server.authority_pin = options_.pin;
  if (who.leaf) {
    tls.key = who.key;
    tls.leaf = who.leaf;
    tls.server.server_id = who.server_id;
  }
  std::error_code ec;
  net::connect_options to;
  to.to = {"127.0.0.1", options_.port};
  to.tls = net::client_tls_context::make(tls, ec);
  net::connect(pool_, std::move(to),
               [this, &who](const net::accepted_ptr& connection, std::error_code why,
                            const std::string& detail) {
                 if (why)
                   give_up("agent " + std::to_string(who.number) + ": " + detail);
                 begin(who, *connection);
               });
}

void crowd::begin(agent& who, const net::accepted& connection) {
  {
    const std::lock_guard lock{mutex_};
    ++linked_;
  }
  who.link = connection.connection;
  who.link->attach(std::make_unique<sink>(*this, who));
  who.link->trust();
  who.say(who.what == errand::enrol ? who.request(options_, connection.peer) : who.hello());
  who.link->grant(1'000);
}

void crowd::hear(agent& who, const std::string& bytes) {
  wire::server_message message;
  MUSTER_ASSERT(message.ParseFromString(bytes), "the server speaks our protocol");
  switch (message.body_case()) {
  case wire::server_message::kEnrolReply:
    who.take(message.enrol_reply());
    return done(who);
  case wire::server_message::kWelcome:
    if (message.welcome().plan().wanted_size() == 0)
      return done(who);
    return who.say(who.facts());
  case wire::server_message::kSyncDone:
    return done(who);
  default:
    give_up("agent " + std::to_string(who.number) + " was told: " + message.ShortDebugString());
  }
}

void crowd::done(agent& who) {
  const std::lock_guard lock{mutex_};
  if (std::exchange(who.is_done, true))
    return;
  --in_progress_;
  changed_.notify_all();
}

void crowd::gone(agent& who) {
  const std::lock_guard lock{mutex_};
  if (!who.is_done)
    give_up("the server ended a connection of agent " + std::to_string(who.number));
  --linked_;
  changed_.notify_all();
}

} // namespace muster::bench
