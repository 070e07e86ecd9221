#pragma once
// The server at work: puts its actors together and lives until it is told to stop.

#include "apps/common/signals.hpp"
#include "apps/server/settings.hpp"

namespace muster::server {

/// Exit code of a server whose disk has failed in the middle of an fsync: what the disk holds is
/// found out by the next start, and only by it.
inline constexpr int exit_sync_failed = 74;

/// Answers the exit code. Everything that can be wrong with settings, identity, disk or ports ends
/// in one clear line on stderr. Once it serves, it says so on stdout:
///
///     muster-server: ready
///       agents      [::]:13000
///       console     https://[::]:13299
///       pin         9f86d081...
///       first token /var/lib/muster/server/first-token
///       ...
[[nodiscard]] int run_server(const server_settings& settings, stop_signals& signals);

} // namespace muster::server
