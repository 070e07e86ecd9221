#include "actors/rules/inventory.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

namespace muster::rules {

namespace {

void sort_once_each(std::vector<application_key>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

auto slot_of(const application_key& key) {
  return std::tie(key.name, key.architecture, key.manager);
}

} // namespace

application_delta difference(std::vector<application_key> before,
                             std::vector<application_key> after) {
  sort_once_each(before);
  sort_once_each(after);
  application_delta out;
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::back_inserter(out.added));
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                      std::back_inserter(out.removed));
  return out;
}

std::vector<application_change> changes(const application_delta& delta) {
  using kind = application_change::kind;
  // Several versions may live in one slot (kernels do): pair them off in order.
  std::multimap<std::tuple<std::string, std::string, std::string>, std::string> gone;
  for (const auto& key : delta.removed)
    gone.emplace(slot_of(key), key.version);
  std::vector<application_change> out;
  for (const auto& key : delta.added) {
    const auto found = gone.find(slot_of(key));
    if (found == gone.end()) {
      out.push_back({kind::installed, key, {}});
      continue;
    }
    out.push_back({kind::replaced, key, found->second});
    gone.erase(found);
  }
  for (const auto& [slot, version] : gone) {
    const auto& [name, architecture, manager] = slot;
    out.push_back({kind::removed, {name, version, architecture, manager}, {}});
  }
  return out;
}

} // namespace muster::rules
