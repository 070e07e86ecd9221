#pragma once
// Every key of every family, each as a pair: one function builds it, one takes it apart again.
// Nobody else concatenates bytes. README.md has the table of what is where, and why.
//
// Keys begin with a tag byte, so that the key spaces of one family never mix. Numbers are
// fixed-width big-endian: bytewise order is numeric order, and time runs with the keys. Times are
// microseconds since 1970; a time before that counts as 1970. Texts in the middle of a key are
// escaped (0 becomes 00 FF) and end with 00 01: no text is a prefix of another, order is kept.
//
// Parsers take anything and answer empty for whatever no builder makes.

#include "storage/store.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace muster::storage::keys {

using device_bytes = std::array<std::uint8_t, 16>;
using device_view = std::span<const std::uint8_t, 16>;
using hash_bytes = std::array<std::uint8_t, 32>;
using hash_view = std::span<const std::uint8_t, 32>;

/// All keys that begin with `prefix`.
[[nodiscard]] key_range beginning_with(std::string prefix);

// -- meta -----------------------------------------------------------------------------------------

/// Version of the layout as a whole; records::layout_version.
[[nodiscard]] std::string schema();

/// A user of the console: record user.
[[nodiscard]] std::string user(std::string_view name);
[[nodiscard]] std::optional<std::string> parse_user(std::string_view key);
[[nodiscard]] key_range users();

/// An enrolment token by its public id: record enrolment_token.
[[nodiscard]] std::string token(std::string_view id);
[[nodiscard]] std::optional<std::string> parse_token(std::string_view key);
[[nodiscard]] key_range tokens();

/// A value that the server or the agent keeps for itself, by a short name of the owner's choice.
[[nodiscard]] std::string setting(std::string_view name);
[[nodiscard]] std::optional<std::string> parse_setting(std::string_view key);

/// A group of the administration tree by its number: record group.
[[nodiscard]] std::string group(std::uint32_t number);
[[nodiscard]] std::optional<std::uint32_t> parse_group(std::string_view key);
[[nodiscard]] key_range groups();

/// A policy, moving rule or task: record fleet_object. `group` is a policy's, 0 for all else.
struct fleet_key {
  std::uint8_t kind = 0;
  std::uint32_t group = 0;
  std::string name;
  friend bool operator==(const fleet_key&, const fleet_key&) = default;
};
[[nodiscard]] std::string fleet_object(const fleet_key& what);
[[nodiscard]] std::optional<fleet_key> parse_fleet_object(std::string_view key);
[[nodiscard]] key_range fleet_objects();

/// What it was after each change, by the fleet's revision: the same record.
struct fleet_history_key {
  fleet_key what;
  std::uint64_t revision = 0;
  friend bool operator==(const fleet_history_key&, const fleet_history_key&) = default;
};
[[nodiscard]] std::string fleet_history(const fleet_history_key& what);
[[nodiscard]] std::optional<fleet_history_key> parse_fleet_history(std::string_view key);
[[nodiscard]] key_range fleet_histories(const fleet_key& of);

// -- devices --------------------------------------------------------------------------------------

/// A device by id: record device.
[[nodiscard]] std::string device(device_view id);
[[nodiscard]] std::optional<device_bytes> parse_device(std::string_view key);
[[nodiscard]] key_range devices();

/// What a device has said of itself, by id: record device_report.
[[nodiscard]] std::string device_report(device_view id);
[[nodiscard]] std::optional<device_bytes> parse_device_report(std::string_view key);
[[nodiscard]] key_range device_reports();

/// A device that has been removed, until what was on its way to the store when that happened has
/// been swept up as well: an empty entry by id.
[[nodiscard]] std::string removal(device_view id);
[[nodiscard]] std::optional<device_bytes> parse_removal(std::string_view key);
[[nodiscard]] key_range removals();

/// SHA-256 of a public key (SPKI) -> the device id that has it (records::encode_device_id). Stays
/// when the device is removed: a key without a device is refused for ever.
[[nodiscard]] std::string key_hash(hash_view sha256);
[[nodiscard]] std::optional<hash_bytes> parse_key_hash(std::string_view key);
[[nodiscard]] key_range key_hashes();

/// Where a device belongs: record device_assignment.
[[nodiscard]] std::string assignment(device_view id);
[[nodiscard]] std::optional<device_bytes> parse_assignment(std::string_view key);
[[nodiscard]] key_range assignments();

/// What an administrator set for one device alone, by application: record own_settings.
struct own_settings_key {
  device_bytes device{};
  std::string application;
  friend bool operator==(const own_settings_key&, const own_settings_key&) = default;
};
[[nodiscard]] std::string own_settings(const own_settings_key& what);
[[nodiscard]] std::optional<own_settings_key> parse_own_settings(std::string_view key);
[[nodiscard]] key_range own_settings();
[[nodiscard]] key_range own_settings_of(device_view id);

/// The last event the server holds of a device: record position.
[[nodiscard]] std::string position(device_view id);
[[nodiscard]] std::optional<device_bytes> parse_position(std::string_view key);

// -- inventory ------------------------------------------------------------------------------------

/// One section of a device, by the section's number on the wire: record section.
struct section_key {
  device_bytes device{};
  std::uint16_t section = 0;
  friend bool operator==(const section_key&, const section_key&) = default;
};
[[nodiscard]] std::string section(device_view id, std::uint16_t number);
[[nodiscard]] std::optional<section_key> parse_section(std::string_view key);
/// All sections of one device.
[[nodiscard]] key_range sections(device_view id);

