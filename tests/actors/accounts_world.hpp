#pragma once
// A world with accounts, the store they need, and a hasher that takes no time.

#include "actors/server/accounts.hpp"
#include "actors/server/password_hasher.hpp"
#include "net/password.hpp"
#include "storage/audit_query.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/store_reader_actor.hpp"
#include "storage/store_writer_actor.hpp"
#include "tests/actor_world.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace muster::test {

/// Verifies at once, or, while it is told to, keeps the answers back.
class quick_hasher_state {
public:
  static inline const char* name = "quick_hasher";
  explicit quick_hasher_state(actors::password_hasher_actor::pointer self) : self_(self) {}

  actors::password_hasher_actor::behavior_type make_behavior(int* hashed, bool* hold) {
    return {
      [hashed](atom::hash, const std::string& password) {
        ++*hashed;
        return "plain " + password;
      },
      [this, hashed, hold](atom::verify, const std::string& password,
                           const std::string& record) -> caf::result<bool> {
        ++*hashed;
        const bool good = record == "plain " + password;
        if (!*hold)
          return good;
        auto answer = self_->make_response_promise<bool>();
        held_.emplace_back(answer, good);
        return answer;
      },
      [this](atom::next) {
        for (auto& [answer, good] : held_)
          answer.deliver(good);
        held_.clear();
      },
      [](atom::status) { return std::string{}; },
    };
  }

private:
  actors::password_hasher_actor::pointer self_;
  std::vector<std::pair<caf::typed_response_promise<bool>, bool>> held_;
};

inline actors::password_hasher_actor::behavior_type
quick_hasher(actors::password_hasher_actor::stateful_pointer<quick_hasher_state> self, int* hashed,
             bool* hold) {
  return self->state.make_behavior(hashed, hold);
}

struct accounts_stage {
  storage::memory_store db;
  int hashed = 0;
  bool hold_verify = false;
  int initial_changed = 0;

  accounts_stage() { add_user("admin", "correct horse", "administrator", true); }

  void add_user(const std::string& name, const std::string& password, const std::string& role,
                bool initial = false) {
    storage::record::user user;
    user.set_name(name);
    user.set_password("plain " + password);
    user.set_role(role);
    user.set_initial_password(initial);
    const storage::change_batch batch{storage::put(
      storage::family::meta, storage::keys::user(name), storage::records::encode(user))};
    REQUIRE_FALSE(db.write_sync({&batch, 1}));
  }

  /// Newest first.
  [[nodiscard]] std::vector<storage::record::audit> entries() const {
    storage::audit_page page;
    REQUIRE_FALSE(storage::find_audits(db, {.limit = 1000}, page));
    return page.entries;
  }
  [[nodiscard]] std::vector<std::string> actions() const {
    std::vector<std::string> out;
    for (const auto& entry : entries())
      out.push_back(entry.action());
    return out;
  }
};

struct accounts_world : accounts_stage, actor_world {
  /// Runs with the world's own time.
  [[nodiscard]] std::int64_t now_us() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(
             sched.clock().current_time.time_since_epoch())
             .count()
           + 1'700'000'000'000'000;
  }
  actors::wall_clock clock = [this] { return now_us(); };

  actors::store_writer_actor writer =
    host(storage::store_writer, storage::store_writer_options{.db = &db, .clock = clock});
  actors::store_reader_actor reader =
    host(storage::store_reader, static_cast<const storage::store*>(&db));
  actors::password_hasher_actor hasher = host(quick_hasher, &hashed, &hold_verify);
  actors::accounts_actor accounts = host(actors::accounts, options());

  actors::accounts_options options() {
    actors::accounts_options out;
    out.writer = writer;
    out.reader = reader;
    out.hasher = hasher;
    out.now = clock;
    out.on_initial_password_changed = [this] { ++initial_changed; };
    return out;
  }

  actors::login_result log_in(const std::string& user, const std::string& password,
                              const std::string& source = "::1") {
    pass(std::chrono::microseconds{1}); // so that audit entries have an order
    return ask<actors::login_result>(accounts, atom::login_v,
                                     actors::login_request{user, password, source});
  }
  actors::console_user whose(const std::string& bearer) {
    return ask<actors::console_user>(accounts, atom::verify_v, bearer);
  }
  bool change(const std::string& user, const std::string& before, const std::string& after,
              const std::string& bearer) {
    pass(std::chrono::microseconds{1});
    return ask<bool>(accounts, atom::passwd_v,
                     actors::password_order{user, before, after, bearer, "::1"});
  }
  void release_verify() {
    hold_verify = false;
    self->send(hasher, atom::next_v);
  }
};

} // namespace muster::test
