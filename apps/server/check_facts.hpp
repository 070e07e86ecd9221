#pragma once
// Looks at the machine and at the running server for `muster-server check`. Changes nothing.

#include "apps/server/check_rules.hpp"
#include "apps/server/settings.hpp"

namespace muster::server {

/// Everything that can be known of a server with these settings, the running one included.
[[nodiscard]] findings check_server(const server_settings& settings);

} // namespace muster::server
