#pragma once
// A disk so small that a test can fill it.

#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

namespace muster::test {

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

  temp_directory directory_;
  bool mounted_;
  std::string why_;
};

} // namespace muster::test
