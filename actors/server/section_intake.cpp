#include "actors/server/section_intake.hpp"

#include "actors/rules/connector.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/server/convert.hpp"
#include "actors/server/session_limits.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <muster/assert.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace muster::actors {

namespace {

constexpr std::size_t facts_index = wire::section_facts - 1;
constexpr std::size_t applications_index = wire::section_applications - 1;
constexpr std::size_t run_states_index = wire::section_run_states - 1;
constexpr std::size_t settings_index = wire::section_settings_states - 1;

static_assert(session_limits::section_bytes_max.size() == sections);

bool fit(std::initializer_list<std::string_view> texts) {
  for (const auto text : texts) {
    if (text.size() > section_text_bytes_max)
      return false;
  }
  return true;
}

template <class Section>
bool parse(Section& out, std::string_view content) {
  return out.ParseFromArray(content.data(), static_cast<int>(content.size()));
}

/// Empty when the facts keep every bound.
std::string problem_of(const wire::device_facts& facts) {
  if (facts.host_name().size() > convert::name_bytes_max)
    return "the host name is longer than 255 bytes";
  if (facts.disks_size() > disks_max || facts.addresses_size() > addresses_max ||
      facts.users_size() > users_max)
    return "the device facts list too many disks, addresses or users";
  bool fits = fit({facts.machine_id(), facts.os_id(), facts.os_name(), facts.os_version(),
                   facts.kernel(), facts.architecture(), facts.vendor(), facts.product(),
                   facts.cpu_model(), facts.time_zone(), facts.virtualization()});
  for (const auto& disk : facts.disks())
    fits = fits && fit({disk.mount(), disk.device(), disk.file_system()});
  for (const auto& address : facts.addresses())
    fits = fits && fit({address.interface(), address.ip(), address.hardware()});
  for (const auto& user : facts.users())
    fits = fits && fit({user});
  return fits ? "" : "a text of the device facts is longer than 1 KB";
}

std::string problem_of(const wire::application& one) {
  if (one.name().empty())
    return "an application has no name";
  if (!fit(
        {one.name(), one.version(), one.architecture(), one.vendor(), one.source(), one.manager()}))
    return "a text of an application is longer than 1 KB";
  return {};
}

std::string problem_of(const wire::run_state& one) {
  if (one.name().empty())
    return "a run state has no name";
  if (!fit({one.name(), one.state(), one.detail(), one.application()}))
    return "a text of a run state is longer than 1 KB";
  return {};
}

std::string read_facts(std::string_view content, section_view& out) {
  wire::device_facts facts;
  if (!parse(facts, content))
    return "the device facts cannot be read";
  if (auto problem = problem_of(facts); !problem.empty())
    return problem;
  out.host_name = facts.host_name();
  out.os_id = facts.os_id();
  out.os_name = facts.os_name();
  out.os_version = facts.os_version();
  for (const auto& address : facts.addresses())
    out.addresses.push_back(address.ip());
  return {};
}

std::string read_applications(std::string_view content, section_view& out) {
  wire::applications list;
  if (!parse(list, content))
    return "the list of applications cannot be read";
  if (list.items_size() > applications_max)
    return "more than 20,000 applications";
  out.applications.reserve(static_cast<std::size_t>(list.items_size()));
  for (const auto& one : list.items()) {
    if (auto problem = problem_of(one); !problem.empty())
      return problem;
    out.applications.push_back({one.name(), one.version(), one.architecture(), one.manager()});
    out.application_names.push_back(one.name());
  }
  auto& names = out.application_names;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return {};
}

std::string read_run_states(std::string_view content, section_view& out) {
  wire::run_states list;
  if (!parse(list, content))
    return "the run states cannot be read";
  if (list.items_size() > run_states_max)
    return "more than 10,000 run states";
  for (const auto& one : list.items()) {
    if (auto problem = problem_of(one); !problem.empty())
      return problem;
    out.failed_services += one.state() == "failed" ? 1 : 0;
  }
  return {};
}

bool is_hash_or_nothing(const std::string& text) {
  return text.empty() || text.size() == document_hash{}.size();
}

bool is_document_or_nothing(const std::string& bytes) {
  std::string ignored;
  return bytes.empty() || rules::settings_from_bytes(bytes, ignored);
}

std::string problem_of(const wire::settings_state& one) {
  if (!rules::application_name_problem(one.application()).empty())
    return "a settings state names no application";
  if (!is_hash_or_nothing(one.hash()) || !is_hash_or_nothing(one.own_hash()))
    return "a hash of a settings state must have 16 bytes";
  if (one.detail().size() > settings_detail_bytes_max)
    return "the detail of a settings state is longer than 2 KB";
  if (!is_document_or_nothing(one.local_values()) || !is_document_or_nothing(one.daemon_values()))
    return "the values of a settings state cannot be read";
  return {};
}

std::string read_settings_states(std::string_view content, section_view& out) {
  wire::settings_states list;
  if (!parse(list, content))
    return "the settings states cannot be read";
  if (list.items_size() > settings_states_max)
    return "more than 256 settings states";
  for (const auto& one : list.items()) {
    if (auto problem = problem_of(one); !problem.empty())
      return problem;
    out.settings_not_applied += one.outcome() == wire::settings_applied ? 0 : 1;
  }
  return {};
}

std::string section_name(const section_arrival& arrived) {
  return "section " + std::to_string(arrived.section + 1) + " of device " + arrived.device.text();
}

std::string key_of(const section_arrival& arrived) {
  return storage::keys::section(arrived.device.bytes,
                                static_cast<std::uint16_t>(arrived.section + 1));
}

/// What the store holds of the applications so far. A record that cannot be read is as good as
/// none: the agent's new list must not be refused because our old one is broken.
std::error_code applications_before(const storage::store& store, const section_arrival& arrived,
                                    std::vector<rules::application_key>& out) {
  std::error_code ec;
  const auto value = store.get(storage::family::inventory, key_of(arrived), ec);
  if (ec || !value)
    return ec;
  storage::record::section record;
  std::string content;
  std::string problem;
  auto broken = storage::records::decode(*value, record);
  if (!broken)
    broken = storage::decompress(record.compressed(),
                                 session_limits::section_bytes_max[applications_index], content);
  const auto view = broken ? std::nullopt : read_section(applications_index, content, problem);
  if (view)
    out = view->applications;
  else
    spdlog::error("{} cannot be read ({}); applications that are gone may stay in the index",
                  section_name(arrived), broken ? broken.message() : problem);
  return {};
}

storage::keys::application_key index_key(const device_id& device, rules::application_key what) {
  return {std::move(what.name), std::move(what.version), std::move(what.architecture),
          std::move(what.manager), device.bytes};
}

std::error_code index_changes(const storage::store& store, const section_arrival& arrived,
                              section_intake& out) {
  std::vector<rules::application_key> before;
  if (const auto ec = applications_before(store, arrived, before))
    return ec;
  auto delta = rules::difference(std::move(before), std::move(out.view.applications));
  for (auto& gone : delta.removed)
    out.changes.push_back(
      storage::erase(storage::family::index,
                     storage::keys::application(index_key(arrived.device, std::move(gone)))));
  for (auto& added : delta.added)
    out.changes.push_back(
      storage::put(storage::family::index,
                   storage::keys::application(index_key(arrived.device, std::move(added))), {}));
  return {};
}

} // namespace

