#include "actors/server/device_target.hpp"

namespace muster::actors {

std::optional<rules::device_filter> parse_target(std::string_view target, std::string& problem) {
  auto filter = rules::device_filter::parse(target, problem);
  if (!filter || (!filter->kinds().group && !filter->kinds().tag))
    return filter;
  problem = "devices have no groups and no tags yet; there are os:, state:, status:, keep:, id:, and "
            "names without a prefix";
  return std::nullopt;
}

} // namespace muster::actors
