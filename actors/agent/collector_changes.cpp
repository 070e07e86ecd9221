// What the collector makes events of.

#include "actors/agent/collector.hpp"
#include "actors/agent/collector_events.hpp"
#include "storage/records.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace muster::actors {

namespace {

using storage::record::announced_applications;

std::vector<rules::application_key> keys_of(const wire::applications& list) {
  std::vector<rules::application_key> out;
  out.reserve(static_cast<std::size_t>(list.items_size()));
  for (const auto& item : list.items())
    out.push_back({item.name(), item.version(), item.architecture(), item.manager()});
  return out;
}

std::vector<rules::application_key> keys_of(const announced_applications& list) {
  std::vector<rules::application_key> out;
  out.reserve(static_cast<std::size_t>(list.items_size()));
  for (const auto& item : list.items())
    out.push_back({item.name(), item.version(), item.architecture(), item.manager()});
  return out;
}

announced_applications record_of(const wire::applications& list) {
  announced_applications out;
  for (const auto& from : list.items()) {
    auto& item = *out.add_items();
    item.set_name(from.name());
    item.set_version(from.version());
    item.set_architecture(from.architecture());
    item.set_manager(from.manager());
  }
  return out;
}

std::shared_ptr<raised_event> event_of(const rules::application_change& change) {
  using kind = rules::application_change::kind;
  const auto& [name, version, architecture, manager] = change.application;
  std::map<std::string, std::string> attributes{
    {"name", name}, {"version", version}, {"architecture", architecture}, {"manager", manager}};
  if (change.what == kind::installed)
    return make_event(severity::info, event_types::application_installed,
                      name + " " + version + " was installed", std::move(attributes));
  if (change.what == kind::removed)
    return make_event(severity::info, event_types::application_removed,
                      name + " " + version + " was removed", std::move(attributes));
  attributes["version_before"] = change.version_before;
  return make_event(severity::info, event_types::application_upgraded,
                    name + " went from " + change.version_before + " to " + version,
                    std::move(attributes));
}

std::shared_ptr<raised_event> summary_of(const std::vector<rules::application_change>& all) {
  using kind = rules::application_change::kind;
  const auto count = [&](kind k) {
    return std::to_string(
      std::count_if(all.begin(), all.end(), [k](const auto& one) { return one.what == k; }));
  };
  const auto installed = count(kind::installed);
  const auto removed = count(kind::removed);
  const auto upgraded = count(kind::replaced);
  return make_event(severity::info, event_types::application_changed,
                    std::to_string(all.size()) + " applications changed at once: " + installed +
                      " installed, " + removed + " removed, " + upgraded + " upgraded",
                    {{"installed", installed}, {"removed", removed}, {"upgraded", upgraded}});
}

constexpr std::string_view service_prefix{"service "};
constexpr std::string_view disk_prefix{"disk "};

std::string gigabytes(std::uint64_t bytes) {
  const auto tenths = bytes / 100'000'000;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GB";
}

std::map<std::string, std::string> attributes_of(const probe::disk_space& disk) {
  return {{"mount", disk.mount},
          {"used_percent", std::to_string(disk.used_percent)},
          {"free_bytes", std::to_string(disk.free_bytes)},
          {"size_bytes", std::to_string(disk.size_bytes)}};
}

} // namespace

// -- applications ---------------------------------------------------------------------------------

void collector_state::look_at_applications() {
  wire::applications now;
  if (loaded_ && options_.view.applications(now))
    compare(now);
  else
    compare_again_ = true;
}

void collector_state::compare(const wire::applications& now) {
  if (!loaded_ || stopping_)
    return;
  if (announcing_) {
    compare_again_ = true;
    return;
  }
  compare_again_ = false;
  auto record = record_of(now);
  auto bytes = record.SerializeAsString();
  if (announced_ == bytes)
    return;
  events news;
  if (announced_) {
    announced_applications before;
    before.ParseFromString(*announced_);
    news = news_of(rules::difference(keys_of(before), keys_of(now)));
  }
  announcing_ = true;
  tell(std::move(news), [this, bytes = std::move(bytes), record = std::move(record)] {
    announcing_ = false;
    announced_ = bytes;
    remember(announced_settings::applications, storage::records::encode(record));
    if (compare_again_)
      look_at_applications();
  });
}

collector_state::events collector_state::news_of(const rules::application_delta& delta) const {
  const auto all = rules::changes(delta);
  if (all.size() > options_.changes_max)
    return {summary_of(all)};
  events out;
  for (const auto& one : all)
    out.push_back(event_of(one));
  return out;
}

