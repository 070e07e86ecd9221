#include "actors/rules/group_tree.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <random>

using namespace muster::rules;

namespace {

group_id create(group_tree& tree, group_id parent, std::string_view name) {
  std::string problem;
  const auto id = tree.create(parent, name, problem);
  REQUIRE_MESSAGE(id, problem);
  return *id;
}

std::string create_problem(group_tree& tree, group_id parent, std::string_view name) {
  std::string problem;
  CHECK_FALSE(tree.create(parent, name, problem));
  return problem;
}

std::string folded(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// The same tree as a list of paths, nothing more.
struct plain_tree {
  std::map<group_id, std::string> paths{{group_tree::root, ""},
                                        {group_tree::unassigned, "unassigned"}};

  static std::string join(const std::string& above, std::string_view name) {
    return above.empty() ? std::string{name} : above + "/" + std::string{name};
  }
  static bool within(const std::string& path, const std::string& above) {
    return above.empty() || path == above || path.starts_with(above + "/");
  }
  bool taken(const std::string& path, group_id by_other_than = {}) const {
    return std::any_of(paths.begin(), paths.end(), [&](const auto& one) {
      return one.first != by_other_than && folded(one.second) == folded(path);
    });
  }
  /// All below `from` go along.
  void rebase(const std::string& from, const std::string& to) {
    for (auto& [id, path] : paths)
      if (within(path, from))
        path = to + path.substr(from.size());
  }
};

} // namespace

TEST_CASE("a new tree has a root and 'unassigned', and both stay as they are") {
  group_tree tree;
  std::string problem;
  CHECK(tree.size() == 2);
  CHECK(tree.find("/") == group_tree::root);
  CHECK(tree.find("unassigned") == group_tree::unassigned);
  for (const auto fixed : {group_tree::root, group_tree::unassigned}) {
    CHECK_FALSE(tree.rename(fixed, "x", problem));
    CHECK_FALSE(tree.remove(fixed, problem));
    CHECK_FALSE(tree.move(fixed, group_tree::root, problem));
    CHECK(problem.find("stays as it is") != std::string::npos);
  }
  CHECK(create_problem(tree, group_tree::unassigned, "x") ==
        "there can be no groups in 'unassigned'");
  CHECK(create_problem(tree, {77}, "x") == "there is no such group to be in");
  CHECK(create_problem(tree, group_tree::root, "Unassigned") ==
        "there is a group 'unassigned' already");
}

TEST_CASE(
  "a group is found by its path, whatever the letter case, and a wrong path finds nothing") {
  group_tree tree;
  const auto eu = create(tree, group_tree::root, "eu");
  const auto berlin = create(tree, eu, "Berlin");
  CHECK(tree.find("eu/berlin") == berlin);
  CHECK(tree.find("/EU/BERLIN/") == berlin);
  CHECK(tree.path(berlin) == "eu/Berlin");
  CHECK(tree.path(group_tree::root).empty());
  for (const auto* wrong : {"eu//berlin", "//eu", "eu//", "berlin", "eu/berlin/x", "e", "///"})
    CHECK_FALSE(tree.find(wrong));
  CHECK_FALSE(tree.find(std::string(5000, 'x')));
  CHECK(tree.way_to(berlin) == std::vector{group_tree::root, eu, berlin});
  CHECK(tree.is_within(berlin, eu));
  CHECK(tree.is_within(eu, eu));
  CHECK_FALSE(tree.is_within(eu, berlin));
  CHECK_FALSE(tree.is_within({99}, eu));
  CHECK(tree.depth(berlin) == 2);
}

TEST_CASE("a name has an alphabet and an end") {
  for (const auto* good : {"a", "_x", "Web-01.example", "9"})
    CHECK(group_name_problem(good).empty());
  for (const auto* bad :
       {"", ".", "..", "-x", ".x", "a b", "a/b", "a,b", "a:b", "a*", "\xc3\xbc", "a\n"})
    CHECK_FALSE(group_name_problem(bad).empty());
  CHECK(group_name_problem(std::string(64, 'a')).empty());
  CHECK_FALSE(group_name_problem(std::string(65, 'a')).empty());
}

TEST_CASE("a group moves with all below it, and never below itself") {
  group_tree tree;
  std::string problem;
  const auto eu = create(tree, group_tree::root, "eu");
  const auto berlin = create(tree, eu, "berlin");
  const auto web = create(tree, berlin, "web");
  const auto us = create(tree, group_tree::root, "us");
  for (const auto below : {eu, berlin, web}) {
    CHECK_FALSE(tree.move(eu, below, problem));
    CHECK(problem == "a group cannot be moved below itself");
  }
  CHECK(tree.move(berlin, us, problem));
  CHECK(tree.path(web) == "us/berlin/web");
  CHECK(tree.move(berlin, us, problem)); // where it is already
  CHECK_FALSE(tree.remove(us, problem));
  CHECK(problem == "there are groups below it");
  CHECK(tree.remove(web, problem));
  CHECK_FALSE(tree.rename(web, "x", problem));
  CHECK(problem == "there is no such group");
  CHECK(tree.rename(berlin, "BERLIN", problem)); // its own name is not in the way
  CHECK(tree.path(berlin) == "us/BERLIN");
}

TEST_CASE("depth and length of paths are bounded, also for what is moved or renamed above them") {
  group_tree tree;
  std::string problem;
  auto at = group_tree::root;
  for (std::size_t i = 0; i < group_tree::depth_max; ++i)
    at = create(tree, at, "d");
  CHECK(create_problem(tree, at, "d").find("16 deep") != std::string::npos);
  const auto top = create(tree, group_tree::root, "top");
  CHECK_FALSE(tree.move(*tree.find("d"), top, problem));
  CHECK(problem.find("16 deep") != std::string::npos);

  auto longest = top;
  for (int i = 0; i < 7; ++i)
    longest = create(tree, longest, std::string(64, 'x'));
  CHECK(tree.path(longest).size() == 3 + 7 * 65);
  CHECK(create_problem(tree, longest, std::string(54, 'y')).find("512") != std::string::npos);
  create(tree, longest, std::string(53, 'y'));
  CHECK_FALSE(tree.rename(top, "tops", problem));
  CHECK(problem.find("512") != std::string::npos);
}

TEST_CASE("numbers of groups are never given again, also after a restore") {
  group_tree tree;
  std::string problem;
  const auto first = create(tree, group_tree::root, "a");
  REQUIRE(tree.remove(first, problem));
  CHECK(create(tree, group_tree::root, "a") > first);

  group_tree again;
  CHECK(again.restore(group_tree::unassigned, group_tree::root, "unassigned", problem));
  CHECK(again.restore({40}, group_tree::root, "eu", problem));
  CHECK(again.restore({7}, {40}, "berlin", problem));
  CHECK_FALSE(again.restore({7}, {40}, "paris", problem));
  CHECK_FALSE(again.restore({8}, {40}, "Berlin", problem));
  CHECK_FALSE(again.restore({9}, {99}, "x", problem));
  again.numbers_used({50});
  CHECK(create(again, {7}, "web") == group_id{51});
  CHECK(again.last_number() == group_id{51});
}

TEST_CASE("random changes do what they do to a list of paths") {
  std::mt19937 random{8};
  for (int round = 0; round < 40; ++round) {
    group_tree tree;
    plain_tree plain;
    std::string problem;
    for (int step = 0; step < 150; ++step) {
      const auto pick = [&] {
        auto at = plain.paths.begin();
        std::advance(at, random() % plain.paths.size());
        return at->first;
      };
      const std::string name(1, "abcABC"[random() % 6]);
      const auto id = pick();
      const auto other = pick();
      const bool fixed = id == group_tree::root || id == group_tree::unassigned;
      const auto from = plain.paths[id];
      const auto above = from.substr(0, from.find('/') == std::string::npos ? 0 : from.rfind('/'));
      switch (random() % 4) {
      case 0: {
        const auto to = plain_tree::join(from, name);
        const auto made = tree.create(id, name, problem);
        REQUIRE(made.has_value() == (id != group_tree::unassigned && !plain.taken(to)));
        if (made)
          plain.paths[*made] = to;
        break;
      }
      case 1: {
        const auto to = plain_tree::join(above, name);
        const bool done = tree.rename(id, name, problem);
        REQUIRE(done == (!fixed && !plain.taken(to, id)));
        if (done)
          plain.rebase(from, to);
        break;
      }
      case 2: {
        const auto to = plain_tree::join(plain.paths[other], from.substr(from.rfind('/') + 1));
        const bool done = tree.move(id, other, problem);
        REQUIRE(done == (!fixed && other != group_tree::unassigned &&
                         !plain_tree::within(plain.paths[other], from) && !plain.taken(to, id)));
        if (done)
          plain.rebase(from, to);
        break;
      }
      default: {
        const bool leaf =
          std::none_of(plain.paths.begin(), plain.paths.end(), [&](const auto& one) {
            return one.first != id && plain_tree::within(one.second, from);
          });
        const bool done = tree.remove(id, problem);
        REQUIRE(done == (!fixed && leaf));
        if (done)
          plain.paths.erase(id);
        break;
      }
      }
      REQUIRE(tree.size() == plain.paths.size());
      for (const auto& [group, path] : plain.paths) {
        REQUIRE(tree.path(group) == path);
        REQUIRE(tree.find(path) == group);
      }
      std::size_t below = 0;
      for (const auto& [group, path] : plain.paths)
        below += plain_tree::within(path, plain.paths[group_tree::root]) ? 1 : 0;
      const auto all = tree.subtree(group_tree::root);
      REQUIRE(all.size() == below);
      for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t k = 0; k < i; ++k)
          REQUIRE_FALSE((tree.is_within(all[k], all[i])));
    }
  }
}

TEST_CASE("a hundred thousand groups are one too many, one less is quick") {
  group_tree tree;
  std::string problem;
  for (int i = 0; i < 300; ++i) {
    const auto above = create(tree, group_tree::root, "g" + std::to_string(i));
    for (int k = 0; k < 332; ++k)
      create(tree, above, "s" + std::to_string(k));
  }
  while (tree.size() < group_tree::groups_max)
    create(tree, group_tree::root, "more" + std::to_string(tree.size()));
  CHECK(create_problem(tree, group_tree::root, "x").find("100000") != std::string::npos);
  CHECK(tree.path(*tree.find("g299/s331")) == "g299/s331");
}
