#include "storage/application_query.hpp"

#include "storage/records.hpp"

#include <algorithm>
#include <utility>

namespace muster::storage {

namespace {

keys::device_bytes every_bit() {
  keys::device_bytes out;
  out.fill(0xff);
  return out;
}

/// The first key that can be behind this one.
std::string behind(std::string key) {
  key.push_back('\0');
  return key;
}

bool same_row(const application_count& row, const keys::application_key& entry) {
  return row.name == entry.name && row.version == entry.version
         && row.architecture == entry.architecture && row.manager == entry.manager;
}

key_range range_of(const application_query& query) {
  auto out = query.name ? keys::applications_named(*query.name)
                        : keys::applications_beginning_with(query.prefix);
  if (const auto& last = query.after) {
    const keys::application_key key{last->name, last->version, last->architecture, last->manager,
                                    every_bit()};
    out.lower = std::max(out.lower, behind(keys::application(key)));
  }
  return out;
}

template <class Record>
std::string host_name_in(const store& from, const std::string& key, std::error_code& ec) {
  const auto value = from.get(family::devices, key, ec);
  Record record;
  if (!ec && value)
    ec = records::decode(*value, record);
  return value && !ec ? record.host_name() : std::string{};
}

/// As the device calls itself now, or did when it enrolled.
std::string name_of(const store& from, const keys::device_bytes& device, std::error_code& ec) {
  auto out = host_name_in<record::device_report>(from, keys::device_report(device), ec);
  if (!ec && out.empty())
    out = host_name_in<record::device>(from, keys::device(device), ec);
  return out;
}

} // namespace

std::error_code count_applications(const store& from, const application_query& query,
                                   application_page& out) {
  out = {};
  const auto limit = std::clamp<std::size_t>(query.limit, 1, limits::query_rows_max);
  std::size_t entries = 0;
  std::error_code problem;
  const auto ec = from.scan(family::index, range_of(query), false, [&](auto key, auto) {
    auto entry = keys::parse_application(key);
    if (!entry) {
      problem = errc::corrupt;
      return false;
    }
    auto& rows = out.applications;
    if (rows.empty() || !same_row(rows.back(), *entry)) {
      out.more = rows.size() == limit || (!rows.empty() && entries >= query.entries_max);
      if (out.more)
        return false;
      rows.push_back({std::move(entry->name), std::move(entry->version),
                      std::move(entry->architecture), std::move(entry->manager), 0});
    }
    ++rows.back().devices;
    ++entries;
    return true;
  });
  return ec ? ec : problem;
}

std::error_code find_owners(const store& from, const owner_query& query, owner_page& out) {
  out = {};
  auto range = query.version ? keys::applications_named(query.name, *query.version)
                             : keys::applications_named(query.name);
  if (const auto& last = query.after) {
    const keys::application_key key{query.name, last->version, last->architecture, last->manager,
                                    last->device};
    range.lower = std::max(range.lower, behind(keys::application(key)));
  }
  const auto limit = std::clamp<std::size_t>(query.limit, 1, limits::query_rows_max);
  std::error_code problem;
  const auto ec = from.scan(family::index, range, false, [&](auto key, auto) {
    out.more = out.owners.size() == limit;
    if (out.more)
      return false;
    auto entry = keys::parse_application(key);
    if (!entry) {
      problem = errc::corrupt;
      return false;
    }
    out.owners.push_back({entry->device, {}, std::move(entry->version),
                          std::move(entry->architecture), std::move(entry->manager)});
    return true;
  });
  for (auto& owner : out.owners)
    if (!ec && !problem)
      owner.device_name = name_of(from, owner.device, problem);
  return ec ? ec : problem;
}

} // namespace muster::storage
