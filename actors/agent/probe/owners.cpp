#include "actors/agent/probe/owners.hpp"

#include "actors/agent/probe/text.hpp"

#include <sys/stat.h>

#include <array>
#include <utility>

namespace muster::actors::probe {

std::vector<std::string> listed_names(std::string_view path) {
  static constexpr std::array<std::string_view, 6> merged{"/bin/",   "/sbin/",  "/lib/",
                                                          "/lib32/", "/lib64/", "/libx32/"};
  constexpr std::string_view usr{"/usr"};
  std::vector<std::string> out{std::string{path}};
  const bool below_usr = path.starts_with("/usr/");
  const auto rest = below_usr ? path.substr(usr.size()) : path;
  for (const auto prefix : merged)
    if (rest.starts_with(prefix))
      out.push_back(below_usr ? std::string{rest} : std::string{usr}.append(path));
  return out;
}

void package_owners::learn(const std::vector<std::string>& paths) {
  forget_if_changed();
  std::unordered_map<std::string, std::string> wanted; // as listed -> as asked
  for (const auto& path : paths) {
    if (known_.size() >= owned_paths_max)
      break;
    if (!path.starts_with('/') || !known_.try_emplace(path).second)
      continue;
    for (auto& name : listed_names(path))
      wanted.emplace(std::move(name), path);
  }
  if (wanted.empty())
    return;
  std::error_code ec;
  std::filesystem::directory_iterator files{root_ / "var/lib/dpkg/info", ec};
  for (; !ec && files != std::filesystem::directory_iterator{}; files.increment(ec))
    if (files->path().extension() == ".list")
      read_list(files->path(), wanted);
}

void package_owners::read_list(const std::filesystem::path& file,
                               const std::unordered_map<std::string, std::string>& wanted) {
  const auto content = read_file(file, file_list_bytes_max);
  const auto stem = file.stem().string();
  const auto package = clean(std::string_view{stem}.substr(0, stem.find(':'))); // NAME:ARCHITECTURE
  std::string_view rest{content};
  std::string_view line;
  std::string key;
  while (take_line(rest, line)) {
    key.assign(line);
    const auto found = wanted.find(key);
    if (found == wanted.end())
      continue;
    // Where several list it (one was diverted), the order of the directory must not decide.
    auto& owner = known_[found->second];
    if (owner.empty() || package < owner)
      owner = package;
  }
}

std::string_view package_owners::owner_of(const std::string& path) const {
  const auto found = known_.find(path);
  return found == known_.end() ? std::string_view{} : std::string_view{found->second};
}

void package_owners::forget_if_changed() {
  struct stat about {};
  std::int64_t changed_ns = 0;
  if (::stat((root_ / "var/lib/dpkg/status").c_str(), &about) == 0)
    changed_ns = std::int64_t{about.st_mtim.tv_sec} * 1'000'000'000 + about.st_mtim.tv_nsec;
  if (std::exchange(seen_ns_, changed_ns) != changed_ns || known_.size() >= owned_paths_max)
    known_.clear();
}

} // namespace muster::actors::probe
