#include "bench/commit/workload.hpp"

#include "storage/event_blocks_actor.hpp"
#include "storage/limits.hpp"

#include <array>
#include <string>

namespace muster::bench {

namespace {

constexpr std::uint64_t epoch = 0x1d8f'52c6'90ab'37e1;

actors::device_id device_of(std::size_t sender) {
  actors::device_id out;
  for (std::size_t i = 0; i < out.bytes.size(); ++i)
    out.bytes[i] = static_cast<std::uint8_t>((sender + 1) * 2'654'435'761U >> (i % 4 * 8));
  out.bytes[0] = static_cast<std::uint8_t>(sender);
  out.bytes[1] = static_cast<std::uint8_t>(sender >> 8);
  return out;
}

/// Some 100 bytes encoded, of the kind that agents send most.
actors::event_item event_of(std::uint64_t sequence) {
  static constexpr std::array packages{"openssl", "libc6", "linux-image-amd64", "curl", "bash"};
  const std::string package = packages[sequence % packages.size()];
  const auto version = "3.0." + std::to_string(sequence % 97) + "-1~deb12u2";
  actors::event_item out;
  out.sequence = sequence;
  out.time_ms = 1'760'000'000'000 + static_cast<std::int64_t>(sequence) * 17;
  out.severity = sequence % 50 == 0 ? actors::severity::warning : actors::severity::info;
  out.type = "application.upgraded";
  out.text = package + " is now " + version;
  out.attributes = {{"name", package}, {"version", version}};
  return out;
}

std::size_t bytes_of(const storage::change_batch& batch, std::size_t from) {
  std::size_t out = 0;
  for (auto i = from; i < batch.size(); ++i)
    out += batch[i].key.size() + batch[i].value.size();
  return out;
}

} // namespace

std::vector<sender_load> workload::next_round(std::size_t appends_per_sender) {
  std::vector<sender_load> out(senders);
  for (std::size_t sender = 0; sender < senders; ++sender) {
    auto sequence = sequence_;
    for (std::size_t i = 0; i < appends_per_sender; ++i) {
      auto append = std::make_shared<actors::event_append>();
      append->device = device_of(sender);
      append->device_name = "workstation-" + std::to_string(sender);
      append->epoch = epoch;
      if (sequence > 0)
        append->after = {epoch, sequence};
      for (std::size_t n = 0; n < events_per_append_; ++n)
        append->events.push_back(event_of(++sequence));
      out[sender].push_back(std::move(append));
    }
  }
  sequence_ += appends_per_sender * events_per_append_;
  return out;
}

std::vector<storage::change_batch> encode(const std::vector<sender_load>& round,
                                          std::int64_t& received_us) {
  std::vector<storage::change_batch> out(1);
  std::size_t bytes = 0;
  const auto begin_another = [&] {
    if (out.back().empty())
      return;
    out.emplace_back();
    bytes = 0;
  };
  for (std::size_t i = 0; i < round.front().size(); ++i) {
    for (const auto& sender : round) {
      const auto before = out.back().size();
      auto append = *sender[i]; // a copy: to prepare the sender's own is the sender's work
      storage::prepare(append);
      storage::append_blocks(append, ++received_us, out.back());
      storage::append_entries(append, received_us, out.back());
      bytes += bytes_of(out.back(), before);
      if (bytes >= storage::limits::batch_bytes_max)
        begin_another();
    }
    begin_another();
  }
  if (out.back().empty())
    out.pop_back();
  return out;
}

} // namespace muster::bench
