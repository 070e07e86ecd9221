#pragma once
// What `muster-server` does beside being the server.

#include "apps/server/settings.hpp"

#include <filesystem>
#include <string>

namespace muster::server {

// Each answers the exit code; one clear line on stderr when something is wrong.

/// SHA-256 of the CA key, for agents and consoles. Makes nothing: a server that has never started
/// has none.
[[nodiscard]] int print_pin(const server_settings& settings);

/// A new password for a user of the server that runs, read from the terminal (twice, not shown) or,
/// when standard input is none, its first line.
[[nodiscard]] int change_password(const server_settings& settings, const std::string& user);

/// The identity directory into a file under a passphrase, and back. The passphrase is read as a
/// password is.
[[nodiscard]] int export_identity(const server_settings& settings,
                                  const std::filesystem::path& file);
[[nodiscard]] int import_identity(const server_settings& settings,
                                  const std::filesystem::path& file);

/// Other keys for wakes and notices: by the server that runs or, when none does, in its identity.
[[nodiscard]] int rotate_datagram_keys(const server_settings& settings, bool force);

/// Prints what check_facts.hpp finds; 0 when nothing has failed.
[[nodiscard]] int check(const server_settings& settings, bool json);

} // namespace muster::server
