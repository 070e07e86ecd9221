#include "actors/rules/policy_merge.hpp"

#include "actors/rules/settings_json.hpp"
#include "tests/rules/settings_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace muster::rules;
using muster::test::json;
using muster::test::path;
using muster::test::settings_maker;

namespace {

device_filter when(std::string_view text) {
  std::string problem;
  auto out = profile_condition(text, problem);
  REQUIRE_MESSAGE(out, problem);
  return std::move(*out);
}

policy_ptr make(std::string group, std::string_view values, std::vector<std::string> locks = {},
                std::vector<policy_profile> profiles = {}) {
  policy p;
  p.name = "p" + group;
  p.group = std::move(group);
  p.values = json(values);
  for (const auto& lock : locks)
    p.locks.push_back(path(lock));
  p.profiles = std::move(profiles);
  CHECK(problem_with(p) == "");
  return std::make_shared<const policy>(std::move(p));
}

settings_document effective(std::vector<policy_ptr> way, std::string_view own = "{}") {
  policy_composer composer;
  const auto group = composer.compose(way, {});
  return with_own(group->values(), group->locks(), json(own));
}

/// The rule as plainly as it can be said: leaves by path, set one after the other.
class plain_merge {
public:
  struct leaf {
    settings_value value;
    setting_source from;
  };
  using leaves = std::map<settings_path, leaf>;
  using locks = std::vector<std::pair<settings_path, setting_source>>;

  static void set(leaves& into, const settings_path& at, const leaf& what, const locks& locked) {
    for (const auto& [lock, by] : locked)
      if (lock.covers(at) || at.covers(lock))
        return;
    const bool map = what.value.is_map();
    for (const auto& [other, had] : into)
      if (map && at.covers(other) && (other != at || had.value.is_map()))
        return; // an empty map on a map says nothing
    std::erase_if(into,
                  [&](const auto& one) { return one.first.covers(at) || at.covers(one.first); });
    into[at] = what;
  }

  static void each_leaf(const settings_value& value, const settings_path& at, const auto& visit) {
    const auto* entries = value.as_map();
    if (entries == nullptr || entries->empty()) {
      if (!at.empty())
        visit(at, value);
      return;
    }
    for (const auto& entry : *entries)
      each_leaf(entry.value, at.below(entry.name), visit);
  }

  static void lay(leaves& into, const settings_document& document, const setting_source& from,
                  const locks& locked) {
    each_leaf(document, {}, [&](const settings_path& at, const settings_value& value) {
      set(into, at, {value, from}, locked);
    });
  }

  void group(const policy& p, const device_traits& device) {
    leaves said;
    locks more;
    const auto add = [&](const std::vector<settings_path>& paths, const setting_source& by) {
      for (const auto& one : paths)
        more.emplace_back(one, by);
    };
    const setting_source self{false, p.group, p.name, ""};
    lay(said, p.values, self, {});
    add(p.locks, self);
    auto profiles = p.profiles;
    std::sort(profiles.begin(), profiles.end(), [](const auto& a, const auto& b) {
      return std::tie(a.priority, a.name) < std::tie(b.priority, b.name);
    });
    for (const auto& profile : profiles) {
      if (!profile.when.matches(device))
        continue;
      const setting_source by{false, p.group, p.name, profile.name};
      for (const auto& gone : profile.removes)
        std::erase_if(said, [&](const auto& one) { return gone.covers(one.first); });
      lay(said, profile.values, by, {});
      add(profile.locks, by);
    }
    for (const auto& [at, what] : said)
      set(result, at, what, locked);
    locked.insert(locked.end(), more.begin(), more.end());
  }

  void own(const settings_document& values) { lay(result, values, {true, "", "", ""}, locked); }

  /// All that cover it; the first is from the highest group.
  const setting_source* lock_of(const settings_path& at) const {
    for (const auto& [lock, by] : locked)
      if (lock.covers(at))
        return &by;
    return nullptr;
  }

  settings_document document() const {
    auto out = settings_value::empty_map();
    std::string problem;
    for (const auto& [at, what] : result)
      REQUIRE_MESSAGE(set_at(out, at, what.value, problem), problem);
    return out;
  }

  leaves result;
  locks locked;
};

std::vector<settings_path> random_paths(settings_maker& random) {
  std::vector<settings_path> out;
  for (auto n = random.below(4); n > 0; --n) {
    settings_path at;
    for (auto steps = random.below(10) == 0 ? 0 : 1 + random.below(3); steps > 0; --steps)
      at = at.below(random.name());
    out.push_back(at);
  }
  return out;
}

const std::vector<std::string> conditions{"",      "os:debian", "tag:a",
                                          "tag:b", "group:eu",  "tag:a,b os:debian"};

policy random_policy(settings_maker& random, std::string group) {
  policy p;
  p.name = "p" + std::to_string(random.below(1000));
  p.group = std::move(group);
  p.values = random.map(3);
  if (random.below(2) == 0)
    p.locks = random_paths(random);
  for (std::size_t i = random.below(4); i > 0; --i) {
    policy_profile profile;
    profile.name = "profile" + std::to_string(i);
    profile.priority = static_cast<std::int32_t>(random.below(3));
    profile.when = when(conditions[random.below(conditions.size())]);
    profile.values = random.map(2);
    profile.removes = random_paths(random);
    if (random.below(3) == 0)
      profile.locks = random_paths(random);
    p.profiles.push_back(std::move(profile));
  }
  return p;
}

} // namespace

