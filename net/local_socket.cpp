#include "net/local_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace muster::net {

namespace {

namespace fs = std::filesystem;

constexpr int backlog_max = 64;

std::error_code last_error() {
  return {errno, std::generic_category()};
}

bool address_of(const fs::path& path, sockaddr_un& out, std::error_code& ec) {
  const auto& name = path.native();
  out = {};
  out.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof(out.sun_path)) {
    ec = std::make_error_code(std::errc::filename_too_long);
    return false;
  }
  std::memcpy(out.sun_path, name.data(), name.size());
  return true;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

/// Whether a new socket may take this place; if not, `ec` says why.
bool is_free(const fs::path& path, std::error_code& ec) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    ec = errno == ENOENT ? std::error_code{} : last_error();
    return !ec;
  }
  if (!S_ISSOCK(found.st_mode)) {
    ec = std::make_error_code(std::errc::file_exists);
    return false;
  }
  sockaddr_un address{};
  if (!address_of(path, address, ec))
    return false;
  const owned_descriptor fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int error = fd && ::connect(fd.get(), generic(address), sizeof(address)) == 0 ? 0 : errno;
  if (error == ECONNREFUSED || error == ENOENT) // its process is dead, or has just tidied up
    return true;
  // Connected, or only not because its queue is full or its kind another: somebody is there.
  ec = error == 0 || error == EAGAIN || error == EPROTOTYPE
         ? std::make_error_code(std::errc::address_in_use)
         : std::error_code(error, std::generic_category());
  return false;
}

} // namespace

owned_descriptor connect_local(const fs::path& path, std::chrono::milliseconds patience,
                               std::error_code& ec) {
  ec.clear();
  sockaddr_un address{};
  if (!address_of(path, address, ec))
    return {};
  owned_descriptor fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  // The kernel takes zero for "for ever".
  const auto wait = std::max(patience, std::chrono::milliseconds(1));
  const timeval limit{.tv_sec = wait.count() / 1000, .tv_usec = wait.count() % 1000 * 1000};
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
      ::connect(fd.get(), generic(address), sizeof(address)) != 0) {
    ec = last_error();
    if (ec == std::errc::resource_unavailable_try_again)
      ec = std::make_error_code(std::errc::timed_out);
    return {};
  }
  return fd;
}

owned_descriptor listen_local(const fs::path& path, unsigned mode, std::error_code& ec) {
  ec.clear();
  if (!is_free(path, ec))
    return {};
  // Bound under a name of our own first: at no moment is it there with another mode, or deaf.
  auto fresh = path;
  fresh += "." + std::to_string(::getpid());
  sockaddr_un address{};
  if (!address_of(fresh, address, ec))
    return {};
  ::unlink(fresh.c_str());
  owned_descriptor fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || ::bind(fd.get(), generic(address), sizeof(address)) != 0) {
    ec = last_error();
    return {};
  }
  if (::chmod(fresh.c_str(), static_cast<mode_t>(mode)) != 0 ||
      ::listen(fd.get(), backlog_max) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) {
    ec = last_error();
    ::unlink(fresh.c_str());
    return {};
  }
  return fd;
}

std::size_t file_number(const fs::path& path) noexcept {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0 ? static_cast<std::size_t>(found.st_ino) : 0;
}

local_packet receive_local(int fd, std::size_t bytes_max) {
  std::string buffer(bytes_max, '\0');
  const auto count = ::recv(fd, buffer.data(), buffer.size(), MSG_TRUNC | MSG_DONTWAIT);
  using kind = local_packet::kind;
  if (count < 0)
    return {errno == EAGAIN || errno == EINTR ? kind::nothing_yet : kind::end, {}};
  if (count == 0) // an empty message looks like the end, and is one
    return {kind::end, {}};
  if (static_cast<std::size_t>(count) > bytes_max)
    return {kind::too_long, {}};
  buffer.resize(static_cast<std::size_t>(count));
  return {kind::message, std::move(buffer)};
}

} // namespace muster::net
