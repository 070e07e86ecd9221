#include "actors/server/password_hasher.hpp"

#include "actors/errc.hpp"

#include <muster/assert.hpp>

#include <utility>

namespace muster::actors {

password_hasher_state::~password_hasher_state() {
  for (auto& who : queue_)
    fail(who, make_error(errc::stopping, "the server is stopping"));
}

password_hasher_actor::behavior_type
password_hasher_state::make_behavior(password_hasher_options options) {
  options_ = std::move(options);
  MUSTER_ASSERT(options_.hash && options_.verify, "a hasher needs something to hash with");
  return {
    [this](atom::hash, const std::string& password) -> caf::result<std::string> {
      if (is_full())
        return make_error(errc::overloaded, "too many passwords are being checked");
      waiter who{password, {}, self_->make_response_promise<std::string>(), {}, false};
      auto answer = who.hashed;
      enqueue(std::move(who));
      return answer;
    },
    [this](atom::verify, const std::string& password,
           const std::string& record) -> caf::result<bool> {
      if (is_full())
        return make_error(errc::overloaded, "too many passwords are being checked");
      waiter who{password, record, {}, self_->make_response_promise<bool>(), true};
      auto answer = who.verified;
      enqueue(std::move(who));
      return answer;
    },
    [this](atom::next) { work(); },
    [this](atom::status) {
      return std::to_string(done_) + " hashed, " + std::to_string(refused_) + " refused, "
             + std::to_string(queue_.size()) + " waiting";
    },
  };
}

bool password_hasher_state::is_full() {
  if (queue_.size() < options_.queue_max)
    return false;
  ++refused_;
  return true;
}

void password_hasher_state::enqueue(waiter who) {
  queue_.push_back(std::move(who));
  if (!std::exchange(work_on_its_way_, true))
    self_->send(self_, atom::next_v);
}

void password_hasher_state::work() {
  work_on_its_way_ = false;
  if (queue_.empty())
    return;
  auto who = std::move(queue_.front());
  queue_.pop_front();
  if (who.verifies)
    who.verified.deliver(options_.verify(who.password, who.record));
  else
    who.hashed.deliver(options_.hash(who.password));
  ++done_;
  if (!queue_.empty()) {
    work_on_its_way_ = true;
    self_->send(self_, atom::next_v);
  }
}

void password_hasher_state::fail(waiter& who, const caf::error& why) {
  if (who.verifies)
    who.verified.deliver(why);
  else
    who.hashed.deliver(why);
}

password_hasher_actor::behavior_type
password_hasher(password_hasher_actor::stateful_pointer<password_hasher_state> self,
                password_hasher_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
