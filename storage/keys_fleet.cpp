// The keys of the fleet's order, and of what an agent holds of it.
#include "storage/key_spaces.hpp"

#include <utility>

namespace muster::storage::keys {

std::string group(std::uint32_t number) {
  return builder(tag::group).number(number).done();
}
std::optional<std::uint32_t> parse_group(std::string_view key) {
  std::uint32_t out = 0;
  return parser(key, tag::group).number(out).done() ? std::optional(out) : std::nullopt;
}
key_range groups() {
  return tagged(tag::group);
}

std::string fleet_object(const fleet_key& what) {
  return builder(tag::fleet_object).number(what.kind).number(what.group).raw(what.name).done();
}
std::optional<fleet_key> parse_fleet_object(std::string_view key) {
  fleet_key out;
  const bool good =
    parser(key, tag::fleet_object).number(out.kind).number(out.group).rest(out.name).done();
  return good ? std::optional(std::move(out)) : std::nullopt;
}
key_range fleet_objects() {
  return tagged(tag::fleet_object);
}

std::string fleet_history(const fleet_history_key& what) {
  return builder(tag::fleet_history)
    .number(what.what.kind)
    .number(what.what.group)
    .text(what.what.name)
    .number(what.revision)
    .done();
}
std::optional<fleet_history_key> parse_fleet_history(std::string_view key) {
  fleet_history_key out;
  const bool good = parser(key, tag::fleet_history)
                      .number(out.what.kind)
                      .number(out.what.group)
                      .text(out.what.name)
                      .number(out.revision)
                      .done();
  return good ? std::optional(std::move(out)) : std::nullopt;
}
key_range fleet_histories(const fleet_key& of) {
  return beginning_with(
    builder(tag::fleet_history).number(of.kind).number(of.group).text(of.name).done());
}

std::string assignment(device_view id) {
  return builder(tag::assignment).bytes(id).done();
}
std::optional<device_bytes> parse_assignment(std::string_view key) {
  return parse_bytes<16>(tag::assignment, key);
}
key_range assignments() {
  return tagged(tag::assignment);
}

std::string own_settings(const own_settings_key& what) {
  return builder(tag::own_settings).bytes(what.device).raw(what.application).done();
}
std::optional<own_settings_key> parse_own_settings(std::string_view key) {
  own_settings_key out;
  const bool good = parser(key, tag::own_settings).bytes(out.device).rest(out.application).done();
  return good ? std::optional(std::move(out)) : std::nullopt;
}
key_range own_settings() {
  return tagged(tag::own_settings);
}
key_range own_settings_of(device_view id) {
  return beginning_with(builder(tag::own_settings).bytes(id).done());
}

// -- the agent's documents
// ------------------------------------------------------------------------------

std::string document(const document_key& what) {
  return builder(tag::document).number(what.kind).raw(what.name).done();
}
std::optional<document_key> parse_document(std::string_view key) {
  document_key out;
  const bool good = parser(key, tag::document).number(out.kind).rest(out.name).done();
  return good ? std::optional(std::move(out)) : std::nullopt;
}
key_range documents() {
  return tagged(tag::document);
}

std::string applied_settings(std::string_view application) {
  return named(tag::applied_settings, application);
}
std::optional<std::string> parse_applied_settings(std::string_view key) {
  return parse_named(tag::applied_settings, key);
}
key_range all_applied_settings() {
  return tagged(tag::applied_settings);
}

} // namespace muster::storage::keys
