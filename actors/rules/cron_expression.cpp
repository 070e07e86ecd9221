#include "actors/rules/cron_expression.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

namespace muster::rules {

namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::local_days;
using std::chrono::minutes;

/// The 29th of February may be eight years away (2096 to 2104), and Sundays on it are rarer still.
constexpr days days_ahead_max{366 * 41};

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed",
                                                        "thu", "fri", "sat"};

struct field_rule {
  std::string_view what;
  unsigned least;
  unsigned most;
  std::span<const std::string_view> names; ///< the first stands for `least`
};

constexpr std::array<field_rule, 5> field_rules{{{"minute", 0, 59, {}},
                                                 {"hour", 0, 23, {}},
                                                 {"day of the month", 1, 31, {}},
                                                 {"month", 1, 12, month_names},
                                                 {"day of the week", 0, 7, weekday_names}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> short_forms{
  {{"@yearly", "0 0 1 1 *"},
   {"@annually", "0 0 1 1 *"},
   {"@monthly", "0 0 1 * *"},
   {"@weekly", "0 0 * * 0"},
   {"@daily", "0 0 * * *"},
   {"@midnight", "0 0 * * *"},
   {"@hourly", "0 * * * *"}}};

bool same_word(std::string_view a, std::string_view lower) noexcept {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
  });
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos)
      break;
    const auto end = std::min(text.find_first_of(" \t", begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return out;
}

std::optional<unsigned> number_of(std::string_view text, const field_rule& rule) noexcept {
  for (std::size_t i = 0; i < rule.names.size(); ++i)
    if (same_word(text, rule.names[i]))
      return rule.least + static_cast<unsigned>(i);
  unsigned out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, out);
  const bool good = ec == std::errc{} && at == end && !text.empty() && text.size() <= 2;
  return good && out >= rule.least && out <= rule.most ? std::optional{out} : std::nullopt;
}

/// The numbers of a field as bits.
std::optional<std::uint64_t> bits_of(std::string_view text, const field_rule& rule) {
  std::uint64_t out = 0;
  bool more = true;
  while (more) {
    const auto comma = text.find(',');
    auto part = text.substr(0, comma);
    more = comma != std::string_view::npos;
    text.remove_prefix(more ? comma + 1 : text.size());
    unsigned step = 1;
    const auto slash = part.find('/');
    if (slash != std::string_view::npos) {
      const auto given = number_of(part.substr(slash + 1), {"", 1, rule.most, {}});
      part = part.substr(0, slash);
      if (!given || (part != "*" && part.find('-') == std::string_view::npos))
        return std::nullopt;
      step = *given;
    }
    auto first = std::optional{rule.least};
    auto last = std::optional{rule.most};
    if (part != "*") {
      const auto dash = part.find('-');
      first = number_of(part.substr(0, dash), rule);
      last = dash == std::string_view::npos ? first : number_of(part.substr(dash + 1), rule);
    }
    if (!first || !last || *first > *last)
      return std::nullopt;
    for (auto number = *first; number <= *last; number += step)
      out |= std::uint64_t{1} << number;
  }
  return out;
}

} // namespace

