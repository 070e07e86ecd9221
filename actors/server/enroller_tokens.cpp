// What the console does with enrolment tokens.
#include "actors/server/audit.hpp"
#include "actors/server/enroller.hpp"
#include "storage/keys.hpp"

#include <utility>

namespace muster::actors {

namespace {

using storage::family;

/// Of a new token's order: its id is not known to who ordered it.
audit_entry with_subject(audit_entry entry, const std::string& subject) {
  if (entry.subject.empty())
    entry.subject = subject;
  return entry;
}

} // namespace

caf::result<token_infos> enroller_state::create(const token_order& order) {
  if (order.lifetime_s < 0 || order.name.size() > fleet_limits::token_name_bytes_max)
    return make_error(errc::invalid, "a token's name has at most 128 bytes, its life an end");
  const auto now_us = options_.now();
  auto changes = std::make_shared<storage::change_batch>();
  auto gone = tokens_.full() ? tokens_.outlived(now_us) : std::vector<std::string>{};
  if (tokens_.full() && gone.empty())
    return make_error(errc::overloaded, "there are as many enrolment tokens as there may be");
  for (const auto& id : gone)
    changes->push_back(storage::erase(family::meta, storage::keys::token(id)));
  auto fresh = make_token(order.name, order.audit->actor, now_us, order.lifetime_s, order.uses_max);
  fresh.token.group = order.group;
  changes->push_back(token_change(fresh.token));
  changes->push_back(audit_change(with_subject(*order.audit, fresh.token.id), now_us));
  auto answer = self_->make_response_promise<token_infos>();
  self_
    ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(changes)},
              durability::command)
    .then(
      [this, answer, fresh = std::move(fresh), gone = std::move(gone)](caf::ok_atom) mutable {
        for (const auto& id : gone)
          tokens_.erase(id);
        auto info = info_of(fresh.token);
        info.secret = std::move(fresh.secret);
        tokens_.add(std::move(fresh.token));
        answer.deliver(
          std::make_shared<const std::vector<token_info>>(std::vector{std::move(info)}));
      },
      [answer](const caf::error& why) mutable { answer.deliver(why); });
  return answer;
}

/// Refused at once; when the store does not take it, it is as if nobody had asked.
caf::result<bool> enroller_state::revoke(const std::string& id, const audit_entry_ptr& audit) {
  auto* const token = tokens_.find_id(id);
  if (token == nullptr)
    return false;
  if (revoking_.contains(id))
    return make_error(errc::overloaded, "the token is being revoked already");
  if (token->revoked)
    return true;
  token->revoked = true;
  revoking_.insert(id);
  auto changes = std::make_shared<storage::change_batch>();
  changes->push_back(token_change(*token));
  changes->push_back(audit_change(*audit, options_.now()));
  auto answer = self_->make_response_promise<bool>();
  self_
    ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(changes)},
              durability::urgent)
    .then(
      [this, answer, id](caf::ok_atom) mutable {
        revoking_.erase(id);
        answer.deliver(true);
      },
      [this, answer, id](const caf::error& why) mutable {
        revoking_.erase(id);
        if (auto* const back = tokens_.find_id(id))
          back->revoked = false;
        answer.deliver(why);
      });
  return answer;
}

} // namespace muster::actors
