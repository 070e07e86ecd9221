#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_json.hpp"
#include "actors/rules/settings_value.hpp"

#include "tests/rules/settings_world.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace muster::rules;
using muster::test::json;
using muster::test::settings_maker;

namespace {

std::string json_problem(std::string_view text) {
  std::string problem;
  CHECK_FALSE(settings_from_json(text, problem));
  return problem;
}

std::string bytes_problem(std::string_view bytes) {
  std::string problem;
  CHECK_FALSE(settings_from_bytes(bytes, problem));
  return problem;
}

settings_value nested(std::size_t depth) {
  settings_value out{1};
  for (std::size_t i = 1; i < depth; ++i) {
    settings_value::list above;
    above.push_back(std::move(out));
    out = std::move(above);
  }
  return out;
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a settings map finds, replaces and erases by name, in the order of names") {
  auto map = settings_value::empty_map();
  map.set("b", 1);
  map.set("a", "x");
  map.set("b", 2);
  REQUIRE(map.as_map()->size() == 2);
  CHECK(map.as_map()->front().name == "a");
  CHECK(*map.find("b")->as_integer() == 2);
  CHECK(map.find("c") == nullptr);
  CHECK(map.erase("a"));
  CHECK_FALSE(map.erase("a"));
  CHECK(settings_value{1}.find("a") == nullptr);
}

TEST_CASE("a settings map of entries in any order keeps the first of two of one name, and says so") {
  std::string twice;
  const auto map = settings_value::map_of({{"b", 1}, {"a", 2}, {"b", 3}}, twice);
  CHECK(twice == "b");
  CHECK(map == json(R"({"a": 2, "b": 1})"));
}

TEST_CASE("settings of different kinds are never equal, and no number is negative zero or infinite") {
  CHECK(settings_value{1} != settings_value{1.0});
  CHECK(settings_value{} != settings_value{false});
  CHECK(to_bytes(settings_value{-0.0}) == to_bytes(settings_value{0.0}));
  CHECK(settings_value{std::numeric_limits<double>::infinity()}.kind() == value_kind::null);
  CHECK(settings_value{std::nan("")}.kind() == value_kind::null);
}

TEST_CASE("a settings value may be assigned from a part of itself") {
  auto value = json(R"([[1, "two"], 3])");
  value = value.as_list()->front();
  CHECK(value == json(R"([1, "two"])"));
}

TEST_CASE("random settings survive their bytes and their JSON, and equal values are equal bytes") {
  settings_maker make{1};
  std::string problem;
  settings_value before;
  for (int round = 0; round < 3'000; ++round) {
    const auto value = make.value(5);
    const auto bytes = to_bytes(value);
    REQUIRE(size_of(value).bytes == bytes.size());
    REQUIRE(problem_with(value).empty());
    const auto back = settings_from_bytes(bytes, problem);
    REQUIRE_MESSAGE(back, problem);
    REQUIRE(*back == value);
    for (const auto layout : {json_layout::compact, json_layout::indented})
      REQUIRE(json(to_json(value, layout)) == value);
    REQUIRE((value == before) == (bytes == to_bytes(before)));
    before = value;
  }
}

TEST_CASE("no beginning of a document's bytes is a document, nor is one with something behind it") {
  settings_maker make{2};
  std::string problem;
  for (int round = 0; round < 100; ++round) {
    const auto bytes = to_bytes(make.value(4));
    for (std::size_t cut = 0; cut < bytes.size(); ++cut)
      REQUIRE_FALSE(settings_from_bytes(std::string_view{bytes}.substr(0, cut), problem));
    REQUIRE_FALSE(settings_from_bytes(bytes + 'n', problem));
  }
}

TEST_CASE("no beginning of a JSON map is a document, nor is one with something behind it") {
  settings_maker make{20};
  std::string problem;
  for (int round = 0; round < 50; ++round) {
    const auto text = to_json(make.map(4));
    for (std::size_t cut = 0; cut < text.size(); ++cut)
      REQUIRE_FALSE(settings_from_json(std::string_view{text}.substr(0, cut), problem));
    REQUIRE_FALSE(settings_from_json(text + "}", problem));
  }
}

TEST_CASE("bytes that are not written so are no document") {
  using namespace std::string_literals;
  CHECK(says(bytes_problem("\x02n"), "version"));
  CHECK(says(bytes_problem("\x01q"), "unknown kind"));
  CHECK(says(bytes_problem("\x01i\x80\x00"s), "shortest"));
  CHECK(says(bytes_problem("\x01i" + std::string(9, '\xff') + "\x02"), "too large"));
  CHECK(says(bytes_problem("\x01i" + std::string(10, '\xff')), "too"));
  CHECK(says(bytes_problem("\x01r\x80\0\0\0\0\0\0\0"s), "written"));
  CHECK(says(bytes_problem("\x01r\x7f\xf0\0\0\0\0\0\0"s), "written"));
  CHECK(says(bytes_problem("\x01s\x01\xff"), "UTF-8"));
  CHECK(says(bytes_problem("\x01m\x02\x01" "bn\x01" "an"), "order"));
  CHECK(says(bytes_problem("\x01m\x02\x01" "an\x01" "an"), "order"));
  CHECK(says(bytes_problem("\x01l\xff\xff\xff\xff\x0f"), "short"));
  CHECK(says(bytes_problem(to_bytes(nested(settings_limits::depth_max + 1))), "deep"));
  CHECK(says(bytes_problem("\x01l\xa1\x9c\x01" + std::string(20'001, 'n')), "many"));
  CHECK(says(bytes_problem(std::string(settings_limits::bytes_max + 1, 'n')), "larger"));
}

TEST_CASE("the bounds of a document hold to the last value") {
  CHECK(problem_with(nested(settings_limits::depth_max)).empty());
  CHECK(says(problem_with(nested(settings_limits::depth_max + 1)), "deeper"));
  settings_value::list many(settings_limits::nodes_max - 1);
  CHECK(problem_with(many).empty());
  many.emplace_back();
  CHECK(says(problem_with(many), "more than"));
  CHECK(says(problem_with(std::string(settings_limits::bytes_max, 'x')), "larger"));
  CHECK(says(problem_with("\xc3"), "UTF-8"));
  auto map = settings_value::empty_map();
  map.set(std::string(settings_limits::name_bytes_max + 1, 'n'), 1);
  CHECK(says(problem_with(map), "name is longer"));
}

TEST_CASE("settings as JSON look as people write them") {
  const auto value = json(R"({"b": [1, 2.0, 1e3], "a": {"t": true, "n": null}, "e": {}, "l": []})");
  CHECK(to_json(value) == R"({"a":{"n":null,"t":true},"b":[1,2.0,1000.0],"e":{},"l":[]})");
  CHECK(to_json(json(R"({"a": {"b": [1]}, "e": []})"), json_layout::indented)
        == "{\n  \"a\": {\n    \"b\": [\n      1\n    ]\n  },\n  \"e\": []\n}\n");
  CHECK(to_json("\x01\x7f\"\\\n\xc3\xbc") == "\"\\u0001\\u007f\\\"\\\\\\n\xc3\xbc\"");
  CHECK(to_json(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
}

TEST_CASE("what is no JSON, or more than settings can be, is refused with its line or its name") {
  CHECK(says(json_problem("{\n\"a\": 1,\n}"), "line 3"));
  CHECK(says(json_problem(""), "line 1"));
  CHECK(says(json_problem("1 2"), "line 1"));
  CHECK(says(json_problem("// no\n1"), "line 1"));
  CHECK(says(json_problem(R"({"a": 1, "b": 2, "a": 3})"), "'a' comes twice"));
  CHECK(says(json_problem("9223372036854775808"), "64 bits"));
  CHECK(says(json_problem("-9223372036854775809"), "64 bits"));
  CHECK(says(json_problem("123456789012345678901234567890"), "64 bits"));
  CHECK(says(json_problem("1e999"), "too large"));
  CHECK(says(json_problem("\"\xff\""), "line 1"));
  CHECK(says(json_problem(std::string(40, '[')), "deeper"));
  CHECK(says(json_problem(std::string(32, '[') + "1" + std::string(32, ']')), "deeper"));
  CHECK(says(json_problem(std::string(json_bytes_max + 1, ' ')), "larger"));
  std::string many = "[0";
  for (std::size_t i = 0; i < settings_limits::nodes_max; ++i)
    many += ",0";
  CHECK(says(json_problem(many + "]"), "more than 20000"));
  CHECK(says(json_problem("{\"" + std::string(300, 'n') + "\": 1}"), "name is longer"));
}

TEST_CASE("UTF-8 is what the standard says it is") {
  CHECK(is_utf8("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"));
  for (const auto* text : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x28\xa1"})
    CHECK_FALSE(is_utf8(text));
}
