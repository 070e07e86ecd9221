#include "actors/server/enrolment_tokens.hpp"

#include "actors/server/fleet_limits.hpp"
#include "net/certificate.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <span>
#include <utility>

namespace muster::actors {

namespace {

using storage::family;

constexpr std::int64_t second_us = 1'000'000;

template <std::size_t Bytes>
std::string random_hex() {
  std::array<std::uint8_t, Bytes> bytes{};
  net::random_bytes(bytes);
  return net::to_hex(bytes);
}

std::string raw(const net::sha256_digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

bool read(const storage::record::enrolment_token& from, enrolment_token& to) {
  if (from.id().empty() || from.token_sha256().size() != to.secret_sha256.size())
    return false;
  std::memcpy(to.secret_sha256.data(), from.token_sha256().data(), to.secret_sha256.size());
  to.id = from.id();
  to.name = from.name();
  to.created_by = from.created_by();
  to.created_us = from.created_ms() * 1000;
  to.expires_us = from.expires_ms() * 1000;
  to.uses_max = from.uses_max();
  to.uses = from.uses();
  to.revoked = from.revoked();
  to.group = from.group();
  return true;
}

/// When the token ceased to be of use, as far as it says; 0: not yet.
std::int64_t ended_us(const enrolment_token& token, std::int64_t now_us) {
  if (obstacle(token, now_us).empty())
    return 0;
  // When it was revoked or used up is not kept: its creation is the latest sure moment.
  return token.expires_us != 0 ? std::min(token.expires_us, now_us) : token.created_us;
}

} // namespace

fresh_token make_token(std::string name, std::string created_by, std::int64_t now_us,
                       std::int64_t lifetime_s, std::uint32_t uses_max) {
  fresh_token out;
  out.secret = random_hex<20>();
  out.token.id = random_hex<5>();
  out.token.secret_sha256 = net::sha256(out.secret);
  out.token.name = std::move(name);
  out.token.created_by = std::move(created_by);
  out.token.created_us = now_us;
  out.token.expires_us = lifetime_s == 0 ? 0 : now_us + lifetime_s * second_us;
  out.token.uses_max = uses_max;
  return out;
}

storage::change token_change(const enrolment_token& token) {
  storage::record::enrolment_token record;
  record.set_id(token.id);
  record.set_token_sha256(raw(token.secret_sha256));
  record.set_name(storage::records::clean_text(token.name));
  record.set_created_ms(token.created_us / 1000);
  record.set_created_by(storage::records::clean_text(token.created_by));
  record.set_expires_ms(token.expires_us / 1000);
  record.set_uses_max(token.uses_max);
  record.set_uses(token.uses);
  record.set_revoked(token.revoked);
  record.set_group(token.group);
  return storage::put(family::meta, storage::keys::token(token.id),
                      storage::records::encode(record));
}

std::vector<enrolment_token> load_tokens(const storage::store& db, std::error_code& ec) {
  std::vector<enrolment_token> out;
  std::error_code bad;
  storage::record::enrolment_token record;
  ec = db.scan(family::meta, storage::keys::tokens(), false, [&](auto key, auto value) {
    bad = storage::records::decode(value, record);
    enrolment_token token;
    if (!bad && !read(record, token))
      bad = storage::errc::corrupt;
    if (bad)
      spdlog::critical("enrolment token {}: its record cannot be read: {}",
                       storage::keys::parse_token(key).value_or("?"), bad.message());
    else
      out.push_back(std::move(token));
    return !bad;
  });
  if (!ec)
    ec = bad;
  if (ec)
    out.clear();
  return out;
}

void make_first_token(storage::store& db, std::int64_t now_us, std::string& secret,
                      std::error_code& ec) {
  const auto lifetime =
    std::chrono::duration_cast<std::chrono::seconds>(fleet_limits::first_token_lifetime);
  auto fresh = make_token("first start", "server", now_us, lifetime.count(), 0);
  const storage::change_batch changes{token_change(fresh.token)};
  ec = db.write_sync({&changes, 1});
  secret = ec ? std::string{} : std::move(fresh.secret);
}

std::string_view obstacle(const enrolment_token& token, std::int64_t now_us) noexcept {
  if (token.revoked)
    return "the enrolment token has been revoked";
  if (token.expires_us != 0 && now_us >= token.expires_us)
    return "the enrolment token has expired";
  if (token.uses_max != 0 && token.uses >= token.uses_max)
    return "the enrolment token has been used as often as it may be";
  return {};
}

token_info info_of(const enrolment_token& token) {
  token_info out;
  out.id = token.id;
  out.name = token.name;
  out.created_by = token.created_by;
  out.created_us = token.created_us;
  out.expires_us = token.expires_us;
  out.uses_max = token.uses_max;
  out.uses = token.uses;
  out.revoked = token.revoked;
  out.group = token.group;
  return out;
}

token_book::token_book(std::vector<enrolment_token> loaded) {
  for (auto& one : loaded)
    add(std::move(one));
}

enrolment_token* token_book::find_secret(std::string_view secret) {
  const auto found = ids_by_hash_.find(raw(net::sha256(secret)));
  return found == ids_by_hash_.end() ? nullptr : find_id(found->second);
}

enrolment_token* token_book::find_id(std::string_view id) {
  const auto found = by_id_.find(std::string{id});
  return found == by_id_.end() ? nullptr : &found->second;
}

bool token_book::full() const noexcept {
  return by_id_.size() >= fleet_limits::tokens_max;
}

void token_book::add(enrolment_token token) {
  ids_by_hash_[raw(token.secret_sha256)] = token.id;
  auto id = token.id;
  by_id_.insert_or_assign(std::move(id), std::move(token));
}

void token_book::erase(const std::string& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end())
    return;
  ids_by_hash_.erase(raw(found->second.secret_sha256));
  by_id_.erase(found);
}

std::vector<std::string> token_book::outlived(std::int64_t now_us) const {
  const std::chrono::microseconds kept = fleet_limits::token_kept;
  std::vector<std::string> out;
  for (const auto& [id, token] : by_id_) {
    const auto ended = ended_us(token, now_us);
    if (ended != 0 && now_us - ended > kept.count())
      out.push_back(id);
  }
  return out;
}

std::vector<token_info> token_book::list() const {
  std::vector<token_info> out;
  out.reserve(by_id_.size());
  for (const auto& [id, token] : by_id_)
    out.push_back(info_of(token));
  std::sort(out.begin(), out.end(), [](const token_info& a, const token_info& b) {
    return std::pair(a.created_us, a.id) < std::pair(b.created_us, b.id);
  });
  return out;
}

} // namespace muster::actors
