#include "actors/server/accounts.hpp"

#include "actors/errc.hpp"
#include "actors/server/audit.hpp"
#include "net/certificate.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

namespace muster::actors {

namespace {

constexpr std::size_t bearer_bytes = 32;
constexpr std::size_t known_sources_max = 10'000;

std::string raw(const net::sha256_digest& digest) {
  return {digest.begin(), digest.end()};
}

std::string pair_of(const std::string& user, const std::string& source) {
  return user + '\0' + source;
}

} // namespace

accounts_actor::behavior_type accounts_state::make_behavior(accounts_options options) {
  options_ = std::move(options);
  user_attempts_ = rules::attempt_budget(options_.attempts_per_user);
  source_attempts_ = rules::attempt_budget(options_.attempts_per_source);
  failure_entries_ = rules::attempt_budget(options_.audited_failures);
  return {
    [this](atom::login, const login_request& request) { return log_in(request); },
    [this](atom::verify, const std::string& bearer) { return verify(bearer); },
    [this](atom::logout, const std::string& bearer) { log_out(bearer); },
    [this](atom::passwd, const password_order& order) { return change_password(order); },
    [this](atom::passwd, const std::string& user, const std::string& password) {
      return set_password(user, password);
    },
    [this](atom::status) { return status(); },
  };
}

// -- log-in ---------------------------------------------------------------------------------------

caf::result<login_result> accounts_state::log_in(const login_request& request) {
  const auto source = rules::source_of(request.source);
  if (const auto time = take_attempt(request.user, source); time.count() > 0) {
    ++refused_;
    audit_failure(request.user, request.source, "too many attempts");
    login_result out;
    out.retry_after_s = static_cast<std::uint32_t>((time.count() + 999'999) / 1'000'000);
    return out;
  }
  auto answer = self_->make_response_promise<login_result>();
  const auto give_up = [answer](const caf::error& why) mutable { answer.deliver(why); };
  const auto changes = changes_of(request.user);
  find_user(
    request.user,
    [=, this](const user_ptr& user) {
      check_password(
        user, request.password,
        [=, this](bool good) mutable {
          if (good && changes == changes_of(request.user)) {
            note_success(request.user, source);
            answer.deliver(grant(*user, request.source));
          } else {
            ++refused_;
            audit_failure(request.user, request.source, user ? "wrong password" : "no such user");
            answer.deliver(login_result{});
          }
        },
        give_up);
    },
    give_up);
  return answer;
}

std::chrono::microseconds accounts_state::take_attempt(const std::string& user,
                                                       const std::string& source) {
  const auto now_us = options_.now();
  const bool known = known_sources_.contains(pair_of(user, source));
  auto time = source_attempts_.wait(source, now_us);
  if (!known)
    time = std::max(time, user_attempts_.wait(user, now_us));
  if (time.count() > 0)
    return time;
  time = source_attempts_.take(source, now_us);
  if (!known)
    time = std::max(time, user_attempts_.take(user, now_us));
  return time;
}

std::uint64_t accounts_state::changes_of(const std::string& user) const {
  const auto found = password_changes_.find(user);
  return found != password_changes_.end() ? found->second : 0;
}

void accounts_state::find_user(const std::string& user, user_found found, failed give_up) {
  self_->request(options_.reader, caf::infinite, atom::get_v, storage::family::meta,
                 storage::keys::user(user))
    .then(
      [found = std::move(found), give_up](const read_result& result) {
        if (!result.value)
          return found(nullptr);
        const auto user_record = std::make_shared<storage::record::user>();
        if (const auto ec = storage::records::decode(*result.value, *user_record))
          return give_up(make_error(ec));
        found(user_record);
      },
      give_up);
}

void accounts_state::check_password(user_ptr user, const std::string& password,
                                    std::function<void(bool good)> checked, failed give_up) {
  if (user) {
    self_->request(options_.hasher, caf::infinite, atom::verify_v, password, user->password())
      .then(std::move(checked), std::move(give_up));
    return;
  }
  // Work of the same length, so that the time tells nothing about who is a user.
  self_->request(options_.hasher, caf::infinite, atom::hash_v, password)
    .then([checked = std::move(checked)](const std::string&) { checked(false); },
          std::move(give_up));
}

void accounts_state::note_success(const std::string& user, const std::string& source) {
  user_attempts_.forgive(user);
  source_attempts_.forgive(source);
  if (known_sources_.size() < known_sources_max)
    known_sources_.insert(pair_of(user, source));
}

login_result accounts_state::grant(const storage::record::user& user, const std::string& source) {
  make_room_for(user.name());
  std::array<std::uint8_t, bearer_bytes> secret{};
  net::random_bytes(secret);
  login_result out;
  out.granted = true;
  out.bearer = net::to_hex(secret);
  const auto now_us = options_.now();
  out.expires_us =
    now_us + std::chrono::duration_cast<std::chrono::microseconds>(options_.lifetime).count();
  logins_[raw(net::sha256(out.bearer))] = {user.name(), user.role(), source, out.expires_us,
                                           now_us};
  ++granted_;
  audit({user.name(), source, "login", user.name(), {}});
  return out;
}

bool accounts_state::is_over(const login& l, std::int64_t now_us) const {
  const auto idle_us =
    std::chrono::duration_cast<std::chrono::microseconds>(options_.idle_max).count();
  return now_us >= l.expires_us || now_us - l.used_us >= idle_us;
}

/// One log-in more must fit, for the user and for all.
void accounts_state::make_room_for(const std::string& user) {
  const auto now_us = options_.now();
  std::erase_if(logins_, [&](const auto& entry) { return is_over(entry.second, now_us); });
  std::size_t of_user = 0;
  auto oldest = logins_.end();
  auto oldest_of_user = logins_.end();
  for (auto at = logins_.begin(); at != logins_.end(); ++at) {
    if (oldest == logins_.end() || at->second.used_us < oldest->second.used_us)
      oldest = at;
    if (at->second.user != user)
      continue;
    ++of_user;
    if (oldest_of_user == logins_.end() || at->second.used_us < oldest_of_user->second.used_us)
      oldest_of_user = at;
  }
  if (of_user >= options_.logins_per_user_max)
    logins_.erase(oldest_of_user);
  else if (logins_.size() >= options_.logins_max)
    logins_.erase(oldest);
}

caf::result<console_user> accounts_state::verify(const std::string& bearer) {
  const auto found = logins_.find(raw(net::sha256(bearer)));
  if (found == logins_.end())
    return console_user{};
  const auto now_us = options_.now();
  if (is_over(found->second, now_us)) {
    logins_.erase(found);
    return console_user{};
  }
  found->second.used_us = std::max(found->second.used_us, now_us);
  return console_user{found->second.user, found->second.role};
}

void accounts_state::log_out(const std::string& bearer) {
  const auto found = logins_.find(raw(net::sha256(bearer)));
  if (found == logins_.end())
    return;
  audit({found->second.user, found->second.source, "logout", found->second.user, {}});
  logins_.erase(found);
}

// -- passwords ------------------------------------------------------------------------------------

caf::result<bool> accounts_state::change_password(const password_order& order) {
  if (const auto problem = problem_of_password(order.new_password); !problem.empty())
    return make_error(errc::invalid, problem);
  const auto source = rules::source_of(order.source);
  if (take_attempt(order.user, source).count() > 0) {
    audit_failure(order.user, order.source, "too many attempts");
    return false;
  }
  auto answer = self_->make_response_promise<bool>();
  const auto give_up = [answer](const caf::error& why) mutable { answer.deliver(why); };
  find_user(
    order.user,
    [=, this](const user_ptr& user) {
      check_password(
        user, order.old_password,
        [=, this](bool good) mutable {
          if (!good) {
            audit_failure(order.user, order.source, "wrong old password");
            answer.deliver(false);
            return;
          }
          note_success(order.user, source);
          replace_password(user, order.new_password,
                           {order.user, order.source, "password.change", order.user, {}},
                           order.bearer, answer);
        },
        give_up);
    },
    give_up);
  return answer;
}

caf::result<bool> accounts_state::set_password(const std::string& user,
                                               const std::string& password) {
  if (const auto problem = problem_of_password(password); !problem.empty())
    return make_error(errc::invalid, problem);
  auto answer = self_->make_response_promise<bool>();
  find_user(
    user,
    [=, this](const user_ptr& found) mutable {
      if (!found) {
        answer.deliver(false);
        return;
      }
      replace_password(found, password, {"root (local)", "local", "password.set", user, {}}, {},
                       answer);
    },
    [answer](const caf::error& why) mutable { answer.deliver(why); });
  return answer;
}

void accounts_state::replace_password(user_ptr user, const std::string& password,
                                      audit_entry entry, std::string surviving_bearer,
                                      caf::typed_response_promise<bool> answer) {
  self_->request(options_.hasher, caf::infinite, atom::hash_v, password)
    .then(
      [=, this](const std::string& hashed) {
        write_password(*user, hashed, entry, surviving_bearer, answer);
      },
      [answer](const caf::error& why) mutable { answer.deliver(why); });
}

void accounts_state::write_password(const storage::record::user& before, const std::string& hashed,
                                    const audit_entry& entry, std::string surviving_bearer,
                                    caf::typed_response_promise<bool> answer) {
  const auto now_us = options_.now();
  auto after = before;
  after.set_password(hashed);
  after.set_password_changed_ms(now_us / 1000);
  after.set_initial_password(false);
  auto batch = std::make_shared<storage::change_batch>();
  batch->push_back(storage::put(storage::family::meta, storage::keys::user(after.name()),
                                storage::records::encode(after)));
  batch->push_back(audit_change(entry, now_us));
  self_->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(batch)},
                 durability::command)
    .then(
      [=, this, user = before.name(), was_initial = before.initial_password()](
        caf::ok_atom) mutable {
        ++password_changes_[user];
        void_logins(user, surviving_bearer);
        if (was_initial && options_.on_initial_password_changed)
          options_.on_initial_password_changed();
        answer.deliver(true);
      },
      [answer](const caf::error& why) mutable { answer.deliver(why); });
}

void accounts_state::void_logins(const std::string& user, const std::string& surviving_bearer) {
  const auto survivor = raw(net::sha256(surviving_bearer));
  std::erase_if(logins_, [&](const auto& entry) {
    return entry.second.user == user && entry.first != survivor;
  });
}

// -- what is written down -------------------------------------------------------------------------

/// Log-ins must be possible while nothing can be written: that is when they are needed most.
void accounts_state::audit(audit_entry entry) {
  auto batch = std::make_shared<storage::change_batch>();
  batch->push_back(audit_change(entry, options_.now()));
  self_->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(batch)},
                 durability::fact)
    .then([](caf::ok_atom) {},
          [action = std::move(entry.action)](const caf::error& why) {
            spdlog::error("audit: '{}' could not be written down: {}", action, text_of(why));
          });
}

void accounts_state::audit_failure(const std::string& user, const std::string& source,
                                   std::string_view why) {
  if (failure_entries_.take({}, options_.now()).count() > 0) {
    ++failures_unaudited_;
    return;
  }
  std::string detail{why};
  if (const auto more = std::exchange(failures_unaudited_, 0); more > 0)
    detail += "; before it " + std::to_string(more) + " more that are not in this list";
  audit({user.substr(0, user_bytes_max), source, "login.refused", user.substr(0, user_bytes_max),
         std::move(detail)});
}

std::string accounts_state::status() const {
  return std::to_string(logins_.size()) + " logged in, " + std::to_string(granted_)
         + " granted, " + std::to_string(refused_) + " refused";
}

accounts_actor::behavior_type accounts(accounts_actor::stateful_pointer<accounts_state> self,
                                       accounts_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
