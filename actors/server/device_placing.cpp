#include "actors/server/device_placing.hpp"

#include "actors/server/device_tags.hpp"
#include "actors/server/section_intake.hpp"
#include "actors/server/session_limits.hpp"
#include "net/wire/agent.pb.h"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace muster::actors {

namespace {

/// Empty when there is none, or none that can be read.
std::optional<section_view> read(const storage::store& from, const rules::device_id& device,
                                 std::uint16_t number, std::error_code& ec) {
  const auto value = from.get(storage::family::inventory,
                              storage::keys::section(device.bytes, number), ec);
  if (ec || !value)
    return std::nullopt;
  storage::record::section record;
  std::string content;
  std::string problem;
  auto broken = storage::records::decode(*value, record);
  if (!broken)
    broken = storage::decompress(record.compressed(),
                                 session_limits::section_bytes_max.at(number - 1U), content);
  auto out = broken ? std::nullopt : read_section(number - 1U, content, problem);
  if (!out)
    spdlog::error("device {}: its section {} cannot be read ({}); the moving rules go without",
                  device.text(), number, broken ? broken.message() : problem);
  return out;
}

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

} // namespace

placing_needs needs_of(std::span<const rules::moving_rule> rules,
                       rules::moving_occasion occasion) noexcept {
  placing_needs out;
  for (const auto& rule : rules) {
    if (occasion == rules::moving_occasion::changed && !(rule.permanent && rule.trust_claimed))
      continue;
    for (const auto& c : rule.conditions) {
      out.applications |= c.trait == rules::moving_trait::application;
      out.addresses |= c.trait == rules::moving_trait::address;
    }
  }
  return out;
}

std::error_code read_claims(const storage::store& from, const rules::device_id& device,
                            placing_needs what, claimed_facts& out) {
  std::error_code ec;
  if (what.applications)
    if (auto section = read(from, device, wire::section_applications, ec))
      out.applications = std::move(section->application_names);
  if (what.addresses && !ec)
    if (auto section = read(from, device, wire::section_facts, ec))
      out.addresses = std::move(section->addresses);
  return ec;
}

std::optional<placing> place_device(const fleet_snapshot& fleet, const known_traits& device,
                                    const claimed_facts& claims, rules::moving_occasion occasion) {
  const auto applications = views_of(claims.applications);
  const auto tags = split_tags(device.tags);
  std::vector<rules::ip_address> addresses;
  for (const auto& text : claims.addresses)
    if (const auto address = rules::ip_address::parse(text))
      addresses.push_back(*address);
  rules::placement_facts facts;
  facts.name = device.name;
  facts.os_id = device.os_id;
  facts.os_name = device.os_name;
  facts.applications = applications;
  facts.addresses = addresses;
  facts.source = rules::ip_address::parse(device.source);
  facts.token = device.token;
  facts.tags_manual = tags;
  const auto found = rules::place(fleet.moving, facts, occasion);
  if (!found || !fleet.groups.has(found->target))
    return std::nullopt;
  return placing{found->target, fleet.moving[found->rule].name};
}

} // namespace muster::actors
