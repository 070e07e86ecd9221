// Who is let in, who is not, and what each side is told.

#include "net/der.hpp"
#include "tests/net/tls_world.hpp"

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <string>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

/// A server that lies: any chain, no checks, straight from the library.
struct liar {
  bssl::UniquePtr<SSL_CTX> context{SSL_CTX_new(TLS_with_buffers_method())};
  bssl::UniquePtr<SSL> ssl;

  liar(const key_pair& key, const std::vector<certificate>& chain) {
    SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
    std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owned;
    std::vector<CRYPTO_BUFFER*> buffers;
    for (const auto& which : chain) {
      const auto der = which.der();
      owned.emplace_back(CRYPTO_BUFFER_new(der::bytes(der), der.size(), nullptr));
      buffers.push_back(owned.back().get());
    }
    REQUIRE(SSL_CTX_set_chain_and_key(context.get(), buffers.data(), buffers.size(), key.native(),
                                      nullptr) == 1);
    SSL_CTX_set_alpn_select_cb(
      context.get(),
      [](SSL*, const std::uint8_t** out, std::uint8_t* size, const std::uint8_t* in, unsigned,
         void*) {
        *out = in + 1;
        *size = in[0];
        return SSL_TLSEXT_ERR_OK;
      },
      nullptr);
    reset();
  }

  void reset() {
    ssl.reset(SSL_new(context.get()));
    SSL_set_accept_state(ssl.get());
    SSL_set0_rbio(ssl.get(), BIO_new(BIO_s_mem()));
    SSL_set0_wbio(ssl.get(), BIO_new(BIO_s_mem()));
  }

  std::string answer(std::string_view in) {
    BIO_write(SSL_get_rbio(ssl.get()), in.data(), static_cast<int>(in.size()));
    SSL_do_handshake(ssl.get());
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    BIO_mem_contents(SSL_get_wbio(ssl.get()), &data, &size);
    return {reinterpret_cast<const char*>(data), size};
  }
};

std::error_code shown_to(const client_tls_options& options, liar& server) {
  tls_engine client(*context(options), nullptr);
  std::string up;
  std::string plain;
  REQUIRE_FALSE(client.start(up));
  const auto down = server.answer(up);
  std::string out;
  const auto ec = client.receive(bytes_of(down), plain, out);
  CHECK(client.open() == !ec);
  return ec;
}

} // namespace

TEST_CASE_FIXTURE(tls_world, "an agent's certificate shown as the server's is seen through") {
  liar posing(device_key, {device_leaf, authority.self()});
  CHECK(shown_to(device_options(), posing) == errc::certificate_wrong_role);
}

TEST_CASE_FIXTURE(tls_world, "an agent that signs certificates of its own is no authority") {
  // The chain reads: server certificate signed by the device's key, device certificate, real CA.
  const auto fake_authority = certificate_authority::make(server_id, now_s);
  const auto key = key_pair::generate();
  const auto leaf = fake_authority.issue(key, role::server, server_id, now_s, server_lifetime);
  liar posing(key, {leaf, device_leaf, authority.self()});
  CHECK(shown_to(device_options(), posing) == errc::certificate_foreign);
  liar without(key, {leaf, device_leaf});
  CHECK(shown_to(device_options(), without) == errc::certificate_foreign);
  liar alone(key, {leaf});
  CHECK(shown_to(device_options(), alone) == errc::certificate_foreign);
  liar own(key, {leaf, fake_authority.self()});
  CHECK(shown_to(device_options(), own) == errc::pin_mismatch);
}

TEST_CASE_FIXTURE(tls_world, "a wrong pin ends the handshake and the server is told") {
  auto options = device_options();
  options.server.authority_pin->at(3) ^= 1U;
  wire w(options, server_options());
  w.handshake();
  CHECK(w.client_error == errc::pin_mismatch);
  CHECK(w.server_error == errc::peer_refused_us);
  CHECK_FALSE(w.client.open());
  CHECK_FALSE(w.server.open());
}

TEST_CASE_FIXTURE(tls_world, "another server of the same authority is not ours") {
  auto options = device_options();
  options.server.server_id = id_of(99);
  wire w(options, server_options());
  w.handshake();
  CHECK(w.client_error == errc::certificate_wrong_name);
  CHECK(w.server_error == errc::peer_refused_us);
}

TEST_CASE_FIXTURE(tls_world,
                  "an expired or future server certificate is refused by the client's clock") {
  now_s += 91 * day_s;
  wire late(device_options(), server_options());
  late.handshake();
  CHECK(late.client_error == errc::certificate_expired);
  CHECK(late.server_error == errc::peer_refused_us);
  now_s -= 91 * day_s + 3 * day_s;
  wire early(device_options(), server_options());
  early.handshake();
  CHECK(early.client_error == errc::certificate_expired);
  // Clocks of devices may be up to 48 hours behind.
  now_s += 2 * day_s;
  wire behind(device_options(), server_options());
  behind.handshake();
  CHECK(behind.open());
}

TEST_CASE_FIXTURE(tls_world, "the server does not judge a device's dates: the directory does") {
  device_leaf =
    authority.issue(device_key, role::device, device_id, now_s - 500 * day_s, device_lifetime);
  wire w(device_options(), server_options());
  w.handshake();
  CHECK(w.open());
  CHECK(w.server.peer().certificate_sha256 == device_leaf.sha256());
}

