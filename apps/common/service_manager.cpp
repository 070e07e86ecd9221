#include "apps/common/service_manager.hpp"

#include <spdlog/spdlog.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace muster::service_manager {

namespace {

std::error_code last_error() {
  return {errno, std::system_category()};
}

void tell(std::string_view state) {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  if (socket == nullptr || *socket == '\0')
    return;
  if (const auto ec = notify(socket, state))
    spdlog::warn("the service manager could not be told {}: {}", state, ec.message());
}

} // namespace

std::error_code notify(std::string_view socket, std::string_view state) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() < 2 || (socket[0] != '/' && socket[0] != '@'))
    return std::make_error_code(std::errc::invalid_argument);
  if (socket.size() >= sizeof(address.sun_path))
    return std::make_error_code(std::errc::filename_too_long);
  std::memcpy(address.sun_path, socket.data(), socket.size());
  auto size = offsetof(sockaddr_un, sun_path) + socket.size();
  if (socket[0] == '@')
    address.sun_path[0] = '\0'; // abstract: the length says where it ends
  else
    ++size;
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return last_error();
  const auto sent =
    ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
  const auto ec = sent < 0 ? last_error() : std::error_code{};
  ::close(fd);
  return ec;
}

void ready() {
  tell("READY=1");
}

void reloading() {
  tell("RELOADING=1");
}

void stopping() {
  tell("STOPPING=1");
}

} // namespace muster::service_manager
