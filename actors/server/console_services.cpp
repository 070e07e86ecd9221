#include "actors/server/console_services.hpp"

#include "actors/rules/shard.hpp"

namespace muster::actors {

const directory_actor& console_services::directory_of(const device_id& device) const {
  return directories[rules::shard_of(device, directories.size())];
}

const store_reader_actor& console_services::reader(std::size_t number) const {
  return readers[number % readers.size()];
}

} // namespace muster::actors
