#include "actors/rules/inventory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace muster::rules;

namespace {

application_key key(std::string name, std::string version) {
  return {std::move(name), std::move(version), "amd64", "dpkg"};
}

} // namespace

TEST_CASE("equal lists differ in nothing, whatever their order") {
  const auto d = difference({key("a", "1"), key("b", "1"), key("b", "1")},
                            {key("b", "1"), key("a", "1")});
  CHECK(d.added.empty());
  CHECK(d.removed.empty());
}

TEST_CASE("applying a difference to the list before gives the list after") {
  std::mt19937 random{11};
  for (int round = 0; round < 200; ++round) {
    std::vector<application_key> before;
    std::vector<application_key> after;
    for (int i = 0; i < 30; ++i) {
      const auto name = std::string(1, static_cast<char>('a' + random() % 8));
      const auto version = std::to_string(random() % 3);
      (random() % 2 == 0 ? before : after).push_back(key(name, version));
    }
    const auto d = difference(before, after);
    auto result = before;
    for (const auto& gone : d.removed)
      result.erase(std::remove(result.begin(), result.end(), gone), result.end());
    result.insert(result.end(), d.added.begin(), d.added.end());
    for (auto* list : {&result, &after}) {
      std::sort(list->begin(), list->end());
      list->erase(std::unique(list->begin(), list->end()), list->end());
    }
    REQUIRE(result == after);
  }
}

TEST_CASE("a new version in place of an old one is one replacement") {
  const auto list = changes(difference({key("curl", "1"), key("gone", "1")},
                                       {key("curl", "2"), key("new", "1")}));
  REQUIRE(list.size() == 3);
  CHECK(list[0].what == application_change::kind::replaced);
  CHECK(list[0].application == key("curl", "2"));
  CHECK(list[0].version_before == "1");
  CHECK(list[1].what == application_change::kind::installed);
  CHECK(list[1].application == key("new", "1"));
  CHECK(list[2].what == application_change::kind::removed);
  CHECK(list[2].application == key("gone", "1"));
}

TEST_CASE("another architecture is another application") {
  const auto list = changes(difference({{"libc6", "1", "amd64", "dpkg"}},
                                       {{"libc6", "1", "amd64", "dpkg"},
                                        {"libc6", "1", "i386", "dpkg"}}));
  REQUIRE(list.size() == 1);
  CHECK(list[0].what == application_change::kind::installed);
}
