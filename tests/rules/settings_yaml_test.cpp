#include "actors/rules/settings_yaml.hpp"

#include "actors/rules/settings_json.hpp"
#include "tests/rules/settings_world.hpp"

#include <doctest/doctest.h>

using namespace muster::rules;
using muster::test::settings_maker;

namespace {

std::vector<yaml_node> read(std::string_view text) {
  text_problem problem;
  auto out = read_yaml(text, problem);
  REQUIRE_MESSAGE(out, problem.what);
  return std::move(*out);
}

std::string as_json(std::string_view text) {
  text_problem problem;
  const auto out = settings_from_yaml(text, problem);
  REQUIRE_MESSAGE(out, problem.what);
  return to_json(*out);
}

text_problem problem_in(std::string_view text) {
  text_problem problem;
  CHECK_FALSE_MESSAGE(read_yaml(text, problem), text);
  return problem;
}

} // namespace

TEST_CASE("YAML that people write is read as they mean it") {
  CHECK(as_json("a: 1\nb: [x, 'y', \"z\\n\", 2.5, ~]\nc:\n  - d: true\n    e:\n  - no\n") ==
        R"({"a":1,"b":["x","y","z\n",2.5,null],"c":[{"d":true,"e":null},"no"]})");
  CHECK(
    as_json("mode: 0644\nbig: -12\nplus: +5\nexp: 1e3\npoint: .5\nversion: 1.2.3\nip: 10.0.0.1\nt: "
            "'5'\n") ==
    R"({"big":-12,"exp":1000.0,"ip":"10.0.0.1","mode":"0644","plus":5,"point":0.5,"t":"5","version":"1.2.3"})");
  CHECK(as_json("script: |\n  #!/bin/sh\n  echo hello\nfolded: >-\n  one\n  two\n") ==
        R"({"folded":"one two","script":"#!/bin/sh\necho hello\n"})");
  CHECK(as_json("s: !!str 5\n") == R"({"s":"5"})");
  CHECK(as_json("") == "{}");
  CHECK(as_json("# nothing\n") == "{}");
  CHECK(as_json("on: off\nTrue: 1\n") == R"({"True":1,"on":"off"})");
}

TEST_CASE("documents of one text are divided, and everything has its line") {
  const auto documents = read("# first\na: 1\nb:\n  - x\n---\n---\nc:\n  d: 2\n");
  REQUIRE(documents.size() == 2);
  CHECK(documents[0].line == 2);
  CHECK(documents[0].entries[1].line == 3);
  CHECK(documents[0].find("b")->items[0].line == 4);
  CHECK(documents[1].find("c")->entries[0].line == 8);
  CHECK(documents[1].find("c")->find("d")->line == 8);
  CHECK(documents[1].find("x") == nullptr);
}

TEST_CASE("YAML that is wrong, or more than settings need, is refused with its line") {
  const std::pair<const char*, text_problem> wrong[] = {
    {"a: 1\na: 2\n", {2, "'a' is there already"}},
    {"a: &x 1\n", {1, "anchors"}},
    {"a: 1\nb: *x\n", {2, ""}},
    {"a:\n  <<: 1\n", {2, "merge keys"}},
    {"a: !secret 1\n", {1, "tags"}},
    {"[a, b]: 1\n", {1, "a name is one word"}},
    {"a: 9223372036854775808\n", {1, "number"}},
    {"a: 1e999\n", {1, "number"}},
    {"a: .inf\n", {1, "number"}},
    {"a: [1, 2\n", {0, ""}},
    {"a: 1\n  b: 2\n", {2, ""}},
    {"a: \"x\n", {1, "no end"}},
    {"\ta: 1\n", {0, ""}},
    {"a: 1\nb: \x01\n", {2, "control character"}},
    {"\xef\xbb\xbf"
     "a: 1\n",
     {1, "byte order mark"}},
    {"a: \xff\n", {0, "UTF-8"}},
  };
  for (const auto& [text, expected] : wrong) {
    const auto problem = problem_in(text);
    CHECK_MESSAGE(problem.what.find(expected.what) != std::string::npos, problem.what);
    if (expected.line != 0)
      CHECK_MESSAGE(problem.line == expected.line, text);
    CHECK_FALSE(problem.what.empty());
  }
  CHECK(problem_in(std::string(33, '[') + std::string(33, ']')).what.find("deeper") !=
        std::string::npos);
  CHECK_FALSE(problem_in(std::string(100'000, '[')).what.empty());
  std::string dashes;
  for (int i = 0; i < 10'000; ++i)
    dashes += "- ";
  CHECK(problem_in(dashes).what.find("deeper") != std::string::npos);
  CHECK_FALSE(problem_in(std::string(yaml_limits::bytes_max + 1, ' ')).what.empty());
  CHECK_FALSE(problem_in("\"" + std::string(300, 'n') + "\": 1").what.empty());
  text_problem problem;
  CHECK_FALSE(settings_from_yaml("a: 1\n---\nb: 1\n", problem));
  CHECK(problem.line == 3);
}

TEST_CASE("settings as YAML look as people write them") {
  text_problem problem;
  const auto value = settings_from_json(
    R"({"list": [1, [2, 3], {"a": 1, "b": {"c": []}}, {}], "script": "#!/bin/sh\n\necho x\n", "no": "no", "t": "a b",
        "n": null, "five": "5", "path": "/etc/x", "empty": "", "tail": "x\n"})",
    problem.what);
  REQUIRE(value);
  CHECK(to_yaml(*value) == R"(empty: ""
five: "5"
list:
  - 1
  - - 2
    - 3
  - a: 1
    b:
      c: []
  - {}
"n": null
"no": "no"
path: /etc/x
script: |
  #!/bin/sh

  echo x
t: "a b"
tail: "x\n"
)");
  CHECK(to_yaml(settings_value::empty_map()) == "{}\n");
}

TEST_CASE("random settings survive their YAML") {
  settings_maker make{16};
  text_problem problem;
  for (int round = 0; round < 3'000; ++round) {
    const auto value = make.map(5);
    const auto text = to_yaml(value);
    const auto back = settings_from_yaml(text, problem);
    REQUIRE_MESSAGE(back, (problem.what + "\n" + text));
    REQUIRE_MESSAGE(*back == value, text);
  }
}

TEST_CASE("texts of all kinds of characters survive their YAML, as values and as names") {
  settings_maker make{17};
  text_problem problem;
  static const char* const pieces[] = {"a",
                                       " ",
                                       "\n",
                                       "\t",
                                       "\r",
                                       ":",
                                       "#",
                                       "- ",
                                       "'",
                                       "\"",
                                       "\\",
                                       "{",
                                       "[",
                                       "&",
                                       "*",
                                       "!",
                                       "|",
                                       ">",
                                       "%",
                                       "@",
                                       "`",
                                       "?",
                                       ",",
                                       "\x01",
                                       "\x7f",
                                       "ü",
                                       "\xc2\x85",
                                       "\xe2\x80\xa8",
                                       "\xef\xbb\xbf",
                                       "😀",
                                       "0",
                                       "~",
                                       "null",
                                       "---",
                                       "...",
                                       "=",
                                       "<<",
                                       ".",
                                       "-"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto n = make.below(6); n > 0; --n)
      text += pieces[make.below(std::size(pieces))];
    auto value = settings_value::empty_map();
    if (text != "<<")
      value.set(text, text);
    value.set("list", settings_value::list{settings_value{text}, settings_value{text + "\n"}});
    const auto yaml = to_yaml(value);
    const auto back = settings_from_yaml(yaml, problem);
    REQUIRE_MESSAGE(back, (problem.what + "\n" + yaml));
    REQUIRE_MESSAGE(*back == value, yaml);
  }
  auto value = settings_value::empty_map();
  value.set(std::string(settings_limits::name_bytes_max, '\x01'), 1);
  CHECK_MESSAGE(settings_from_yaml(to_yaml(value), problem) == value, problem.what);
}
