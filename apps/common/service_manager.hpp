#pragma once
// Tells the service manager how we are doing, so that who is ordered behind us waits until we
// serve. The protocol is systemd's (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET
// names. Without that variable nobody wants to know.

#include <string_view>
#include <system_error>

namespace muster::service_manager {

/// One datagram of `state` ("READY=1") to the socket of this name: a path, or an abstract one with
/// an '@' in front. Never blocks: a manager that does not read is not waited for.
[[nodiscard]] std::error_code notify(std::string_view socket, std::string_view state);

/// We serve from now on. What goes wrong is a line in the log: the manager then ends us after its
/// time for starts, and somebody will look for the reason.
void ready();
/// We have begun to stop, whoever asked for it.
void stopping();
/// We do not serve for a moment; ready() follows from the same process.
void reloading();

} // namespace muster::service_manager
