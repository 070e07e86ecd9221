// Must hold: on a full disk nothing is acknowledged that is not kept, everybody hears of it, and
// when there is room again the same process goes on.

#include "tests/system/event_source.hpp"
#include "tests/system/fleet.hpp"
#include "tests/system/store_view.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// A disk of its own of so many bytes, in memory. Needs the right to mount.
class small_disk {
public:
  explicit small_disk(const char* size)
    : mounted_(::mount("muster-test", directory_.path().c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
                       size) == 0) {
    if (!mounted_)
      why_ = std::strerror(errno);
  }
  ~small_disk() {
    if (mounted_)
      ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }

  /// Leaves so many bytes free.
  void fill_up_to(std::uint64_t free_bytes) const {
    struct statvfs now {};
    REQUIRE(::statvfs(path().c_str(), &now) == 0);
    const auto free = std::uint64_t{now.f_bavail} * now.f_frsize;
    REQUIRE(free > free_bytes);
    const int fd = ::open(ballast().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    CHECK(::posix_fallocate(fd, 0, static_cast<off_t>(free - free_bytes)) == 0);
    ::close(fd);
  }
  void make_room() const { REQUIRE(std::filesystem::remove(ballast())); }

private:
  [[nodiscard]] std::filesystem::path ballast() const { return path() / "ballast"; }

  temporary_directory directory_;
  bool mounted_;
  std::string why_;
};

constexpr std::uint64_t megabyte = 1024 * 1024;

} // namespace

TEST_CASE("a full disk: nothing is acknowledged, it is said everywhere, and it goes on when there "
          "is room") {
  const small_disk disk{"size=256m"};
  if (!disk.mounted()) {
    MESSAGE("skipped: no small disk can be mounted here (" << disk.why() << ")");
    return;
  }
  server_under_test server{{}, {}, disk.path() / "server"};
  server.start();
  const console_under_test console{server};
  event_source source{server.enrol_wire_device("faithful"), 1};
  source.go(server.agents_port());
  REQUIRE(source.has_acknowledged(100, 20s));

  disk.fill_up_to(16 * megabyte);
  REQUIRE_MESSAGE(server.program().expect("nothing is acknowledged until that is over").has_value(),
                  server.program().output());
  const auto kept = source.acknowledged();
  // Each try ends with the session: the agent keeps its events and comes back.
  for (int i = 0; i < 3; ++i) {
    source.go(server.agents_port());
    CHECK_FALSE(source.has_acknowledged(kept + 1, 300ms));
  }
  CHECK_MESSAGE(console.run({"server", "status"}).output.find("full") != std::string::npos,
                console.run({"server", "status"}).output);
  // What cannot be kept is not claimed.
  CHECK(console.run({"token", "create"}).exit_code != 0);

  disk.make_room();
  CHECK(eventually([&] {
    source.go(server.agents_port());
    return source.has_acknowledged(kept + 50, 500ms);
  }));
  CHECK(server.program().expect("writing works again").has_value());
  CHECK(console.run({"token", "create"}).exit_code == 0);
  source.stop();
  CHECK_MESSAGE(source.complaint().empty(), source.complaint());
  CHECK(server.stop() == 0);
  const auto wrong = check_sequences(read_stored_events(server.data()), source.device_id(),
                                     source.epoch(), source.acknowledged());
  CHECK_MESSAGE(wrong.empty(), wrong);
}
