// Lists and counts: at once when the order answers them, in slices when many devices must be looked
// at.
#include "actors/server/device_target.hpp"
#include "actors/server/directory.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace muster::actors {

namespace {

static_assert(static_cast<int>(device_state::connected) ==
                static_cast<int>(rules::device_state::connected) &&
              static_cast<int>(device_state::off) == static_cast<int>(rules::device_state::off) &&
              rules::device_states == std::tuple_size_v<decltype(device_counts::by_state)>);
static_assert(static_cast<int>(device_status::critical) ==
                static_cast<int>(rules::device_status::critical) &&
              rules::device_statuses == std::tuple_size_v<decltype(device_counts::by_status)>);

std::uint32_t rows_of(const device_query& query) {
  return std::clamp(query.limit, std::uint32_t{1}, fleet_limits::list_rows_max);
}

bool is_behind(const device_entry& entry, const device_query& query) {
  const auto order = entry.name.compare(query.after_name);
  return order != 0 ? order > 0 : entry.device > query.after_device;
}

} // namespace

caf::result<device_page_ptr> directory_state::list(const device_query_ptr& query) {
  std::string problem;
  auto filter = parse_target(query->target, problem);
  if (!filter)
    return make_error(errc::invalid, problem);
  if (query->target.find_first_not_of(' ') == std::string::npos) {
    auto page = std::make_shared<device_page>();
    page->matching = devices_->size();
    const auto begin = devices_->rank_behind(query->after_name, query->after_device);
    const auto end = std::min(begin + rows_of(*query), devices_->size());
    for (auto rank = begin; rank < end; ++rank)
      page->rows.push_back(row_of(devices_->at_rank(rank)));
    return device_page_ptr{std::move(page)};
  }
  if (looking_.size() >= fleet_limits::lists_max)
    return make_error(errc::overloaded, "too many lists at once");
  auto one = std::make_unique<looking>();
  one->filter = std::move(*filter);
  one->query = query;
  one->page_answer = self_->make_response_promise<device_page_ptr>();
  auto answer = one->page_answer;
  if (looking_.empty())
    self_->send(self_, atom::next_v);
  looking_.push_back(std::move(one));
  return answer;
}

device_page_ptr directory_state::find(const device_id& device) const {
  auto page = std::make_shared<device_page>();
  if (const auto* const entry = devices_->find(device)) {
    page->rows.push_back(row_of(*entry));
    page->matching = 1;
  }
  return page;
}

caf::result<device_counts> directory_state::count() {
  if (looking_.size() >= fleet_limits::lists_max)
    return make_error(errc::overloaded, "too many lists at once");
  auto one = std::make_unique<looking>();
  one->counts = figures_;
  one->counts.calls_open = watches_.size();
  one->counts_answer = self_->make_response_promise<device_counts>();
  auto answer = one->counts_answer;
  if (looking_.empty())
    self_->send(self_, atom::next_v);
  looking_.push_back(std::move(one));
  return answer;
}

/// A slice of the one in front, which then waits behind the others.
void directory_state::look_on() {
  auto one = std::move(looking_.front());
  looking_.pop_front();
  if (!look_at_slice(*one))
    looking_.push_back(std::move(one));
  else if (one->query)
    one->page_answer.deliver(device_page_ptr{std::move(one->page)});
  else
    one->counts_answer.deliver(one->counts);
  if (!looking_.empty())
    self_->send(self_, atom::next_v);
}

