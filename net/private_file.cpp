#include "net/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

namespace muster::net {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t private_file_bytes_max = 64 * 1024;

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] bool good() const { return fd_ >= 0; }
  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

/// "PATH: cannot be read: No such file or directory". False, to be returned.
bool failed(std::string& problem, const fs::path& path, std::string_view what) {
  const auto why = std::system_category().message(errno);
  problem = path.string();
  problem.append(": ").append(what).append(": ").append(why);
  return false;
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno != EINTR)
      return false;
    if (written > 0)
      content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Whether nobody but the owner may use it, and the owner is us or root.
bool closed_to_others(const struct stat& found, const fs::path& path, std::string& problem) {
  const bool directory = S_ISDIR(found.st_mode);
  if (found.st_uid != ::geteuid() && found.st_uid != 0) {
    problem = path.string() + ": belongs to another user (" + std::to_string(found.st_uid) +
              "); give it to the user that this program runs as";
    return false;
  }
  if ((found.st_mode & 077U) != 0) {
    problem = path.string() + ": other users may use it; run: chmod " +
              (directory ? "700 " : "600 ") + path.string();
    return false;
  }
  return true;
}

fs::path parent_of(const fs::path& path) {
  auto parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

} // namespace

bool sync_directory(const fs::path& directory, std::string& problem) {
  const descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.good() || ::fsync(fd.get()) != 0)
    return failed(problem, directory, "cannot be written to disk");
  return true;
}

bool write_private_file(const fs::path& file, std::string_view content, std::string& problem) {
  auto fresh = file;
  fresh += ".new";
  // Left behind by a crash.
  if (::unlink(fresh.c_str()) != 0 && errno != ENOENT)
    return failed(problem, fresh, "cannot be removed");
  {
    const descriptor fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd.good())
      return failed(problem, fresh, "cannot be made");
    if (!write_all(fd.get(), content) || ::fsync(fd.get()) != 0) {
      failed(problem, fresh, "cannot be written");
      ::unlink(fresh.c_str());
      return false;
    }
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) {
    failed(problem, file, "cannot be replaced");
    ::unlink(fresh.c_str());
    return false;
  }
  return sync_directory(parent_of(file), problem);
}

std::optional<std::string> read_private_file(const fs::path& file, std::string& problem) {
  problem.clear();
  const descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.good()) {
    if (errno != ENOENT)
      failed(problem, file, "cannot be read");
    return std::nullopt;
  }
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) {
    failed(problem, file, "cannot be read");
    return std::nullopt;
  }
  if (!S_ISREG(found.st_mode)) {
    problem = file.string() + ": is not a regular file";
    return std::nullopt;
  }
  if (!closed_to_others(found, file, problem))
    return std::nullopt;
  std::string content;
  std::array<char, 4096> buffer{};
  while (content.size() <= private_file_bytes_max) {
    const auto got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got == 0)
      return content;
    if (got > 0) {
      content.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      failed(problem, file, "cannot be read");
      return std::nullopt;
    }
  }
  problem = file.string() + ": is larger than any file of this kind";
  return std::nullopt;
}

bool prepare_private_directory(const fs::path& directory, std::string& problem) {
  std::error_code ec;
  const auto parent = parent_of(directory);
  fs::create_directories(parent, ec);
  if (ec) {
    problem = parent.string() + ": cannot be made: " + ec.message();
    return false;
  }
  if (::mkdir(directory.c_str(), 0700) == 0)
    return sync_directory(parent, problem);
  struct stat found {};
  if (errno != EEXIST)
    return failed(problem, directory, "cannot be made");
  if (::stat(directory.c_str(), &found) != 0)
    return failed(problem, directory, "cannot be looked at");
  if (!S_ISDIR(found.st_mode)) {
    problem = directory.string() + ": is not a directory";
    return false;
  }
  return closed_to_others(found, directory, problem);
}

} // namespace muster::net
