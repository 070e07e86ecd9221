#pragma once
// The enrolment tokens: who may bring devices in, how many, until when. Pure but for the store they
// are loaded from.

#include "actors/messages.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <vector>

namespace muster::actors {

/// A token as it is kept: only the hash of its secret.
struct enrolment_token {
  std::string id;
  net::sha256_digest secret_sha256{};
  std::string name, created_by;
  std::int64_t created_us = 0;
  std::int64_t expires_us = 0; ///< 0: never
  std::uint32_t uses_max = 0;  ///< 0: any number
  std::uint32_t uses = 0;
  bool revoked = false;
  std::uint32_t group = 0; ///< where its devices go; 0: the moving rules say
};

/// A new token and its secret, which is nowhere else. 160 random bits: nobody guesses one.
struct fresh_token {
  enrolment_token token;
  std::string secret;
};
[[nodiscard]] fresh_token make_token(std::string name, std::string created_by, std::int64_t now_us,
                                     std::int64_t lifetime_s, std::uint32_t uses_max);

/// The change that keeps it.
[[nodiscard]] storage::change token_change(const enrolment_token& token);

/// All tokens of the store. A damaged one is an error: who may enrol is not guessed at.
[[nodiscard]] std::vector<enrolment_token> load_tokens(const storage::store& db,
                                                       std::error_code& ec);

/// First start: stores a token for the first devices (24 h, any number of uses) and leaves its
/// secret in `secret`; empty with `ec` when it could not be stored.
void make_first_token(storage::store& db, std::int64_t now_us, std::string& secret,
                      std::error_code& ec);

/// Why a token may not bring in a new device; empty when it may.
[[nodiscard]] std::string_view obstacle(const enrolment_token& token, std::int64_t now_us) noexcept;

/// Tokens found by the hash of what was shown, so that no comparison of secrets takes a time that
/// depends on them. At most fleet_limits::tokens_max. Use by one thread.
class token_book {
public:
  explicit token_book(std::vector<enrolment_token> loaded = {});

  /// By the secret itself; null when it is none.
  [[nodiscard]] enrolment_token* find_secret(std::string_view secret);
  [[nodiscard]] enrolment_token* find_id(std::string_view id);
  [[nodiscard]] bool full() const noexcept;
  void add(enrolment_token token);
  void erase(const std::string& id);
  /// Those that ended long ago (fleet_limits::token_kept) and can make room.
  [[nodiscard]] std::vector<std::string> outlived(std::int64_t now_us) const;
  /// Oldest first.
  [[nodiscard]] std::vector<token_info> list() const;
  [[nodiscard]] std::size_t size() const noexcept { return by_id_.size(); }

private:
  std::unordered_map<std::string, enrolment_token> by_id_;
  std::unordered_map<std::string, std::string> ids_by_hash_; ///< raw SHA-256 -> id
};

[[nodiscard]] token_info info_of(const enrolment_token& token);

} // namespace muster::actors
