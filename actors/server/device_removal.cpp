#include "actors/server/device_removal.hpp"

#include "actors/server/section_intake.hpp"
#include "actors/server/session_limits.hpp"
#include "net/wire/agent.pb.h"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <utility>

namespace muster::actors {

namespace {

using storage::family;

/// The index entries that follow from the device's list of applications. A list that cannot be
/// read is no reason to keep the device.
std::error_code take_out_applications(const storage::store& db, const rules::device_id& device,
                                      storage::change_batch& to) {
  constexpr std::size_t index = wire::section_applications - 1;
  std::error_code ec;
  const auto value =
    db.get(family::inventory, storage::keys::section(device.bytes, wire::section_applications), ec);
  if (ec || !value)
    return ec;
  storage::record::section record;
  std::string content;
  std::string problem;
  auto broken = storage::records::decode(*value, record);
  if (!broken)
    broken =
      storage::decompress(record.compressed(), session_limits::section_bytes_max[index], content);
  auto list = broken ? std::nullopt : read_section(index, content, problem);
  if (!list) {
    spdlog::error("device {}: its applications cannot be read ({}); some may stay in the index",
                  device.text(), broken ? broken.message() : problem);
    return {};
  }
  for (auto& one : list->applications)
    to.push_back(storage::erase(
      family::index, storage::keys::application({std::move(one.name), std::move(one.version),
                                                 std::move(one.architecture),
                                                 std::move(one.manager), device.bytes})));
  return {};
}

} // namespace

std::error_code take_out(const storage::store& db, const rules::device_id& device,
                         storage::change_batch& to) {
  if (const auto ec = take_out_applications(db, device, to))
    return ec;
  auto all = storage::keys::sections(device.bytes);
  to.push_back(storage::erase_range(family::inventory, std::move(all.lower), std::move(all.upper)));
  to.push_back(storage::erase(family::devices, storage::keys::device(device.bytes)));
  to.push_back(storage::erase(family::devices, storage::keys::device_report(device.bytes)));
  to.push_back(storage::erase(family::devices, storage::keys::position(device.bytes)));
  to.push_back(storage::erase(family::devices, storage::keys::assignment(device.bytes)));
  auto own = storage::keys::own_settings_of(device.bytes);
  to.push_back(storage::erase_range(family::devices, std::move(own.lower), std::move(own.upper)));
  return {};
}

} // namespace muster::actors
