#include "actors/rules/settings_diff.hpp"

#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_json.hpp"

#include "tests/rules/settings_world.hpp"

#include <doctest/doctest.h>

using namespace muster::rules;
using muster::test::json;
using muster::test::path;
using muster::test::settings_maker;

namespace {

std::string path_problem(std::string_view text) {
  std::string problem;
  CHECK_FALSE(settings_path::parse(text, problem));
  return problem;
}

std::string patch_problem(std::string_view bytes, const settings_value& before) {
  std::string problem;
  CHECK_FALSE(apply_patch(bytes, before, problem));
  return problem;
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A path to every value of a document.
void all_paths(const settings_value& value, const settings_path& at, std::vector<settings_path>& out) {
  out.push_back(at);
  if (const auto* items = value.as_list())
    for (std::size_t i = 0; i < items->size(); ++i)
      all_paths((*items)[i], at.below(i), out);
  if (const auto* map = value.as_map())
    for (const auto& entry : *map)
      all_paths(entry.value, at.below(entry.name), out);
}

/// Carries out what a difference says, one change after the other, by paths alone.
settings_value replayed(settings_value document, const std::vector<settings_change>& changes) {
  std::string problem;
  for (const auto& change : changes) {
    if (change.before)
      REQUIRE(*value_at(document, change.path) == *change.before);
    else
      REQUIRE(value_at(document, change.path) == nullptr);
    if (change.after)
      REQUIRE_MESSAGE(set_at(document, change.path, *change.after, problem), problem);
    else
      REQUIRE(erase_at(document, change.path));
  }
  return document;
}

} // namespace

TEST_CASE("a path reads as people write it and quotes only what it must") {
  CHECK(path("").empty());
  CHECK(path("a.b[2]").steps() == std::vector<settings_step>{{"a"}, {"b"}, {"", 2, true}});
  CHECK(path("[0][1].x").text() == "[0][1].x");
  CHECK(path(R"(log."a.b"."")").text() == R"(log."a.b"."")");
  CHECK(path(R"("plain")").text() == "plain");
  CHECK(path(R"("\"\\\n\t\x01")").text() == R"("\"\\\n\t\x01")");
  CHECK(path("größe-1/x").text() == "größe-1/x");
}

TEST_CASE("what is no path is refused with a clause that helps") {
  CHECK(says(path_problem("a..b"), "missing"));
  CHECK(says(path_problem(".a"), "missing"));
  CHECK(says(path_problem("a."), "missing"));
  CHECK(says(path_problem("a b"), "'.' or '['"));
  CHECK(says(path_problem("a[x]"), "number"));
  CHECK(says(path_problem("a[01]"), "number"));
  CHECK(says(path_problem("a[1"), "number"));
  CHECK(says(path_problem("a[4294967296]"), "number"));
  CHECK(says(path_problem("\"a"), "no end"));
  CHECK(says(path_problem("\"\\q\""), "backslash"));
  CHECK(says(path_problem("\"\\x0\""), "backslash"));
  CHECK(says(path_problem("\xff"), "UTF-8"));
  CHECK(says(path_problem(std::string(300, 'a')), "longer than 256"));
  CHECK(says(path_problem(std::string(5000, 'a')), "longer than 4096"));
  std::string deep = "a";
  for (int i = 0; i < 31; ++i)
    deep += ".a";
  CHECK(says(path_problem(deep), "deeper"));
  CHECK(path(deep.substr(2)).steps().size() == 31);
}

TEST_CASE("every value of random documents is found by the text of its path") {
  settings_maker make{3};
  for (int round = 0; round < 300; ++round) {
    const auto document = make.map(4);
    std::vector<settings_path> paths;
    all_paths(document, {}, paths);
    REQUIRE(paths.size() == size_of(document).nodes);
    for (const auto& p : paths) {
      REQUIRE(path(p.text()) == p);
      REQUIRE(value_at(document, p) != nullptr);
    }
  }
}

TEST_CASE("setting by a path makes the maps on the way, and refuses what is in the way") {
  auto document = json(R"({"a": 1, "l": [1, 2]})");
  std::string problem;
  CHECK(set_at(document, path("b.c.d"), true, problem));
  CHECK(set_at(document, path("l[1]"), "x", problem));
  CHECK(document == json(R"({"a": 1, "b": {"c": {"d": true}}, "l": [1, "x"]})"));
  const auto before = document;
  CHECK_FALSE(set_at(document, path("a.x.y"), 1, problem));
  CHECK(problem == "'x' would stand below a whole number");
  CHECK_FALSE(set_at(document, path("new.x[0]"), 1, problem));
  CHECK(problem == "there is no item 0");
  CHECK_FALSE(set_at(document, path("z"), std::string(settings_limits::bytes_max, 'x'), problem));
  CHECK(document == before);
  CHECK(erase_at(document, path("l[0]")));
  CHECK_FALSE(erase_at(document, path("l[7]")));
  CHECK_FALSE(erase_at(document, path("a.b.c")));
  CHECK_FALSE(erase_at(document, {}));
}

TEST_CASE("a path covers itself and what is below it") {
  CHECK(path("a.b").covers(path("a.b")));
  CHECK(path("a.b").covers(path("a.b[0].c")));
  CHECK(settings_path{}.covers(path("a")));
  CHECK_FALSE(path("a.b").covers(path("a")));
  CHECK_FALSE(path("a.b").covers(path("a.bc")));
  CHECK(path("a[0]").enters_list());
  CHECK_FALSE(path("a.b").enters_list());
}

TEST_CASE("a difference names each value that is not what it was") {
  const auto changes = difference(json(R"({"a": {"x": 1, "y": 2}, "l": [1, 2], "m": [1], "old": {"k": 1}})"),
                                  json(R"({"a": {"x": 1, "y": 3}, "l": [1, 5], "m": [1, 2], "new": null})"));
  std::vector<std::string> paths;
  for (const auto& change : changes)
    paths.push_back(change.path.text());
  CHECK(paths == std::vector<std::string>{"a.y", "l[1]", "m", "new", "old"});
  CHECK(changes[3].after == settings_value{});
  CHECK_FALSE(changes[3].before);
  CHECK_FALSE(changes[4].after);
}

TEST_CASE("random differences replayed and random patches applied give the other document") {
  settings_maker make{4};
  std::string problem;
  for (int round = 0; round < 3'000; ++round) {
    const auto a = make.map(4);
    const auto b = round % 4 == 0 ? make.map(4) : make.changed(a);
    REQUIRE(replayed(a, difference(a, b)) == b);
    const auto bytes = patch(a, b);
    REQUIRE(bytes.size() <= to_bytes(b).size() + 1);
    const auto result = apply_patch(bytes, a, problem);
    REQUIRE_MESSAGE(result, problem);
    REQUIRE(*result == b);
    REQUIRE((a == b) == difference(a, b).empty());
  }
}

TEST_CASE("no beginning of a patch is a patch, nor is one with something behind it") {
  settings_maker make{5};
  std::string problem;
  for (int round = 0; round < 100; ++round) {
    const auto a = make.map(4);
    const auto bytes = patch(a, make.changed(a));
    for (std::size_t cut = 0; cut < bytes.size(); ++cut)
      REQUIRE_FALSE(apply_patch(std::string_view{bytes}.substr(0, cut), a, problem));
    REQUIRE_FALSE(apply_patch(bytes + '.', a, problem));
  }
}

TEST_CASE("one setting changed among 200 is a patch of some dozens of bytes") {
  auto before = settings_value::empty_map();
  for (int i = 0; i < 200; ++i)
    before.set("section_" + std::to_string(i % 10), settings_value::empty_map());
  for (int i = 0; i < 200; ++i)
    before.find("section_" + std::to_string(i % 10))->set("setting_number_" + std::to_string(i), std::string(40, 'v'));
  auto after = before;
  after.find("section_3")->set("setting_number_133", "another value");
  CHECK(to_bytes(before).size() > 11'000);
  CHECK(patch(before, after).size() < 64);
}

TEST_CASE("a patch that does not fit is refused") {
  const auto map = json(R"({"a": {"b": 1}, "l": [1, 2]})");
  CHECK(says(patch_problem("\x02.", map), "version"));
  CHECK(says(patch_problem("\x01q", map), "unknown kind"));
  CHECK(says(patch_problem("\x01" "e\x01\x01=n", map), "list"));
  CHECK(says(patch_problem("\x01m\x01\x01z-", map), "erases"));
  CHECK(says(patch_problem("\x01m\x01\x01zm\x01\x01x-", map), "edits what"));
  CHECK(says(patch_problem("\x01m\x02\x01" "a-\x01" "a=n", map), "order"));
  CHECK(says(patch_problem("\x01m\x01\x01le\x01\x02=n", map), "item"));
  CHECK(says(patch_problem("\x01m\x01\x01lx\x01\x02\x01n", map), "takes away"));
  CHECK(says(patch_problem(std::string(patch_bytes_max + 1, 'x'), map), "larger"));
  CHECK(says(patch_problem("\x01m\x01\x01" "a.", map), "unknown kind"));
}

TEST_CASE("a patch cannot make what no document can be") {
  auto before = settings_value::empty_map();
  before.set("a", std::string(settings_limits::bytes_max - 20, 'x'));
  auto after = settings_value::empty_map();
  after.set("b", std::string(100, 'y'));
  const auto bytes = patch(settings_value::empty_map(), after);
  // As an edit of the map, so that `a` stays.
  const std::string edit = "\x01m\x01" + to_bytes(after).substr(3, 2) + "=" + to_bytes(after).substr(5);
  std::string problem;
  CHECK_FALSE(apply_patch(edit, before, problem));
  CHECK(says(problem, "larger"));
  CHECK(apply_patch(bytes, settings_value::empty_map(), problem));
}
