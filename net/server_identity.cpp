#include "net/server_identity.hpp"

#include "net/private_file.hpp"

#include <openssl/curve25519.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace muster::net {

namespace {

namespace fs = std::filesystem;

using secret_bytes = std::array<std::uint8_t, 32>;

// One file each, so that a wrong one can be named.
constexpr const char* id_file = "server-id";
constexpr const char* authority_key_file = "authority-key.pem";
constexpr const char* authority_file = "authority.pem";
constexpr const char* server_key_file = "server-key.pem";
constexpr const char* server_certificate_file = "server.pem";
constexpr const char* wake_key_file = "wake-key";
constexpr const char* datagram_secret_file = "datagram-secret";
constexpr const char* settings_key_file = "settings-key";
constexpr const char* ticket_keys_file = "ticket-keys";

/// What came before it is lost if one of these is; the remedy is the same for all.
std::string damaged(const fs::path& file) {
  return file.string() + ": is damaged; restore it from 'muster-server identity export' or a backup";
}

std::string expired_or_foreign(const fs::path& file) {
  return file.string() + ": does not belong to the authority beside it; restore both from one backup";
}

std::optional<std::string> content_of(const fs::path& file, std::string& problem) {
  auto content = read_private_file(file, problem);
  if (!content && problem.empty())
    problem = file.string() + ": is missing; restore it from 'muster-server identity export' or a backup";
  return content;
}

template <std::size_t Size>
bool read_hex(const fs::path& file, std::array<std::uint8_t, Size>& out, std::string& problem) {
  auto text = content_of(file, problem);
  if (!text)
    return false;
  while (!text->empty() && (text->back() == '\n' || text->back() == ' '))
    text->pop_back();
  const auto raw = from_hex(*text);
  if (!raw || raw->size() != Size) {
    problem = damaged(file);
    return false;
  }
  std::copy(raw->begin(), raw->end(), out.begin());
  return true;
}

template <std::size_t Size>
bool write_hex(const fs::path& file, const std::array<std::uint8_t, Size>& bytes,
               std::string& problem) {
  return write_private_file(file, to_hex(bytes) + "\n", problem);
}

bool write_random(const fs::path& file, std::string& problem) {
  secret_bytes secret;
  random_bytes(secret);
  return write_hex(file, secret, problem);
}

std::optional<key_pair> read_key(const fs::path& file, std::string& problem) {
  const auto pem = content_of(file, problem);
  if (!pem)
    return std::nullopt;
  std::error_code ec;
  auto key = key_pair::from_pem(*pem, ec);
  if (ec || !key)
    problem = damaged(file);
  return ec ? std::nullopt : key;
}

std::optional<certificate> read_certificate(const fs::path& file, std::string& problem) {
  const auto pem = content_of(file, problem);
  if (!pem)
    return std::nullopt;
  std::error_code ec;
  auto found = certificate::from_pem(*pem, ec);
  if (ec || !found)
    problem = damaged(file);
  return ec ? std::nullopt : found;
}

bool write_everything(const fs::path& directory, std::int64_t now_s, std::string& problem) {
  id_bytes server_id;
  random_bytes(server_id);
  const auto authority = certificate_authority::make(server_id, now_s);
  const auto server_key = key_pair::generate();
  const auto leaf = authority.issue(server_key, role::server, server_id, now_s, server_lifetime);
  return write_hex(directory / id_file, server_id, problem)
         && write_private_file(directory / authority_key_file, authority.key().private_pem(),
                               problem)
         && write_private_file(directory / authority_file, authority.self().pem(), problem)
         && write_private_file(directory / server_key_file, server_key.private_pem(), problem)
         && write_private_file(directory / server_certificate_file, leaf.pem(), problem)
         && write_random(directory / wake_key_file, problem)
         && write_random(directory / datagram_secret_file, problem)
         && write_random(directory / settings_key_file, problem);
}

/// All or nothing: made beside its place, then renamed into it.
bool make_identity(const fs::path& directory, std::int64_t now_s, std::string& problem) {
  auto fresh = directory;
  fresh += ".new";
  std::error_code ec;
  fs::remove_all(fresh, ec); // left behind by a crash
  if (!prepare_private_directory(fresh, problem) || !write_everything(fresh, now_s, problem)
      || !sync_directory(fresh, problem))
    return false;
  if (::rename(fresh.c_str(), directory.c_str()) != 0) {
    problem = directory.string() + ": cannot be made: " + std::system_category().message(errno);
    return false;
  }
  const auto parent = directory.parent_path();
  return sync_directory(parent.empty() ? fs::path{"."} : parent, problem);
}

/// A directory that an operator has prepared, empty, counts as none.
bool is_there(const fs::path& directory) {
  std::error_code ec;
  return fs::exists(directory, ec) && !(fs::is_directory(directory, ec) && fs::is_empty(directory, ec));
}

/// At 2/3 of its life, or when a crash has left a certificate that is not the key's.
bool replacement_is_due(const server_identity& identity, std::int64_t now_s) {
  const auto& leaf = identity.server_certificate;
  const auto life = leaf.not_after_s() - leaf.not_before_s();
  return now_s >= leaf.not_before_s() + life / 3 * 2
         || leaf.spki_sha256() != identity.server_key.spki_sha256();
}

/// The key is a new one, too: it costs nothing, as agents pin the authority's.
bool replace_certificate(const fs::path& directory, server_identity& identity, std::int64_t now_s,
                         std::string& problem) {
  auto key = key_pair::generate();
  auto fresh =
    identity.authority.issue(key, role::server, identity.server_id, now_s, server_lifetime);
  // Key and certificate cannot be replaced in one step; a pair that does not fit is found at the
  // next start and replaced there.
  if (!write_private_file(directory / server_key_file, key.private_pem(), problem)
      || !write_private_file(directory / server_certificate_file, fresh.pem(), problem))
    return false;
  identity.server_key = std::move(key);
  identity.server_certificate = std::move(fresh);
  return true;
}

std::optional<certificate_authority> read_authority(const fs::path& directory,
                                                    std::string& problem) {
  auto key = read_key(directory / authority_key_file, problem);
  auto self = key ? read_certificate(directory / authority_file, problem) : std::nullopt;
  if (!self)
    return std::nullopt;
  if (self->holder_role() != role::authority || self->spki_sha256() != key->spki_sha256()) {
    problem = expired_or_foreign(directory / authority_file);
    return std::nullopt;
  }
  return certificate_authority{std::move(*key), std::move(*self)};
}

} // namespace