std::optional<section_view> read_section(std::size_t section, std::string_view content,
                                         std::string& problem) {
  MUSTER_ASSERT(section < sections, "a section that this version does not know");
  section_view out;
  if (content.size() > session_limits::section_bytes_max[section])
    problem = "the section is too large";
  else if (section == facts_index)
    problem = read_facts(content, out);
  else if (section == applications_index)
    problem = read_applications(content, out);
  else if (section == run_states_index)
    problem = read_run_states(content, out);
  else if (section == settings_index)
    problem = read_settings_states(content, out);
  if (!problem.empty())
    return std::nullopt;
  return out;
}

std::error_code take_in(const storage::store& store, const section_arrival& arrived,
                        section_intake& out) {
  out = {};
  if (net::section_digest_of(arrived.content) != arrived.digest) {
    out.problem = "the section's digest does not fit its content";
    return {};
  }
  auto view = read_section(arrived.section, arrived.content, out.problem);
  if (!view)
    return {};
  out.view = std::move(*view);
  if (arrived.section == applications_index) {
    if (const auto ec = index_changes(store, arrived, out))
      return ec;
  }
  storage::record::section record;
  record.set_digest(arrived.digest.data(), arrived.digest.size());
  record.set_received_ms(arrived.received_us / 1000);
  record.set_compressed(storage::compress(arrived.content));
  record.set_bytes(arrived.content.size());
  out.changes.push_back(
    storage::put(storage::family::inventory, key_of(arrived), storage::records::encode(record)));
  return {};
}

} // namespace muster::actors
