// The console over real sockets and TLS: whom it trusts, and whom it does not.

#include "net/certificate.hpp"
#include "net/io_pool.hpp"
#include "net/tcp_listener.hpp"
#include "tests/apps/console_world.hpp"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <ctime>
#include <fstream>
#include <mutex>

using namespace muster;
using muster::test::console_world;
using muster::test::noon;

namespace {

/// Answers from the script, on an io thread; keeps its link alive.
class scripted_sink final : public net::link_sink {
public:
  scripted_sink(net::link_ptr connection, test::fake_server& script, std::mutex& mutex)
    : connection_(std::move(connection)), script_(script), mutex_(mutex) {}

  void on_message(std::string bytes) override {
    std::error_code ec;
    const auto request = net::http::parse_request(bytes, ec);
    if (!request) {
      connection_->close();
      return;
    }
    const std::lock_guard lock(mutex_);
    static_cast<void>(connection_->try_send(net::http::serialize(script_.answer(*request))));
    connection_->grant(1);
  }
  void on_closed(std::error_code) override { connection_.reset(); }

private:
  net::link_ptr connection_;
  test::fake_server& script_;
  std::mutex& mutex_;
};

std::string pem_text(const std::function<int(BIO*)>& write) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  REQUIRE(write(bio.get()) == 1);
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  REQUIRE(BIO_mem_contents(bio.get(), &data, &size) == 1);
  return {reinterpret_cast<const char*>(data), size};
}

/// A certificate that signs itself, for this address: an operator without a public authority.
std::string self_signed(EVP_PKEY* key, const char* names) {
  const bssl::UniquePtr<X509> out(X509_new());
  X509_set_version(out.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out.get()), 1);
  ASN1_TIME_adj(X509_getm_notBefore(out.get()), std::time(nullptr), -1, 0);
  ASN1_TIME_adj(X509_getm_notAfter(out.get()), std::time(nullptr), 30, 0);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const std::uint8_t*>("operator"), -1, -1, 0);
  X509_set_issuer_name(out.get(), X509_get_subject_name(out.get()));
  X509_set_pubkey(out.get(), key);
  X509V3_CTX context{};
  X509V3_set_ctx(&context, out.get(), out.get(), nullptr, nullptr, 0);
  const bssl::UniquePtr<X509_EXTENSION> extension(
    X509V3_EXT_nconf_nid(nullptr, &context, NID_subject_alt_name, const_cast<char*>(names)));
  REQUIRE(extension != nullptr);
  X509_add_ext(out.get(), extension.get(), -1);
  REQUIRE(X509_sign(out.get(), key, EVP_sha256()) > 0);
  return pem_text([&](BIO* bio) { return PEM_write_bio_X509(bio, out.get()); });
}

struct https_world : console_world {
  std::int64_t now_s = std::time(nullptr);
  net::id_bytes server_id{1, 2, 3};
  net::certificate_authority authority = net::certificate_authority::make(server_id, now_s);
  std::string pin = net::to_hex(authority.self().spki_sha256());
  std::mutex mutex;
  net::io_pool pool{1};
  std::shared_ptr<net::tcp_listener> listener;
  std::string url;

  https_world() {
    forget();
    connect = console::connect_https;
    environment["MUSTER_PASSWORD"] = "secret";
    server.on("POST /login", 200,
              R"({"token":"t0k3n","expiresUs":")" + std::to_string(noon) + R"(","serverId":")" +
                net::to_hex(server_id) + R"("})");
    server.on("GET /whoami", 200, R"({"user":"admin"})");
  }
  ~https_world() {
    listener.reset();
    pool.join();
  }

  net::server_tls_options port_options() {
    net::server_tls_options out;
    out.key = net::key_pair::generate();
    out.leaf = authority.issue(*out.key, net::role::server, server_id, now_s, net::server_lifetime);
    out.authority = authority.self();
    out.ask_for_client_certificate = false;
    out.alpn = net::alpn_http;
    return out;
  }

  void open(const net::server_tls_options& tls) {
    net::listener_options options;
    options.address = "127.0.0.1";
    options.splitter = net::make_request_splitter;
    std::error_code ec;
    options.tls = net::server_tls_context::make(tls, ec);
    REQUIRE_FALSE(ec);
    listener = net::tcp_listener::open(
      pool, options,
      [this](net::accepted_ptr made) {
        made->connection->trust();
        made->connection->attach(std::make_unique<scripted_sink>(made->connection, server, mutex));
        made->connection->grant(1);
      },
      [](std::error_code) {}, ec);
    REQUIRE_FALSE(ec);
    url = "https://127.0.0.1:" + std::to_string(listener->port());
  }
};

} // namespace

