// Peers that are not ours: other versions, no protocol names, other certificates.

#include "net/der.hpp"
#include "tests/net/tls_world.hpp"

#include <doctest/doctest.h>
#include <openssl/ec_key.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string>

using namespace muster::net;
using namespace muster::net::testing;

namespace {

/// The library's own idea of a client or server, with nothing of ours.
struct bare_peer {
  bssl::UniquePtr<SSL_CTX> context{SSL_CTX_new(TLS_method())};
  bssl::UniquePtr<SSL> ssl;

  void begin(bool client) {
    ssl.reset(SSL_new(context.get()));
    client ? SSL_set_connect_state(ssl.get()) : SSL_set_accept_state(ssl.get());
    SSL_set0_rbio(ssl.get(), BIO_new(BIO_s_mem()));
    SSL_set0_wbio(ssl.get(), BIO_new(BIO_s_mem()));
    // Empty means come back later, not the end.
    BIO_set_mem_eof_return(SSL_get_rbio(ssl.get()), -1);
  }

  std::string turn(std::string_view in) {
    BIO_write(SSL_get_rbio(ssl.get()), in.data(), static_cast<int>(in.size()));
    if (SSL_do_handshake(ssl.get()) == 1) {
      char byte = 0;
      SSL_read(ssl.get(), &byte, 1);
    }
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    BIO* const out = SSL_get_wbio(ssl.get());
    BIO_mem_contents(out, &data, &size);
    std::string text(reinterpret_cast<const char*>(data), size);
    BIO_reset(out);
    return text;
  }
};

/// What our server makes of that client.
std::error_code seen_by_server(bare_peer& client, const server_tls_options& options) {
  tls_engine server(*context(options));
  client.begin(true);
  std::string up = client.turn({});
  std::string plain;
  std::error_code ec;
  for (int turns = 0; turns < 5 && !ec && !up.empty(); ++turns) {
    std::string down;
    ec = server.receive(bytes_of(up), plain, down);
    up = client.turn(down);
  }
  CHECK(server.open() == !ec);
  return ec;
}

// -- somebody else's authority, with names of hosts -----------------------------------------------

std::string pem_of(X509* which) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), which);
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(bio.get(), &data, &size);
  return {reinterpret_cast<const char*>(data), size};
}

bssl::UniquePtr<EVP_PKEY> rsa_key() {
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  const bssl::UniquePtr<RSA> rsa(RSA_new());
  const bssl::UniquePtr<BIGNUM> exponent(BN_new());
  BN_set_word(exponent.get(), RSA_F4);
  RSA_generate_key_ex(rsa.get(), 2048, exponent.get(), nullptr);
  EVP_PKEY_set1_RSA(key.get(), rsa.get());
  return key;
}

struct public_world : tls_world {
  bssl::UniquePtr<EVP_PKEY> root_key = rsa_key();
  bssl::UniquePtr<X509> root = made("Example Root", root_key.get(), nullptr, nullptr);

  void extend(X509* which, X509* issuer, int nid, const char* value) const {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, issuer, which, nullptr, nullptr, 0);
    const bssl::UniquePtr<X509_EXTENSION> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, nid, const_cast<char*>(value)));
    REQUIRE(extension != nullptr);
    X509_add_ext(which, extension.get(), -1);
  }

  bssl::UniquePtr<X509> made(const char* name, EVP_PKEY* key, X509* issuer,
                             const char* names) const {
    bssl::UniquePtr<X509> out(X509_new());
    X509_set_version(out.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(out.get()), issuer == nullptr ? 1 : 2);
    ASN1_TIME_adj(X509_getm_notBefore(out.get()), now_s, -1, 0);
    ASN1_TIME_adj(X509_getm_notAfter(out.get()), now_s, 30, 0);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_ASC,
                               der::bytes(name), -1, -1, 0);
    X509_set_issuer_name(out.get(), X509_get_subject_name(issuer == nullptr ? out.get() : issuer));
    X509_set_pubkey(out.get(), key);
    if (issuer == nullptr)
      extend(out.get(), out.get(), NID_basic_constraints, "critical,CA:TRUE");
    else
      extend(out.get(), issuer, NID_subject_alt_name, names);
    REQUIRE(X509_sign(out.get(), root_key.get(), EVP_sha256()) > 0);
    return out;
  }

  /// The admin port with an operator's own RSA certificate; key and chain in one file.
  server_tls_options operators_port() const {
    const auto key = rsa_key();
    const auto leaf =
      made("muster.example.org", key.get(), root.get(), "DNS:muster.example.org,IP:192.0.2.7");
    const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
    BIO_mem_contents(bio.get(), &data, &size);
    server_tls_options out;
    out.ask_for_client_certificate = false;
    out.alpn = alpn_http;
    out.tickets = tickets;
    out.chain_pem = std::string(reinterpret_cast<const char*>(data), size) + pem_of(leaf.get());
    return out;
  }

  client_tls_options browser(const char* host) {
    client_tls_options out;
    out.alpn = alpn_http;
    out.server.host_name = host;
    out.server.trust_pem = pem_of(root.get());
    out.now_s = [this] { return now_s; };
    out.on_session = [this](tls_session_ptr session) { sessions.push_back(std::move(session)); };
    return out;
  }
};