TEST_CASE("a group lower in the tree and then the device change what is not locked") {
  const auto root = make("", R"({"port": 1, "log": {"level": "info", "file": "a"}})");
  const auto eu = make("eu", R"({"log": {"level": "debug"}})");
  CHECK(effective({root, eu}) == json(R"({"port": 1, "log": {"level": "debug", "file": "a"}})"));
  CHECK(effective({root, eu}, R"({"port": 3, "own": [1]})") ==
        json(R"({"port": 3, "own": [1], "log": {"level": "debug", "file": "a"}})"));
}

TEST_CASE("a lock holds against groups below and against the device, with all below it") {
  const auto root = make("", R"({"port": 1, "log": {"level": "info"}})", {"log"});
  const auto eu = make("eu", R"({"log": {"level": "debug", "file": "x"}, "port": 2})", {"port"});
  CHECK(effective({root, eu}, R"({"log": "off", "port": 9, "free": 1})") ==
        json(R"({"port": 2, "log": {"level": "info"}, "free": 1})"));
}

TEST_CASE("a lock takes what its group inherited, and holds where nothing stands") {
  const auto root = make("", R"({"a": {"x": 1}})");
  const auto eu = make("eu", "{}", {"a", "none"});
  CHECK(effective({root, eu}, R"({"a": {"x": 2}, "none": 1})") == json(R"({"a": {"x": 1}})"));
}

TEST_CASE("nothing can be put in the place of a map that has a locked value in it") {
  const auto root = make("", R"({"a": {"x": 1, "y": 2}})", {"a.x"});
  CHECK(effective({root}, R"({"a": 5})") == json(R"({"a": {"x": 1, "y": 2}})"));
  CHECK(effective({root}, R"({"a": {"x": 5, "y": 5}})") == json(R"({"a": {"x": 1, "y": 5}})"));
}

TEST_CASE("profiles apply within their policy, by priority, before inheritance") {
  policy_profile low{"low", 1, when("tag:laptop"), json(R"({"a": "low", "b": "low"})"), {}, {}};
  policy_profile high{"high",      2,          when("os:debian"), json(R"({"a": "high"})"),
                      {path("c")}, {path("b")}};
  const auto root = make("", R"({"a": 0, "b": 0, "c": "root"})");
  const auto eu = make("eu", R"({"c": "eu"})", {}, {high, low});
  device_traits device;
  device.os_id = "debian";
  const std::string_view tags[] = {"laptop"};
  device.tags = tags;
  policy_composer composer;
  const std::vector<policy_ptr> way{root, eu};
  const auto both = composer.compose(way, device);
  // What the profile removed is what its own policy said: the root's value shows.
  CHECK(both->values() == json(R"({"a": "high", "b": "low", "c": "root"})"));
  CHECK(both->locks().paths() == std::vector{path("b")});
  device.os_id = "fedora";
  CHECK(composer.compose(way, device)->values() == json(R"({"a": "low", "b": "low", "c": "eu"})"));
  device.tags = {};
  CHECK(composer.compose(way, device)->values() == json(R"({"a": 0, "b": 0, "c": "eu"})"));
}

TEST_CASE("each setting says where it came from and who locked it, the highest first") {
  policy_profile laptop{"laptop", 0, when(""), json(R"({"p": 1})"), {}, {path("p")}};
  const auto root = make("", R"({"a": {"b": {"c": 1}}, "free": 0})", {"a.b"});
  const auto eu = make("eu", R"({"a": {"d": 1}})", {"a"}, {laptop});
  policy_composer composer;
  const auto group = composer.compose(std::vector{root, eu}, {});
  const auto all = group->explain(json(R"({"free": 2, "a": {"b": {"c": 9}}})"));
  REQUIRE(all.size() == 4);
  const setting_source by_root{false, "", "p", ""};
  const setting_source by_eu{false, "eu", "peu", ""};
  CHECK(all[0].path == path("a.b.c"));
  CHECK(all[0].from == by_root);
  CHECK(all[0].locked_by == by_root);
  CHECK(all[1].path == path("a.d"));
  CHECK(all[1].from == by_eu);
  CHECK(all[1].locked_by == by_eu);
  CHECK(all[2].path == path("free"));
  CHECK(all[2].from.device);
  CHECK_FALSE(all[2].locked_by);
  CHECK(all[3].from == setting_source{false, "eu", "peu", "laptop"});
  CHECK(all[3].locked_by == all[3].from);
}

TEST_CASE("what locks keep out of a device's own values is named") {
  const std::vector<settings_path> locked{path("a.x"), path("b")};
  const lock_set locks{locked};
  CHECK(overruled(locks, json(R"({"a": {"x": 1, "y": 2}, "b": {"c": 1, "d": 2}, "e": {}})")) ==
        std::vector{path("a.x"), path("b.c"), path("b.d")});
  CHECK(overruled(locks, json(R"({"a": 1})")) == std::vector{path("a")});
  CHECK(overruled(locks, json("{}")).empty());
}

