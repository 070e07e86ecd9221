#include "actors/server/session_services.hpp"

#include "actors/rules/shard.hpp"

#include <muster/assert.hpp>

namespace muster::actors {

const directory_actor& session_services::directory_of(const device_id& device) const {
  MUSTER_ASSERT(!directories.empty(), "a server has at least one shard of the directory");
  return directories[rules::shard_of(device, directories.size())];
}

const store_reader_actor& session_services::reader_for(const device_id& device) const {
  MUSTER_ASSERT(!readers.empty(), "a server has at least one reader");
  return readers[rules::shard_of(device, readers.size())];
}

std::vector<net::device_datagram_keys>
session_services::datagram_keys_of(const device_id& device, std::uint32_t generation_held) const {
  const auto keys = datagram_keys ? datagram_keys->now() : nullptr;
  if (!keys || keys->newest() == generation_held)
    return {};
  return keys->keys_of(device.bytes);
}

std::uint32_t session_services::return_after_ms() const {
  const auto shortest = settings.return_after_min.count();
  const auto longest = settings.return_after_max.count();
  const auto span = longest > shortest ? static_cast<std::uint32_t>(longest - shortest) : 0;
  return static_cast<std::uint32_t>(shortest) + random_below(span + 1);
}

} // namespace muster::actors
