// What every program prints for --version and every hello carries.
#pragma once

#include <string_view>

namespace muster {

/// Version and commit of this build, as in "0.1.0 (1f2e3d4c5b)"; the commit is "unknown" outside a git checkout.
/// Defined in the target muster_version, whose only source is written anew when the commit changes.
[[nodiscard]] std::string_view version() noexcept;

} // namespace muster
