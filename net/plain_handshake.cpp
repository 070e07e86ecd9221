#include "net/plain_handshake.hpp"

#include "net/der.hpp"
#include "net/plain_messages.hpp"

#include <muster/assert.hpp>

#include <openssl/curve25519.h>
#include <openssl/evp.h>
#include <openssl/hkdf.h>
#include <openssl/mem.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace muster::net {

namespace {

using plain::bytes_32;

constexpr std::string_view agent_context = "Muster plain v1, agent's proof";
constexpr std::string_view server_context = "Muster plain v1, server's proof";
constexpr std::string_view from_agent_label = "muster plain v1 from agent";
constexpr std::string_view from_server_label = "muster plain v1 from server";

/// What is signed, as in RFC 8446, 4.4.3.
std::string signed_content(std::string_view context, std::string_view said_so_far) {
  std::string out(64, ' ');
  out += context;
  out += '\0';
  out += der::view(sha256(said_so_far));
  return out;
}

bytes_32 share_of(const plain_draw& drawn) {
  bytes_32 out{};
  X25519_public_from_private(out.data(), drawn.private_share.data());
  return out;
}

/// Empty when the peer's share leads everybody to the same result.
std::optional<bytes_32> agree(const plain_draw& drawn, const bytes_32& share) {
  bytes_32 out{};
  if (X25519(out.data(), drawn.private_share.data(), share.data()) != 1)
    return std::nullopt;
  return out;
}

plain_keys derive(const bytes_32& secret, std::string_view all_said) {
  const auto salt = sha256(all_said);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> extracted{};
  std::size_t size = 0;
  bool ok = HKDF_extract(extracted.data(), &size, EVP_sha256(), secret.data(), secret.size(),
                         salt.data(), salt.size()) == 1;
  const auto expand = [&](std::string_view label, plain_key& key) {
    ok = ok && HKDF_expand(key.data(), key.size(), EVP_sha256(), extracted.data(), size,
                           der::bytes(label), label.size()) == 1;
  };
  plain_keys out;
  expand(from_agent_label, out.from_agent);
  expand(from_server_label, out.from_server);
  OPENSSL_cleanse(extracted.data(), extracted.size());
  MUSTER_ASSERT(ok, "a hash has no reason to fail");
  return out;
}

/// What both sides have: what was drawn, what was said.
class side : public plain_handshake {
public:
  explicit side(const plain_draw& drawn) : drawn_(drawn) {}
  ~side() override { forget(); }

protected:
  /// Ends it.
  std::error_code refuse(errc why, std::string& out) {
    ended_ = true;
    out += plain::refusal_for(why);
    return why;
  }

  void say(std::string_view message, std::string& out) {
    MUSTER_ASSERT(message.size() <= plain_handshake_bytes_max, "our chain is short");
    said_ += message;
    put_plain_frame(static_cast<plain_kind>(message.front()), message.substr(1), out);
  }

  void finish(const bytes_32& secret) {
    keys_ = derive(secret, said_);
    finished_ = true;
    ended_ = true;
    forget();
  }

  void forget() { OPENSSL_cleanse(drawn_.private_share.data(), drawn_.private_share.size()); }

  plain_draw drawn_;
  std::string said_; ///< all messages so far, without their lengths (each tells its own)
  bool ended_ = false;
};

class agent_side final : public side {
public:
  agent_side(client_plain_context_ptr context, const plain_draw& drawn)
    : side(drawn), context_(std::move(context)) {}

  void start(std::string& out) override {
    MUSTER_ASSERT(said_.empty(), "a handshake is started once");
    say(plain::write_hello(plain_kind::agent_hello, drawn_.nonce, share_of(drawn_),
                           {context_->options().leaf.der()}),
        out);
  }

  std::error_code receive(std::string_view payload, std::string& out) override {
    if (ended_ || said_.empty())
      return errc::malformed;
    if (const auto why = plain::read_refusal(payload)) {
      ended_ = true;
      return *why;
    }
    auto why = errc::malformed;
    const auto hello = plain::read_hello(payload, plain_kind::server_hello, why);
    if (!hello)
      return refuse(why, out);
    const auto& mine = context_->options();
    const auto judged = judge_server(hello->chain, mine.server, mine.now_s(), {});
    if (judged.verdict != errc::success)
      return refuse(judged.verdict, out);
    said_ += hello->signed_part;
    if (!judged.leaf.public_key().verify(signed_content(server_context, said_), hello->signature))
      return refuse(errc::signature_wrong, out);
    const auto secret = agree(drawn_, hello->share);
    if (!secret)
      return refuse(errc::key_share_worthless, out);
    said_ += payload.substr(hello->signed_part.size());
    std::string proof(1, static_cast<char>(plain_kind::agent_proof));
    plain::append_prefixed(mine.key.sign(signed_content(agent_context, said_)), proof);
    say(proof, out);
    peer_ = judged.leaf.sha256();
    finish(*secret);
    return {};
  }

private:
  client_plain_context_ptr context_;
};

class server_side final : public side {
public:
  server_side(server_plain_context_ptr context, const plain_draw& drawn)
    : side(drawn), context_(std::move(context)) {}
  ~server_side() override { OPENSSL_cleanse(secret_.data(), secret_.size()); }

  void start(std::string&) override {}

  std::error_code receive(std::string_view payload, std::string& out) override {
    if (ended_)
      return errc::malformed;
    return agent_.empty() ? on_hello(payload, out) : on_proof(payload, out);
  }

private:
  std::error_code on_hello(std::string_view payload, std::string& out) {
    auto why = errc::malformed;
    const auto hello = plain::read_hello(payload, plain_kind::agent_hello, why);
    if (!hello)
      return refuse(why, out);
    auto judged = judge_device(hello->chain, context_->authority());
    if (judged.verdict != errc::success)
      return refuse(judged.verdict, out);
    const auto secret = agree(drawn_, hello->share);
    if (!secret)
      return refuse(errc::key_share_worthless, out);
    secret_ = *secret;
    agent_ = std::move(judged.leaf);
    said_ = payload;
    auto answer = plain::write_hello(plain_kind::server_hello, drawn_.nonce, share_of(drawn_),
                                     context_->chain());
    plain::append_prefixed(context_->key().sign(signed_content(server_context, said_ + answer)),
                           answer);
    say(answer, out);
    return {};
  }

  std::error_code on_proof(std::string_view payload, std::string& out) {
    if (const auto why = plain::read_refusal(payload)) {
      ended_ = true;
      return *why;
    }
    const auto signature = plain::read_proof(payload);
    if (!signature)
      return refuse(errc::malformed, out);
    if (!agent_.public_key().verify(signed_content(agent_context, said_), *signature))
      return refuse(errc::signature_wrong, out);
    said_ += payload;
    peer_ = agent_.sha256();
    finish(secret_);
    return {};
  }

  server_plain_context_ptr context_;
  certificate agent_; ///< shown, not proved yet
  bytes_32 secret_{};
};

} // namespace

plain_draw plain_draw::make() {
  plain_draw out;
  random_bytes(out.private_share);
  random_bytes(out.nonce);
  return out;
}

std::unique_ptr<plain_handshake> plain_agent_side(client_plain_context_ptr context,
                                                  const plain_draw& drawn) {
  return std::make_unique<agent_side>(std::move(context), drawn);
}

std::unique_ptr<plain_handshake> plain_server_side(server_plain_context_ptr context,
                                                   const plain_draw& drawn) {
  return std::make_unique<server_side>(std::move(context), drawn);
}

} // namespace muster::net
