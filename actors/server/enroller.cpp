#include "actors/server/enroller.hpp"

#include "actors/rules/shard.hpp"
#include "actors/server/device_records.hpp"
#include "net/enrolment_proof.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <muster/assert.hpp>

#include <spdlog/spdlog.h>

#include <functional>
#include <utility>

namespace muster::actors {

using storage::family;

/// What the store has under a key.
struct enroller_state::known_key {
  bool seen = false;                             ///< the key enrolled once
  std::optional<storage::record::device> device; ///< empty: its device has been removed
};

namespace {

std::string raw(const net::sha256_digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::error_code look_up(const storage::store& db, const net::sha256_digest& key, bool& seen,
                        std::optional<storage::record::device>& device) {
  std::error_code ec;
  const auto owner = db.get(family::devices, storage::keys::key_hash(key), ec);
  if (ec || !owner)
    return ec;
  seen = true;
  storage::keys::device_bytes id{};
  if (ec = storage::records::decode_device_id(*owner, id); ec)
    return ec;
  const auto record = db.get(family::devices, storage::keys::device(id), ec);
  if (ec || !record)
    return ec;
  return storage::records::decode(*record, device.emplace());
}

storage::record::device record_of(const enrolled_device& device, std::string certificate) {
  using storage::records::clean_text;
  storage::record::device out;
  out.set_id(device.device.raw());
  out.set_certificate_sha256(raw(device.certificate_sha256));
  out.set_key_sha256(raw(device.key_sha256));
  out.set_certificate_expires_s(device.certificate_expires_s);
  out.set_fingerprint(device.fingerprint.raw());
  out.set_host_name(clean_text(device.host_name));
  out.set_agent_version(clean_text(device.agent_version));
  out.set_address(clean_text(device.address));
  out.set_enrolled_ms(device.enrolled_us / 1000);
  out.set_enrolled_by(device.token_id);
  out.set_token_name(clean_text(device.token_name));
  out.set_certificate(std::move(certificate));
  return out;
}

} // namespace

enroller_state::~enroller_state() {
  for (auto& [key, one] : enrolling_)
    for (auto& waiting : one->answers)
      waiting.deliver(make_error(errc::stopping, "the enroller has ended"));
}

enroller_actor::behavior_type enroller_state::make_behavior(enroller_options options) {
  options_ = std::move(options);
  MUSTER_ASSERT(!options_.readers.empty() && !options_.directories.empty() && options_.authority &&
                  options_.now,
                "an enroller needs readers, directories, an authority and a clock");
  tokens_ = token_book(std::exchange(options_.tokens, {}));
  return {
    [this](atom::enrol, const enrolment_ptr& request) { return enrol(request); },
    [this](atom::create, const token_order& order) { return create(order); },
    [this](atom::list) -> token_infos {
      return std::make_shared<const std::vector<token_info>>(tokens_.list());
    },
    [this](atom::revoke, const std::string& id, const audit_entry_ptr& audit) {
      return revoke(id, audit);
    },
    [this](atom::status) { return status(); },
  };
}

// -- enrolment
// --------------------------------------------------------------------------------------

caf::result<enrolment_result_ptr> enroller_state::enrol(const enrolment_ptr& request) {
  if (enrolling_.size() >= fleet_limits::enrolments_max)
    return make_error(errc::overloaded, "too many enrolments at once");
  if (is_blocked(request->address))
    return refused(refusal::limit, "too many wrong attempts to enrol from this address; try again "
                                   "in a minute");
  const auto* const token = tokens_.find_secret(request->token);
  if (token == nullptr) {
    note_mistake(request->address);
    tell_of_wrong_tokens(request->address);
    return refused(refusal::token, "this server does not know the enrolment token; `muster token "
                                   "create` makes one");
  }
  std::error_code ec;
  auto key = net::key_of_csr(request->csr, ec);
  if (!key || !key->verify(net::enrolment_proof_message(request->exporter), request->proof)) {
    note_mistake(request->address);
    return refused(refusal::enrolment, !key ? "the certificate request is damaged: " + ec.message()
                                            : "the request is not signed for this connection");
  }
  auto answer = self_->make_response_promise<enrolment_result_ptr>();
  const auto digest = key->spki_sha256();
  auto& place = enrolling_[digest];
  if (place) { // a retry, before the first attempt has been answered
    if (place->answers.size() > fleet_limits::retries_waiting_max)
      answer.deliver(make_error(errc::overloaded, "this key is being enrolled already"));
    else
      place->answers.push_back(answer);
    return answer;
  }
  place = std::make_shared<enrolling>();
  place->request = request;
  place->token_id = token->id;
  place->key_sha256 = digest;
  place->key = std::move(key);
  place->answers.push_back(answer);
  look_key_up(place);
  return answer;
}

void enroller_state::look_key_up(const enrolling_ptr& one) {
  const auto known = std::make_shared<known_key>();
  const auto look = [known, key = one->key_sha256](const storage::store& db) {
    return look_up(db, key, known->seen, known->device);
  };
  const auto& reader = options_.readers[one->key_sha256[0] % options_.readers.size()];
  self_
    ->request(reader, caf::infinite, atom::read_v,
              std::make_shared<const std::function<std::error_code(const storage::store&)>>(look))
    .then([this, one, known](caf::ok_atom) { on_key_looked_up(one, *known); },
          [this, one](const caf::error& why) { fail(one, why); });
}

void enroller_state::on_key_looked_up(const enrolling_ptr& one, const known_key& known) {
  if (!known.seen)
    return issue(one);
  if (!known.device)
    return answer(one, refused(refusal::revoked,
                               "this key belonged to a device that has been removed; it never "
                               "enrols again: remove the agent's identity and enrol with a new "
                               "key"));
  const auto& device = *known.device;
  if (device.revoked())
    return answer(one, refused(refusal::revoked,
                               "this key has been revoked; it never enrols again: remove the "
                               "agent's identity and enrol with a new key"));
  if (device.certificate_expires_s() < options_.now() / 1'000'000)
    return answer(one, refused(refusal::expired,
                               "the certificate of this key has expired; remove the agent's "
                               "identity and enrol with a new key"));
  auto out = std::make_shared<enrolment_result>();
  out->device = device_id::from_bytes(device.id()).value_or(device_id{});
  out->certificate = device.certificate();
  answer(one, out);
}

/// The use of the token counts from here on; it is given back when the batch fails.
void enroller_state::issue(const enrolling_ptr& one) {
  auto* const token = tokens_.find_id(one->token_id);
  const auto now_us = options_.now();
  if (const auto why = token == nullptr ? "the enrolment token is gone" : obstacle(*token, now_us);
      !why.empty())
    return answer(one, refused(refusal::token, std::string{why}));
  auto device = std::make_shared<enrolled_device>();
  net::random_bytes(device->device.bytes);
  const auto certificate =
    options_.authority->issue(*one->key, net::role::device, device->device.bytes,
                              now_us / 1'000'000, options_.certificate_lifetime);
  device->certificate_sha256 = certificate.sha256();
  device->key_sha256 = one->key_sha256;
  device->certificate_expires_s = certificate.not_after_s();
  device->fingerprint = one->request->fingerprint;
  device->host_name = one->request->host_name;
  if (device->host_name.empty())
    device->host_name = "device-" + device->device.text().substr(0, 8);
  device->agent_version = one->request->agent_version;
  device->token_id = token->id;
  device->token_name = token->name;
  device->group = token->group;
  device->address = one->request->address;
  device->enrolled_us = now_us;
  auto result = std::make_shared<enrolment_result>();
  result->device = device->device;
  result->certificate = certificate.der();

  ++token->uses;
  auto changes = std::make_shared<storage::change_batch>();
  changes->push_back(storage::put(family::devices, storage::keys::key_hash(one->key_sha256),
                                  storage::records::encode_device_id(device->device.bytes)));
  changes->push_back(storage::put(family::devices, storage::keys::device(device->device.bytes),
                                  storage::records::encode(record_of(*device, certificate.der()))));
  changes->push_back(token_change(*token));
  // Here, and not by the directory: the token's word must not get lost between the two.
  if (device->group != 0)
    changes->push_back(assignment_change(device->device, {device->group, {}, true}, now_us,
                                         "token " + token->name));
  self_
    ->request(options_.writer, caf::infinite, atom::put_v, change_batch_ptr{std::move(changes)},
              durability::command)
    .then([this, one, device, result](caf::ok_atom) { tell_directory(one, device, result); },
          [this, one](const caf::error& why) {
            if (auto* const back = tokens_.find_id(one->token_id))
              --back->uses;
            fail(one, why);
          });
}

/// Before the agent hears: it connects at once, and the directory must know it then.
void enroller_state::tell_directory(const enrolling_ptr& one, const enrolled_device_ptr& device,
                                    const enrolment_result_ptr& result) {
  ++enrolled_;
  spdlog::info("device {}: {} enrolled from {} with token {}", device->device.text(),
               device->host_name, device->address, device->token_id);
  const auto shard = rules::shard_of(device->device, options_.directories.size());
  self_->request(options_.directories[shard], caf::infinite, atom::enrol_v, device)
    .then([this, one, result](caf::ok_atom) { answer(one, result); },
          [this, one](const caf::error& why) { fail(one, why); });
}

enrolment_result_ptr enroller_state::refused(refusal why, std::string text) {
  ++refused_;
  auto out = std::make_shared<enrolment_result>();
  out->reason = why;
  out->text = std::move(text);
  return out;
}

void enroller_state::answer(const enrolling_ptr& one, const enrolment_result_ptr& result) {
  enrolling_.erase(one->key_sha256);
  for (auto& waiting : one->answers)
    waiting.deliver(result);
  one->answers.clear();
}

void enroller_state::fail(const enrolling_ptr& one, const caf::error& why) {
  enrolling_.erase(one->key_sha256);
  for (auto& waiting : one->answers)
    waiting.deliver(why);
  one->answers.clear();
}

// -- wrong attempts
// ---------------------------------------------------------------------------------

bool enroller_state::is_blocked(const std::string& address) {
  const auto found = sources_.find(address);
  return found && found->count >= fleet_limits::wrong_tokens_max &&
         self_->clock().now() - found->since < fleet_limits::wrong_tokens_window;
}

void enroller_state::note_mistake(const std::string& address) {
  const auto now = self_->clock().now();
  auto found = sources_.find(address).value_or(mistakes{now, 0});
  if (now - found.since >= fleet_limits::wrong_tokens_window)
    found = {now, 0};
  ++found.count;
  sources_.put(address, found);
}

/// One event for many attempts: whoever tries must not be able to fill the events.
void enroller_state::tell_of_wrong_tokens(const std::string& address) {
  ++wrong_tokens_untold_;
  const auto now = self_->clock().now();
  if (wrong_tokens_told_at_ && now - *wrong_tokens_told_at_ < fleet_limits::wrong_tokens_told)
    return;
  wrong_tokens_told_at_ = now;
  const auto attempts = std::to_string(std::exchange(wrong_tokens_untold_, 0));
  auto event = std::make_shared<raised_event>();
  event->severity = severity::warning;
  event->type = "enrolment.refused";
  event->text = "wrong enrolment token, " + attempts + " attempts, the last from " + address;
  event->attributes = {{"address", address}, {"attempts", attempts}};
  self_->send(options_.event_book, atom::raise_v, device_id{}, raised_event_ptr{std::move(event)});
}

std::string enroller_state::status() const {
  return std::to_string(enrolled_) + " enrolled, " + std::to_string(refused_) + " refused, " +
         std::to_string(enrolling_.size()) + " in work, " + std::to_string(tokens_.size()) +
         " tokens";
}

enroller_actor::behavior_type enroller(enroller_actor::stateful_pointer<enroller_state> self,
                                       enroller_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
