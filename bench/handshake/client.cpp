#include "bench/handshake/client.hpp"

#include "bench/handshake/bare_tls.hpp"

#include <string_view>

namespace muster::bench {

namespace {

/// The newest ticket, left by the library's callback.
struct ticket_box {
  bssl::UniquePtr<SSL_SESSION> ticket;
  bool is_new = false;
};

ssl_verify_result_t trust_anybody(SSL*, std::uint8_t*) {
  return ssl_verify_ok;
}

int keep(SSL* ssl, SSL_SESSION* session) {
  auto& box = *static_cast<ticket_box*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0));
  box.ticket.reset(session);
  box.is_new = true;
  return 1;
}

void read_frame(SSL* ssl) {
  char frame[4] = {};
  int size = 0;
  while (size < 4) {
    const int result = SSL_read(ssl, frame + size, 4 - size);
    MUSTER_ASSERT(result > 0, "the server sends an empty frame");
    size += result;
  }
}

} // namespace

struct client::state {
  bssl::UniquePtr<SSL_CTX> context{SSL_CTX_new(TLS_method())};
  ticket_box box;
};

client::client(const trust& who) : state_(std::make_unique<state>()) {
  auto* const context = state_->context.get();
  speak_as_we_do(context);
  show(context, who.device_leaf, who.device_key);
  constexpr std::string_view protocol = "\x08muster/1";
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const std::uint8_t*>(protocol.data()),
                          static_cast<unsigned>(protocol.size()));
  // Whom it talks to is not what is measured.
  SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, trust_anybody);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_ex_data(context, 0, &state_->box);
  SSL_CTX_sess_set_new_cb(context, keep);
}

client::~client() = default;

void client::visit(std::uint16_t port, bool resume) {
  const descriptor fd(::socket(AF_INET, SOCK_STREAM, 0));
  send_at_once(fd.get());
  const auto address = on_loopback(port);
  MUSTER_ASSERT(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
                  0,
                "the server listens");
  const bssl::UniquePtr<SSL> ssl(SSL_new(state_->context.get()));
  SSL_set_fd(ssl.get(), fd.get());
  if (resume)
    SSL_set_session(ssl.get(), state_->box.ticket.get());
  state_->box.is_new = false;
  MUSTER_ASSERT(SSL_connect(ssl.get()) == 1, "the server accepts the client");
  MUSTER_ASSERT((SSL_session_reused(ssl.get()) == 1) == resume, "resumed when it was offered");
  read_frame(ssl.get());
  MUSTER_ASSERT(state_->box.is_new, "the ticket comes before the frame");
  SSL_shutdown(ssl.get());
  ::shutdown(fd.get(), SHUT_WR);
  char byte = 0;
  const int end = SSL_read(ssl.get(), &byte, 1);
  MUSTER_ASSERT(end == 0, "the server answers the goodbye");
}

} // namespace muster::bench
