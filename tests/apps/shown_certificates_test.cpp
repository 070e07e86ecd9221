#include "apps/server/shown_certificates.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace muster;
using actors::door;

namespace {

/// Remembers which contexts it was told to use.
class fake_listener final : public net::tcp_listener {
public:
  std::uint16_t port() const override { return 0; }
  net::listener_counters counters() const override { return {}; }
  void close() override {}
  void use(net::server_tls_context_ptr tls) override { used.push_back(std::move(tls)); }
  void use(net::server_plain_context_ptr plain) override { used_plain.push_back(std::move(plain)); }
  std::vector<net::server_tls_context_ptr> used;
  std::vector<net::server_plain_context_ptr> used_plain;
};

net::server_tls_context_ptr some_context() {
  const auto authority = net::certificate_authority::make({}, 1'700'000'000);
  net::server_tls_options options;
  options.key = net::key_pair::generate();
  options.leaf = authority.issue(*options.key, net::role::server, {}, 1'700'000'000,
                                 net::server_lifetime);
  options.authority = authority.self();
  std::error_code ec;
  auto context = net::server_tls_context::make(options, ec);
  REQUIRE_MESSAGE(context != nullptr, ec.message());
  return context;
}

} // namespace

TEST_CASE("a renewed certificate reaches its port, and no other") {
  server::shown_certificates shown;
  const auto agents = std::make_shared<fake_listener>();
  const auto admin = std::make_shared<fake_listener>();
  shown.listening(door::agents_tls, agents);
  shown.listening(door::admin, admin);
  const auto renewed = some_context();
  shown.show(door::agents_tls, renewed);
  CHECK(agents->used == std::vector{renewed});
  CHECK(admin->used.empty());
}

TEST_CASE("the plain port is shown a renewed certificate in its own way") {
  server::shown_certificates shown;
  const auto plain = std::make_shared<fake_listener>();
  const auto agents = std::make_shared<fake_listener>();
  shown.listening(door::agents_plain, plain);
  shown.listening(door::agents_tls, agents);
  shown.show(door::agents_plain, net::server_plain_context_ptr{});
  CHECK(plain->used_plain.size() == 1);
  CHECK(plain->used.empty());
  CHECK(agents->used_plain.empty());
}

TEST_CASE("a port that is started again shows what was renewed meanwhile") {
  server::shown_certificates shown;
  shown.listening(door::admin, std::make_shared<fake_listener>());
  const auto renewed = some_context();
  shown.show(door::admin, renewed);
  const auto again = std::make_shared<fake_listener>();
  shown.listening(door::admin, again);
  CHECK(again->used == std::vector{renewed});
}
