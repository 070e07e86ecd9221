#include "apps/common/service_manager.hpp"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

using namespace muster;

namespace {

/// A service manager's end: a datagram socket at a path or an abstract name ('@' in front).
class manager {
public:
  explicit manager(const std::string& name) : name_(name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(name.size() < sizeof(address.sun_path));
    std::memcpy(address.sun_path, name.data(), name.size());
    auto size = offsetof(sockaddr_un, sun_path) + name.size() + 1;
    if (name[0] == '@') {
      address.sun_path[0] = '\0';
      --size;
    }
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(size))
            == 0);
  }
  ~manager() { ::close(fd_); }
  manager(const manager&) = delete;
  manager& operator=(const manager&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  /// The next datagram; a datagram on this machine is there as soon as it was sent. Empty: none.
  [[nodiscard]] std::string heard() const {
    std::array<char, 256> buffer{};
    const auto got = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return got < 0 ? std::string{} : std::string(buffer.data(), static_cast<std::size_t>(got));
  }
  [[nodiscard]] int descriptor() const { return fd_; }

private:
  std::string name_;
  int fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

/// NOTIFY_SOCKET for as long as it lives.
struct notify_socket {
  explicit notify_socket(const char* value) { ::setenv("NOTIFY_SOCKET", value, 1); }
  ~notify_socket() { ::unsetenv("NOTIFY_SOCKET"); }
};

} // namespace

TEST_CASE("the service manager hears us at a path and at an abstract name") {
  const test::temp_directory directory;
  const manager at_path{(directory.path() / "notify").string()};
  CHECK_FALSE(service_manager::notify(at_path.name(), "READY=1"));
  CHECK(at_path.heard() == "READY=1");

  const manager abstract{"@muster-test-" + std::to_string(::getpid())};
  CHECK_FALSE(service_manager::notify(abstract.name(), "STOPPING=1"));
  CHECK(abstract.heard() == "STOPPING=1");
  CHECK(abstract.heard().empty());
}

TEST_CASE("ready and stopping go to the socket of the environment, and to nobody without one") {
  const test::temp_directory directory;
  const manager at_path{(directory.path() / "notify").string()};
  service_manager::ready();
  CHECK(at_path.heard().empty());
  const notify_socket named{at_path.name().c_str()};
  service_manager::ready();
  service_manager::stopping();
  CHECK(at_path.heard() == "READY=1");
  CHECK(at_path.heard() == "STOPPING=1");
}

TEST_CASE("a socket that is no name, too long, not there or full is an error and no wait") {
  using service_manager::notify;
  CHECK(notify("", "READY=1") == std::errc::invalid_argument);
  CHECK(notify("@", "READY=1") == std::errc::invalid_argument);
  CHECK(notify("notify", "READY=1") == std::errc::invalid_argument);
  CHECK(notify("/" + std::string(200, 'x'), "READY=1") == std::errc::filename_too_long);
  const test::temp_directory directory;
  CHECK(notify((directory.path() / "nobody").string(), "READY=1")
        == std::errc::no_such_file_or_directory);
  const manager deaf{(directory.path() / "deaf").string()};
  std::error_code ec;
  for (int i = 0; i < 100'000 && !ec; ++i)
    ec = notify(deaf.name(), "READY=1");
  CHECK(ec == std::errc::resource_unavailable_try_again);
}