std::optional<server_identity> load_or_make_server_identity(const fs::path& directory,
                                                            std::int64_t now_s,
                                                            std::string& problem) {
  problem.clear();
  const bool made_now = !is_there(directory);
  if (made_now && !make_identity(directory, now_s, problem))
    return std::nullopt;
  if (!prepare_private_directory(directory, problem))
    return std::nullopt;
  auto authority = read_authority(directory, problem);
  auto key = authority ? read_key(directory / server_key_file, problem) : std::nullopt;
  auto leaf = key ? read_certificate(directory / server_certificate_file, problem) : std::nullopt;
  if (!leaf)
    return std::nullopt;
  server_identity out{.authority = std::move(*authority),
                      .server_key = std::move(*key),
                      .server_certificate = std::move(*leaf),
                      .tickets = nullptr,
                      .made_now = made_now};
  if (!read_hex(directory / id_file, out.server_id, problem)
      || !read_hex(directory / wake_key_file, out.wake_seed, problem)
      || !read_hex(directory / datagram_secret_file, out.datagram_secret, problem)
      || !read_hex(directory / settings_key_file, out.settings_key, problem))
    return std::nullopt;
  if (out.server_certificate.holder_role() != role::server
      || out.server_certificate.holder_id() != out.server_id
      || !out.server_certificate.issued_by(out.authority.self())) {
    problem = expired_or_foreign(directory / server_certificate_file);
    return std::nullopt;
  }
  if (replacement_is_due(out, now_s) && !replace_certificate(directory, out, now_s, problem))
    return std::nullopt;
  std::array<std::uint8_t, 64> private_key{};
  ED25519_keypair_from_seed(out.wake_public_key.data(), private_key.data(), out.wake_seed.data());
  std::error_code ec;
  out.tickets = ticket_keys::load_or_make(directory / ticket_keys_file, now_s, ec);
  if (!out.tickets) {
    problem = (directory / ticket_keys_file).string() + ": " + ec.message();
    return std::nullopt;
  }
  return out;
}

} // namespace muster::net