// -- alarms ---------------------------------------------------------------------------------------

void collector_state::look_at_alarms() {
  if (alarming_ || stopping_)
    return;
  auto on = alarms_;
  events news;
  look_at_services(on, news);
  look_at_disks(on, news);
  if (on == alarms_)
    return;
  alarming_ = true;
  tell(std::move(news), [this, on = std::move(on)] {
    alarming_ = false;
    alarms_ = on;
    storage::record::announced_alarms record;
    for (const auto& one : on)
      record.add_items(one);
    remember(announced_settings::alarms, storage::records::encode(record));
  });
}

void collector_state::look_at_services(alarms& on, events& news) const {
  std::vector<probe::unit_condition> services;
  if (!options_.view.services(services))
    return; // nobody to ask just now: what was wrong still is, as far as anybody knows
  std::map<std::string, const probe::unit_condition*> by_alarm;
  for (const auto& one : services)
    by_alarm.emplace(std::string{service_prefix} + one.name, &one);
  for (const auto& [alarm, service] : by_alarm)
    if (service->state == "failed" && on.insert(alarm).second)
      news.push_back(make_event(severity::failure, event_types::service_failed,
                                service->name + " has failed",
                                {{"service", service->name}, {"detail", service->detail}}));
  for (auto alarm = on.begin(); alarm != on.end();) {
    const auto now = by_alarm.find(*alarm);
    const auto state = now == by_alarm.end() ? std::string{"inactive"} : now->second->state;
    // On its way is not there yet: a service that fails at every start must not flap.
    const bool stays = state != "active" && state != "inactive";
    if (!alarm->starts_with(service_prefix) || stays) {
      ++alarm;
      continue;
    }
    const auto service = alarm->substr(service_prefix.size());
    news.push_back(make_event(severity::info, event_types::service_recovered,
                              state == "active" ? service + " is active again"
                                                : service + " is no longer failed, but not active",
                              {{"service", service}, {"state", state}}));
    alarm = on.erase(alarm);
  }
}

void collector_state::look_at_disks(alarms& on, events& news) const {
  const auto disks = options_.view.disks();
  alarms seen;
  for (const auto& disk : disks) {
    const auto alarm = std::string{disk_prefix} + disk.mount;
    seen.insert(alarm);
    const auto used =
      std::to_string(disk.used_percent) + " % full, " + gigabytes(disk.free_bytes) + " left";
    if (disk.used_percent >= options_.disk_full_percent && on.insert(alarm).second)
      news.push_back(make_event(severity::warning, event_types::disk_nearly_full,
                                disk.mount + " is " + used, attributes_of(disk)));
    else if (disk.used_percent + options_.disk_hysteresis < options_.disk_full_percent &&
             on.erase(alarm) > 0)
      news.push_back(make_event(severity::info, event_types::disk_ok,
                                disk.mount + " has room again: " + used, attributes_of(disk)));
  }
  for (auto alarm = on.begin(); alarm != on.end();) {
    if (!alarm->starts_with(disk_prefix) || seen.contains(*alarm)) {
      ++alarm;
      continue;
    }
    const auto mount = alarm->substr(disk_prefix.size());
    news.push_back(make_event(severity::info, event_types::disk_ok,
                              mount + " was nearly full and is no longer there",
                              {{"mount", mount}}));
    alarm = on.erase(alarm);
  }
}

// -- the clock ------------------------------------------------------------------------------------

void collector_state::look_at_clock() {
  if (jumping_)
    return;
  const auto offset_us = options_.view.now_us() - options_.view.boot_time_us();
  const auto jump_ms = (offset_us - clock_offset_us_.value_or(offset_us)) / 1000;
  if (std::abs(jump_ms) <= options_.clock_jump_min.count()) {
    clock_offset_us_ = offset_us; // corrections of a few seconds do not add up to a jump
    return;
  }
  jumping_ = true;
  const auto seconds = std::to_string(std::abs(jump_ms) / 1000);
  tell({make_event(severity::warning, event_types::clock_jumped,
                   "the clock was set " + seconds + " s " + (jump_ms > 0 ? "forward" : "back"),
                   {{"jump_ms", std::to_string(jump_ms)}})},
       [this, offset_us] {
         jumping_ = false;
         clock_offset_us_ = offset_us;
       });
}

} // namespace muster::actors
