#include "actors/rules/time_zone.hpp"

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

#include <algorithm>

namespace muster::rules {

namespace {

/// A local time as the library counts: seconds of a calendar without zones.
cctz::civil_second civil(local_seconds at) noexcept {
  return cctz::civil_second{} + at.time_since_epoch().count(); // the default is 1970-01-01 00:00:00
}

} // namespace

struct time_zone::rules {
  cctz::time_zone zone;
};

time_zone::time_zone(std::string name, std::shared_ptr<const rules> r) noexcept
  : name_(std::move(name)), rules_(std::move(r)) {}

bool time_zone::is_name(std::string_view name) noexcept {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  };
  // The library opens a file of this name: no way out of the folder of zones.
  return !name.empty() && name.size() <= name_bytes_max && name.front() != '/' &&
         std::all_of(name.begin(), name.end(), good);
}

std::optional<time_zone> time_zone::find(std::string_view name, std::string& problem) {
  auto found = std::make_shared<rules>();
  if (!is_name(name) || !cctz::load_time_zone(std::string{name}, &found->zone)) {
    problem = "there is no time zone '" + std::string{name.substr(0, name_bytes_max)} +
              "'; they are called like Europe/Berlin";
    return std::nullopt;
  }
  return time_zone{std::string{name}, std::move(found)};
}

time_zone time_zone::utc() {
  auto zone = std::make_shared<rules>();
  zone->zone = cctz::utc_time_zone();
  return {"UTC", std::move(zone)};
}

local_seconds time_zone::to_local(utc_seconds at) const {
  return local_seconds{at.time_since_epoch() + stretch_at(at).offset};
}

utc_seconds time_zone::to_utc(local_seconds at) const {
  const auto found = rules_->zone.lookup(civil(at));
  return found.kind == cctz::time_zone::civil_lookup::SKIPPED ? found.trans : found.pre;
}

time_zone::stretch time_zone::stretch_at(utc_seconds at) const {
  stretch out{std::chrono::seconds{rules_->zone.lookup(at).offset}, utc_seconds::max()};
  cctz::time_zone::civil_transition next;
  if (rules_->zone.next_transition(at, &next)) {
    // One of the two is a time that is left out or shown twice, of which the library knows the
    // instant.
    const auto found = rules_->zone.lookup(std::min(next.from, next.to));
    if (found.kind != cctz::time_zone::civil_lookup::UNIQUE)
      out.until = found.trans;
    else
      out.until = found.pre; // a change of nothing but the zone's abbreviation
  }
  return out;
}

} // namespace muster::rules
