// What a change of a policy at the root costs: see README.md.
#include "actors/rules/policy_merge.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_diff.hpp"
#include "bench/cpu.hpp"
#include "bench/figures.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace {

using namespace muster;

constexpr std::size_t devices = 100'000;
constexpr std::size_t middle_groups = 10;
constexpr std::size_t leaf_groups = 990;
constexpr std::size_t root_settings = 200;
constexpr std::size_t rounds = 7;

/// So many settings in ten sections.
rules::settings_document settings(std::size_t count, const std::string& text) {
  auto out = rules::settings_value::empty_map();
  for (std::size_t i = 0; i < count; ++i) {
    const auto section = "section_" + std::to_string(i % 10);
    auto* map = out.find(section);
    if (map == nullptr)
      map = &out.set(section, rules::settings_value::empty_map());
    map->set("setting_number_" + std::to_string(i), text + std::to_string(i));
  }
  return out;
}

rules::policy_ptr policy_of(std::string group, rules::settings_document values) {
  rules::policy out;
  out.name = "application";
  out.group = std::move(group);
  out.values = std::move(values);
  return std::make_shared<const rules::policy>(std::move(out));
}

rules::policy_ptr root_policy() {
  std::string problem;
  rules::policy out;
  out.name = "application";
  out.values = settings(root_settings, "a value of some length ");
  out.locks.push_back(*rules::settings_path::parse("section_3", problem));
  out.profiles.push_back({"laptops",
                          1,
                          *rules::profile_condition("tag:laptop", problem),
                          settings(5, "laptop "),
                          {},
                          {}});
  out.profiles.push_back({"debian",
                          2,
                          *rules::profile_condition("os:debian group:m1", problem),
                          settings(5, "debian "),
                          {},
                          {}});
  return std::make_shared<const rules::policy>(std::move(out));
}

struct fleet {
  fleet() {
    for (std::size_t i = 0; i < middle_groups; ++i)
      middle.push_back(policy_of("m" + std::to_string(i), settings(20, "middle ")));
    for (std::size_t i = 0; i < leaf_groups; ++i)
      leaves.push_back(policy_of("m" + std::to_string(i % middle_groups) + "/g" + std::to_string(i),
                                 settings(1 + i % 20, "leaf ")));
  }
  std::vector<rules::policy_ptr> middle;
  std::vector<rules::policy_ptr> leaves;
};

struct outcome {
  std::size_t documents = 0;
  std::size_t bytes = 0;
};

/// All devices after a change of the root's policy.
outcome recompute(const fleet& all, const rules::policy_ptr& root,
                  const rules::settings_document& own) {
  static constexpr std::string_view tags[] = {"laptop"};
  outcome out;
  rules::policy_composer composer;
  std::unordered_set<const rules::composed_policy*> written;
  for (std::size_t i = 0; i < devices; ++i) {
    const auto group = i % leaf_groups;
    rules::device_traits device;
    device.os_id = i % 3 == 0 ? "fedora" : "debian";
    if (i % 4 == 0)
      device.tags = tags;
    device.group = all.leaves[group]->group;
    const rules::policy_ptr way[] = {root, all.middle[group % middle_groups], all.leaves[group]};
    const auto effective = composer.compose(way, device);
    if (written.insert(effective.get()).second) {
      ++out.documents;
      out.bytes += rules::to_bytes(effective->values()).size();
    }
    if (i % 10 == 7)
      out.bytes +=
        rules::to_bytes(rules::with_own(effective->values(), effective->locks(), own)).size();
  }
  return out;
}

} // namespace

int main() {
  const fleet all;
  const auto own = settings(3, "own ");
  std::vector<double> seconds;
  outcome last;
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto root = root_policy();
    const auto clock = bench::cpu_clock_of_this_thread();
    const auto begin = bench::read_us(clock);
    last = recompute(all, root, own);
    seconds.push_back((bench::read_us(clock) - begin) / 1e6);
  }
  MUSTER_ASSERT(last.documents >= leaf_groups, "every group has its document");

  const auto before = settings(root_settings, "a value of some length ");
  auto after = before;
  after.find("section_3")->set("setting_number_133", "another value");
  const auto patch = rules::patch(before, after);

  bench::figures out("policies");
  out.tell("100,000 devices after a change at the root, CPU", bench::median(seconds), "s",
           bench::at_most(1));
  out.tell("documents that they share", static_cast<double>(last.documents), "");
  out.tell("patch of one setting of 200", static_cast<double>(patch.size()), "bytes",
           bench::at_most(2048));
  return out.exit_code();
}