// -- index: applications --------------------------------------------------------------------------

/// Who has what: one empty entry per device and installed application. The other direction is the
/// device's section.
struct application_key {
  std::string name;
  std::string version;
  std::string architecture;
  std::string manager;
  device_bytes device{};
  friend bool operator==(const application_key&, const application_key&) = default;
};
[[nodiscard]] std::string application(const application_key& what);
[[nodiscard]] std::optional<application_key> parse_application(std::string_view key);
/// All entries.
[[nodiscard]] key_range applications();
/// All entries whose name begins with this.
[[nodiscard]] key_range applications_beginning_with(std::string_view name_prefix);
/// All entries of exactly this name; of this name and version.
[[nodiscard]] key_range applications_named(std::string_view name);
[[nodiscard]] key_range applications_named(std::string_view name, std::string_view version);

// -- events ---------------------------------------------------------------------------------------

/// Events are kept, and forgotten, by the UTC day of their receive time.
inline constexpr std::int64_t bucket_us = 86'400'000'000;
[[nodiscard]] constexpr std::uint32_t bucket_of(std::int64_t received_us) noexcept {
  if (received_us <= 0)
    return 0;
  const auto day = received_us / bucket_us;
  return day > UINT32_MAX ? UINT32_MAX : static_cast<std::uint32_t>(day);
}

/// A block of events: record event_block. The bucket follows from the receive time; `part` counts
/// blocks of one severity that arrived together.
struct event_key {
  std::uint8_t severity = 0;
  std::uint32_t bucket = 0;
  std::int64_t received_us = 0;
  std::uint16_t part = 0;
  friend bool operator==(const event_key&, const event_key&) = default;
};
[[nodiscard]] std::string event(std::uint8_t severity, std::int64_t received_us,
                                std::uint16_t part);
[[nodiscard]] std::optional<event_key> parse_event(std::string_view key);
/// Blocks of one severity received in [from, until).
[[nodiscard]] key_range events_received(std::uint8_t severity, std::int64_t from_us,
                                        std::int64_t until_us);
/// All blocks of one severity; those of the days [first, last).
[[nodiscard]] key_range events(std::uint8_t severity);
[[nodiscard]] key_range events(std::uint8_t severity, std::uint32_t first, std::uint32_t last);

// -- index: events of a device
// ----------------------------------------------------------------------

/// Which blocks are a device's: an empty entry per block. Severity and day come first, so that
/// whole days can be erased here as in the events.
struct device_event_key {
  std::uint8_t severity = 0;
  std::uint32_t bucket = 0;
  device_bytes device{};
  std::int64_t received_us = 0;
  std::uint16_t part = 0;
  friend bool operator==(const device_event_key&, const device_event_key&) = default;
};
[[nodiscard]] std::string device_event(device_view id, std::uint8_t severity,
                                       std::int64_t received_us, std::uint16_t part);
[[nodiscard]] std::optional<device_event_key> parse_device_event(std::string_view key);
/// The first key of a device in a day, there or not: where to begin looking.
[[nodiscard]] std::string device_events_from(device_view id, std::uint8_t severity,
                                             std::uint32_t bucket);
/// A device's blocks of one day.
[[nodiscard]] key_range device_events(device_view id, std::uint8_t severity, std::uint32_t bucket);
/// All devices' entries of one severity; those of the days [first, last).
[[nodiscard]] key_range device_events(std::uint8_t severity);
[[nodiscard]] key_range device_events(std::uint8_t severity, std::uint32_t first,
                                      std::uint32_t last);

// -- audit
// ------------------------------------------------------------------------------------------

/// What was done, when: record audit. `number` tells apart what happened in one microsecond; a
/// counter of the process or a random number.
struct audit_key {
  std::int64_t time_us = 0;
  std::uint64_t number = 0;
  friend bool operator==(const audit_key&, const audit_key&) = default;
};
[[nodiscard]] std::string audit(std::int64_t time_us, std::uint64_t number);
[[nodiscard]] std::optional<audit_key> parse_audit(std::string_view key);
/// Entries of [from, until).
[[nodiscard]] key_range audits(std::int64_t from_us, std::int64_t until_us);
[[nodiscard]] key_range audits();

// -- the agent's spool
// ------------------------------------------------------------------------------

/// An event that waits for the server, in the order of its birth (family events): record
/// spooled_event. The number only grows; epochs are random and have no order.
[[nodiscard]] std::string spooled(std::uint64_t number);
[[nodiscard]] std::optional<std::uint64_t> parse_spooled(std::string_view key);
[[nodiscard]] key_range spool();

// -- the agent's documents
// ------------------------------------------------------------------------------

/// A document that the server wants on this device (family inventory): record held_document.
struct document_key {
  std::uint8_t kind = 0;
  std::string name;
  friend bool operator==(const document_key&, const document_key&) = default;
};
[[nodiscard]] std::string document(const document_key& what);
[[nodiscard]] std::optional<document_key> parse_document(std::string_view key);
[[nodiscard]] key_range documents();

/// How an application's settings stand, by its name (family inventory): record applied_settings.
[[nodiscard]] std::string applied_settings(std::string_view application);
[[nodiscard]] std::optional<std::string> parse_applied_settings(std::string_view key);
[[nodiscard]] key_range all_applied_settings();

} // namespace muster::storage::keys
