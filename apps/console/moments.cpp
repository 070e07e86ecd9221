#include "apps/console/moments.hpp"

#include "apps/common/quantities.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace muster::console {

namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::int64_t minute_s = 60;
constexpr std::int64_t hour_s = 3600;
constexpr std::int64_t day_s = 24 * hour_s;
constexpr std::int64_t dated_after_s = 60 * day_s;

std::string formatted(moment_us when, bool utc, const char* form) {
  // Rounded towards the past, also before 1970.
  std::time_t second = when / second_us;
  if (when % second_us < 0)
    --second;
  std::tm parts{};
  if ((utc ? ::gmtime_r(&second, &parts) : ::localtime_r(&second, &parts)) == nullptr)
    return "?";
  char text[64];
  return {text, std::strftime(text, sizeof text, form, &parts)};
}

/// Reads exactly `text` by the form, e.g. "%Y-%m-%d".
bool read_by(const std::string& text, const char* form, std::tm& parts) {
  parts = {};
  const char* end = ::strptime(text.c_str(), form, &parts);
  return end != nullptr && *end == '\0';
}

} // namespace

std::string rough(std::int64_t seconds) {
  if (seconds < minute_s)
    return std::to_string(seconds) + " s";
  if (seconds < hour_s)
    return std::to_string(seconds / minute_s) + " min";
  if (seconds < 2 * day_s)
    return std::to_string(seconds / hour_s) + " h";
  return std::to_string(seconds / day_s) + " days";
}

std::string relative(moment_us when, moment_us now) {
  if (when == 0)
    return "never";
  const std::int64_t seconds = (now - when) / second_us;
  const std::int64_t distance = seconds < 0 ? -seconds : seconds;
  if (distance > dated_after_s)
    return formatted(when, false, "%Y-%m-%d");
  if (distance < 2)
    return "now";
  // A token made for 24 hours ends "in 24 h", not "in 23 h", a moment later.
  return seconds > 0 ? rough(distance) + " ago"
                     : "in " + rough(distance < hour_s ? distance : distance + minute_s - 1);
}

std::string exact(moment_us when) {
  return when == 0 ? "never" : formatted(when, true, "%Y-%m-%d %H:%M:%SZ");
}

std::string local_clock(moment_us when, moment_us now) {
  if (when == 0)
    return "never";
  const bool this_year = formatted(when, false, "%Y") == formatted(now, false, "%Y");
  return formatted(when, false, this_year ? "%b %d %H:%M:%S" : "%Y-%m-%d %H:%M:%S");
}

std::string time_of_day(moment_us when, moment_us now) {
  const bool today = formatted(when, false, "%F") == formatted(now, false, "%F");
  return today ? formatted(when, false, "%H:%M:%S") : local_clock(when, now);
}

std::string minute_of_day(moment_us when, moment_us now) {
  const bool today = formatted(when, false, "%F") == formatted(now, false, "%F");
  return formatted(when, false, today ? "%H:%M" : "%b %d %H:%M");
}

std::string lasting(std::int64_t duration_us) {
  if (duration_us < second_us)
    return std::to_string(duration_us / 1000) + " ms";
  if (duration_us >= minute_s * second_us)
    return rough(duration_us / second_us);
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(duration_us) / second_us);
  return text;
}

std::optional<moment_us> parse_moment(std::string_view text, moment_us now) {
  if (const auto ago = parse_duration(text))
    return now - ago->count() * 1000;
  std::string plain{text};
  const bool utc = plain.ends_with('Z');
  if (utc)
    plain.pop_back();
  constexpr std::array forms{"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
                             "%Y-%m-%dT%H:%M:%S"};
  for (const auto* form : forms) {
    std::tm parts{};
    if (!read_by(plain, form, parts))
      continue;
    // Let the library find out whether summer time holds then.
    parts.tm_isdst = -1;
    const auto day = parts.tm_mday;
    const auto second = utc ? ::timegm(&parts) : ::mktime(&parts);
    // February 30 would become March 2.
    if (second == -1 || parts.tm_mday != day)
      return std::nullopt;
    return static_cast<moment_us>(second) * second_us;
  }
  return std::nullopt;
}

std::string grouped(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string amount(std::uint64_t bytes) {
  constexpr std::array units{"B", "KB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit > 0 && value < 9.995 ? "%.1f %s" : "%.0f %s", value,
                units[unit]);
  return text;
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view several) {
  return grouped(number) + " " + std::string(number == 1 ? one : several);
}

} // namespace muster::console
