#pragma once
// What the bare server and the client share: errors end the benchmark, and contexts speak exactly
// what ours do: TLS 1.3, X25519, ECDSA P-256, "muster/1".

#include "net/certificate.hpp"

#include <muster/assert.hpp>

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

namespace muster::bench {

/// A descriptor closed with its owner.
class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) { MUSTER_ASSERT(fd_ >= 0, "the kernel gives a socket"); }
  ~descriptor() { ::close(fd_); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

inline void send_at_once(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

[[nodiscard]] inline sockaddr_in on_loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

inline void speak_as_we_do(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  const int group = NID_X25519;
  SSL_CTX_set1_curves(context, &group, 1);
}

inline void show(SSL_CTX* context, const net::certificate& leaf, const net::key_pair& key) {
  const auto der = leaf.der();
  const bool shown =
    SSL_CTX_use_certificate_ASN1(context, der.size(),
                                 reinterpret_cast<const std::uint8_t*>(der.data())) == 1 &&
    SSL_CTX_use_PrivateKey(context, key.native()) == 1;
  MUSTER_ASSERT(shown, "certificate and key belong together");
}

} // namespace muster::bench