TEST_CASE("a set of locks keeps the least that says the same, and forgets who came second") {
  lock_set locks;
  CHECK(locks.empty());
  locks.add(path("a.b"), 1);
  locks.add(path("a.b.c"), 2);
  locks.add(path("a"), 3);
  locks.add(path("z"), 4);
  CHECK(locks.paths() == std::vector{path("a"), path("z")});
  CHECK(locks.source_of(path("a.b.c")) == 1);
  CHECK(locks.source_of(path("a.x")) == 3);
  CHECK_FALSE(locks.source_of(path("b")));
  CHECK_FALSE(locks.lets(path("a.x[0]")));
  CHECK(locks.lets(path("b.x[0]")));
}

TEST_CASE("random trees, locks and profiles merge as the plain rule says") {
  settings_maker random{6};
  const std::string_view all_tags[] = {"a", "b"};
  for (int round = 0; round < 2'000; ++round) {
    device_traits device;
    device.os_id = random.below(2) == 0 ? "debian" : "fedora";
    device.tags = std::span{all_tags}.first(random.below(3));
    device.group = random.below(2) == 0 ? "eu/berlin" : "us";
    std::vector<policy_ptr> way;
    plain_merge plain;
    for (std::size_t depth = 1 + random.below(5); depth > 0; --depth) {
      way.push_back(std::make_shared<policy>(random_policy(random, std::to_string(depth))));
      plain.group(*way.back(), device);
    }
    policy_composer composer;
    const auto group = composer.compose(way, device);
    REQUIRE(group->values() == plain.document());
    const auto own = random.below(2) == 0 ? random.map(3) : random.changed(group->values());
    plain.own(own);
    const auto result = with_own(group->values(), group->locks(), own);
    REQUIRE(result == plain.document());
    // What the agent has is values and paths; it must come to the same.
    REQUIRE(with_own(group->values(), lock_set{group->locks().paths()}, own) == result);
    const auto explained = group->explain(own);
    REQUIRE(explained.size() == plain.result.size());
    for (const auto& one : explained) {
      const auto& expected = plain.result.at(one.path);
      REQUIRE(one.value == expected.value);
      REQUIRE(one.from == expected.from);
      const auto* lock = plain.lock_of(one.path);
      REQUIRE(one.locked_by.has_value() == (lock != nullptr));
      if (lock != nullptr)
        REQUIRE(one.locked_by->group == lock->group);
    }
  }
}

TEST_CASE("devices that share a group and active profiles share one composition") {
  policy_profile laptop{"laptop", 0, when("tag:laptop"), json(R"({"p": 1})"), {}, {}};
  const auto root = make("", R"({"a": 1})", {}, {laptop});
  std::vector<policy_ptr> groups;
  for (int i = 0; i < 100; ++i)
    groups.push_back(make("g" + std::to_string(i), R"({"b": 1})"));
  policy_composer composer;
  const std::string_view tags[] = {"laptop"};
  for (int i = 0; i < 10'000; ++i) {
    device_traits device;
    if (i % 2 == 0)
      device.tags = tags;
    const std::vector<policy_ptr> way{root, groups[static_cast<std::size_t>(i / 2 % 100)]};
    CHECK(composer.compose(way, device)->values().as_map()->size() == (i % 2 == 0 ? 3 : 2));
  }
  CHECK(composer.composed() == 2 + 200);
  CHECK(composer.compose({}, {}) == nullptr);
}

TEST_CASE("a full composer begins again and stays right") {
  policy_composer composer{4};
  for (int i = 0; i < 50; ++i) {
    const auto p = make("g", R"({"n": )" + std::to_string(i) + "}");
    CHECK(
      composer.compose(std::vector{make("", "{}"), p}, {})->values().find("n")->as_integer()[0] ==
      i);
    CHECK(composer.entries() <= 4);
  }
  composer.forget();
  CHECK(composer.entries() == 0);
}

TEST_CASE("a policy that cannot be is refused with a clause") {
  policy p;
  p.name = "x";
  CHECK(problem_with(p) == "");
  p.locks = {path("a[0]")};
  CHECK(problem_with(p) == "the lock 'a[0]' goes into a list: a list is one setting");
  p.locks.assign(1'001, path("a"));
  CHECK(problem_with(p).find("more than 1000 locks") != std::string::npos);
  p.locks.clear();
  p.values = 1;
  CHECK(problem_with(p) == "its values are no map");
  p.values = settings_value::empty_map();
  p.profiles.resize(2);
  CHECK(problem_with(p).find("1 to 64") != std::string::npos);
  p.profiles[0].name = p.profiles[1].name = "same";
  CHECK(problem_with(p) == "profile 'same': another profile has this name");
  std::string problem;
  CHECK_FALSE(profile_condition("web-*", problem));
  CHECK(problem == "a profile's condition is made of os:, tag: and group:");
  p.profiles.assign(33, {});
  CHECK(problem_with(p).find("32 profiles") != std::string::npos);
}
