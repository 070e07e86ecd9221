#include "actors/rules/policy_document.hpp"

#include <utility>

namespace muster::rules {

settings_document document_of(const composed_policy& policy) {
  settings_value::list locks;
  for (const auto& path : policy.locks().paths())
    locks.emplace_back(path.text());
  auto out = settings_value::empty_map();
  out.set("locks", std::move(locks));
  out.set("values", policy.values());
  return out;
}

settings_document document_of_own(const settings_document& values) {
  auto out = settings_value::empty_map();
  out.set("values", values);
  return out;
}

} // namespace muster::rules
