#include "net/local_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace muster::net {

namespace {

namespace fs = std::filesystem;

constexpr int backlog = 64;

std::error_code last_error() {
  return {errno, std::system_category()};
}

bool address_of(const fs::path& path, sockaddr_un& out, std::error_code& ec) {
  const auto& name = path.native();
  out = {};
  out.sun_family = AF_UNIX;
  if (name.empty() || name.size() >= sizeof out.sun_path) {
    ec = std::make_error_code(std::errc::filename_too_long);
    return false;
  }
  std::memcpy(out.sun_path, name.data(), name.size());
  return true;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

} // namespace

owned_descriptor connect_local(const fs::path& path, std::error_code& ec) {
  ec.clear();
  sockaddr_un address;
  if (!address_of(path, address, ec))
    return {};
  owned_descriptor fd{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
  if (!fd || ::connect(fd.get(), generic(address), sizeof address) != 0) {
    ec = last_error();
    return {};
  }
  return fd;
}

owned_descriptor listen_local(const fs::path& path, unsigned mode, std::error_code& ec) {
  if (connect_local(path, ec)) {
    ec = std::make_error_code(std::errc::address_in_use);
    return {};
  }
  // Bound under a name of our own first: at no moment is it there with another mode.
  auto fresh = path;
  fresh += "." + std::to_string(::getpid());
  sockaddr_un address;
  if (!address_of(fresh, address, ec))
    return {};
  ec.clear();
  ::unlink(fresh.c_str());
  owned_descriptor fd{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd || ::bind(fd.get(), generic(address), sizeof address) != 0) {
    ec = last_error();
    return {};
  }
  if (::chmod(fresh.c_str(), static_cast<mode_t>(mode)) != 0 || ::listen(fd.get(), backlog) != 0
      || ::rename(fresh.c_str(), path.c_str()) != 0) {
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

} // namespace muster::net
