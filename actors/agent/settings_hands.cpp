#include "actors/agent/settings_hands.hpp"

#include "actors/agent/probe/dpkg.hpp"
#include "actors/agent/settings_file_disk.hpp"
#include "net/wire/agent.pb.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace muster::actors {

namespace {

/// Remembers what was asked for as long as dpkg's file stays: reading it takes milliseconds.
class package_answers {
public:
  explicit package_answers(std::filesystem::path root) : root_(std::move(root)) {}

  bool any_of(const std::vector<std::string>& packages) {
    if (auto mark = mark_of((root_ / "var/lib/dpkg/status").string()); mark != mark_) {
      mark_ = std::move(mark);
      known_.clear();
    }
    const auto unknown = [this](const std::string& name) { return !known_.contains(name); };
    if (std::any_of(packages.begin(), packages.end(), unknown))
      learn(packages);
    return std::any_of(packages.begin(), packages.end(),
                       [this](const std::string& name) { return known_[name]; });
  }

private:
  void learn(const std::vector<std::string>& packages) {
    wire::applications all;
    const bool read = probe::read_applications(root_, all);
    for (const auto& name : packages)
      known_[name] = read && std::any_of(all.items().begin(), all.items().end(),
                                         [&](const auto& item) { return item.name() == name; });
    if (!read)
      mark_.clear(); // in the middle of a change: look again
  }

  std::filesystem::path root_;
  std::string mark_;
  std::map<std::string, bool> known_;
};

} // namespace

settings_hands hands_on_this_machine(std::filesystem::path connectors, std::filesystem::path root) {
  settings_hands out;
  const auto folder = std::make_shared<connector_folder>(std::move(connectors));
  out.connectors = [folder](found_connectors& found) {
    const bool changed = folder->look();
    if (changed)
      found = folder->found();
    return changed;
  };
  const auto answers = std::make_shared<package_answers>(std::move(root));
  out.installed = [answers](const std::vector<std::string>& packages) {
    return answers->any_of(packages);
  };
  out.exists = [](const std::string& file) { return ::access(file.c_str(), F_OK) == 0; };
  out.mark = mark_of;
  out.look = look_at_file;
  out.write = write_file;
  out.remove = remove_file;
  const auto runner = std::make_shared<command_runner>();
  out.run = [runner](command_order order, std::function<void(command_result)> done) {
    runner->run(std::move(order), std::move(done));
  };
  return out;
}

} // namespace muster::actors
