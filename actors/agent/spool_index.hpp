#pragma once
// Which events the spool holds, and which must go when it is full. Pure: the disk is the actor's.
//
// Every event has a number, its key on the disk: numbers only grow, one after the other. Within an
// epoch the sequence follows from the number (number - offset), so that naming everything anew is a
// matter of the offset. A gap record stands at the number of the last event it stands for.

#include "actors/messages.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace muster::actors {

struct spool_bounds {
  std::uint64_t bytes_max = 8 * 1024 * 1024;
  std::size_t events_max = 50'000;
  /// Of all bytes and events, events of this severity and lower may take so many per cent; index:
  /// severity - 1. So a flood of the one leaves room for the other.
  std::array<unsigned, 4> percent_max = {50, 75, 90, 100};
  /// Gap records; more are merged, oldest first.
  std::size_t gaps_max = 64;
};

/// One event on the disk.
struct spool_entry {
  std::uint64_t number = 0;
  std::uint32_t bytes = 0; ///< of its record
  actors::severity severity = severity::info;
  bool is_gap = false;
};

/// Numbers from `first` on belong to this epoch, up to where the next run begins.
struct spool_run {
  std::uint64_t first = 0;
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0; ///< sequence = number - offset
};

/// A gap by numbers. With `count` below last - first + 1 it surrounds events that are still there.
struct spool_gap {
  std::uint64_t first = 0;
  std::uint64_t last = 0; ///< where the record stands
  std::uint64_t count = 0;
  friend bool operator==(const spool_gap&, const spool_gap&) = default;
};

/// An event as the disk holds it; `gap` when it is one.
struct spool_found {
  spool_entry entry;
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;
  spool_gap gap;
};

/// What one commit changes.
struct spool_plan {
  std::vector<spool_entry> added;    ///< newcomers, dropped ones too
  std::vector<bool> stays;           ///< per newcomer
  std::vector<std::uint64_t> erased; ///< numbers that have no record any more; growing
  std::vector<spool_gap> gaps;       ///< records to write, new or grown; in order
  std::uint64_t dropped = 0;         ///< events that become gaps
};

/// The events from some position on, up to where the epoch changes: numbers [first, end).
struct spool_stretch {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  spool_run run;
};

/// Plain data; the owner does to the disk what it does here. Bounds: 24 bytes an event.
class spool_index {
public:
  explicit spool_index(const spool_bounds& bounds = {}) : bounds_(bounds) {}

  // -- what is there ------------------------------------------------------------------------------
  /// At the start, in the order of numbers.
  void load(const spool_found& found);
  /// Numbers below are used up, whatever the disk holds.
  void reserve(std::uint64_t next_number);
  /// From now on newcomers belong to this epoch, with sequences from 1.
  void begin_epoch(std::uint64_t epoch);

  [[nodiscard]] std::size_t events() const { return entries_.size(); }
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  /// Of the oldest event; of the next newcomer when there is none.
  [[nodiscard]] std::uint64_t first_number() const;
  [[nodiscard]] std::uint64_t next_number() const { return next_number_; }
  [[nodiscard]] std::uint64_t epoch() const { return runs_.empty() ? 0 : runs_.back().epoch; }
  [[nodiscard]] event_position position_of(std::uint64_t number) const;
  /// Whether these are exactly the entries that begin at `first`.
  [[nodiscard]] bool holds(std::uint64_t first, const std::vector<std::uint64_t>& numbers) const;

  // -- what comes, and what must go for it --------------------------------------------------------
  /// For newcomers of these sizes and severities (their numbers are filled in).
  [[nodiscard]] spool_plan plan(std::vector<spool_entry> newcomers) const;
  /// For events that turned out to be unreadable.
  [[nodiscard]] spool_plan plan_loss(std::vector<std::uint64_t> numbers) const;
  /// The disk has it.
  void apply(const spool_plan& plan);

  // -- what goes out ------------------------------------------------------------------------------
  /// Behind a position: unknown ones (zero among them) count as before the oldest.
  [[nodiscard]] std::optional<spool_stretch> behind(const event_position& after) const;
  /// Up to and including this number is in flight from now on: it stays as it is.
  void hand_out(std::uint64_t number);
  /// The first number that is not covered by this position; zero when the position is unknown.
  [[nodiscard]] std::uint64_t end_of(const event_position& position) const;
  /// Whether it names an event of a living epoch that was never raised here: this machine, or its
  /// disk, has been put back in time.
  [[nodiscard]] bool is_ahead(const event_position& position) const;
  /// Everything below is gone.
  void cut(std::uint64_t end);
  /// Where a renumbering has to begin so that every sequence, those of gaps included, is positive.
  [[nodiscard]] std::uint64_t first_name() const;
  /// Everything from `first` on is named anew, newcomers included. Nothing is in flight any more.
  void rename(std::uint64_t first, std::uint64_t epoch);

private:
  static constexpr std::size_t severities = 4;
  /// What events take, by severity. Gap records are not counted: their number is bounded.
  struct room {
    std::array<std::uint64_t, severities> bytes{};
    std::array<std::uint64_t, severities> events{};
    void add(const spool_entry& entry);
    void remove(const spool_entry& entry);
  };
  class choice;

  [[nodiscard]] std::size_t run_of(std::uint64_t number) const;
  [[nodiscard]] std::optional<std::size_t> run_with(std::uint64_t epoch) const;
  [[nodiscard]] std::uint64_t end_of_run(std::size_t run) const;
  [[nodiscard]] std::size_t lower_bound(std::uint64_t number) const;
  void make_gaps(spool_plan& plan, const std::vector<std::uint64_t>& dropped) const;
  void limit_gaps(std::vector<spool_gap>& gaps) const;

  spool_bounds bounds_;
  std::deque<spool_entry> entries_;
  std::vector<spool_run> runs_;             ///< few: one for each start since the oldest event
  std::map<std::uint64_t, spool_gap> gaps_; ///< by where the record stands
  room taken_;
  std::uint64_t next_number_ = 1;
  std::uint64_t handed_out_ = 0;
};

} // namespace muster::actors
