// Lists and counts: at once when the order answers them, in slices when many devices must be looked
// at.
#include "actors/server/device_tags.hpp"
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
  auto filter = rules::device_filter::parse(query->target, problem);
  if (!filter)
    return make_error(errc::invalid, problem);
  auto page = std::make_shared<device_page>();
  if (query->target.find_first_not_of(' ') == std::string::npos) {
    page->matching = devices_->size();
    const auto begin = devices_->rank_behind(query->after_name, query->after_device);
    const auto end = std::min(begin + rows_of(*query), devices_->size());
    for (auto rank = begin; rank < end; ++rank)
      page->rows.push_back(row_of(devices_->at_rank(rank)));
    return device_page_ptr{std::move(page)};
  }
  if (looking_.size() >= fleet_limits::lists_max)
    return make_error(errc::overloaded, "too many lists at once");
  auto one = std::make_shared<looking>();
  one->what = look_for::page;
  one->filter = std::move(*filter);
  one->query = query;
  one->page = std::move(page);
  one->page_answer = self_->make_response_promise<device_page_ptr>();
  auto answer = one->page_answer;
  begin_looking(std::move(one));
  return answer;
}

device_page_ptr directory_state::find(const device_id& device) const {
  auto page = std::make_shared<device_page>();
  if (const auto* const entry = devices_->find(device)) {
    page->rows.push_back(row_of(*entry));
    page->rows.back().documents = manifest_of(*entry);
    page->matching = 1;
  }
  return page;
}

caf::result<device_counts> directory_state::count() {
  if (looking_.size() >= fleet_limits::lists_max)
    return make_error(errc::overloaded, "too many lists at once");
  auto one = std::make_shared<looking>();
  one->what = look_for::counts;
  one->counts = figures_;
  one->counts.calls_open = watches_.size();
  one->counts_answer = self_->make_response_promise<device_counts>();
  auto answer = one->counts_answer;
  begin_looking(std::move(one));
  return answer;
}

// -- in slices
// --------------------------------------------------------------------------------------

void directory_state::begin_looking(looking_ptr what) {
  looking_.push_back(std::move(what));
  look_again();
}

void directory_state::look_again() {
  if (!looking_.empty() && !std::exchange(look_sent_, true))
    self_->send(self_, atom::next_v);
}

/// A slice of the one in front, which then waits behind the others.
void directory_state::look_on() {
  look_sent_ = false;
  const auto one = std::move(looking_.front());
  looking_.pop_front();
  if (one->what == look_for::who_moves)
    place_slice(one); // comes back when the store has answered
  else if (one->what == look_for::who_is_told ? !tell_slice(*one) : !look_at_slice(*one))
    looking_.push_back(one);
  else if (one->what == look_for::page)
    one->page_answer.deliver(device_page_ptr{std::move(one->page)});
  else if (one->what == look_for::counts)
    one->counts_answer.deliver(one->counts);
  look_again();
}

/// Where such a look goes on. Between slices devices come, go and change their names: whoever was
/// there all the time, with the name it had, is looked at once.
std::size_t directory_state::rank_behind(const looking& what) const {
  return what.begun ? devices_->rank_behind(what.at_name, what.at_device) : 0;
}

/// All in front of this rank have been looked at.
void directory_state::note_place(looking& what, std::size_t rank) const {
  what.over = rank == devices_->size();
  if (rank == 0)
    return;
  const auto& last = devices_->at_rank(rank - 1);
  what.begun = true;
  what.at_name = last.name;
  what.at_device = last.device;
}

/// True when all have been looked at.
bool directory_state::look_at_slice(looking& what) {
  auto rank = rank_behind(what);
  if (!what.begun && what.query && !what.query->count)
    rank = devices_->rank_behind(what.query->after_name, what.query->after_device);
  const auto end = std::min(rank + fleet_limits::list_slice, devices_->size());
  for (; rank < end; ++rank) {
    look_at(devices_->at_rank(rank), what);
    if (what.query && !what.query->count && what.page->rows.size() == rows_of(*what.query))
      return true;
  }
  note_place(what, end);
  return what.over;
}

void directory_state::look_at(const device_entry& entry, looking& what) {
  if (what.what == look_for::counts) {
    const auto state = state_of(entry);
    ++what.counts.total;
    ++what.counts.by_state[static_cast<std::size_t>(state)];
    if (!entry.revoked)
      ++what.counts.by_status[static_cast<std::size_t>(status_of(entry, state).level)];
    what.counts.kept += entry.keep ? 1 : 0;
    return;
  }
  if (!matches(what.filter, entry))
    return;
  ++what.page->matching;
  if (what.page->rows.size() < rows_of(*what.query) && is_behind(entry, *what.query))
    what.page->rows.push_back(row_of(entry));
}

bool directory_state::matches(const rules::device_filter& filter, const device_entry& entry) const {
  const auto state = state_of(entry);
  rules::device_traits traits{entry.name, devices_->text(entry.os_id),
                              devices_->text(entry.os_name), entry.device,
                              static_cast<rules::device_state>(state),
                              status_of(entry, state).level,
                              entry.keep};
  traits.group = path_of(group_of(entry));
  const auto tags = split_tags(devices_->text(entry.tags));
  traits.tags = tags;
  return filter.matches(traits);
}

// -- as others see a device
// -------------------------------------------------------------------------

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
  out.group = group_of(entry).number;
  out.group_path = path_of(group_of(entry));
  for (const auto tag : split_tags(devices_->text(entry.tags)))
    out.tags.emplace_back(tag);
  out.settings_not_applied = entry.settings_not_applied;
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
