#include "actors/server/device_records.hpp"

#include "actors/rules/shard.hpp"
#include "actors/server/device_tags.hpp"
#include "actors/server/directory.hpp"
#include "actors/server/document_depot.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <muster/assert.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>

namespace muster::actors {

namespace {

using storage::family;

std::string text_of(std::string_view text) {
  return storage::records::clean_text(text);
}

std::string raw(const section_digest& digest) {
  if (digest == section_digest{})
    return {};
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

bool read_hash(const std::string& from, net::sha256_digest& to) {
  if (from.size() != to.size())
    return false;
  std::memcpy(to.data(), from.data(), to.size());
  return true;
}

void set_off(storage::record::device_report& out, off_reason reason, std::int64_t at_ms,
             std::uint64_t notice_counter) {
  out.set_off_reason(static_cast<std::uint32_t>(reason));
  out.set_off_ms(at_ms);
  out.set_notice_counter(notice_counter);
}

std::uint64_t hello_counter_of(const device_entry& entry) {
  return entry.counter - entry.notice_ahead;
}

/// Further than this no hello is late.
std::uint8_t ahead_of(std::uint64_t notice_counter, std::uint64_t hello_counter) {
  return static_cast<std::uint8_t>(std::min<std::uint64_t>(notice_counter - hello_counter, 255));
}

storage::record::device_report report_of(const device_table& table, const device_entry& entry) {
  storage::record::device_report out;
  out.set_hello_counter(hello_counter_of(entry));
  out.set_boot_id(entry.boot.raw());
  out.set_boot_before(entry.boot_before.raw());
  out.set_boot_returned(entry.boot_returned);
  out.set_went_back(entry.went_back);
  out.set_host_name(text_of(entry.name));
  out.set_os_id(text_of(table.text(entry.os_id)));
  out.set_os_name(text_of(table.text(entry.os_name)));
  out.set_os_version(text_of(table.text(entry.os_version)));
  out.set_agent_version(text_of(table.text(entry.agent_version)));
  out.set_address(text_of(entry.address));
  out.set_last_contact_ms(entry.last_contact_ms);
  out.set_last_sync_ms(entry.last_sync_ms);
  out.set_last_information_ms(entry.last_information_ms);
  out.set_wake_port(entry.wake_port);
  out.set_failed_services(entry.failed_services);
  out.set_sync_failures(entry.sync_failures);
  out.set_settings_not_applied(entry.settings_not_applied);
  out.set_keep(entry.keep_to_store);
  out.set_sync_period_s(entry.sync_period_s);
  if (entry.off != off_reason::none)
    set_off(out, entry.off, entry.off_ms, entry.counter);
  for (const auto& digest : entry.digests)
    out.add_digests(raw(digest));
  return out;
}

void set_statistics(storage::record::device_report& out, const device_statistics& from) {
  out.set_uptime_s(from.uptime_s);
  out.set_load_milli(from.load_milli);
  out.set_memory_available_kb(from.memory_available_kb);
  out.set_disk_free_mb(from.disk_free_mb);
  out.set_disk_used_percent(from.disk_used_percent);
}

storage::change change_of(const device_id& device, const storage::record::device_report& report) {
  return storage::put(family::devices, storage::keys::device_report(device.bytes),
                      storage::records::encode(report));
}

/// Reads one key space of the devices family; `take` answers false for what cannot be read.
template <class Record, class Parse, class Take>
std::error_code read_all(const storage::store& db, const storage::key_range& range, Parse parse,
                         Take take) {
  Record record; // once: its strings keep their room
  std::error_code bad;
  const auto ec = db.scan(family::devices, range, false, [&](auto key, auto value) {
    const auto device = parse(key);
    bad = device ? storage::records::decode(value, record) : storage::errc::corrupt;
    if (!bad && !take(device_id{*device}, record))
      bad = storage::errc::corrupt;
    if (bad)
      spdlog::critical("device {}: its record cannot be read: {}",
                       device ? device_id{*device}.text() : "?", bad.message());
    return !bad;
  });
  return ec ? ec : bad;
}

} // namespace

storage::change report_change(const device_table& table, const device_entry& entry) {
  auto out = report_of(table, entry);
  set_statistics(out, entry.statistics);
  return change_of(entry.device, out);
}

storage::change report_change(const device_table& table, const device_entry& entry,
                              const hello_report& hello) {
  auto out = report_of(table, entry);
  out.set_hello_counter(hello.counter);
  out.set_boot_id(hello.boot.raw());
  out.set_boot_before(hello.boots.before.raw());
  out.set_boot_returned(hello.boots.returned);
  out.set_went_back(hello.went_back);
  out.set_agent_version(text_of(hello.agent_version));
  out.set_address(text_of(hello.address));
  out.set_last_contact_ms(hello.contact_ms);
  out.set_wake_port(hello.wake_port);
  out.set_sync_period_s(hello.sync_period_s);
  if (!hello.late)
    set_off(out, off_reason::none, 0, 0);
  set_statistics(out, hello.statistics);
  return change_of(entry.device, out);
}

storage::change report_change(const device_table& table, const device_entry& entry,
                              const off_report& off) {
  auto out = report_of(table, entry);
  set_off(out, off.reason, off.at_ms, off.counter);
  out.set_last_contact_ms(std::max(entry.last_contact_ms, off.at_ms));
  set_statistics(out, entry.statistics);
  return change_of(entry.device, out);
}

void apply(const off_report& off, device_entry& entry) {
  entry.notice_ahead = ahead_of(off.counter, hello_counter_of(entry));
  entry.counter = off.counter;
  entry.off = off.reason;
  entry.off_ms = off.at_ms;
  entry.last_contact_ms = std::max(entry.last_contact_ms, off.at_ms);
  entry.seen = true;
}

void apply(const hello_report& hello, device_table& table, device_entry& entry) {
  entry.boot = hello.boot;
  entry.boot_before = hello.boots.before;
  entry.boot_returned = hello.boots.returned;
  entry.wake_port = hello.wake_port;
  entry.sync_period_s = hello.sync_period_s;
  entry.seen = true;
  if (hello.late) {
    entry.notice_ahead = ahead_of(entry.counter, hello.counter);
  } else {
    entry.counter = hello.counter;
    entry.notice_ahead = 0;
    entry.off = off_reason::none;
    entry.off_ms = 0;
  }
  entry.went_back = hello.went_back;
  entry.address = hello.address;
  entry.last_contact_ms = std::max(entry.last_contact_ms, hello.contact_ms);
  entry.statistics = hello.statistics;
  table.set_text(entry.agent_version, hello.agent_version);
}

storage::change assignment_change(const device_id& device, const assignment& what,
                                  std::int64_t now_us, std::string_view by) {
  storage::record::device_assignment out;
  out.set_group(what.group);
  for (const auto tag : split_tags(what.tags))
    out.add_tags(std::string{tag});
  out.set_settled(what.settled);
  out.set_changed_ms(now_us / 1000);
  out.set_changed_by(text_of(by));
  return storage::put(family::devices, storage::keys::assignment(device.bytes),
                      storage::records::encode(out));
}

bool read_identity(const storage::record::device& from, device_entry& to) {
  const auto fingerprint = machine_fingerprint::from_bytes(from.fingerprint());
  if (!fingerprint || !read_hash(from.certificate_sha256(), to.certificate_sha256))
    return false;
  to.fingerprint = *fingerprint;
  to.certificate_expires_s = from.certificate_expires_s();
  to.enrolled_ms = from.enrolled_ms();
  to.address = from.address();
  to.revoked = from.revoked();
  return true;
}

bool read_report(const storage::record::device_report& from, device_table& table,
                 device_entry& to) {
  const auto boot = boot_id::from_bytes(from.boot_id());
  if (!boot)
    return false;
  to.boot = *boot;
  to.boot_before = boot_id::from_bytes(from.boot_before()).value_or(boot_id{});
  to.boot_returned = from.boot_returned();
  to.counter = from.hello_counter();
  if (from.notice_counter() > to.counter && from.off_reason() != 0 &&
      from.off_reason() <= static_cast<std::uint32_t>(off_reason::agent_stop)) {
    to.notice_ahead = ahead_of(from.notice_counter(), to.counter);
    to.counter = from.notice_counter();
    to.off = static_cast<off_reason>(from.off_reason());
    to.off_ms = from.off_ms();
  }
  to.wake_port = static_cast<std::uint16_t>(std::min<std::uint32_t>(from.wake_port(), 65'535));
  to.failed_services =
    static_cast<std::uint16_t>(std::min<std::uint32_t>(from.failed_services(), 65'535));
  to.sync_failures = static_cast<std::uint8_t>(std::min<std::uint32_t>(from.sync_failures(), 255));
  to.settings_not_applied =
    static_cast<std::uint16_t>(std::min<std::uint32_t>(from.settings_not_applied(), 65'535));
  to.keep = to.keep_to_store = from.keep();
  to.sync_period_s = from.sync_period_s();
  to.went_back = from.went_back();
  to.address = from.address();
  to.last_contact_ms = from.last_contact_ms();
  to.last_sync_ms = from.last_sync_ms();
  to.last_information_ms = from.last_information_ms();
  to.statistics = {from.uptime_s(), from.memory_available_kb(), from.disk_free_mb(),
                   from.load_milli(), from.disk_used_percent()};
  table.set_text(to.os_id, from.os_id());
  table.set_text(to.os_name, from.os_name());
  table.set_text(to.os_version, from.os_version());
  table.set_text(to.agent_version, from.agent_version());
  const auto digests = std::min(sections, static_cast<std::size_t>(from.digests_size()));
  for (std::size_t i = 0; i < digests; ++i) {
    const auto& digest = from.digests(static_cast<int>(i));
    if (digest.size() == to.digests[i].size())
      std::memcpy(to.digests[i].data(), digest.data(), digest.size());
    else if (!digest.empty())
      return false;
  }
  return true;
}

std::vector<directory_shard> load_directory(const storage::store& db, std::size_t shards,
                                            std::error_code& ec) {
  MUSTER_ASSERT(shards > 0, "a directory has at least one shard");
  std::vector<directory_shard> out(shards);
  const auto machines = std::make_shared<machine_census>();
  const auto documents = std::make_shared<document_depot>();
  for (auto& shard : out) {
    shard.machines = machines;
    shard.documents = documents;
  }
  const auto shard_of = [&](const device_id& device) -> directory_shard& {
    return out[rules::shard_of(device, shards)];
  };
  ec = read_all<storage::record::device>(
    db, storage::keys::devices(), storage::keys::parse_device,
    [&](const device_id& device, const storage::record::device& record) {
      auto& table = *shard_of(device).devices;
      auto& entry = table.add_unordered(device, record.host_name());
      table.set_text(entry.agent_version, record.agent_version());
      table.set_text(entry.token, record.token_name());
      if (!read_identity(record, entry))
        return false;
      machines->add(entry.fingerprint);
      return true;
    });
  if (!ec)
    ec = read_all<storage::record::device_report>(
      db, storage::keys::device_reports(), storage::keys::parse_device_report,
      [&](const device_id& device, const storage::record::device_report& record) {
        auto& table = *shard_of(device).devices;
        auto* const entry = table.find(device);
        if (entry == nullptr)
          return true; // of a device that was removed; its sweep is still to come
        if (!record.host_name().empty())
          entry->name = record.host_name();
        return read_report(record, table, *entry);
      });
  if (!ec)
    ec = read_all<storage::record::device_assignment>(
      db, storage::keys::assignments(), storage::keys::parse_assignment,
      [&](const device_id& device, const storage::record::device_assignment& record) {
        auto& table = *shard_of(device).devices;
        if (auto* const entry = table.find(device)) {
          entry->group = record.group();
          entry->settled = record.settled();
          const std::vector<std::string> tags(record.tags().begin(), record.tags().end());
          table.set_text(entry->tags, join_tags(tags));
        }
        return true;
      });
  if (!ec)
    ec = db.scan(family::devices, storage::keys::removals(), false, [&](auto key, auto) {
      if (const auto device = storage::keys::parse_removal(key))
        shard_of(device_id{*device}).removals.push_back(device_id{*device});
      return true;
    });
  if (ec)
    return {};
  for (auto& shard : out)
    shard.devices->order_all();
  return out;
}

} // namespace muster::actors
