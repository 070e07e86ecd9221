#pragma once
// What both sides store: the same events, made before the clock runs.

#include "actors/protocol.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace muster::bench {

/// Event streams that wait for an answer at the same time, each with one append in flight.
inline constexpr std::size_t senders = 1'000;

/// The appends of one sender in one round, in their order. Not prepared: that is the sender's work.
using sender_load = std::vector<std::shared_ptr<actors::event_append>>;

/// Plays a fleet: every call continues each device's sequence where the call before ended.
class workload {
public:
  explicit workload(std::size_t events_per_append) : events_per_append_(events_per_append) {}

  /// One list per sender.
  [[nodiscard]] std::vector<sender_load> next_round(std::size_t appends_per_sender);

private:
  std::size_t events_per_append_;
  std::uint64_t sequence_ = 0;
};

/// The changes that storing these appends takes, all encoded, one batch per commit: one append of
/// each sender, or what the writer takes at most in one commit.
[[nodiscard]] std::vector<storage::change_batch> encode(const std::vector<sender_load>& round,
                                                        std::int64_t& received_us);

} // namespace muster::bench