/// True when all have been looked at. Between slices devices come, go and change their names:
/// whoever was there all the time, with the name it had, is looked at once.
bool directory_state::look_at_slice(looking& what) {
  std::size_t rank = 0;
  if (what.begun)
    rank = devices_->rank_behind(what.at_name, what.at_device);
  else if (what.query && !what.query->count)
    rank = devices_->rank_behind(what.query->after_name, what.query->after_device);
  const auto end = std::min(rank + fleet_limits::list_slice, devices_->size());
  for (; rank < end; ++rank) {
    const auto& entry = devices_->at_rank(rank);
    const auto state = state_of(entry);
    const auto status = status_of(entry, state).level;
    if (!what.query) {
      ++what.counts.total;
      ++what.counts.by_state[static_cast<std::size_t>(state)];
      if (!entry.revoked)
        ++what.counts.by_status[static_cast<std::size_t>(status)];
      what.counts.kept += entry.keep ? 1 : 0;
      continue;
    }
    const rules::device_traits traits{entry.name, devices_->text(entry.os_id),
                                      devices_->text(entry.os_name), entry.device,
                                      static_cast<rules::device_state>(state),
                                      status,
                                      entry.keep};
    if (!what.filter.matches(traits))
      continue;
    ++what.page->matching;
    if (what.page->rows.size() < rows_of(*what.query) && is_behind(entry, *what.query))
      what.page->rows.push_back(row_of(entry));
    if (!what.query->count && what.page->rows.size() == rows_of(*what.query))
      return true;
  }
  if (end == devices_->size())
    return true;
  const auto& last = devices_->at_rank(end - 1);
  what.begun = true;
  what.at_name = last.name;
  what.at_device = last.device;
  return false;
}

device_row directory_state::row_of(const device_entry& entry) const {
  device_row out;
  out.device = entry.device;
  out.name = entry.name;
  out.state = state_of(entry);
  out.os_id = devices_->text(entry.os_id);
  out.os_name = devices_->text(entry.os_name);
  out.os_version = devices_->text(entry.os_version);
  out.agent_version = devices_->text(entry.agent_version);
  out.address = entry.address;
  out.enrolled_us = entry.enrolled_ms * 1000;
  out.last_contact_us = entry.last_contact_ms * 1000;
  out.last_sync_us = entry.last_sync_ms * 1000;
  out.last_information_us = entry.last_information_ms * 1000;
  out.certificate_expires_s = entry.certificate_expires_s;
  out.statistics = entry.statistics;
  out.digests = entry.digests;
  out.fingerprint = entry.fingerprint;
  out.off_reason = entry.off;
  out.off_us = entry.off_ms * 1000;
  out.keep = entry.keep;
  out.wake_port = entry.wake_port;
  out.failed_services = entry.failed_services;
  out.sync_failures = entry.sync_failures;
  out.sync_period_s = static_cast<std::uint32_t>(
    std::chrono::duration_cast<std::chrono::seconds>(period_of(entry)).count());
  const auto findings = status_of(entry, out.state);
  out.status = static_cast<device_status>(findings.level);
  out.status_reason = rules::explain(findings);
  out.same_machine = options_.loaded.machines->several(entry.fingerprint);
  return out;
}

device_state directory_state::state_of(const device_entry& entry) const {
  const rules::device_signs signs{entry.revoked,
                                  entry.session != nullptr,
                                  entry.seen,
                                  entry.off != off_reason::none,
                                  entry.last_contact_ms * 1000,
                                  period_of(entry).count()};
  return static_cast<device_state>(
    rules::state_of(signs, options_.now(), options_.server_started_us));
}

rules::status_findings directory_state::status_of(const device_entry& entry,
                                                  device_state state) const {
  const bool restarting = state == device_state::off && entry.off == off_reason::restart;
  return rules::status_of({static_cast<rules::device_state>(state), entry.last_contact_ms * 1000,
                           restarting ? entry.off_ms * 1000 : 0, entry.statistics.disk_used_percent,
                           entry.failed_services, entry.sync_failures,
                           entry.certificate_expires_s},
                          options_.status, options_.now());
}

std::chrono::microseconds directory_state::period_of(const device_entry& entry) const {
  return entry.sync_period_s != 0 ? std::chrono::seconds{entry.sync_period_s}
                                  : options_.sync_period;
}

} // namespace muster::actors
