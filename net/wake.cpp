#include "net/wake.hpp"

#include "net/datagram_layout.hpp"

#include <openssl/curve25519.h>
#include <openssl/mem.h>

#include <algorithm>

namespace muster::net {

namespace {

constexpr std::string_view magic = "MUWK";
constexpr std::uint8_t version = 1;
constexpr std::string_view label{"muster wake v1", 15}; // its zero byte included
constexpr std::size_t signature_bytes = 64;
constexpr std::size_t signature_at = wake_bytes - signature_bytes;
constexpr std::size_t tag_at = signature_at - std::tuple_size_v<datagram_tag>;

std::string signed_message(std::string_view before_signature) {
  std::string out(label);
  return out.append(before_signature);
}

bool is_purpose(std::uint8_t value) {
  return value >= static_cast<std::uint8_t>(wake_purpose::sync) &&
         value <= static_cast<std::uint8_t>(wake_purpose::events);
}

/// False when it is no wake of this version.
bool read(std::string_view datagram, wake& out) {
  layout::reader in(datagram);
  if (in.text(magic.size()) != magic || in.number<std::uint8_t>() != version)
    return false;
  out.generation = in.number<std::uint32_t>();
  out.server_id = in.id();
  out.device_id = in.id();
  out.counter = in.number<std::uint64_t>();
  const auto purpose = in.number<std::uint8_t>();
  out.purpose = static_cast<wake_purpose>(purpose);
  return is_purpose(purpose);
}

} // namespace

wake_signer::wake_signer(const std::array<std::uint8_t, 32>& wake_seed) {
  ED25519_keypair_from_seed(public_.data(), private_.data(), wake_seed.data());
}

wake_signer::~wake_signer() {
  OPENSSL_cleanse(private_.data(), private_.size());
}

std::string wake_signer::make(const wake& what, const datagram_key& wake_key) const {
  layout::writer out(wake_bytes);
  out.text(magic);
  out.number(version);
  out.number(what.generation);
  out.bytes(what.server_id);
  out.bytes(what.device_id);
  out.number(what.counter);
  out.number(static_cast<std::uint8_t>(what.purpose));
  out.bytes(datagram_tag_of(wake_key, out.so_far()));
  const auto message = signed_message(out.so_far());
  std::array<std::uint8_t, signature_bytes> signature{};
  MUSTER_ASSERT(ED25519_sign(signature.data(), der::bytes(message), message.size(),
                             private_.data()) == 1,
                "signing with a good key does not fail");
  out.bytes(signature);
  return out.finish(wake_bytes);
}

const char* word_of(wake_verdict verdict) {
  switch (verdict) {
  case wake_verdict::accepted:
    return "accepted";
  case wake_verdict::wrong_size:
    return "size";
  case wake_verdict::wrong_format:
    return "format";
  case wake_verdict::wrong_server:
    return "server";
  case wake_verdict::wrong_device:
    return "device";
  case wake_verdict::wrong_generation:
    return "generation";
  case wake_verdict::wrong_tag:
    return "tag";
  case wake_verdict::old_counter:
    return "counter";
  case wake_verdict::wrong_signature:
    return "signature";
  }
  return "other";
}

wake_verdict check_wake(std::string_view datagram, const wake_terms& terms,
                        std::uint64_t counter_accepted, wake& out) {
  if (datagram.size() != wake_bytes)
    return wake_verdict::wrong_size;
  wake said;
  if (!read(datagram, said))
    return wake_verdict::wrong_format;
  if (said.server_id != terms.server_id)
    return wake_verdict::wrong_server;
  if (said.device_id != terms.device_id)
    return wake_verdict::wrong_device;
  const auto keys = std::find_if(terms.keys.begin(), terms.keys.end(), [&](const auto& held) {
    return held.generation == said.generation;
  });
  if (keys == terms.keys.end())
    return wake_verdict::wrong_generation;
  const auto tag = datagram_tag_of(keys->wake, datagram.substr(0, tag_at));
  if (!equal_in_constant_time(der::view(tag), datagram.substr(tag_at, tag.size())))
    return wake_verdict::wrong_tag;
  if (said.counter <= counter_accepted)
    return wake_verdict::old_counter;
  const auto message = signed_message(datagram.substr(0, signature_at));
  if (ED25519_verify(der::bytes(message), message.size(),
                     der::bytes(datagram.substr(signature_at)), terms.server_key.data()) != 1)
    return wake_verdict::wrong_signature;
  out = said;
  return wake_verdict::accepted;
}

} // namespace muster::net
