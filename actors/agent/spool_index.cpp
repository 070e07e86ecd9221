#include "actors/agent/spool_index.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <utility>

namespace muster::actors {

void spool_index::load(const spool_found& found) {
  const auto& entry = found.entry;
  const bool new_run = runs_.empty() || runs_.back().epoch != found.epoch
                       || runs_.back().offset != found.offset;
  if (new_run)
    runs_.push_back({entry.number, found.epoch, found.offset});
  entries_.push_back(entry);
  taken_.add(entry);
  if (entry.is_gap)
    gaps_[entry.number] = found.gap;
  reserve(entry.number + 1);
}

void spool_index::reserve(std::uint64_t next_number) {
  next_number_ = std::max(next_number_, next_number);
}

void spool_index::begin_epoch(std::uint64_t epoch) {
  runs_.push_back({next_number_, epoch, next_number_ - 1});
}

std::uint64_t spool_index::bytes() const {
  std::uint64_t sum = 0;
  for (const auto b : taken_.bytes)
    sum += b;
  return sum;
}

std::uint64_t spool_index::first_number() const {
  return entries_.empty() ? next_number_ : entries_.front().number;
}

event_position spool_index::position_of(std::uint64_t number) const {
  const auto& run = runs_[run_of(number)];
  return {run.epoch, number - run.offset};
}

bool spool_index::holds(std::uint64_t first, const std::vector<std::uint64_t>& numbers) const {
  auto at = lower_bound(first);
  return std::all_of(numbers.begin(), numbers.end(), [&](std::uint64_t number) {
    return at < entries_.size() && entries_[at++].number == number;
  });
}

// -- what goes out ------------------------------------------------------------------------------

std::optional<spool_stretch> spool_index::behind(const event_position& after) const {
  const auto at = lower_bound(end_of(after));
  if (at == entries_.size())
    return std::nullopt;
  const auto run = run_of(entries_[at].number);
  return spool_stretch{entries_[at].number, end_of_run(run), runs_[run]};
}

void spool_index::hand_out(std::uint64_t number) {
  handed_out_ = std::max(handed_out_, number);
}

std::uint64_t spool_index::end_of(const event_position& position) const {
  const auto run = run_with(position.epoch);
  if (!run)
    return 0;
  const auto end = end_of_run(*run);
  const auto offset = runs_[*run].offset;
  return position.sequence >= end - offset ? end : offset + position.sequence + 1;
}

bool spool_index::is_ahead(const event_position& position) const {
  return !runs_.empty() && position.epoch == epoch()
         && position.sequence >= next_number_ - runs_.back().offset;
}

void spool_index::cut(std::uint64_t end) {
  while (!entries_.empty() && entries_.front().number < end) {
    taken_.remove(entries_.front());
    gaps_.erase(entries_.front().number);
    entries_.pop_front();
  }
  // The last run is where newcomers belong; of the others only those with events matter.
  while (runs_.size() > 1 && runs_[1].first <= first_number())
    runs_.erase(runs_.begin());
}

std::uint64_t spool_index::first_name() const {
  if (entries_.empty() || !entries_.front().is_gap)
    return first_number();
  return gaps_.at(entries_.front().number).first;
}

void spool_index::rename(std::uint64_t first, std::uint64_t epoch) {
  runs_.assign(1, {first, epoch, first - 1});
  handed_out_ = 0;
}

// -- finding --------------------------------------------------------------------------------------

std::size_t spool_index::run_of(std::uint64_t number) const {
  const auto behind = std::upper_bound(runs_.begin(), runs_.end(), number,
                                       [](auto n, const spool_run& run) { return n < run.first; });
  MUSTER_ASSERT(behind != runs_.begin(), "every event belongs to an epoch");
  return static_cast<std::size_t>(behind - runs_.begin()) - 1;
}

std::optional<std::size_t> spool_index::run_with(std::uint64_t epoch) const {
  for (auto i = runs_.size(); i-- > 0;)
    if (runs_[i].epoch == epoch)
      return i;
  return std::nullopt;
}

std::uint64_t spool_index::end_of_run(std::size_t run) const {
  return run + 1 == runs_.size() ? next_number_ : runs_[run + 1].first;
}

std::size_t spool_index::lower_bound(std::uint64_t number) const {
  const auto found =
    std::lower_bound(entries_.begin(), entries_.end(), number,
                     [](const spool_entry& entry, auto n) { return entry.number < n; });
  return static_cast<std::size_t>(found - entries_.begin());
}

} // namespace muster::actors
