// The depot of documents by itself: what it keeps must be what it would make anew.

#include "actors/server/document_depot.hpp"

#include "actors/rules/settings_codec.hpp"
#include "actors/server/byte_cache.hpp"
#include "actors/server/device_tags.hpp"
#include "net/section_digest.hpp"
#include "storage/compress.hpp"
#include "tests/rules/settings_world.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace muster;
using namespace muster::actors;
using muster::test::json;

namespace {

/// Some groups, applications and devices, all of it random.
class random_fleet {
public:
  explicit random_fleet(unsigned seed) : random_(seed), make_(seed) {
    std::string problem;
    for (int i = 0; i < 12; ++i) {
      const auto above = i == 0 ? rules::group_tree::root : groups_[below(groups_.size())];
      if (const auto made = order_.groups.create(above, "g" + std::to_string(i), problem))
        groups_.push_back(*made);
    }
    groups_.push_back(rules::group_tree::root);
  }

  fleet_snapshot_ptr change() {
    ++order_.revision;
    auto& policies = order_.policies[groups_[below(groups_.size())]];
    const auto name = "app" + std::to_string(below(4));
    if (below(4) == 0) {
      policies.erase(name);
    } else {
      auto made = std::make_shared<rules::policy>();
      made->name = name;
      made->values = make_.map(3);
      std::string problem;
      if (below(2) == 0)
        made->profiles.push_back({"p", 1, *rules::profile_condition(conditions_[below(4)], problem),
                                  make_.map(2), {}, {}});
      policies[name] = {made, order_.revision, 0, {}};
    }
    std::string problem;
    if (below(8) == 0)
      (void)order_.groups.move(groups_[below(groups_.size())], groups_[below(groups_.size())],
                               problem);
    return std::make_shared<const fleet_snapshot>(order_);
  }

  document_audience somebody() {
    return {below(10) == 0 ? rules::group_id{777} : groups_[below(groups_.size())],
            below(2) == 0 ? "debian" : "fedora", "Some OS", below(2) == 0 ? "laptop old" : ""};
  }

  std::size_t below(std::size_t bound) { return random_() % bound; }

private:
  static constexpr const char* conditions_[] = {"tag:laptop", "os:debian", "group:g1,g2",
                                                "tag:old os:fedora"};
  std::mt19937 random_;
  test::settings_maker make_;
  std::vector<rules::group_id> groups_;
  fleet_snapshot order_;
};

std::string unpacked(const document_parcel& parcel) {
  std::string out;
  REQUIRE_FALSE(storage::decompress(parcel.data, 1 << 20, out));
  return out;
}

rules::policy_ptr policy_of(std::string_view values) {
  auto made = std::make_shared<rules::policy>();
  made->name = "sshd";
  made->values = json(values);
  return made;
}

} // namespace

TEST_CASE("a depot that has followed many orders says what a new one would, and has every document that it names") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    random_fleet fleet(seed);
    document_depot old(seed % 2 == 0 ? 4'000 : 1'000'000); // with and without room for them
    for (int round = 0; round < 30; ++round) {
      const auto order = fleet.change();
      old.follow(order);
      document_depot fresh;
      fresh.follow(order);
      for (int i = 0; i < 5; ++i) {
        const auto who = fleet.somebody();
        const auto manifest = old.manifest_of(who);
        REQUIRE(manifest->digest == fresh.manifest_of(who)->digest);
        for (const auto& entry : manifest->entries) {
          const document_wish wish{entry.kind, entry.name, entry.hash, {}};
          const auto parcel = old.parcel_of(wish, who, nullptr, true);
          REQUIRE_FALSE(parcel.gone);
          REQUIRE(net::section_digest_of(unpacked(parcel)) == entry.hash);
        }
      }
      if (fleet.below(4) == 0)
        old.rest();
    }
  }
}

