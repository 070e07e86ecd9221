#include "actors/server/device_table.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <bit>
#include <compare>
#include <cstring>
#include <span>

namespace muster::actors {

namespace {

constexpr std::size_t places_min = 16;

/// Ids are random: any bytes are a hash. There are fewer than 2^32 places.
std::uint32_t hash_of(const device_id& device) noexcept {
  return static_cast<std::uint32_t>(std::hash<device_id>{}(device));
}

bool before(const device_entry& a, std::string_view name, const device_id& device) noexcept {
  const auto order = std::string_view{a.name} <=> name;
  return order != 0 ? order < 0 : a.device < device;
}

/// Eight bytes of a name as a number that compares as they do; zeros behind its end.
std::uint64_t part_of(std::string_view name, std::size_t from) noexcept {
  std::uint64_t out = 0;
  for (auto i = from; i < from + sizeof out; ++i)
    out = out << 8 | (i < name.size() ? static_cast<std::uint8_t>(name[i]) : 0U);
  return out;
}

struct sort_handle {
  std::uint64_t part;
  const device_entry* entry;
  std::uint32_t at;
};
using sort_range = std::span<sort_handle>;

/// Names that many devices begin with are no reason to go further than this.
constexpr std::size_t sorted_by_parts_max = 64;

/// Sorts by the part of the name from here on, then each group of equals by the next part: entries
/// are far apart in memory, and so each is looked at once a part, not once a comparison.
void sort_by_parts(sort_range all, std::size_t from) {
  if (from >= sorted_by_parts_max || all.size() < 16) {
    std::sort(all.begin(), all.end(), [](const sort_handle& a, const sort_handle& b) {
      return before(*a.entry, b.entry->name, b.entry->device);
    });
    return;
  }
  for (auto& one : all)
    one.part = part_of(one.entry->name, from);
  std::sort(all.begin(), all.end(),
            [](const sort_handle& a, const sort_handle& b) { return a.part < b.part; });
  while (!all.empty()) {
    const auto end = std::find_if(
      all.begin(), all.end(), [&](const sort_handle& one) { return one.part != all.front().part; });
    const auto group = all.first(static_cast<std::size_t>(end - all.begin()));
    if (group.size() > 1)
      sort_by_parts(group, from + sizeof(std::uint64_t));
    all = all.subspan(group.size());
  }
}

} // namespace

// -- by id ----------------------------------------------------------------------------------------

/// Where the device's slot is, or would be.
std::size_t device_table::place_of(const device_id& device) const noexcept {
  const auto mask = places_.size() - 1;
  const auto hash = hash_of(device);
  auto at = hash & mask;
  while (places_[at].at != none &&
         (places_[at].hash != hash || entry(places_[at].at).device != device))
    at = (at + 1) & mask;
  return at;
}

/// For a device that is not there.
std::size_t device_table::free_place_for(std::uint32_t hash) const noexcept {
  const auto mask = places_.size() - 1;
  auto at = hash & mask;
  while (places_[at].at != none)
    at = (at + 1) & mask;
  return at;
}

const device_entry* device_table::find(const device_id& device) const noexcept {
  if (places_.empty())
    return nullptr;
  const auto found = places_[place_of(device)].at;
  return found == none ? nullptr : &entry(found);
}

device_entry* device_table::find(const device_id& device) noexcept {
  return const_cast<device_entry*>(std::as_const(*this).find(device));
}

void device_table::grow(std::size_t places) {
  const auto old = std::exchange(places_, std::vector<place>(places));
  for (const auto& one : old) {
    if (one.at != none)
      places_[free_place_for(one.hash)] = one;
  }
}

device_table::slot device_table::take_slot() {
  if (!free_.empty()) {
    const auto out = free_.back();
    free_.pop_back();
    return out;
  }
  if (used_ == chunks_.size() * chunk_entries)
    chunks_.push_back(std::make_unique<device_entry[]>(chunk_entries));
  return used_++;
}

// -- changing
// ---------------------------------------------------------------------------------------

device_entry& device_table::add_unordered(const device_id& device, std::string name) {
  if ((order_.size() + 1) * 4 > places_.size() * 3)
    grow(std::max(places_min, places_.size() * 2));
  auto& home = places_[place_of(device)];
  MUSTER_ASSERT(home.at == none, "a device is in its table once");
  const auto at = take_slot();
  auto& out = entry(at);
  out.device = device;
  out.name = std::move(name);
  home = {at, hash_of(device)};
  order_.push_back(at);
  return out;
}

device_entry& device_table::add(const device_id& device, std::string name) {
  const auto rank = rank_behind(name, device);
  auto& out = add_unordered(device, std::move(name));
  std::rotate(order_.begin() + static_cast<std::ptrdiff_t>(rank), order_.end() - 1, order_.end());
  return out;
}

void device_table::rename(device_entry& what, std::string name) {
  if (what.name == name)
    return;
  const auto from = order_.begin() + static_cast<std::ptrdiff_t>(rank_of(what));
  // Where it belongs when it is not there: behind itself, everything moves up by one.
  const auto to = order_.begin() + static_cast<std::ptrdiff_t>(rank_behind(name, what.device));
  if (from < to)
    std::rotate(from, from + 1, to);
  else
    std::rotate(to, from, from + 1);
  what.name = std::move(name);
  what.name.shrink_to_fit();
}

void device_table::set_text(text_id& field, std::string_view text) {
  if (texts_.text(field) == text)
    return;
  const auto fresh = texts_.intern(text);
  texts_.release(std::exchange(field, fresh));
}

void device_table::erase(device_entry& what) {
  for (const auto text : {what.os_id, what.os_name, what.os_version, what.agent_version, what.tags,
                          what.token})
    texts_.release(text);
  order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(rank_of(what)));
  // Close the gap in the places, so that whoever was pushed on is still found.
  const auto mask = places_.size() - 1;
  auto at = place_of(what.device);
  free_.push_back(std::exchange(places_[at], {}).at);
  for (auto next = (at + 1) & mask; places_[next].at != none; next = (next + 1) & mask) {
    const auto home = places_[next].hash & mask;
    if (((next - home) & mask) < ((next - at) & mask))
      continue;
    places_[at] = std::exchange(places_[next], {});
    at = next;
  }
  what = device_entry{};
}

// -- in order
// -----------------------------------------------------------------------------------------

std::size_t device_table::rank_behind(std::string_view name, const device_id& device) const {
  const auto at = std::partition_point(order_.begin(), order_.end(), [&](slot one) {
    const auto& here = entry(one);
    return before(here, name, device) || (here.device == device && here.name == name);
  });
  return static_cast<std::size_t>(at - order_.begin());
}

std::size_t device_table::rank_of(const device_entry& of) const {
  const auto behind = rank_behind(of.name, of.device);
  MUSTER_ASSERT(behind > 0 && &entry(order_[behind - 1]) == &of, "the order has every device");
  return behind - 1;
}

void device_table::reserve(std::size_t devices) {
  const auto places = std::bit_ceil(std::max(places_min, devices * 4 / 3 + 1));
  if (places > places_.size())
    grow(places);
  order_.reserve(devices);
  chunks_.reserve(devices / chunk_entries + 1);
}

void device_table::order_all() {
  std::vector<sort_handle> handles;
  handles.reserve(order_.size());
  for (const auto one : order_)
    handles.push_back({0, &entry(one), one});
  sort_by_parts(handles, 0);
  order_.clear();
  order_.shrink_to_fit();
  order_.reserve(handles.size());
  for (const auto& one : handles)
    order_.push_back(one.at);
}

} // namespace muster::actors
