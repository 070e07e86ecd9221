#include "actors/agent/connector_folder.hpp"

#include "actors/agent/limits.hpp"
#include "actors/agent/settings_file_disk.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace muster::actors {

namespace {

constexpr std::string_view suffix = ".toml";

/// Empty, or why what is there could be somebody else's work.
std::string safety_problem(const struct stat& about, const std::string& path) {
  const auto we = ::geteuid();
  if (about.st_uid != 0 && about.st_uid != we)
    return fmt::format("{} belongs to user {}; it must be root's", path, about.st_uid);
  if ((about.st_mode & 022) != 0)
    return fmt::format("{} can be written by others than its owner (mode {:04o}); chmod go-w", path,
                       about.st_mode & 07777);
  return {};
}

std::string signature(const struct stat& about) {
  return fmt::format("{} {} {} {} {} {} {} {};", about.st_dev, about.st_ino, about.st_mode,
                     about.st_uid, about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec,
                     about.st_ctim.tv_nsec);
}

/// Looks at the opened file, so that nothing can be put in its place in between.
found_connector read(const std::string& path, const std::string& name) {
  found_connector out;
  out.file = path;
  const auto broken = [&](found_connector::verdict how, std::string why) {
    out.how = how;
    out.problem = std::move(why);
    return out;
  };
  using verdict = found_connector::verdict;
  const descriptor file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)};
  struct stat about {};
  if (!file && errno == ELOOP)
    return broken(verdict::unsafe, path + " is a symbolic link; it must be a file");
  if (!file || ::fstat(file.number(), &about) != 0)
    return broken(verdict::broken, path + ": " + std::strerror(errno));
  out.modified_s = std::max<std::int64_t>(about.st_mtim.tv_sec, about.st_ctim.tv_sec);
  if (!S_ISREG(about.st_mode))
    return broken(verdict::unsafe, path + " is no regular file");
  if (auto problem = safety_problem(about, path); !problem.empty())
    return broken(verdict::unsafe, std::move(problem));
  std::string text;
  if (const auto ec = read_whole(file.number(), rules::connector_limits::file_bytes_max + 1, text))
    return broken(verdict::broken, path + ": " + ec.message());
  auto result = rules::read_connector(text, name);
  if (!result.good)
    return broken(verdict::broken, result.problems.empty() ? name + " cannot be read"
                                                           : result.problems.front());
  out.connector = std::move(*result.good);
  return out;
}

} // namespace

std::vector<std::string> connector_folder::names() const {
  std::vector<std::string> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder{::opendir(where_.c_str()), ::closedir};
  if (!folder)
    return out;
  while (const auto* entry = ::readdir(folder.get())) {
    const std::string_view name{entry->d_name};
    if (name.ends_with(suffix) && name.size() > suffix.size() && !name.starts_with('.'))
      out.emplace_back(name);
  }
  std::sort(out.begin(), out.end());
  if (out.size() > limits::connectors_max)
    out.resize(limits::connectors_max);
  return out;
}

bool connector_folder::look() {
  struct stat folder {};
  const bool there = ::lstat(where_.c_str(), &folder) == 0;
  auto seen = there ? signature(folder) : std::string{"none"};
  const auto files = there ? names() : std::vector<std::string>{};
  for (const auto& name : files) {
    struct stat about {};
    if (::lstat((where_ / name).c_str(), &about) == 0)
      seen += name + " " + signature(about);
  }
  if (std::exchange(looked_, true) && seen == seen_)
    return false;
  seen_ = std::move(seen);
  found_.clear();
  auto folder_problem = !there                      ? std::string{}
                        : !S_ISDIR(folder.st_mode) ? where_.string() + " is no folder"
                                                   : safety_problem(folder, where_.string());
  for (const auto& name : files) {
    const auto path = (where_ / name).string();
    auto one = read(path, name);
    if (!folder_problem.empty()) {
      one.how = found_connector::verdict::unsafe;
      one.problem = folder_problem;
    }
    const bool good = one.how == found_connector::verdict::good;
    if (!good)
      spdlog::warn("connector {}", one.problem);
    auto application = good ? one.connector.name : name.substr(0, name.size() - suffix.size());
    const auto [at, fresh] = found_.try_emplace(std::move(application), one);
    if (fresh)
      continue;
    spdlog::warn("connector {}: {} speaks of '{}' already", path, at->second.file, at->first);
    // A good one is not hidden by a broken one that only bears its name.
    if (good && at->second.how != found_connector::verdict::good)
      at->second = std::move(one);
  }
  return true;
}

} // namespace muster::actors
