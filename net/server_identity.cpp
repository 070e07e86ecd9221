#include "net/server_identity.hpp"

#include "net/accept_gate.hpp"
#include "net/datagram_secret_file.hpp"
#include "net/identity_files.hpp"
#include "net/private_file.hpp"

#include <openssl/curve25519.h>

#include <fcntl.h>
#include <sys/file.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <string_view>
#include <utility>

namespace muster::net {

namespace {

namespace fs = std::filesystem;
namespace files = identity_files;

constexpr std::string_view pem_end = "-----\n";

/// "2026-11-24".
std::string day_of(std::int64_t time_s) {
  const std::time_t time = time_s;
  std::tm parts{};
  std::array<char, 32> text{};
  if (::gmtime_r(&time, &parts) == nullptr)
    return std::to_string(time_s);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts)};
}

bool is_due(const certificate& leaf, std::int64_t now_s) {
  const auto life = leaf.not_after_s() - leaf.not_before_s();
  return now_s < leaf.not_before_s() || now_s >= leaf.not_before_s() + life / 3 * 2;
}

/// The key is new, too: agents pin the authority, so it costs nothing.
bool replace_certificate(server_identity& identity, const fs::path& directory, std::int64_t now_s,
                         std::string& problem) {
  auto key = key_pair::generate();
  auto leaf =
    identity.authority.issue(key, role::server, identity.server_id, now_s, server_lifetime);
  // The certificate in front: that is where it is looked for.
  if (!write_private_file(directory / files::server, leaf.pem() + key.private_pem(), problem))
    return false;
  identity.server_key = std::move(key);
  identity.server_certificate = std::move(leaf);
  return true;
}

/// False with an empty `problem` when there is none.
bool read_certificate(server_identity& identity, const fs::path& directory, std::string& problem) {
  const auto file = directory / files::server;
  const auto text = read_private_file(file, problem);
  if (!text)
    return false;
  std::error_code ec;
  auto leaf = certificate::from_pem(*text, ec);
  auto key = key_pair::from_pem(*text, ec);
  const char* wrong = nullptr;
  if (!leaf || !key || !text->ends_with(pem_end) || leaf->spki_sha256() != key->spki_sha256())
    wrong = "is damaged";
  else if (leaf->holder_role() != role::server || leaf->holder_id() != identity.server_id ||
           !leaf->issued_by(identity.authority.self()))
    wrong = "does not belong to this identity";
  if (wrong != nullptr) {
    problem = file.string() + ": " + wrong + "; remove it, and the next start makes another";
    return false;
  }
  identity.server_key = *std::move(key);
  identity.server_certificate = *std::move(leaf);
  return true;
}

bool is_of_today(const certificate& authority, const fs::path& directory, std::int64_t now_s,
                 std::string& problem) {
  if (now_s >= authority.not_before_s() && now_s <= authority.not_after_s())
    return true;
  problem = (directory / files::authority).string() + ": is valid from " +
            day_of(authority.not_before_s()) + " to " + day_of(authority.not_after_s()) +
            ", and the clock says " + day_of(now_s) + "; set the clock";
  return false;
}

std::optional<server_identity> load(const fs::path& directory, std::int64_t now_s,
                                    std::string& problem) {
  if (!prepare_private_directory(directory, problem))
    return std::nullopt;
  // What is replaced here must not be replaced by two at once.
  const owned_descriptor lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) {
    problem = directory.string() + ": cannot be locked: " + std::system_category().message(errno);
    return std::nullopt;
  }
  const auto contents = files::read_core(directory, problem);
  auto core = contents ? files::judge_core(*contents, directory, problem) : std::nullopt;
  if (!core || !is_of_today(core->authority.self(), directory, now_s, problem))
    return std::nullopt;
  const auto datagram = load_datagram_secrets(directory, core->datagram_secret, problem);
  if (!datagram)
    return std::nullopt;
  server_identity out{.server_id = core->server_id,
                      .authority = core->authority,
                      .server_key = core->authority.key(), // replaced at once
                      .server_certificate = {},
                      .wake_seed = core->wake_seed,
                      .datagram = *datagram,
                      .settings_key = core->settings_key,
                      .tickets = nullptr};
  std::array<std::uint8_t, 64> private_key{};
  ED25519_keypair_from_seed(out.wake_public_key.data(), private_key.data(), out.wake_seed.data());
  if (read_certificate(out, directory, problem)) {
    if (!renew_server_certificate_if_due(out, directory, now_s, problem) && !problem.empty())
      return std::nullopt;
  } else if (!problem.empty() || !replace_certificate(out, directory, now_s, problem)) {
    return std::nullopt;
  }
  std::error_code ec;
  const auto tickets = directory / files::tickets;
  out.tickets = ticket_keys::load_or_make(tickets, now_s, ec);
  if (!out.tickets) {
    problem = tickets.string() + ": cannot be read or written; it must be a file of this program's";
    return std::nullopt;
  }
  return out;
}

} // namespace

std::optional<server_identity>
load_or_make_server_identity(const fs::path& directory, std::int64_t now_s, std::string& problem) {
  problem.clear();
  const auto vacant = files::is_vacant(directory, problem);
  if (!vacant)
    return std::nullopt;
  bool made_now = false;
  if (*vacant) {
    const auto result = files::place(directory, files::make_core(now_s), problem);
    if (result == files::placing::failed)
      return std::nullopt;
    made_now = result == files::placing::placed; // else another process was quicker
  }
  auto out = load(directory, now_s, problem);
  if (out)
    out->made_now = made_now;
  return out;
}

std::optional<server_identity_view> look_at_server_identity(const fs::path& directory,
                                                            std::string& problem) {
  const auto contents = files::read_core(directory, problem);
  const auto core = contents ? files::judge_core(*contents, directory, problem) : std::nullopt;
  if (!core)
    return std::nullopt;
  const auto datagram = load_datagram_secrets(directory, core->datagram_secret, problem);
  if (!datagram)
    return std::nullopt;
  server_identity_view out{core->authority.self(), std::nullopt, *datagram};
  const auto text = read_private_file(directory / files::server, problem);
  if (!text && !problem.empty())
    return std::nullopt;
  std::error_code ec;
  if (text)
    out.server = certificate::from_pem(*text, ec);
  return out;
}

bool renew_server_certificate_if_due(server_identity& identity, const fs::path& directory,
                                     std::int64_t now_s, std::string& problem) {
  problem.clear();
  return is_due(identity.server_certificate, now_s) &&
         replace_certificate(identity, directory, now_s, problem);
}

} // namespace muster::net
