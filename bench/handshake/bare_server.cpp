#include "bench/cpu.hpp"
#include "bench/handshake/bare_tls.hpp"
#include "bench/handshake/server.hpp"

#include <openssl/digest.h>
#include <openssl/err.h>

#include <atomic>
#include <future>
#include <string_view>
#include <thread>

namespace muster::bench {

namespace {

bssl::UniquePtr<X509> parse(const net::certificate& what) {
  const auto der = what.der();
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(der.data());
  return bssl::UniquePtr<X509>(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
}

int select_ours(SSL*, const std::uint8_t** out, std::uint8_t* out_bytes, const std::uint8_t*,
                unsigned, void*) {
  static constexpr std::string_view ours = "muster/1";
  *out = reinterpret_cast<const std::uint8_t*>(ours.data());
  *out_bytes = static_cast<std::uint8_t>(ours.size());
  return SSL_TLSEXT_ERR_OK;
}

/// Reads one element whole and moves past it.
bool take(CBS* from, CBS* element) {
  return CBS_get_any_asn1_element(from, element, nullptr, nullptr) == 1;
}

/// The signature over the leaf by the only authority there is.
bool signed_by(EVP_PKEY* authority, const CRYPTO_BUFFER* leaf) {
  CBS in;
  CBS body;
  CBS tbs;
  CBS algorithm;
  CBS signature;
  CRYPTO_BUFFER_init_CBS(leaf, &in);
  bssl::ScopedEVP_MD_CTX digest;
  return CBS_get_asn1(&in, &body, CBS_ASN1_SEQUENCE) == 1 && take(&body, &tbs) &&
         take(&body, &algorithm) && CBS_get_asn1(&body, &signature, CBS_ASN1_BITSTRING) == 1 &&
         CBS_skip(&signature, 1) == 1 &&
         EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, authority) == 1 &&
         EVP_DigestVerify(digest.get(), CBS_data(&signature), CBS_len(&signature), CBS_data(&tbs),
                          CBS_len(&tbs)) == 1;
}

ssl_verify_result_t check_signature_only(SSL* ssl, std::uint8_t*) {
  auto* const authority = static_cast<EVP_PKEY*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0));
  const auto* const leaf = sk_CRYPTO_BUFFER_value(SSL_get0_peer_certificates(ssl), 0);
  return signed_by(authority, leaf) ? ssl_verify_ok : ssl_verify_invalid;
}

bssl::UniquePtr<SSL_CTX> make_context(const trust& who, judge how) {
  const bool lean = how == judge::leanest;
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(lean ? TLS_with_buffers_method() : TLS_method()));
  speak_as_we_do(context.get());
  const auto& authority = who.authority.self();
  if (lean) {
    const auto buffer = [](const net::certificate& what) {
      const auto der = what.der();
      return bssl::UniquePtr<CRYPTO_BUFFER>(
        CRYPTO_BUFFER_new(reinterpret_cast<const std::uint8_t*>(der.data()), der.size(), nullptr));
    };
    const auto leaf = buffer(who.server_leaf);
    const auto issuer = buffer(authority);
    CRYPTO_BUFFER* const chain[] = {leaf.get(), issuer.get()};
    SSL_CTX_set_chain_and_key(context.get(), chain, 2, who.server_key.native(), nullptr);
    SSL_CTX_set_ex_data(context.get(), 0, who.authority.key().native());
    SSL_CTX_set_custom_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                              check_signature_only);
  } else {
    show(context.get(), who.server_leaf, who.server_key);
    SSL_CTX_add1_chain_cert(context.get(), parse(authority).get());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), parse(authority).get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  SSL_CTX_set_retain_only_sha256_of_client_certs(context.get(), 1);
  SSL_CTX_set_alpn_select_cb(context.get(), select_ours, nullptr);
  SSL_CTX_set_num_tickets(context.get(), 1);
  const std::uint8_t name = 1;
  SSL_CTX_set_session_id_context(context.get(), &name, 1);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

class bare_server final : public server {
public:
  bare_server(const trust& who, judge how)
    : context_(make_context(who, how)), listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    auto address = on_loopback(0);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    MUSTER_ASSERT(::bind(listening_.get(), any, size) == 0 && ::listen(listening_.get(), 64) == 0 &&
                    ::getsockname(listening_.get(), any, &size) == 0,
                  "there is a free port");
    port_ = ntohs(address.sin_port);
    std::promise<clockid_t> clock;
    thread_ = std::thread([this, &clock] {
      stay_on_core(0);
      clock.set_value(cpu_clock_of_this_thread());
      serve();
    });
    clock_ = clock.get_future().get();
  }

  ~bare_server() override {
    ::shutdown(listening_.get(), SHUT_RDWR);
    thread_.join();
  }

  std::uint16_t port() const override { return port_; }
  double cpu_us() const override { return read_us(clock_); }
  std::uint64_t resumed() const override { return resumed_.load(); }

  void wait_for(std::uint64_t connections) override {
    for (auto now = gone_.load(std::memory_order_acquire); now < connections;
         now = gone_.load(std::memory_order_acquire))
      gone_.wait(now, std::memory_order_acquire);
  }

private:
  void serve() {
    while (true) {
      const int accepted = ::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (accepted < 0)
        return;
      converse(descriptor(accepted));
      gone_.fetch_add(1, std::memory_order_release);
      gone_.notify_one();
    }
  }

  void converse(const descriptor& fd) {
    send_at_once(fd.get());
    const bssl::UniquePtr<SSL> ssl(SSL_new(context_.get()));
    SSL_set_shed_handshake_config(ssl.get(), 1);
    SSL_set_fd(ssl.get(), fd.get());
    const bool open = SSL_accept(ssl.get()) == 1;
    if (!open)
      ERR_print_errors_fp(stderr);
    MUSTER_ASSERT(open, "the bare server accepts the client");
    if (SSL_session_reused(ssl.get()) == 1)
      resumed_.fetch_add(1);
    static constexpr char empty_frame[4] = {};
    MUSTER_ASSERT(SSL_write(ssl.get(), empty_frame, 4) == 4, "an open connection takes bytes");
    char byte = 0;
    MUSTER_ASSERT(SSL_read(ssl.get(), &byte, 1) == 0, "the client says nothing, and closes");
    SSL_shutdown(ssl.get());
  }

  bssl::UniquePtr<SSL_CTX> context_;
  descriptor listening_;
  std::uint16_t port_ = 0;
  std::atomic<std::uint64_t> gone_{0};
  std::atomic<std::uint64_t> resumed_{0};
  clockid_t clock_{};
  std::thread thread_;
};

} // namespace

std::unique_ptr<server> make_bare_server(const trust& who, judge how) {
  return std::make_unique<bare_server>(who, how);
}

} // namespace muster::bench
