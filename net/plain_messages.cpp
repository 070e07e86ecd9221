#include "net/plain_messages.hpp"

#include "net/der.hpp"

#include <muster/assert.hpp>

#include <algorithm>

namespace muster::net::plain {

namespace {

enum class reason : std::uint8_t { certificate = 1, version = 2, altered = 3 };

bool take_kind(CBS& in, plain_kind expected) {
  std::uint8_t kind = 0;
  return CBS_get_u8(&in, &kind) == 1 && kind == static_cast<std::uint8_t>(expected);
}

bool take_text(CBS& in, std::string_view expected) {
  CBS text;
  return CBS_get_bytes(&in, &text, expected.size()) == 1 && der::view(text) == expected;
}

bool take_prefixed(CBS& in, std::string_view& part) {
  CBS content;
  if (CBS_get_u16_length_prefixed(&in, &content) != 1)
    return false;
  part = der::view(content);
  return !part.empty();
}

bool take_chain(CBS& in, std::vector<std::string_view>& chain) {
  std::uint8_t count = 0;
  if (CBS_get_u8(&in, &count) != 1 || count == 0 || count > judged_certificates_max)
    return false;
  for (; count > 0; --count) {
    std::string_view der;
    if (!take_prefixed(in, der))
      return false;
    chain.push_back(der);
  }
  return true;
}

} // namespace

std::string write_hello(plain_kind kind, const bytes_32& nonce, const bytes_32& share,
                        const std::vector<std::string>& chain) {
  MUSTER_ASSERT(!chain.empty() && chain.size() <= judged_certificates_max, "who speaks shows itself");
  std::string out(1, static_cast<char>(kind));
  out += opening;
  out += static_cast<char>(plain_version);
  out += der::view(nonce);
  out += der::view(share);
  out += static_cast<char>(chain.size());
  for (const auto& der : chain)
    append_prefixed(der, out);
  return out;
}

void append_prefixed(std::string_view part, std::string& message) {
  MUSTER_ASSERT(!part.empty() && part.size() <= plain_handshake_bytes_max,
                "certificates and signatures of ours are short");
  message += static_cast<char>(static_cast<std::uint8_t>(part.size() >> 8U));
  message += static_cast<char>(static_cast<std::uint8_t>(part.size()));
  message += part;
}

std::optional<hello> read_hello(std::string_view payload, plain_kind expected, errc& why) {
  why = errc::malformed;
  CBS in = der::reader(payload);
  std::uint8_t version = 0;
  if (!take_kind(in, expected) || !take_text(in, opening) || CBS_get_u8(&in, &version) != 1)
    return std::nullopt;
  if (version != plain_version) {
    why = errc::plain_wrong_version;
    return std::nullopt;
  }
  hello out;
  if (CBS_copy_bytes(&in, out.nonce.data(), out.nonce.size()) != 1 ||
      CBS_copy_bytes(&in, out.share.data(), out.share.size()) != 1 || !take_chain(in, out.chain))
    return std::nullopt;
  out.signed_part = payload.substr(0, payload.size() - CBS_len(&in));
  const bool with_signature = expected == plain_kind::server_hello;
  if (with_signature && !take_prefixed(in, out.signature))
    return std::nullopt;
  if (!der::at_end(in))
    return std::nullopt;
  why = errc::success;
  return out;
}

std::optional<std::string_view> read_proof(std::string_view payload) {
  CBS in = der::reader(payload);
  std::string_view signature;
  if (!take_kind(in, plain_kind::agent_proof) || !take_prefixed(in, signature) || !der::at_end(in))
    return std::nullopt;
  return signature;
}

std::string refusal_for(errc why) {
  auto said = reason::altered;
  switch (why) {
  case errc::certificate_foreign:
  case errc::certificate_wrong_role:
  case errc::certificate_wrong_name:
  case errc::certificate_expired:
  case errc::certificate_malformed:
  case errc::pin_mismatch:
    said = reason::certificate;
    break;
  case errc::plain_wrong_version:
    said = reason::version;
    break;
  case errc::signature_wrong:
  case errc::key_share_worthless:
    break;
  default:
    return {};
  }
  std::string out;
  put_plain_frame(plain_kind::refusal, std::string(1, static_cast<char>(said)), out);
  return out;
}

std::optional<errc> read_refusal(std::string_view payload) {
  CBS in = der::reader(payload);
  std::uint8_t said = 0;
  if (!take_kind(in, plain_kind::refusal) || CBS_get_u8(&in, &said) != 1 || !der::at_end(in))
    return std::nullopt;
  switch (static_cast<reason>(said)) {
  case reason::certificate:
    return errc::peer_refused_us;
  case reason::version:
    return errc::plain_wrong_version;
  case reason::altered:
    return errc::peer_found_altered;
  }
  return std::nullopt;
}

} // namespace muster::net::plain