std::error_code visit(const client_tls_options& from, const server_tls_options& to) {
  wire w(from, to);
  w.handshake();
  CHECK(w.open() == !w.client_error);
  return w.client_error;
}

} // namespace

TEST_CASE_FIXTURE(tls_world, "a client that speaks no TLS 1.3 is refused by name") {
  bare_peer old;
  SSL_CTX_set_max_proto_version(old.context.get(), TLS1_2_VERSION);
  CHECK(seen_by_server(old, server_options()) == errc::tls_no_common_version);
}

TEST_CASE_FIXTURE(tls_world, "a client that names no protocol is refused by name") {
  bare_peer silent;
  CHECK(seen_by_server(silent, server_options()) == errc::tls_wrong_alpn);
}

TEST_CASE_FIXTURE(tls_world, "a client may name our protocol among others") {
  bare_peer polyglot;
  constexpr std::string_view names = "\x02h2\x08muster/1";
  SSL_CTX_set_alpn_protos(polyglot.context.get(), der::bytes(names), names.size());
  CHECK_FALSE(seen_by_server(polyglot, server_options()));
}

TEST_CASE_FIXTURE(tls_world, "a server that speaks no TLS 1.3 is refused by name") {
  bare_peer old;
  SSL_CTX_set_max_proto_version(old.context.get(), TLS1_2_VERSION);
  SSL_CTX_use_PrivateKey(old.context.get(), server_key.native());
  const auto der = server_leaf.der();
  SSL_CTX_use_certificate_ASN1(old.context.get(), der.size(), der::bytes(der));
  old.begin(false);
  tls_engine client(*context(device_options()), nullptr);
  std::string up;
  std::string plain;
  REQUIRE_FALSE(client.start(up));
  const auto down = old.turn(up);
  std::string out;
  CHECK(client.receive(bytes_of(down), plain, out) == errc::tls_no_common_version);
}

TEST_CASE_FIXTURE(public_world, "an operator's own certificate is accepted for its names") {
  const auto port = operators_port();
  CHECK_FALSE(visit(browser("muster.example.org"), port));
  CHECK_FALSE(visit(browser("192.0.2.7"), port));
  CHECK(visit(browser("other.example.org"), port) == errc::certificate_wrong_name);
  CHECK(visit(browser("192.0.2.8"), port) == errc::certificate_wrong_name);
}

TEST_CASE_FIXTURE(public_world, "an operator's own certificate is judged by clock and authority") {
  const auto port = operators_port();
  now_s += 31 * day_s;
  CHECK(visit(browser("muster.example.org"), port) == errc::certificate_expired);
  now_s -= 31 * day_s;
  root = made("Another Root", root_key.get(), nullptr, nullptr);
  CHECK(visit(browser("muster.example.org"), port) == errc::certificate_foreign);
}

TEST_CASE_FIXTURE(public_world, "a session resumes with an operator's own certificate too") {
  const auto port = operators_port();
  wire first(browser("muster.example.org"), port);
  first.handshake();
  first.server_says("x");
  REQUIRE(sessions.size() == 1);
  wire second(browser("muster.example.org"), port, sessions.front());
  second.handshake();
  CHECK(second.client.peer().resumed);
}

TEST_CASE_FIXTURE(public_world,
                  "a client that expects a server of ours refuses an operator's certificate") {
  auto port = operators_port();
  auto console = stranger_options();
  console.alpn = alpn_http;
  wire w(console, port);
  w.handshake();
  CHECK(w.client_error == errc::certificate_malformed);
  CHECK_FALSE(w.client.open());
}

TEST_CASE_FIXTURE(public_world, "an operator's PEM that cannot be used is refused at start") {
  std::error_code ec;
  auto port = operators_port();
  port.key_pem = device_key.private_pem();
  CHECK(server_tls_context::make(port, ec) == nullptr);
  CHECK(ec == errc::key_file_bad);
  port = operators_port();
  port.chain_pem = "nothing of use";
  CHECK(server_tls_context::make(port, ec) == nullptr);
  CHECK(ec == errc::key_file_bad);
  port.chain_pem = device_key.private_pem();
  CHECK(server_tls_context::make(port, ec) == nullptr);
  CHECK(ec == errc::key_file_bad);
}

TEST_CASE_FIXTURE(public_world, "authorities that cannot be read are refused at start") {
  std::error_code ec;
  auto options = browser("muster.example.org");
  options.server.trust_pem = "nothing of use";
  CHECK(client_tls_context::make(options, ec) == nullptr);
  CHECK(ec == errc::key_file_bad);
}
