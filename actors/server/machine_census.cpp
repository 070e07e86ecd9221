#include "actors/server/machine_census.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace muster::actors {

namespace {

constexpr std::size_t places_min = 16;

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;

/// Eight bytes of the fingerprint, which is a hash; never zero, which means a free place.
std::uint64_t mark_of(const rules::machine_fingerprint& machine) {
  std::uint64_t mark = 0;
  std::memcpy(&mark, machine.bytes.data(), sizeof mark);
  return mark == 0 ? golden : mark;
}

/// Agents name their fingerprints; they must not choose neighbours in our table.
std::size_t spread(std::uint64_t mark) {
  mark ^= mark >> 32;
  mark *= golden;
  return static_cast<std::size_t>(mark ^ mark >> 29);
}

} // namespace

/// Where the mark is, or would be.
std::size_t machine_census::place_of(std::uint64_t mark) const {
  const auto mask = marks_.size() - 1;
  auto at = spread(mark) & mask;
  while (marks_[at] != 0 && marks_[at] != mark)
    at = (at + 1) & mask;
  return at;
}

void machine_census::add(const rules::machine_fingerprint& machine) {
  const std::lock_guard lock(mutex_);
  if ((used_ + 1) * 4 > marks_.size() * 3)
    grow(std::max(places_min, marks_.size() * 2));
  const auto mark = mark_of(machine);
  auto& place = marks_[place_of(mark)];
  if (place == mark) {
    ++more_.try_emplace(mark, 1).first->second;
    return;
  }
  place = mark;
  ++used_;
}

void machine_census::remove(const rules::machine_fingerprint& machine) {
  const std::lock_guard lock(mutex_);
  const auto mark = mark_of(machine);
  if (marks_.empty())
    return;
  auto at = place_of(mark);
  if (marks_[at] != mark)
    return;
  if (const auto found = more_.find(mark); found != more_.end()) {
    if (--found->second == 1)
      more_.erase(found);
    return;
  }
  // Close the gap, so that whoever was pushed on is still found.
  const auto mask = marks_.size() - 1;
  marks_[at] = 0;
  --used_;
  for (auto next = (at + 1) & mask; marks_[next] != 0; next = (next + 1) & mask) {
    const auto home = spread(marks_[next]) & mask;
    if (((next - home) & mask) < ((next - at) & mask))
      continue;
    marks_[at] = std::exchange(marks_[next], 0);
    at = next;
  }
}

bool machine_census::several(const rules::machine_fingerprint& machine) const {
  const std::lock_guard lock(mutex_);
  return more_.contains(mark_of(machine));
}

void machine_census::reserve(std::size_t machines) {
  const std::lock_guard lock(mutex_);
  const auto places = std::bit_ceil(std::max(places_min, machines * 4 / 3 + 1));
  if (places > marks_.size())
    grow(places);
}

void machine_census::grow(std::size_t places) {
  const auto before = std::exchange(marks_, std::vector<std::uint64_t>(places));
  for (const auto mark : before) {
    if (mark != 0)
      marks_[place_of(mark)] = mark;
  }
}

} // namespace muster::actors
