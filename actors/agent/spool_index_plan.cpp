// What must go when the spool is full, and the gap records that say so.
#include "actors/agent/limits.hpp"
#include "actors/agent/spool_index.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace muster::actors {

namespace {

/// Near enough: a gap's record is a fixed text and three numbers.
constexpr std::uint32_t gap_bytes = 128;

std::size_t rank_of(const spool_entry& entry) {
  return std::clamp<std::size_t>(static_cast<std::size_t>(entry.severity), 1, 4) - 1;
}

} // namespace

void spool_index::room::add(const spool_entry& entry) {
  if (entry.is_gap)
    return;
  bytes[rank_of(entry)] += entry.bytes;
  ++events[rank_of(entry)];
}

void spool_index::room::remove(const spool_entry& entry) {
  if (entry.is_gap)
    return;
  bytes[rank_of(entry)] -= entry.bytes;
  --events[rank_of(entry)];
}

/// Chooses what to drop: the oldest of the lowest severity first. Goes through the entries once for
/// each severity, however many it drops.
class spool_index::choice {
public:
  choice(const spool_index& index, const std::vector<spool_entry>& newcomers)
    : index_(index), newcomers_(newcomers), taken_(index.taken_) {
    for (const auto& entry : newcomers)
      taken_.add(entry);
    cursors_.fill(index.lower_bound(index.handed_out_ + 1));
  }

  /// Numbers, growing.
  std::vector<std::uint64_t> run() {
    for (std::size_t level = 0; level < severities; ++level) {
      if (fits(level, 0))
        continue;
      for (std::size_t rank = 0; rank <= level; ++rank)
        drop_of(rank, level);
    }
    std::sort(dropped_.begin(), dropped_.end());
    return std::move(dropped_);
  }

private:
  /// Whether events of this rank and below keep within their share, with `slack` to spare.
  [[nodiscard]] bool fits(std::size_t level, std::uint64_t slack_divisor) const {
    const auto& bounds = index_.bounds_;
    auto bytes_max = bounds.bytes_max * bounds.percent_max[level] / 100;
    auto events_max = std::uint64_t{bounds.events_max} * bounds.percent_max[level] / 100;
    if (slack_divisor != 0) {
      bytes_max -= bytes_max / slack_divisor;
      events_max -= events_max / slack_divisor;
    }
    std::uint64_t bytes = 0;
    std::uint64_t events = 0;
    for (std::size_t rank = 0; rank <= level; ++rank) {
      bytes += taken_.bytes[rank];
      events += taken_.events[rank];
    }
    return bytes <= bytes_max && events <= events_max;
  }

  void drop_of(std::size_t rank, std::size_t level) {
    if (fits(level, 0)) // nothing of higher severity goes for the sake of slack
      return;
    const auto old = index_.entries_.size();
    for (auto& at = cursors_[rank]; at < old + newcomers_.size(); ++at) {
      // What is new goes only if it must; of the old, a little more makes room for the next ones.
      if (fits(level, at < old ? limits::spool_slack_divisor : 0))
        return;
      const auto& entry = at < old ? index_.entries_[at] : newcomers_[at - old];
      if (entry.is_gap || rank_of(entry) != rank)
        continue;
      taken_.remove(entry);
      dropped_.push_back(entry.number);
    }
  }

  const spool_index& index_;
  const std::vector<spool_entry>& newcomers_;
  room taken_;
  std::array<std::size_t, severities> cursors_{};
  std::vector<std::uint64_t> dropped_;
};

spool_plan spool_index::plan(std::vector<spool_entry> newcomers) const {
  spool_plan out;
  for (auto number = next_number_; auto& entry : newcomers)
    entry.number = number++;
  out.added = std::move(newcomers);
  out.stays.assign(out.added.size(), true);
  const auto dropped = choice(*this, out.added).run();
  if (dropped.empty())
    return out;
  for (const auto number : dropped)
    if (number >= next_number_)
      out.stays[number - next_number_] = false;
  make_gaps(out, dropped);
  return out;
}

spool_plan spool_index::plan_loss(std::vector<std::uint64_t> numbers) const {
  spool_plan out;
  std::sort(numbers.begin(), numbers.end());
  make_gaps(out, numbers);
  return out;
}

/// Goes through everything that may change, in order. Dropped events and gap records with nothing
/// living between them become one record, which stands where the last of them stood.
void spool_index::make_gaps(spool_plan& plan, const std::vector<std::uint64_t>& dropped) const {
  std::vector<spool_gap> gaps;
  std::vector<std::uint64_t> touched; // places of dropped events and of gap records
  auto next_dropped = dropped.begin();
  bool open = false; // whether the last gap may grow: nothing living since
  const auto visit = [&](const spool_entry& entry) {
    const bool is_dropped = next_dropped != dropped.end() && *next_dropped == entry.number;
    if (is_dropped)
      ++next_dropped;
    if (!is_dropped && !entry.is_gap) {
      open = false;
      return;
    }
    const auto one = entry.is_gap ? gaps_.at(entry.number)
                                  : spool_gap{entry.number, entry.number, 1};
    touched.push_back(entry.number);
    open = open && run_of(gaps.back().last) == run_of(one.last);
    if (open)
      gaps.back() = {gaps.back().first, one.last, gaps.back().count + one.count};
    else
      gaps.push_back(one);
    open = true;
  };
  std::for_each(entries_.begin() + static_cast<std::ptrdiff_t>(lower_bound(handed_out_ + 1)),
                entries_.end(), visit);
  std::for_each(plan.added.begin(), plan.added.end(), visit);
  limit_gaps(gaps);
  plan.dropped = dropped.size();
  auto gap = gaps.begin();
  for (const auto number : touched) {
    if (gap == gaps.end() || gap->last != number) {
      plan.erased.push_back(number);
      continue;
    }
    const auto known = gaps_.find(number);
    if (known == gaps_.end() || known->second != *gap)
      plan.gaps.push_back(*gap);
    ++gap;
  }
}

/// Merges the oldest neighbours of one epoch, across what lives between them, until there are few.
void spool_index::limit_gaps(std::vector<spool_gap>& gaps) const {
  auto surplus = gaps.size() > bounds_.gaps_max ? gaps.size() - bounds_.gaps_max : 0;
  std::vector<spool_gap> kept;
  for (const auto& gap : gaps) {
    const bool mergeable =
      surplus > 0 && !kept.empty() && run_of(kept.back().last) == run_of(gap.last);
    if (!mergeable) {
      kept.push_back(gap);
      continue;
    }
    kept.back() = {kept.back().first, gap.last, kept.back().count + gap.count};
    --surplus;
  }
  gaps = std::move(kept);
}

void spool_index::apply(const spool_plan& plan) {
  for (const auto& entry : plan.added) {
    entries_.push_back(entry);
    taken_.add(entry);
  }
  next_number_ += plan.added.size();
  for (const auto number : plan.erased)
    gaps_.erase(number);
  for (const auto& gap : plan.gaps) {
    auto& entry = entries_[lower_bound(gap.last)];
    taken_.remove(entry);
    entry = {gap.last, gap_bytes, severity::warning, true};
    gaps_[gap.last] = gap;
  }
  auto erased = plan.erased.begin();
  std::erase_if(entries_, [&](const spool_entry& entry) {
    if (erased == plan.erased.end() || *erased != entry.number)
      return false;
    ++erased;
    taken_.remove(entry);
    return true;
  });
}

} // namespace muster::actors
