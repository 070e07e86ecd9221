#include "actors/server/api/present.hpp"

#include "actors/rules/device_state.hpp"
#include "actors/rules/device_status.hpp"
#include "net/certificate.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace muster::actors::api {

namespace {

static_assert(static_cast<int>(device_state::unknown)
                == static_cast<int>(rules::device_state::unknown),
              "one list of states");

std::string hexadecimal(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  for (auto& byte : bytes) {
    byte = static_cast<std::uint8_t>(number >> 56);
    number <<= 8;
  }
  return net::to_hex(bytes);
}

/// What devices say of their clock can be anything.
std::int64_t microseconds(std::int64_t thousandths) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max() / 1000;
  return std::clamp(thousandths, -most, most) * 1000;
}

} // namespace

std::string_view name_of(severity s) noexcept {
  switch (s) {
    case severity::info: return "info";
    case severity::warning: return "warning";
    case severity::critical: return "critical";
    case severity::failure: return "failure";
  }
  return "unknown";
}

std::string_view name_of(off_reason why) noexcept {
  switch (why) {
    case off_reason::none: break;
    case off_reason::shutdown: return "shutdown";
    case off_reason::restart: return "restart";
    case off_reason::suspend: return "suspend";
    case off_reason::agent_stop: return "agent_stop";
  }
  return {};
}

std::string_view section_name(std::uint32_t number) noexcept {
  switch (number) {
    case 1: return "facts";
    case 2: return "applications";
    case 3: return "run_states";
    case 4: return "settings_states";
    default: return "unknown";
  }
}

void present(const device_row& from, admin::device& to) {
  to.set_id(from.device.text());
  to.set_name(from.name);
  to.set_state(std::string{rules::name_of(static_cast<rules::device_state>(from.state))});
  to.set_os_id(from.os_id);
  to.set_os_name(from.os_name);
  to.set_os_version(from.os_version);
  to.set_agent_version(from.agent_version);
  to.set_address(from.address);
  to.set_enrolled_us(from.enrolled_us);
  to.set_last_contact_us(from.last_contact_us);
  to.set_last_sync_us(from.last_sync_us);
  to.set_last_information_us(from.last_information_us);
  to.set_certificate_expires_us(microseconds(microseconds(from.certificate_expires_s)));
  auto& figures = *to.mutable_statistics();
  figures.set_uptime_s(from.statistics.uptime_s);
  figures.set_load_milli(from.statistics.load_milli);
  figures.set_memory_available_kb(from.statistics.memory_available_kb);
  figures.set_disk_free_mb(from.statistics.disk_free_mb);
  figures.set_disk_used_percent(from.statistics.disk_used_percent);
  to.set_same_machine(from.same_machine);
  to.set_off_us(from.off_us);
  to.set_off_reason(std::string{name_of(from.off_reason)});
  to.set_keep(from.keep);
  to.set_wake_port(from.wake_port);
  to.set_failed_services(from.failed_services);
  to.set_sync_failures(from.sync_failures);
  to.set_status(std::string{rules::name_of(static_cast<rules::device_status>(from.status))});
  to.set_status_reason(from.status_reason);
  if (from.group != 0)
    to.set_group(from.group_path.empty() ? "/" : from.group_path);
  for (const auto& tag : from.tags)
    to.add_tags(tag);
  to.set_settings_not_applied(from.settings_not_applied);
}

void present(const token_info& from, admin::token& to) {
  to.set_id(from.id);
  to.set_name(from.name);
  to.set_created_by(from.created_by);
  to.set_created_us(from.created_us);
  to.set_expires_us(from.expires_us);
  to.set_uses_max(from.uses_max);
  to.set_uses(from.uses);
  to.set_revoked(from.revoked);
  to.set_secret(from.secret);
}

void present(const storage::found_event& from, admin::event& to) {
  to.set_received_us(from.received_us);
  to.set_device_id(device_id{from.device}.text());
  to.set_device_name(from.device_name);
  to.set_severity(std::string{name_of(static_cast<severity>(from.severity))});
  const auto& content = from.content;
  to.set_type(content.type());
  to.set_text(content.text());
  to.mutable_attributes()->insert(content.attributes().begin(), content.attributes().end());
  to.set_time_us(microseconds(content.time_ms()));
  to.set_clock_offset_us(microseconds(from.clock_offset_ms));
  to.set_epoch(hexadecimal(from.epoch));
  to.set_sequence(content.sequence());
  if (content.gap_count() > 0) {
    to.mutable_gap()->set_first_sequence(content.gap_first());
    to.mutable_gap()->set_last_sequence(content.gap_last());
    to.mutable_gap()->set_count(content.gap_count());
  }
}

void present(const stored_events& batch, const event_item& from, admin::event& to) {
  to.set_received_us(batch.received_us);
  to.set_device_id(batch.batch->device.text());
  to.set_device_name(batch.batch->device_name);
  to.set_severity(std::string{name_of(from.severity)});
  to.set_type(from.type);
  to.set_text(from.text);
  to.mutable_attributes()->insert(from.attributes.begin(), from.attributes.end());
  to.set_time_us(microseconds(from.time_ms));
  to.set_clock_offset_us(microseconds(batch.batch->clock_offset_ms));
  to.set_epoch(hexadecimal(batch.batch->epoch));
  to.set_sequence(from.sequence);
  if (from.gap) {
    to.mutable_gap()->set_first_sequence(from.gap->first);
    to.mutable_gap()->set_last_sequence(from.gap->last);
    to.mutable_gap()->set_count(from.gap->count);
  }
}

void present(const storage::record::audit& from, admin::audit_entry& to) {
  to.set_time_us(from.time_us());
  to.set_actor(from.actor());
  to.set_source(from.source());
  to.set_action(from.action());
  to.set_subject(from.subject());
  to.set_detail(from.detail());
}

} // namespace muster::actors::api