std::optional<cron_expression> cron_expression::parse(std::string_view text, std::string& problem) {
  if (text.size() > text_bytes_max) {
    problem = "a cron expression has at most " + std::to_string(text_bytes_max) + " characters";
    return std::nullopt;
  }
  auto words = words_of(text);
  cron_expression out;
  for (const auto word : words)
    (out.text_ += out.text_.empty() ? "" : " ") += word;
  if (words.size() == 1 && words[0].starts_with('@')) {
    const auto form = std::find_if(short_forms.begin(), short_forms.end(),
                                   [&](const auto& one) { return same_word(words[0], one.first); });
    if (form == short_forms.end()) {
      problem =
        "'" + std::string{words[0]} + "' is none of @hourly, @daily, @weekly, @monthly, @yearly";
      return std::nullopt;
    }
    words = words_of(form->second);
  }
  if (words.size() != field_rules.size()) {
    problem = "a cron expression has five fields: minute, hour, day, month, weekday";
    return std::nullopt;
  }
  std::array<std::uint64_t, 5> bits{};
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const auto& rule = field_rules[i];
    const auto field = bits_of(words[i], rule);
    if (!field) {
      problem = "'" + std::string{words[i]} + "' is no " + std::string{rule.what} +
                ": it is made of *, numbers from " + std::to_string(rule.least) + " to " +
                std::to_string(rule.most) + ", lists, ranges and steps";
      return std::nullopt;
    }
    bits[i] = *field;
  }
  out.minutes_ = bits[0];
  out.hours_ = bits[1];
  out.days_ = bits[2];
  out.months_ = bits[3];
  out.weekdays_ = (bits[4] | bits[4] >> 7) & 0x7f;
  out.any_day_ = words[2].starts_with('*');
  out.any_weekday_ = words[4].starts_with('*');
  // 2000 to 2041 have each kind of year.
  const local_seconds start = local_days{std::chrono::year{2000} / 1 / 1};
  if (!out.next_local(start, start + days_ahead_max)) {
    problem = "there is no such day in any year";
    return std::nullopt;
  }
  return out;
}

bool cron_expression::has_day(local_days day) const noexcept {
  const std::chrono::year_month_day date{day};
  if (!months_[static_cast<unsigned>(date.month())])
    return false;
  const bool by_day = days_[static_cast<unsigned>(date.day())];
  const bool by_weekday = weekdays_[std::chrono::weekday{day}.c_encoding()];
  return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

bool cron_expression::matches(local_seconds at) const noexcept {
  const auto day = floor<days>(at);
  const auto minute = floor<minutes>(at - day).count();
  return has_day(day) && hours_[static_cast<std::size_t>(minute / 60)] &&
         minutes_[static_cast<std::size_t>(minute % 60)];
}

std::optional<local_seconds> cron_expression::next_local(local_seconds from,
                                                         local_seconds end) const {
  const auto first = std::chrono::ceil<minutes>(from);
  const auto stop = std::min(end, local_seconds{first + days_ahead_max});
  for (auto day = floor<days>(first); day < stop; day += days{1}) {
    if (!has_day(day))
      continue;
    const auto begin = std::max<std::int64_t>(0, (first - day).count());
    for (auto minute = begin; minute < 24 * 60; ++minute) {
      const local_seconds at = day + minutes{minute};
      if (at >= stop)
        return std::nullopt;
      if (!hours_[static_cast<std::size_t>(minute / 60)])
        minute += 59 - minute % 60;
      else if (minutes_[static_cast<std::size_t>(minute % 60)])
        return at;
    }
  }
  return std::nullopt;
}

std::optional<utc_seconds> cron_expression::next(utc_seconds after, const time_zone& zone) const {
  const auto horizon = after + days_ahead_max;
  if (every_hour()) {
    for (auto at = after + 1s; at < horizon;) {
      const auto stretch = zone.stretch_at(at);
      const auto local = [&](utc_seconds t) {
        return local_seconds{t.time_since_epoch() + stretch.offset};
      };
      if (const auto found = next_local(local(at), local(std::min(stretch.until, horizon))))
        return utc_seconds{found->time_since_epoch() - stretch.offset};
      at = stretch.until;
    }
    return std::nullopt;
  }
  // Times of day that were already shown once are passed over here, a day's worth at most.
  auto local = zone.to_local(after);
  for (int tries = 0; tries < 24 * 60 + 2; ++tries) {
    const auto found = next_local(local + 1s, local + days_ahead_max);
    if (!found)
      return std::nullopt;
    if (const auto at = zone.to_utc(*found); at > after)
      return at;
    local = *found;
  }
  return std::nullopt;
}

} // namespace muster::rules
