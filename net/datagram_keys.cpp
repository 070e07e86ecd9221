#include "net/datagram_keys.hpp"

#include "net/datagram_layout.hpp"

#include <muster/assert.hpp>

#include <openssl/evp.h>
#include <openssl/hkdf.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace muster::net {

namespace {

constexpr std::string_view wake_label = "muster wake key v1";
constexpr std::string_view notice_label = "muster notice key v1";

} // namespace

datagram_keyring::datagram_keyring(const datagram_secrets& secrets)
  : newest_(extract(secrets.newest)) {
  if (secrets.previous)
    previous_ = extract(*secrets.previous);
}

datagram_keyring::datagram_keyring(std::span<const std::uint8_t, 32> first_secret) {
  datagram_secret first;
  std::copy(first_secret.begin(), first_secret.end(), first.value.begin());
  newest_ = extract(first);
}

datagram_keyring::source datagram_keyring::extract(const datagram_secret& secret) {
  source out{secret.generation, {}};
  std::size_t size = 0;
  const int ok = HKDF_extract(out.extracted.data(), &size, EVP_sha256(), secret.value.data(),
                              secret.value.size(), nullptr, 0);
  MUSTER_ASSERT(ok == 1 && size == out.extracted.size(), "a hash has no reason to fail");
  return out;
}

bool datagram_keyring::knows(std::uint32_t generation) const noexcept {
  return generation == newest_.generation || generation == generation_sent();
}

std::uint32_t datagram_keyring::generation_sent() const noexcept {
  return previous_ ? previous_->generation : newest_.generation;
}

datagram_key datagram_keyring::wake_key(std::uint32_t generation, const id_bytes& device) const {
  return derive(wake_label, generation, device);
}

datagram_key datagram_keyring::notice_key(std::uint32_t generation, const id_bytes& device) const {
  return derive(notice_label, generation, device);
}

std::vector<device_datagram_keys> datagram_keyring::keys_of(const id_bytes& device) const {
  std::vector<device_datagram_keys> out;
  const auto add = [&](std::uint32_t generation) {
    out.push_back({generation, wake_key(generation, device), notice_key(generation, device)});
  };
  add(newest());
  if (previous_)
    add(previous_->generation);
  return out;
}

datagram_key datagram_keyring::derive(std::string_view label, std::uint32_t generation,
                                      const id_bytes& device) const {
  // The label ends with a zero byte and the rest has a fixed length: no two inputs run together.
  std::array<std::uint8_t, 64> info{};
  auto end = std::copy(label.begin(), label.end(), info.begin()) + 1;
  for (int shift = 24; shift >= 0; shift -= 8)
    *end++ = static_cast<std::uint8_t>(generation >> static_cast<unsigned>(shift));
  end = std::copy(device.begin(), device.end(), end);
  const bool older = previous_ && previous_->generation == generation;
  const auto& extracted = older ? previous_->extracted : newest_.extracted;
  datagram_key out{};
  const int ok = HKDF_expand(out.data(), out.size(), EVP_sha256(), extracted.data(),
                             extracted.size(), info.data(),
                             static_cast<std::size_t>(end - info.begin()));
  MUSTER_ASSERT(ok == 1, "a hash has no reason to fail");
  return out;
}

datagram_tag datagram_tag_of(const datagram_key& key, std::string_view bytes) {
  std::array<std::uint8_t, 32> whole{};
  unsigned size = 0;
  const auto* done = HMAC(EVP_sha256(), key.data(), key.size(), der::bytes(bytes), bytes.size(),
                          whole.data(), &size);
  MUSTER_ASSERT(done != nullptr && size == whole.size(), "a hash has no reason to fail");
  datagram_tag out{};
  std::copy_n(whole.begin(), out.size(), out.begin());
  return out;
}

} // namespace muster::net
