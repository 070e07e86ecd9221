#include "actors/server/fleet_check.hpp"

#include "actors/rules/agent_policy.hpp"
#include "actors/rules/policy_document.hpp"
#include "actors/server/policy_book_limits.hpp"

#include <set>
#include <span>
#include <utility>

namespace muster::actors {

namespace {

std::string shown(const std::string& path) {
  return path.empty() ? "/" : path;
}

/// The settings of one application in all groups.
class composed_check {
public:
  using places = std::unordered_map<rules::group_id, std::string>;

  composed_check(const fleet_snapshot& fleet, const std::string& application, const places& changed,
                 std::vector<std::string>& problems)
    : fleet_(fleet), application_(application), changed_(changed), problems_(problems) {}

  void look_at(rules::group_id group) {
    const auto* place = place_of(group);
    if (place == nullptr)
      return;
    const auto& both = composed(group);
    for (const auto& one : {both.none, both.all}) {
      const auto problem = rules::problem_with(rules::document_of(*one));
      if (problem.empty())
        continue;
      problems_.push_back(*place + "the settings of '" + application_ + "' in group '" +
                          shown(fleet_.groups.path(group)) +
                          "', with all that they inherit: " + problem);
      return;
    }
  }

private:
  struct pair {
    rules::composed_policy::ptr none, all;
  };

  /// Of the nearest change above; null: nothing has changed here.
  const std::string* place_of(rules::group_id group) const {
    for (; fleet_.groups.has(group); group = fleet_.groups.parent(group))
      if (const auto found = changed_.find(group); found != changed_.end())
        return &found->second;
    return nullptr;
  }

  const rules::policy* policy_of(rules::group_id group) const {
    const auto policies = fleet_.policies.find(group);
    if (policies == fleet_.policies.end())
      return nullptr;
    const auto own = policies->second.find(application_);
    return own == policies->second.end() ? nullptr : own->second.policy.get();
  }

  /// Goes no deeper than the tree.
  const pair& composed(rules::group_id group) {
    static const pair nothing;
    if (!fleet_.groups.has(group))
      return nothing;
    if (const auto known = composed_.find(group); known != composed_.end())
      return known->second;
    const auto* own = policy_of(group);
    auto out = composed(fleet_.groups.parent(group));
    if (own != nullptr) {
      const auto count = own->profiles.size();
      const auto all = count >= 32 ? ~rules::profile_set{0} : (rules::profile_set{1} << count) - 1;
      out = {rules::composed_policy::compose(out.none, *own, 0),
             rules::composed_policy::compose(out.all, *own, all)};
    }
    return composed_.emplace(group, std::move(out)).first->second;
  }

  const fleet_snapshot& fleet_;
  const std::string& application_;
  const places& changed_;
  std::vector<std::string>& problems_;
  std::unordered_map<rules::group_id, pair> composed_;
};

std::string agent_problem(const rules::settings_document& values) {
  std::vector<std::string> problems;
  static_cast<void>(rules::read_agent_policy(values, problems));
  return problems.empty() ? "" : problems.front();
}

/// Too many applications on the way to a group.
void check_number(const fleet_snapshot& fleet, std::span<const rules::group_id> with_policies,
                  const changed_policies& changed, std::vector<std::string>& problems) {
  std::unordered_map<rules::group_id, const std::string*> places;
  for (const auto& [application, groups] : changed)
    for (const auto& [group, place] : groups)
      places.emplace(group, &place);
  for (const auto group : with_policies) {
    const std::string* place = nullptr;
    std::set<std::string_view> applications;
    for (const auto above : fleet.groups.way_to(group)) {
      if (const auto found = places.find(above); found != places.end())
        place = found->second;
      if (const auto there = fleet.policies.find(above); there != fleet.policies.end())
        for (const auto& [application, standing] : there->second)
          applications.insert(application);
    }
    if (place != nullptr && applications.size() > policy_book_limits::applications_max)
      problems.push_back(*place + "group '" + shown(fleet.groups.path(group)) +
                         "' would have policies of " + std::to_string(applications.size()) +
                         " applications, with those that it inherits; at most " +
                         std::to_string(policy_book_limits::applications_max) + " can be");
  }
}

} // namespace

std::string policy_problem(const rules::policy& policy) {
  if (auto problem = rules::problem_with(policy); !problem.empty())
    return problem;
  if (policy.name != rules::agent_application)
    return {};
  if (auto problem = agent_problem(policy.values); !problem.empty())
    return problem;
  for (const auto& profile : policy.profiles)
    if (const auto problem = agent_problem(profile.values); !problem.empty())
      return "profile '" + profile.name + "': " + problem;
  return {};
}

void check_composed(const fleet_snapshot& fleet, const changed_policies& changed,
                    std::vector<std::string>& problems) {
  auto with_policies = fleet.groups.subtree(rules::group_tree::root); // in an order for people
  std::erase_if(with_policies, [&](auto group) { return !fleet.policies.contains(group); });
  for (const auto& [application, groups] : changed) {
    composed_check check{fleet, application, groups, problems};
    for (const auto group : with_policies)
      if (fleet.policies.at(group).contains(application))
        check.look_at(group);
  }
  check_number(fleet, with_policies, changed, problems);
}

} // namespace muster::actors
