#include "actors/agent/settings_file_disk.hpp"

#include "actors/rules/settings_file.hpp"

#include <spdlog/fmt/fmt.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

namespace muster::actors {

namespace {

struct owner_of_file {
  uid_t user = 0;
  gid_t group = 0;
};

using open_file = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// In the machine's own files; other sources may wait for a network.
std::optional<uid_t> user_called(const std::string& name) {
  if (name == "root")
    return 0;
  const open_file file{std::fopen("/etc/passwd", "re"), std::fclose};
  char lines[4096];
  passwd entry{};
  passwd* found = nullptr;
  while (file && ::fgetpwent_r(file.get(), &entry, lines, sizeof lines, &found) == 0)
    if (name == entry.pw_name)
      return entry.pw_uid;
  return std::nullopt;
}

std::optional<gid_t> group_called(const std::string& name) {
  if (name == "root")
    return 0;
  const open_file file{std::fopen("/etc/group", "re"), std::fclose};
  std::string lines(64 * 1024, '\0'); // a group may have many members
  group entry{};
  group* found = nullptr;
  while (file && ::fgetgrent_r(file.get(), &entry, lines.data(), lines.size(), &found) == 0)
    if (name == entry.gr_name)
      return entry.gr_gid;
  return std::nullopt;
}

/// Empty with a sentence when there is no such user or group.
std::optional<owner_of_file> owner_of(const rules::connector& how, std::string& problem) {
  if (::geteuid() != 0) // we cannot give anything away
    return owner_of_file{::geteuid(), ::getegid()};
  const auto user = user_called(how.owner);
  const auto group = group_called(how.group);
  if (!user || !group)
    problem = fmt::format("there is no {} '{}' for {}; see 'owner' and 'group' of the connector",
                          user ? "group" : "user", user ? how.group : how.owner, how.file);
  return user && group ? std::optional{owner_of_file{*user, *group}} : std::nullopt;
}

std::string failed(const std::string& path, const char* doing) {
  return fmt::format("{} cannot be {}: {}", path, doing, std::strerror(errno));
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto done = ::write(file, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

/// A rename or removal is on the disk when its folder is.
bool sync_folder(const std::filesystem::path& folder) {
  const descriptor opened{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return opened && ::fsync(opened.number()) == 0;
}

/// No name that a daemon would read: those look for an ending.
std::filesystem::path draft_of(const std::filesystem::path& file) {
  return file.parent_path() / ("." + file.filename().string() + ".muster-new");
}

} // namespace

descriptor::~descriptor() {
  if (number_ >= 0)
    ::close(number_);
}

std::error_code read_whole(int file, std::size_t bytes_max, std::string& out) {
  out.clear();
  char part[16 * 1024];
  for (;;) {
    const auto got = ::read(file, part, sizeof part);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return {errno, std::generic_category()};
    if (got == 0)
      return {};
    out.append(part, static_cast<std::size_t>(got));
    if (out.size() > bytes_max)
      return std::make_error_code(std::errc::file_too_large);
  }
}

std::string mark_of(const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) != 0)
    return "none";
  return fmt::format("{} {} {} {} {} {} {}.{} {}.{}", about.st_dev, about.st_ino, about.st_mode,
                     about.st_uid, about.st_gid, about.st_size, about.st_mtim.tv_sec,
                     about.st_mtim.tv_nsec, about.st_ctim.tv_sec, about.st_ctim.tv_nsec);
}

file_look look_at_file(const rules::connector& how) {
  file_look out;
  const auto is = [&](file_look::kind what, std::string problem) {
    out.what = what;
    out.problem = std::move(problem);
    return out;
  };
  // Not to wait for whoever writes into a pipe of that name.
  const descriptor file{
    ::open(how.file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)};
  struct stat about {};
  if (!file && errno == ENOENT)
    return out;
  if (!file && errno == ELOOP)
    return is(file_look::kind::other, how.file + " is a symbolic link");
  if (!file || ::fstat(file.number(), &about) != 0)
    return is(file_look::kind::unreadable, failed(how.file, "read"));
  if (!S_ISREG(about.st_mode))
    return is(file_look::kind::other, how.file + " is no regular file");
  if (const auto ec = read_whole(file.number(), rules::settings_file_bytes_max, out.content)) {
    out.content.clear();
    return is(file_look::kind::unreadable, how.file + " cannot be read: " + ec.message());
  }
  std::string ignored;
  const auto owner = owner_of(how, ignored);
  out.attributes_fit = owner && about.st_uid == owner->user && about.st_gid == owner->group &&
                       (about.st_mode & 07777) == how.mode;
  return is(file_look::kind::regular, {});
}

std::string write_file(const rules::connector& how, const std::string& content) {
  namespace fs = std::filesystem;
  std::string problem;
  const auto owner = owner_of(how, problem);
  if (!owner)
    return problem;
  struct stat about {};
  if (::lstat(how.file.c_str(), &about) == 0 && !S_ISREG(about.st_mode))
    return how.file + " is no regular file; the connector must name the file itself";
  const fs::path path{how.file};
  const auto draft = draft_of(path).string();
  if (::unlink(draft.c_str()) != 0 && errno != ENOENT) // of a writer that was killed
    return failed(draft, "removed");
  const descriptor file{
    ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file)
    return failed(draft, "made");
  const bool chown = ::geteuid() == 0;
  const bool written = write_all(file.number(), content) &&
                       (!chown || ::fchown(file.number(), owner->user, owner->group) == 0) &&
                       ::fchmod(file.number(), how.mode) == 0 && ::fsync(file.number()) == 0 &&
                       ::rename(draft.c_str(), how.file.c_str()) == 0;
  if (!written) {
    problem = failed(how.file, "written");
    ::unlink(draft.c_str());
    return problem;
  }
  return sync_folder(path.parent_path()) ? "" : failed(path.parent_path().string(), "synced");
}

std::string remove_file(const rules::connector& how) {
  if (::unlink(how.file.c_str()) != 0)
    return errno == ENOENT ? "" : failed(how.file, "removed");
  const auto folder = std::filesystem::path{how.file}.parent_path();
  return sync_folder(folder) ? "" : failed(folder.string(), "synced");
}

} // namespace muster::actors
