#pragma once
// The one place where passwords are hashed: a thread of its own and a short queue, because one hash
// takes 80 ms and 32 MB, and anybody who reaches the admin port can ask for one. So the most that
// all of them together can cost is one core and 32 MB. Who tries too often is stopped before this
// (accounts: attempts per user and per source).

#include "actors/protocol.hpp"

#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace muster::actors {

struct password_hasher_options {
  /// Waiting for their turn; the next one is refused with errc::overloaded. Eight hashes take
  /// two thirds of a second.
  std::size_t queue_max = 8;
  /// net/password.hpp, in production; quick ones in tests. Run on this actor's thread, one at a
  /// time. Both must be set. `verify` answers false for a record that is none.
  std::function<std::string(std::string_view password)> hash;
  std::function<bool(std::string_view password, std::string_view record)> verify;
};

/// Detached in production. The mailbox is looked through between two hashes, so whoever is too many
/// hears it after one of them at the latest. Whoever still waits at its end gets an error.
///
/// Hashing is a message to itself: the next one goes behind whatever has come meanwhile.
class password_hasher_state {
public:
  static inline const char* name = "password_hasher";

  explicit password_hasher_state(password_hasher_actor::pointer self) : self_(self) {}
  ~password_hasher_state();
  password_hasher_state(const password_hasher_state&) = delete;
  password_hasher_state& operator=(const password_hasher_state&) = delete;

  password_hasher_actor::behavior_type make_behavior(password_hasher_options options);

private:
  /// One who waits: for a record, or, when there is a record, for whether it fits.
  struct waiter {
    std::string password;
    std::string record;
    caf::typed_response_promise<std::string> hashed;
    caf::typed_response_promise<bool> verified;
    bool verifies = false;
  };

  [[nodiscard]] bool is_full(); ///< and counts who is refused for it
  void enqueue(waiter who);
  void work(); ///< one hash
  static void fail(waiter& who, const caf::error& why);

  password_hasher_actor::pointer self_;
  password_hasher_options options_;
  std::deque<waiter> queue_;
  bool work_on_its_way_ = false; ///< a message to ourselves; one at a time
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
};

/// Spawned once, for `accounts`.
password_hasher_actor::behavior_type
password_hasher(password_hasher_actor::stateful_pointer<password_hasher_state> self,
                password_hasher_options options);

} // namespace muster::actors
