#include "actors/rules/device_status.hpp"

#include <algorithm>

namespace muster::rules {

namespace {

constexpr std::array<std::string_view, device_statuses> names = {"ok", "warning", "critical"};
constexpr std::int64_t second_us = 1'000'000;

/// The level of a value that is the worse the higher it is.
device_status above(std::int64_t value, std::int64_t warning, std::int64_t critical) noexcept {
  if (critical != 0 && value >= critical)
    return device_status::critical;
  if (warning != 0 && value >= warning)
    return device_status::warning;
  return device_status::ok;
}

device_status above(std::uint32_t value, const status_thresholds& from) noexcept {
  return above(std::int64_t{value}, std::int64_t{from.warning}, std::int64_t{from.critical});
}

/// Nothing left is worse than any threshold, unless none is set.
device_status below(std::int64_t left, std::int64_t warning, std::int64_t critical) noexcept {
  if (critical != 0 && (left < critical || left <= 0))
    return device_status::critical;
  if (warning != 0 && left < warning)
    return device_status::warning;
  return device_status::ok;
}

std::string counted(std::int64_t number, std::string_view one, std::string_view several) {
  return std::to_string(number) + " " + std::string{number == 1 ? one : several};
}

/// In the largest unit of which there are two.
std::string span(std::int64_t seconds) {
  constexpr std::int64_t minute = 60;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  if (seconds >= 2 * day)
    return std::to_string(seconds / day) + " days";
  if (seconds >= 2 * hour)
    return std::to_string(seconds / hour) + " hours";
  if (seconds >= 2 * minute)
    return std::to_string(seconds / minute) + " minutes";
  return counted(seconds, "second", "seconds");
}

std::string explain(const finding& one) {
  switch (one.what) {
  case condition::silent:
    return "silent for " + span(one.value);
  case condition::restarting:
    return "said that it restarts " + span(one.value) + " ago, and is not back";
  case condition::disk:
    return "its fullest disk is " + std::to_string(one.value) + " % full";
  case condition::services:
    return counted(one.value, "service has failed", "services have failed");
  case condition::syncs:
    return counted(one.value, "sync has failed", "syncs in a row have failed");
  case condition::certificate:
    return one.value <= 0 ? "its certificate has expired"
                          : "its certificate ends in " + span(one.value);
  }
  return {};
}

} // namespace

status_findings status_of(const device_conditions& device, const status_limits& limits,
                          std::int64_t now_us) noexcept {
  status_findings out;
  if (device.state == device_state::revoked)
    return out;
  const auto add = [&out](condition what, device_status level, std::int64_t value) {
    if (level == device_status::ok)
      return;
    out.all[out.count++] = {what, level, value};
    out.level = std::max(out.level, level);
  };
  if (device.state == device_state::silent) {
    const auto silence = (now_us - device.last_contact_us) / second_us;
    add(condition::silent,
        above(silence, limits.silent_warning.count(), limits.silent_critical.count()), silence);
  }
  if (device.restarting_since_us != 0) {
    const auto away = (now_us - device.restarting_since_us) / second_us;
    add(condition::restarting, above(away, limits.restart_warning.count(), 0), away);
  }
  add(condition::disk, above(device.disk_used_percent, limits.disk_used_percent),
      device.disk_used_percent);
  add(condition::services, above(device.failed_services, limits.failed_services),
      device.failed_services);
  add(condition::syncs, above(device.sync_failures, limits.sync_failures), device.sync_failures);
  const auto left = device.certificate_expires_s - now_us / second_us;
  add(condition::certificate,
      below(left, limits.certificate_warning.count(), limits.certificate_critical.count()), left);
  return out;
}

std::string explain(const status_findings& findings) {
  std::string out;
  for (const auto level : {device_status::critical, device_status::warning}) {
    for (std::size_t i = 0; i < findings.count; ++i) {
      if (findings.all[i].level != level)
        continue;
      out += (out.empty() ? "" : "; ") + explain(findings.all[i]);
    }
  }
  return out;
}

std::string_view name_of(device_status status) noexcept {
  return names[static_cast<std::size_t>(status)];
}

std::optional<device_status> device_status_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name)
      return static_cast<device_status>(i);
  }
  return std::nullopt;
}

} // namespace muster::rules