TEST_CASE_FIXTURE(tls_world, "a foreign client certificate is refused on both sides") {
  const auto stranger = certificate_authority::make(server_id, now_s);
  device_leaf = stranger.issue(device_key, role::device, device_id, now_s, device_lifetime);
  wire w(device_options(), server_options());
  w.handshake();
  CHECK(w.server_error == errc::certificate_foreign);
  CHECK_FALSE(w.server.open());
  CHECK(w.client_error == errc::peer_refused_us);
}

TEST_CASE_FIXTURE(tls_world, "a server's certificate does not pass for a device's") {
  device_key = server_key;
  device_leaf = server_leaf;
  wire w(device_options(), server_options());
  w.handshake();
  CHECK(w.server_error == errc::certificate_wrong_role);
  CHECK(w.client_error == errc::peer_refused_us);
}

TEST_CASE_FIXTURE(tls_world, "the authority's own certificate proves nobody") {
  // It is not for signing handshakes; the library says so before we do.
  auto options = device_options();
  options.key = authority.key();
  options.leaf = authority.self();
  std::error_code ec;
  CHECK(client_tls_context::make(options, ec) == nullptr);
  CHECK(ec == errc::key_file_bad);
}

TEST_CASE_FIXTURE(tls_world, "a stolen certificate without its key is no identity") {
  std::error_code ec;
  auto options = device_options();
  options.key = key_pair::generate();
  CHECK(client_tls_context::make(options, ec) == nullptr);
  CHECK(ec == errc::key_file_bad);
  options.key = device_leaf.public_key();
  CHECK(client_tls_context::make(options, ec) == nullptr);
  CHECK(ec == errc::key_file_bad);
}

TEST_CASE_FIXTURE(tls_world, "first contact without a pin tells which authority was shown") {
  auto options = stranger_options();
  options.server.authority_pin.reset();
  std::optional<certificate> seen;
  options.on_authority = [&](const certificate& which) { seen = which; };
  wire w(options, server_options());
  w.handshake();
  CHECK(w.open());
  REQUIRE(seen.has_value());
  CHECK(seen->spki_sha256() == authority.self().spki_sha256());
}

TEST_CASE_FIXTURE(tls_world, "a mismatched pin still tells which authority was shown") {
  auto options = stranger_options();
  options.server.authority_pin->at(0) ^= 1U;
  std::optional<certificate> seen;
  options.on_authority = [&](const certificate& which) { seen = which; };
  wire w(options, server_options());
  w.handshake();
  CHECK(w.client_error == errc::pin_mismatch);
  REQUIRE(seen.has_value());
  CHECK(seen->spki_sha256() == authority.self().spki_sha256());
}

TEST_CASE_FIXTURE(tls_world, "first contact still wants a server's certificate, and a valid one") {
  auto options = stranger_options();
  options.server.authority_pin.reset();
  liar posing(device_key, {device_leaf, authority.self()});
  CHECK(shown_to(options, posing) == errc::certificate_wrong_role);
  now_s += 100 * day_s;
  liar expired(server_key, {server_leaf, authority.self()});
  CHECK(shown_to(options, expired) == errc::certificate_expired);
}

TEST_CASE_FIXTURE(tls_world, "a session is not offered where something else is expected") {
  wire first(device_options(), server_options());
  first.handshake();
  first.server_says("x");
  REQUIRE(sessions.size() == 1);
  const auto resumes = [&](const client_tls_options& options) {
    wire w(options, server_options(), sessions.front());
    w.handshake();
    return w.client.open() && w.client.peer().resumed;
  };
  CHECK(resumes(device_options()));
  auto other_pin = device_options();
  other_pin.server.authority_pin->at(0) ^= 1U;
  CHECK_FALSE(resumes(other_pin));
  auto other_server = device_options();
  other_server.server.server_id = id_of(50);
  CHECK_FALSE(resumes(other_server));
  auto renewed = device_options();
  renewed.leaf = authority.issue(device_key, role::device, device_id, now_s, device_lifetime);
  CHECK_FALSE(resumes(renewed));
  CHECK_FALSE(resumes(stranger_options()));
  // Nor after the server's certificate has run out.
  now_s += 91 * day_s;
  CHECK_FALSE(resumes(device_options()));
}

TEST_CASE_FIXTURE(tls_world, "a server's options must fit together") {
  std::error_code ec;
  auto options = server_options();
  options.key = device_key;
  CHECK(server_tls_context::make(options, ec) == nullptr);
  CHECK(ec == errc::key_file_bad);
  options = server_options();
  options.key = device_key;
  options.leaf = device_leaf;
  CHECK(server_tls_context::make(options, ec) == nullptr);
  CHECK(ec == errc::certificate_wrong_role);
  options = server_options();
  options.authority = certificate_authority::make(server_id, now_s).self();
  CHECK(server_tls_context::make(options, ec) == nullptr);
  CHECK(ec == errc::certificate_foreign);
  options = server_options();
  options.key.reset();
  CHECK(server_tls_context::make(options, ec) == nullptr);
  CHECK(ec == errc::certificate_missing);
}