TEST_CASE_FIXTURE(https_world,
                  "over TLS the pinned authority lets the console in, again and again") {
  open(port_options());
  CHECK(run({"login", url, "--pin", pin}) == exit_fine);
  CHECK(run({"whoami"}) == exit_fine);
  CHECK(person.printed.starts_with("User"));
  const std::lock_guard lock(mutex);
  CHECK(server.asked.back().header("authorization") == "Bearer t0k3n");
}

TEST_CASE_FIXTURE(https_world,
                  "over TLS first contact shows the fingerprint of the real authority") {
  open(port_options());
  person.person = true;
  person.answers = {"y", "admin"};
  CHECK(run({"login", url}) == exit_fine);
  CHECK(person.noted.find(pin) != std::string::npos);
  CHECK(remembered()->pin == pin);
  CHECK(run({"whoami"}) == exit_fine);
}

TEST_CASE_FIXTURE(https_world,
                  "over TLS another authority than the pinned one gets no word from us") {
  open(port_options());
  CHECK(run({"login", url, "--pin", std::string(64, '0')}) == exit_unreachable);
  CHECK(!person.noted.empty());
  CHECK_FALSE(remembered());
  REQUIRE(run({"login", url, "--pin", pin}) == exit_fine);
  // Somebody else answers at the same address.
  auto p = remembered().value();
  authority = net::certificate_authority::make(server_id, now_s);
  open(port_options());
  p.port = listener->port();
  remember(p);
  const auto asked = server.asked.size();
  CHECK(run({"whoami"}) == exit_unreachable);
  CHECK(server.asked.size() == asked);
}

TEST_CASE_FIXTURE(https_world, "over TLS another server of the same authority is refused") {
  open(port_options());
  REQUIRE(run({"login", url, "--pin", pin}) == exit_fine);
  auto p = remembered().value();
  server_id = {9};
  open(port_options());
  p.port = listener->port();
  remember(p);
  CHECK(run({"whoami"}) == exit_unreachable);
}

TEST_CASE_FIXTURE(https_world,
                  "over TLS an operator's own certificate is judged by name and authority") {
  const auto key = net::key_pair::generate();
  net::server_tls_options tls;
  tls.ask_for_client_certificate = false;
  tls.alpn = net::alpn_http;
  tls.key_pem = key.private_pem();
  tls.chain_pem = self_signed(key.native(), "IP:127.0.0.1");
  open(tls);
  std::ofstream(file("ca.pem")) << tls.chain_pem;
  // Nobody this machine knows vouches for it.
  CHECK(run({"login", url}) == exit_unreachable);
  CHECK(run({"login", url, "--ca", file("ca.pem").string()}) == exit_fine);
  CHECK(run({"whoami"}) == exit_fine);

  tls.chain_pem = self_signed(key.native(), "IP:192.0.2.1");
  open(tls);
  std::ofstream(file("ca.pem")) << tls.chain_pem;
  CHECK(run({"login", url, "--ca", file("ca.pem").string()}) == exit_unreachable);
}

TEST_CASE_FIXTURE(https_world, "over TLS a port where nobody listens is one line that names it") {
  open(port_options());
  listener->close();
  CHECK(run({"login", url, "--pin", pin}) == exit_unreachable);
  CHECK(person.noted.find("127.0.0.1") != std::string::npos);
  CHECK(person.noted.find("refused") != std::string::npos);
  CHECK(std::count(person.noted.begin(), person.noted.end(), '\n') == 1);
}
