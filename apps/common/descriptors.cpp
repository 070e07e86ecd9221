#include "apps/common/descriptors.hpp"

#include <sys/resource.h>

#include <limits>

namespace muster {

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0)
      limit = raised;
  }
  return limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<std::uint64_t>::max()
                                         : limit.rlim_cur;
}

bool descriptors_for(std::uint64_t needed, std::string& problem) {
  const auto limit = raise_descriptor_limit();
  if (limit >= needed)
    return true;
  problem = "too few file descriptors: " + std::to_string(needed) + " are needed, the limit is " +
            std::to_string(limit) + "; raise LimitNOFILE in the service's unit (or 'ulimit -n')";
  return false;
}

} // namespace muster
