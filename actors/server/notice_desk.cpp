#include "actors/server/notice_desk.hpp"

#include "actors/rules/shard.hpp"

#include <muster/assert.hpp>

#include <string_view>

namespace muster::actors {

namespace {

notice_facts facts_of(const net::notice& said) {
  notice_facts out;
  out.device.bytes = said.device_id;
  out.boot.bytes = said.boot_id;
  out.counter = said.counter;
  out.reason = static_cast<off_reason>(said.reason); // the same numbers
  return out;
}

} // namespace

net::udp_port::filter notice_filter(datagram_keys_ptr keys) {
  return [keys = std::move(keys)](std::string_view bytes, const net::udp_endpoint&) {
    net::notice said;
    return net::check_notice(bytes, *keys->now(), said) == net::notice_verdict::accepted;
  };
}

notice_desk_actor::behavior_type notice_desk_state::make_behavior(notice_desk_options options) {
  options_ = std::move(options);
  MUSTER_ASSERT(!options_.directories.empty() && options_.keys,
                "notices need a directory and the keys of the devices");
  return {
    [this](atom::datagrams, const net::datagram_batch_ptr& batch) { return take(*batch); },
    [this](atom::metrics) { return metrics(); },
    [this](atom::status) { return status(); },
  };
}

caf::result<net::datagram_batch_ptr> notice_desk_state::take(const net::datagram_batch& batch) {
  const auto fresh = std::make_shared<round>();
  const auto keys = options_.keys->now();
  for (const auto& one : batch) {
    net::notice said;
    // The filter has let it through, but keys may have changed meanwhile.
    if (net::check_notice(one.bytes, *keys, said) != net::notice_verdict::accepted)
      continue;
    ++fresh->open;
    const key which{device_id{said.device_id}, said.counter};
    const auto [place, is_new] = questions_.try_emplace(which);
    place->second.said = said;
    place->second.askers.emplace_back(fresh, one.peer);
    if (is_new)
      waiting_.push_back(which);
    else
      ++repeated_;
  }
  if (fresh->open == 0)
    return net::datagram_batch_ptr{};
  fresh->port = self_->make_response_promise<net::datagram_batch_ptr>();
  ask_some();
  return fresh->port;
}

void notice_desk_state::ask_some() {
  for (; asked_ < questions_max && !waiting_.empty(); waiting_.pop_front()) {
    const auto which = waiting_.front();
    ++asked_;
    const auto& shards = options_.directories;
    self_->request(shards[rules::shard_of(which.first, shards.size())], caf::infinite,
                   atom::notice_v, facts_of(questions_.at(which).said))
      .then([this, which](bool on_record) { decide(which, on_record); },
            // Not on record, so far as we know: the device tries again.
            [this, which](const caf::error&) { decide(which, false); });
  }
}

void notice_desk_state::decide(const key& which, bool on_record) {
  --asked_;
  auto entry = questions_.extract(which);
  const auto& said = entry.mapped().said;
  ++(on_record ? taken_ : refused_);
  // Of a generation that has gone meanwhile we no longer have the key.
  const auto keys = options_.keys->now();
  const bool answered = on_record && keys->knows(said.generation);
  const auto answer =
    answered ? net::make_acknowledgement(said, keys->notice_key(said.generation, said.device_id))
             : std::string{};
  for (const auto& [asker, peer] : entry.mapped().askers) {
    if (answered)
      asker->answers.push_back({peer, answer});
    if (--asker->open == 0)
      asker->port.deliver(
        std::make_shared<const net::datagram_batch>(std::move(asker->answers)));
  }
  ask_some();
}

metrics_text notice_desk_state::metrics() const {
  std::string out;
  const auto add = [&](std::string_view figure, std::uint64_t value) {
    const auto full = "muster_notices_" + std::string(figure) + "_total";
    out += "# TYPE " + full + " counter\n" + full + " " + std::to_string(value) + "\n";
  };
  add("taken", taken_);
  add("repeated", repeated_);
  add("refused", refused_);
  return std::make_shared<const std::string>(std::move(out));
}

std::string notice_desk_state::status() const {
  return "notices: " + std::to_string(taken_) + " acknowledged, " + std::to_string(repeated_) +
         " repeated meanwhile, " + std::to_string(refused_) + " not";
}

notice_desk_actor::behavior_type
notice_desk(notice_desk_actor::stateful_pointer<notice_desk_state> self,
            notice_desk_options options) {
  return self->state.make_behavior(std::move(options));
}

} // namespace muster::actors
