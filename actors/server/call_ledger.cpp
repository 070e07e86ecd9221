#include "actors/server/call_ledger.hpp"

#include "actors/server/call_limits.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

namespace muster::actors {

namespace {

constexpr std::int64_t ms_us = 1'000;
constexpr std::int64_t second_us = 1'000'000;
constexpr std::string_view other_words = "(more is said of this call than is remembered)";

bool is_end(call_step s) {
  return s == call_step::done || s == call_step::failed;
}

std::size_t index_of(call_step s) {
  return static_cast<std::size_t>(s);
}

std::uint32_t bounded(std::int64_t number) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(number, 0, most));
}

/// Not in the middle of a character.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max)
    return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end);
}

} // namespace

// -- devices --------------------------------------------------------------------------------------

void call_ledger::add(const device_id& device, std::string_view name) {
  MUSTER_ASSERT(!sealed_, "devices come before the ledger is sealed");
  name = cut(name, call_limits::name_bytes_max);
  row one;
  one.device = device.bytes;
  one.name = bounded(static_cast<std::int64_t>(names_.size()));
  names_.push_back(static_cast<char>(static_cast<std::uint8_t>(name.size())));
  names_ += name;
  rows_.push_back(one);
  ++by_step_[index_of(call_step::waiting)];
}

void call_ledger::seal() {
  sealed_ = true;
  by_id_.resize(rows_.size());
  std::iota(by_id_.begin(), by_id_.end(), 0U);
  // Of one device's rows the first comes first.
  std::sort(by_id_.begin(), by_id_.end(), [this](auto a, auto b) {
    const auto order = rows_[a].device <=> rows_[b].device;
    return order != 0 ? order < 0 : a < b;
  });
  drop_doubles();
  rows_.shrink_to_fit();
  names_.shrink_to_fit();
}

void call_ledger::drop_doubles() {
  std::vector<std::uint32_t> doubles;
  for (std::size_t i = 1; i < by_id_.size(); ++i)
    if (rows_[by_id_[i]].device == rows_[by_id_[i - 1]].device)
      doubles.push_back(by_id_[i]);
  if (doubles.empty())
    return;
  std::sort(doubles.begin(), doubles.end(), std::greater<>{});
  for (const auto number : doubles)
    rows_.erase(rows_.begin() + number);
  by_step_[index_of(call_step::waiting)] -= doubles.size();
  seal();
}

std::optional<std::size_t> call_ledger::find(const device_id& device) const {
  const auto at = std::lower_bound(by_id_.begin(), by_id_.end(), device.bytes,
                                   [this](auto number, const auto& wanted) {
                                     return rows_[number].device < wanted;
                                   });
  if (at == by_id_.end() || rows_[*at].device != device.bytes)
    return std::nullopt;
  return *at;
}

// -- turns ----------------------------------------------------------------------------------------

std::optional<device_id> call_ledger::begin_next(std::int64_t now_us) {
  if (!sealed_ || begun_ == rows_.size())
    return std::nullopt;
  auto& one = rows_[begun_++];
  one.at_ms = ms_of(now_us);
  return device_id{one.device};
}

std::size_t call_ledger::outstanding() const noexcept {
  return begun_ - by_step_[index_of(call_step::queued)] - by_step_[index_of(call_step::done)]
         - by_step_[index_of(call_step::failed)];
}

bool call_ledger::take(const call_progress& what) {
  const auto number = find(what.device);
  if (!number || *number >= begun_ || what.step == call_step::waiting
      || index_of(what.step) >= by_step_.size())
    return false;
  auto& one = rows_[*number];
  if (is_end(one.step))
    return false;
  move(one, what.step);
  one.way = what.way;
  one.at_ms = ms_of(what.at_us);
  one.until_s =
    what.until_us == 0 ? 0 : std::max(1U, bounded((what.until_us - created_us_) / second_us));
  one.text = text_number(what.text);
  return true;
}

void call_ledger::move(row& of, call_step step) {
  --by_step_[index_of(of.step)];
  ++by_step_[index_of(step)];
  of.step = step;
}

std::size_t call_ledger::give_up(std::int64_t silent_since_us, std::int64_t now_us,
                                 std::string_view text) {
  std::size_t count = 0;
  if (silent_since_us < created_us_)
    return 0;
  const auto silent_since = ms_of(silent_since_us);
  for (std::size_t i = 0; i < begun_; ++i) {
    auto& one = rows_[i];
    if (is_end(one.step) || one.step == call_step::queued || one.at_ms > silent_since)
      continue;
    move(one, call_step::failed);
    one.at_ms = ms_of(now_us);
    one.until_s = 0;
    one.text = text_number(text);
    ++count;
  }
  return count;
}

std::uint32_t call_ledger::ms_of(std::int64_t when_us) const {
  return bounded((when_us - created_us_) / ms_us);
}

std::uint16_t call_ledger::text_number(std::string_view text) {
  const std::string words{cut(text, call_limits::text_bytes_max)};
  if (const auto known = text_numbers_.find(words); known != text_numbers_.end())
    return known->second;
  const bool is_last = texts_.size() == call_limits::texts_max;
  if (texts_.size() > call_limits::texts_max)
    return static_cast<std::uint16_t>(call_limits::texts_max);
  const auto number = static_cast<std::uint16_t>(texts_.size());
  texts_.emplace_back(is_last ? other_words : words);
  if (!is_last)
    text_numbers_.emplace(words, number);
  return number;
}

// -- looking --------------------------------------------------------------------------------------

std::vector<call_row> call_ledger::rows(const call_query& query, std::uint32_t& next) const {
  std::vector<call_row> out;
  next = 0;
  const std::size_t limit = std::min(query.limit, call_limits::report_rows_max);
  for (std::size_t i = query.offset; i < rows_.size() && limit > 0; ++i) {
    if (query.step && rows_[i].step != *query.step)
      continue;
    if (out.size() == limit) {
      next = static_cast<std::uint32_t>(i);
      break;
    }
    out.push_back(shown(rows_[i]));
  }
  return out;
}

call_row call_ledger::shown(const row& r) const {
  call_row out;
  out.device = device_id{r.device};
  const auto length = static_cast<std::uint8_t>(names_[r.name]);
  out.device_name = names_.substr(std::size_t{r.name} + 1, length);
  out.step = r.step;
  out.way = r.way;
  if (r.step != call_step::waiting)
    out.at_us = created_us_ + r.at_ms * ms_us;
  if (r.until_s != 0)
    out.until_us = created_us_ + r.until_s * second_us;
  out.text = texts_[r.text];
  return out;
}

std::size_t call_ledger::bytes() const noexcept {
  return rows_.capacity() * sizeof(row) + by_id_.capacity() * sizeof(std::uint32_t)
         + names_.capacity();
}

} // namespace muster::actors
