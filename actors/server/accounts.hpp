#pragma once
// Who may use the console: users, log-ins, attempts.

#include "actors/protocol.hpp"
#include "actors/rules/attempts.hpp"
#include "storage/store.hpp"

#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

namespace muster::storage::record {
class user;
} // namespace muster::storage::record

namespace muster::actors {

/// The name and role of the administrator made at the first start.
inline constexpr std::string_view first_administrator = "admin";
inline constexpr std::string_view administrator_role = "administrator";

inline constexpr std::size_t user_bytes_max = 128;
inline constexpr std::size_t password_bytes_min = 10;
inline constexpr std::size_t password_bytes_max = 1024;

/// Why this cannot be a password, as a sentence; empty when it can.
[[nodiscard]] std::string problem_of_password(std::string_view password);

/// 100 random bits in letters and digits that cannot be taken for each other, in groups:
/// "k7mpq-2hv9x-...".
[[nodiscard]] std::string generate_password();

/// Whether anybody can log in at all. Before there are actors.
[[nodiscard]] bool has_user(const storage::store& db, std::error_code& ec);

/// For the first start, before there are actors: writes the user `admin`. An empty `password` is
/// generated; a given one is taken, so that its file can be written first. False without an error:
/// there is a user already, nothing was written. Takes the time of one hash.
bool make_first_administrator(storage::store& db, std::int64_t now_us, std::string& password,
                              std::error_code& ec);

struct accounts_options {
  store_writer_actor writer;
  store_reader_actor reader;
  password_hasher_actor hasher;
  wall_clock now;
  /// A user whose password was the generated one has set another: remove the file with it. Called
  /// by the actor, once per change, after it is durable.
  std::function<void()> on_initial_password_changed;

  /// A log-in ends so long after it began, or after its last use.
  std::chrono::seconds lifetime = std::chrono::hours{12};
  std::chrono::seconds idle_max = std::chrono::hours{2};
  /// Log-ins at a time: of one user (the one unused for longest ends for a new one), and of all.
  std::size_t logins_per_user_max = 64;
  std::size_t logins_max = 4096;
  /// Per user: stops the guessing of one password from many places. Who has logged in as this user
  /// from the same source since the start is not held up by it, so that strangers cannot lock an
  /// administrator out.
  rules::attempt_limits attempts_per_user{10, std::chrono::seconds{30}, 10'000};
  /// Per source: stops one place from guessing at all.
  rules::attempt_limits attempts_per_source{20, std::chrono::seconds{10}, 10'000};
  /// Audit entries about refused attempts; the rest is counted and told with the next one.
  rules::attempt_limits audited_failures{100, std::chrono::seconds{30}, 1};
};

/// Users are in the store and are read at each log-in; log-ins are in memory only, by the SHA-256
/// of their token: neither a copy of the store nor one of this process's memory is a log-in, and a
/// restart of the server ends them all. That costs one `muster login`, rarely.
///
/// Answers to wrong names take as long as answers to wrong passwords: both hash.
class accounts_state {
public:
  static inline const char* name = "accounts";

  explicit accounts_state(accounts_actor::pointer self) : self_(self) {}

  accounts_actor::behavior_type make_behavior(accounts_options options);

private:
  using user_ptr = std::shared_ptr<const storage::record::user>;
  using user_found = std::function<void(user_ptr user)>; ///< null: no such user
  using failed = std::function<void(const caf::error& why)>;
  struct login {
    std::string user, role, source;
    std::int64_t expires_us = 0;
    std::int64_t used_us = 0;
  };

  caf::result<login_result> log_in(const login_request& request);
  caf::result<console_user> verify(const std::string& bearer);
  void log_out(const std::string& bearer);
  caf::result<bool> change_password(const password_order& order);
  caf::result<bool> set_password(const std::string& user, const std::string& password);

  void find_user(const std::string& user, user_found found, failed give_up);
  /// Counts an attempt. Zero: it may be made; otherwise when the next one may.
  [[nodiscard]] std::chrono::microseconds take_attempt(const std::string& user,
                                                       const std::string& source);
  void check_password(user_ptr user, const std::string& password,
                      std::function<void(bool good)> checked, failed give_up);
  [[nodiscard]] std::uint64_t changes_of(const std::string& user) const;
  void note_success(const std::string& user, const std::string& source);
  login_result grant(const storage::record::user& user, const std::string& source);
  void make_room_for(const std::string& user);
  void replace_password(user_ptr user, const std::string& password, audit_entry entry,
                        std::string surviving_bearer, caf::typed_response_promise<bool> answer);
  void write_password(const storage::record::user& before, const std::string& hashed,
                      const audit_entry& entry, std::string surviving_bearer,
                      caf::typed_response_promise<bool> answer);
  void void_logins(const std::string& user, const std::string& surviving_bearer);
  [[nodiscard]] bool is_over(const login& l, std::int64_t now_us) const;
  void audit(audit_entry entry);
  void audit_failure(const std::string& user, const std::string& source, std::string_view why);
  [[nodiscard]] std::string status() const;

  accounts_actor::pointer self_;
  accounts_options options_;
  std::unordered_map<std::string, login> logins_; ///< by SHA-256 of the token
  rules::attempt_budget user_attempts_;
  rules::attempt_budget source_attempts_;
  rules::attempt_budget failure_entries_;
  std::unordered_set<std::string> known_sources_; ///< user and source of successes; bounded
  /// How often a user's password has changed since the start: a log-in under way with the old one
  /// must not be granted behind the change.
  std::unordered_map<std::string, std::uint64_t> password_changes_;
  std::uint64_t failures_unaudited_ = 0;
  std::uint64_t granted_ = 0;
  std::uint64_t refused_ = 0;
};

accounts_actor::behavior_type accounts(accounts_actor::stateful_pointer<accounts_state> self,
                                       accounts_options options);

} // namespace muster::actors
