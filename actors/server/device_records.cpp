#include "actors/server/device_records.hpp"

#include "actors/rules/shard.hpp"
#include "actors/server/directory.hpp"
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

storage::record::device_report report_of(const device_table& table, const device_entry& entry) {
  storage::record::device_report out;
  out.set_hello_counter(entry.counter);
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
  set_statistics(out, hello.statistics);
  return change_of(entry.device, out);
}

void apply(const hello_report& hello, device_table& table, device_entry& entry) {
  entry.boot = hello.boot;
  entry.boot_before = hello.boots.before;
  entry.boot_returned = hello.boots.returned;
  entry.counter = hello.counter;
  entry.went_back = hello.went_back;
  entry.address = hello.address;
  entry.last_contact_ms = std::max(entry.last_contact_ms, hello.contact_ms);
  entry.statistics = hello.statistics;
  table.set_text(entry.agent_version, hello.agent_version);
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
  for (auto& shard : out)
    shard.machines = machines;
  const auto shard_of = [&](const device_id& device) -> directory_shard& {
    return out[rules::shard_of(device, shards)];
  };
  ec = read_all<storage::record::device>(
    db, storage::keys::devices(), storage::keys::parse_device,
    [&](const device_id& device, const storage::record::device& record) {
      auto& table = *shard_of(device).devices;
      auto& entry = table.add_unordered(device, record.host_name());
      table.set_text(entry.agent_version, record.agent_version());
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
