#include "storage/keys.hpp"

#include "storage/key_bytes.hpp"
#include "storage/key_spaces.hpp"

#include <utility>

namespace muster::storage::keys {

namespace {

/// Severity and the days [first, last) of a key space in which these two come first.
key_range days(char tag, std::uint8_t severity, std::uint32_t first, std::uint32_t last) {
  return {builder(tag).number(severity).number(first).done(),
          builder(tag).number(severity).number(last).done()};
}

std::string moment(std::uint8_t severity, std::int64_t us) {
  return builder(tag::event).number(severity).number(bucket_of(us)).time(us).done();
}

} // namespace

key_range beginning_with(std::string prefix) {
  std::string upper = prefix;
  while (!upper.empty() && upper.back() == '\xff')
    upper.pop_back();
  if (!upper.empty())
    upper.back() = static_cast<char>(static_cast<std::uint8_t>(upper.back()) + 1);
  return {std::move(prefix), std::move(upper)};
}

// -- meta -----------------------------------------------------------------------------------------

std::string schema() {
  return std::string(1, tag::schema);
}

std::string user(std::string_view name) {
  return named(tag::user, name);
}
std::optional<std::string> parse_user(std::string_view key) {
  return parse_named(tag::user, key);
}
key_range users() {
  return tagged(tag::user);
}

std::string token(std::string_view id) {
  return named(tag::token, id);
}
std::optional<std::string> parse_token(std::string_view key) {
  return parse_named(tag::token, key);
}
key_range tokens() {
  return tagged(tag::token);
}

std::string setting(std::string_view name) {
  return named(tag::setting, name);
}
std::optional<std::string> parse_setting(std::string_view key) {
  return parse_named(tag::setting, key);
}

// -- devices --------------------------------------------------------------------------------------

std::string device(device_view id) {
  return builder(tag::device).bytes(id).done();
}
std::optional<device_bytes> parse_device(std::string_view key) {
  return parse_bytes<16>(tag::device, key);
}
key_range devices() {
  return tagged(tag::device);
}

std::string device_report(device_view id) {
  return builder(tag::device_report).bytes(id).done();
}
std::optional<device_bytes> parse_device_report(std::string_view key) {
  return parse_bytes<16>(tag::device_report, key);
}
key_range device_reports() {
  return tagged(tag::device_report);
}

std::string removal(device_view id) {
  return builder(tag::removal).bytes(id).done();
}
std::optional<device_bytes> parse_removal(std::string_view key) {
  return parse_bytes<16>(tag::removal, key);
}
key_range removals() {
  return tagged(tag::removal);
}

std::string key_hash(hash_view sha256) {
  return builder(tag::key_hash, 33).bytes(sha256).done();
}
std::optional<hash_bytes> parse_key_hash(std::string_view key) {
  return parse_bytes<32>(tag::key_hash, key);
}
key_range key_hashes() {
  return tagged(tag::key_hash);
}

std::string position(device_view id) {
  return builder(tag::position).bytes(id).done();
}
std::optional<device_bytes> parse_position(std::string_view key) {
  return parse_bytes<16>(tag::position, key);
}

// -- inventory ------------------------------------------------------------------------------------

std::string section(device_view id, std::uint16_t number) {
  return builder(tag::section).bytes(id).number(number).done();
}

std::optional<section_key> parse_section(std::string_view key) {
  section_key out;
  const bool good = parser(key, tag::section).bytes(out.device).number(out.section).done();
  return good ? std::optional(out) : std::nullopt;
}

key_range sections(device_view id) {
  return beginning_with(builder(tag::section).bytes(id).done());
}

// -- index: applications --------------------------------------------------------------------------

std::string application(const application_key& what) {
  return builder(tag::application, 80)
    .text(what.name)
    .text(what.version)
    .text(what.architecture)
    .text(what.manager)
    .bytes(what.device)
    .done();
}

std::optional<application_key> parse_application(std::string_view key) {
  application_key out;
  const bool good = parser(key, tag::application)
                      .text(out.name)
                      .text(out.version)
                      .text(out.architecture)
                      .text(out.manager)
                      .bytes(out.device)
                      .done();
  return good ? std::optional(std::move(out)) : std::nullopt;
}

key_range applications() {
  return tagged(tag::application);
}

key_range applications_beginning_with(std::string_view name_prefix) {
  return beginning_with(builder(tag::application).open_text(name_prefix).done());
}

key_range applications_named(std::string_view name) {
  return beginning_with(builder(tag::application).text(name).done());
}

key_range applications_named(std::string_view name, std::string_view version) {
  return beginning_with(builder(tag::application).text(name).text(version).done());
}

// -- events ---------------------------------------------------------------------------------------

std::string event(std::uint8_t severity, std::int64_t received_us, std::uint16_t part) {
  return builder(tag::event)
    .number(severity)
    .number(bucket_of(received_us))
    .time(received_us)
    .number(part)
    .done();
}

std::optional<event_key> parse_event(std::string_view key) {
  event_key out;
  const bool good = parser(key, tag::event)
                      .number(out.severity)
                      .number(out.bucket)
                      .time(out.received_us)
                      .number(out.part)
                      .done();
  return good && out.bucket == bucket_of(out.received_us) ? std::optional(out) : std::nullopt;
}

key_range events_received(std::uint8_t severity, std::int64_t from_us, std::int64_t until_us) {
  return {moment(severity, from_us), moment(severity, until_us)};
}

key_range events(std::uint8_t severity) {
  return beginning_with(builder(tag::event).number(severity).done());
}

key_range events(std::uint8_t severity, std::uint32_t first, std::uint32_t last) {
  return days(tag::event, severity, first, last);
}

// -- index: events of a device --------------------------------------------------------------------

std::string device_event(device_view id, std::uint8_t severity, std::int64_t received_us,
                         std::uint16_t part) {
  return builder(tag::device_event)
    .number(severity)
    .number(bucket_of(received_us))
    .bytes(id)
    .time(received_us)
    .number(part)
    .done();
}

std::optional<device_event_key> parse_device_event(std::string_view key) {
  device_event_key out;
  const bool good = parser(key, tag::device_event)
                      .number(out.severity)
                      .number(out.bucket)
                      .bytes(out.device)
                      .time(out.received_us)
                      .number(out.part)
                      .done();
  return good && out.bucket == bucket_of(out.received_us) ? std::optional(out) : std::nullopt;
}

std::string device_events_from(device_view id, std::uint8_t severity, std::uint32_t bucket) {
  return builder(tag::device_event).number(severity).number(bucket).bytes(id).done();
}

key_range device_events(device_view id, std::uint8_t severity, std::uint32_t bucket) {
  return beginning_with(device_events_from(id, severity, bucket));
}

key_range device_events(std::uint8_t severity) {
  return beginning_with(builder(tag::device_event).number(severity).done());
}

key_range device_events(std::uint8_t severity, std::uint32_t first, std::uint32_t last) {
  return days(tag::device_event, severity, first, last);
}

// -- audit ----------------------------------------------------------------------------------------

std::string audit(std::int64_t time_us, std::uint64_t number) {
  return builder(tag::audit).time(time_us).number(number).done();
}

std::optional<audit_key> parse_audit(std::string_view key) {
  audit_key out;
  const bool good = parser(key, tag::audit).time(out.time_us).number(out.number).done();
  return good ? std::optional(out) : std::nullopt;
}

key_range audits(std::int64_t from_us, std::int64_t until_us) {
  return {builder(tag::audit).time(from_us).done(), builder(tag::audit).time(until_us).done()};
}

key_range audits() {
  return tagged(tag::audit);
}

// -- the agent's spool ----------------------------------------------------------------------------

std::string spooled(std::uint64_t number) {
  return builder(tag::spooled).number(number).done();
}

std::optional<std::uint64_t> parse_spooled(std::string_view key) {
  std::uint64_t out = 0;
  return parser(key, tag::spooled).number(out).done() ? std::optional(out) : std::nullopt;
}

key_range spool() {
  return tagged(tag::spooled);
}

} // namespace muster::storage::keys
