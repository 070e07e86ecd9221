// What a change of a policy at the root costs: see README.md.
#include "actors/rules/policy_merge.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_diff.hpp"
#include "actors/server/document_depot.hpp"
#include "bench/cpu.hpp"
#include "bench/figures.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <functional>
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

/// The same fleet as policy_book publishes it, and the directory's depot behind it.
class server_side {
public:
  explicit server_side(const fleet& all) {
    std::string problem;
    std::vector<rules::group_id> middle;
    for (std::size_t i = 0; i < middle_groups; ++i) {
      middle.push_back(*order_.groups.create(rules::group_tree::root, "m" + std::to_string(i), problem));
      put(middle.back(), all.middle[i]);
    }
    for (std::size_t i = 0; i < leaf_groups; ++i) {
      leaves_.push_back(
        *order_.groups.create(middle[i % middle_groups], "g" + std::to_string(i), problem));
      put(leaves_.back(), all.leaves[i]);
    }
  }

  void change(const rules::policy_ptr& root) {
    put(rules::group_tree::root, root);
    depot_.follow(std::make_shared<const actors::fleet_snapshot>(order_));
  }

  /// What the directory asks for each connected device.
  std::size_t look_at_all(const actors::device_documents_ptr& own) {
    std::size_t different = 0;
    actors::manifest_ptr last;
    for (std::size_t i = 0; i < devices; ++i) {
      const auto manifest = actors::manifest_with(depot_.manifest_of(audience(i)),
                                                  i % 10 == 7 ? own : nullptr);
      different += manifest != last ? 1 : 0;
      last = manifest;
    }
    depot_.rest();
    return different;
  }

  [[nodiscard]] actors::document_entry entry_of(std::size_t device) {
    return depot_.manifest_of(audience(device))->entries.front();
  }
  /// Bytes to one of so many devices that all have the version before.
  std::size_t hand_out(std::size_t to, const actors::document_hash& before) {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < to; ++i) {
      const auto entry = entry_of(1);
      const auto parcel =
        depot_.parcel_of({entry.kind, entry.name, entry.hash, before}, audience(1), nullptr, true);
      MUSTER_ASSERT(!parcel.gone && parcel.base == before, "it is a patch");
      bytes = parcel.data.size();
    }
    return bytes;
  }

private:
  void put(rules::group_id group, const rules::policy_ptr& policy) {
    order_.policies[group][policy->name] = {policy, ++order_.revision, 0, {}};
  }
  [[nodiscard]] actors::document_audience audience(std::size_t device) const {
    return {leaves_[device % leaf_groups], device % 3 == 0 ? "fedora" : "debian", "An OS",
            device % 4 == 0 ? "laptop" : ""};
  }

  actors::fleet_snapshot order_;
  std::vector<rules::group_id> leaves_;
  actors::document_depot depot_;
};

double seconds_of(const std::function<void()>& work) {
  const auto clock = bench::cpu_clock_of_this_thread();
  const auto begin = bench::read_us(clock);
  work();
  return (bench::read_us(clock) - begin) / 1e6;
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

  server_side server(all);
  actors::own_documents said;
  said.all.push_back({"application", 1, own});
  const auto own_of_some = actors::device_documents_of(said);
  std::vector<double> depot_seconds;
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto root = root_policy();
    depot_seconds.push_back(seconds_of([&] {
      server.change(root);
      MUSTER_ASSERT(server.look_at_all(own_of_some) > leaf_groups, "groups differ");
    }));
  }
  const auto version_before = server.entry_of(1).hash;
  auto changed = std::make_shared<rules::policy>(*root_policy());
  changed->values.find("section_4")->set("setting_number_134", "another value");
  server.change(changed);
  std::size_t patch_bytes = 0;
  const auto patch_seconds = seconds_of([&] { patch_bytes = server.hand_out(1'000, version_before); });

  bench::figures out("policies");
  out.tell("100,000 devices after a change at the root, CPU", bench::median(seconds), "s",
           bench::at_most(1));
  out.tell("the same by the directory's depot, manifests told, CPU", bench::median(depot_seconds), "s",
           bench::at_most(1));
  out.tell("one changed setting of 200 to 1,000 devices, CPU", patch_seconds * 1e3, "ms");
  out.tell("of which each gets, compressed", static_cast<double>(patch_bytes), "bytes",
           bench::at_most(2048));
  out.tell("documents that they share", static_cast<double>(last.documents), "");
  out.tell("patch of one setting of 200", static_cast<double>(patch.size()), "bytes",
           bench::at_most(2048));
  return out.exit_code();
}
