#pragma once
// A server on a real socket that answers enrolments as the test says, and takes those enrolled.

#include "net/agent_identity.hpp"
#include "net/certificate.hpp"
#include "net/enrolment_proof.hpp"
#include "net/io_pool.hpp"
#include "net/server_identity.hpp"
#include "net/tcp_listener.hpp"
#include "net/wire/agent.pb.h"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace muster::test {

inline constexpr std::int64_t test_now_s = 1'800'000'000;

class enrolment_server {
public:
  /// Runs on an io thread. No answer: the connection is closed.
  using answer_function =
    std::function<std::optional<wire::server_message>(const wire::agent_message& said)>;

  explicit enrolment_server(std::string alpn = net::alpn_agent) {
    std::string problem;
    auto made = net::load_or_make_server_identity(directory_.path() / "server", test_now_s, problem);
    REQUIRE_MESSAGE(made, problem);
    identity = std::make_unique<net::server_identity>(std::move(*made));
    net::server_tls_options tls;
    tls.key = identity->server_key;
    tls.leaf = identity->server_certificate;
    tls.authority = identity->authority.self();
    tls.tickets = identity->tickets;
    tls.alpn = std::move(alpn);
    std::error_code ec;
    net::listener_options options;
    options.address = "127.0.0.1";
    options.tls = net::server_tls_context::make(tls, ec);
    REQUIRE(options.tls);
    listener_ = net::tcp_listener::open(
      pool_, options, [this](const net::accepted_ptr& accepted) { take(accepted); },
      [](std::error_code) {}, ec);
    REQUIRE(listener_);
  }
  ~enrolment_server() {
    listener_->close();
    pool_.join();
  }
  enrolment_server(const enrolment_server&) = delete;
  enrolment_server& operator=(const enrolment_server&) = delete;

  [[nodiscard]] std::string name() const { return "127.0.0.1:" + std::to_string(port()); }
  [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
  [[nodiscard]] net::sha256_digest pin() const { return identity->authority.self().spki_sha256(); }

  /// What a good server answers: a certificate for the key of the request.
  [[nodiscard]] wire::server_message good_answer(const wire::enrol_request& request) const {
    std::error_code ec;
    const auto key = net::key_of_csr(request.csr(), ec);
    return answer_for(key ? *key : net::key_pair::generate());
  }
  [[nodiscard]] wire::server_message answer_for(const net::key_pair& key) const {
    wire::server_message message;
    auto& reply = *message.mutable_enrol_reply();
    net::id_bytes device{};
    device.fill(9);
    const auto leaf = identity->authority.issue(key, net::role::device, device, test_now_s,
                                                net::device_lifetime);
    reply.set_device_id(device.data(), device.size());
    reply.set_certificate(leaf.der());
    reply.add_bundle(identity->authority.self().der());
    reply.set_server_id(identity->server_id.data(), identity->server_id.size());
    reply.set_wake_public_key(identity->wake_public_key.data(), identity->wake_public_key.size());
    return message;
  }

  /// Everything said to us, in order; and by whom.
  [[nodiscard]] std::vector<wire::agent_message> said() const {
    const std::lock_guard lock(mutex_);
    return said_;
  }
  [[nodiscard]] std::vector<net::peer_info> peers() const {
    const std::lock_guard lock(mutex_);
    return peers_;
  }

  std::unique_ptr<net::server_identity> identity;
  answer_function answer = [this](const wire::agent_message& message) {
    return std::optional(good_answer(message.enrol_request()));
  };

private:
  class sink final : public net::link_sink {
  public:
    sink(enrolment_server& server, net::link_ptr link) : server_(server), link_(std::move(link)) {}
    void on_message(std::string bytes) override { server_.hear(*link_, bytes); }
    void on_closed(std::error_code) override { link_.reset(); }

  private:
    enrolment_server& server_;
    net::link_ptr link_;
  };

  void take(const net::accepted_ptr& accepted) {
    {
      const std::lock_guard lock(mutex_);
      peers_.push_back(accepted->peer);
    }
    accepted->connection->attach(std::make_unique<sink>(*this, accepted->connection));
    accepted->connection->grant(1);
  }

  void hear(net::link& link, const std::string& bytes) {
    wire::agent_message message;
    static_cast<void>(message.ParseFromString(bytes));
    {
      const std::lock_guard lock(mutex_);
      said_.push_back(message);
    }
    if (const auto reply = answer(message))
      static_cast<void>(link.try_send(reply->SerializeAsString()));
    link.close();
  }

  temp_directory directory_;
  mutable std::mutex mutex_;
  std::vector<wire::agent_message> said_;
  std::vector<net::peer_info> peers_;
  net::io_pool pool_{1};
  std::shared_ptr<net::tcp_listener> listener_;
};

} // namespace muster::test