TEST_CASE("what a change leaves alone is not made again, and is the same object") {
  fleet_snapshot order;
  std::string problem;
  const auto a = *order.groups.create(rules::group_tree::root, "a", problem);
  const auto b = *order.groups.create(rules::group_tree::root, "b", problem);
  order.policies[a]["sshd"] = {policy_of(R"({"Port": 1})"), 1, 0, {}};
  order.policies[b]["sshd"] = {policy_of(R"({"Port": 2})"), 2, 0, {}};
  order.revision = 2;
  document_depot depot;
  CHECK(depot.manifest_of({a, {}, {}, {}}) == nullptr);
  depot.follow(std::make_shared<const fleet_snapshot>(order));
  const auto before = depot.manifest_of({a, "debian", {}, {}});
  CHECK(depot.manifest_of({a, "fedora", {}, "laptop"}) == before); // no profile looks at that
  CHECK(depot.manifest_of({b, {}, {}, {}}) != before);
  CHECK(depot.made() == 2);
  order.policies[b]["sshd"] = {policy_of(R"({"Port": 3})"), 3, 0, {}};
  order.revision = 3;
  const auto later = std::make_shared<const fleet_snapshot>(order);
  depot.follow(later);
  depot.follow(later); // from another shard
  CHECK(depot.manifest_of({a, "debian", {}, {}}) == before);
  CHECK(depot.made() == 2);
  CHECK(depot.manifest_of({b, {}, {}, {}})->entries[0].revision == 3);
  CHECK(depot.made() == 3);
  order.revision = 1; // late news
  depot.follow(std::make_shared<const fleet_snapshot>(order));
  CHECK(depot.manifest_of({b, {}, {}, {}})->entries[0].revision == 3);
}

TEST_CASE("many devices that want the same change share one patch") {
  fleet_snapshot order;
  std::string long_text(2'000, 'x');
  const auto values = [&](int port) {
    return "{\"Port\": " + std::to_string(port) + ", \"Text\": \"" + long_text + "\"}";
  };
  for (std::size_t i = 0; i < long_text.size(); ++i)
    long_text[i] = static_cast<char>('a' + (i * i * 7919 + i) % 26);
  document_depot depot;
  const document_audience who{rules::group_tree::root, {}, {}, {}};
  order.revision = 1;
  order.policies[rules::group_tree::root]["sshd"] = {policy_of(values(1)), 1, 0, {}};
  depot.follow(std::make_shared<const fleet_snapshot>(order));
  const auto first = depot.manifest_of(who)->entries[0];
  order.revision = 2;
  order.policies[rules::group_tree::root]["sshd"] = {policy_of(values(2)), 2, 0, {}};
  depot.follow(std::make_shared<const fleet_snapshot>(order));
  const auto second = depot.manifest_of(who)->entries[0];
  const auto parcel = depot.parcel_of({second.kind, second.name, second.hash, first.hash}, who, {}, true);
  CHECK(parcel.base == first.hash);
  CHECK(parcel.data.size() < 100);
  for (int i = 0; i < 1'000; ++i)
    REQUIRE(depot.parcel_of({second.kind, second.name, second.hash, first.hash}, who, {}, true).data ==
            parcel.data);
  CHECK(depot.made() == 2);
}

TEST_CASE("a manifest has no more than its bound, whatever there is") {
  auto common = std::make_shared<document_manifest>();
  for (int i = 0; i < 200; ++i)
    common->entries.push_back({document_kind::settings, "app" + std::to_string(1000 + i), 1, {}});
  own_documents own;
  for (int i = 0; i < 100; ++i)
    own.all.push_back({"app" + std::to_string(1099 - i), 2, json("{}")});
  const auto all = manifest_with(common, device_documents_of(own));
  CHECK(all->entries.size() == 256);
  CHECK(all->entries[200].kind == document_kind::own_settings);
  CHECK(all->entries[200].name == "app1000");
  CHECK(manifest_with(common, nullptr) == manifest_ptr{common});
  CHECK(device_documents_of({}) == nullptr);
}

TEST_CASE("a cache by bytes has what was used last and keeps its bound") {
  byte_cache<int> cache(10'000);
  const auto text = std::make_shared<const std::string>(400, 'x');
  for (int i = 0; i < 1'000; ++i) {
    cache.put(i, text);
    REQUIRE(cache.find(0) == text); // always in use
    REQUIRE(cache.find(i) == text);
    REQUIRE(cache.bytes() <= 10'000 + 2 * (400 + 128));
  }
  CHECK(cache.find(1) == nullptr);
  CHECK(cache.find(998) == text);
  const auto large = std::make_shared<const std::string>(50'000, 'x');
  cache.put(-1, large);
  CHECK(cache.find(-1) == large);
}

TEST_CASE("tags are a sorted text, and a change of them says what it is") {
  CHECK(split_tags("").empty());
  CHECK(split_tags("a b") == std::vector<std::string_view>{"a", "b"});
  const std::vector<std::string> added{"c", "a", "c"};
  const std::vector<std::string> removed{"b", "never"};
  CHECK(join_tags(changed_tags("b d", added, removed)) == "a c d");
  CHECK(join_tags({}).empty());
  CHECK(tags_problem(added, removed).empty());
  const std::vector<std::string> bad{"x y"};
  CHECK_FALSE(tags_problem({}, bad).empty());
}
