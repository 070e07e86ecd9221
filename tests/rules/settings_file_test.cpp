#include "actors/rules/settings_file.hpp"

#include "actors/rules/settings_json.hpp"
#include "tests/rules/settings_world.hpp"

#include <doctest/doctest.h>

using namespace muster::rules;
using muster::test::json;
using muster::test::settings_maker;

namespace {

const settings_file_style ini{settings_format::ini, flag_words::true_false, "=", ""};
const settings_file_style lines{settings_format::lines, flag_words::yes_no, " ", ""};
const settings_file_style bare{settings_format::lines, flag_words::bare, " ", ""};

settings_file_style filled(std::string pattern) {
  return {settings_format::filled, flag_words::on_off, " ", std::move(pattern)};
}

std::string written(std::string_view document, const settings_file_style& style) {
  std::string problem;
  const auto out = write_settings(json(document), style, problem);
  REQUIRE_MESSAGE(out, problem);
  return *out;
}

std::string write_problem(std::string_view document, const settings_file_style& style) {
  std::string problem;
  CHECK_FALSE(write_settings(json(document), style, problem));
  return problem;
}

std::string read(std::string_view text, const settings_file_style& style) {
  text_problem problem;
  const auto out = read_settings(text, style, problem);
  REQUIRE_MESSAGE(out, problem.what);
  return to_json(*out);
}

text_problem read_problem(std::string_view text, const settings_file_style& style) {
  text_problem problem;
  CHECK_FALSE(read_settings(text, style, problem));
  return problem;
}

} // namespace

TEST_CASE("a file of lines has one directive a line, and a line for each item of a list") {
  CHECK(
    written(
      R"({"PermitRootLogin": false, "AcceptEnv": ["LANG", "LC_*"], "Port": 22, "Banner": null, "Empty": ""})",
      lines) == "AcceptEnv LANG\nAcceptEnv LC_*\nEmpty\nPermitRootLogin no\nPort 22\n");
  CHECK(written(R"({"rtcsync": true, "manual": false, "makestep": "1.0 3", "pool": ["a iburst"]})",
                bare) == "makestep 1.0 3\npool a iburst\nrtcsync\n");
  CHECK(read("# comment\n\n  Port   22\nAcceptEnv\tLANG\r\nAcceptEnv LC_*\n; also\nalone\n",
             lines) == R"({"AcceptEnv":["LANG","LC_*"],"Port":"22","alone":""})");
  CHECK(read("rtcsync\npool a iburst\n", bare) == R"({"pool":"a iburst","rtcsync":true})");
}

TEST_CASE("an ini file has settings, then sections, and lists as names that come again") {
  CHECK(written(R"({"z": 1, "a": {"x": true, "l": [1, 2]}, "b": {}})", ini) ==
        "z=1\n\n[a]\nl=1\nl=2\nx=true\n\n[b]\n");
  CHECK(read("z = 1\n[a]\nx=a=b\n[b]\n[a]\nx=\n", ini) ==
        R"({"a":{"x":["a=b",""]},"b":{},"z":"1"})");
  CHECK(read_problem("a=1\nb\n", ini) == text_problem{2, "there is no '=' in it"});
  CHECK(read_problem("a=1\n[b\n", ini) == text_problem{2, "a section is written [name]"});
  CHECK(read_problem("[", ini).line == 1);
  CHECK(read_problem("=1", ini) == text_problem{1, "there is no name in front of the value"});
  CHECK(read_problem("a=1\n[a]\n", ini).what == "'a' is a setting and a section");
}

TEST_CASE("what a format cannot say is refused by the name of the setting") {
  CHECK(write_problem(R"({"a": {"b": {"c": 1}}})", ini) ==
        "'a.b' is a map in a map: an ini file has sections only");
  CHECK(write_problem(R"({"a": {"b": 1}})", lines) == "'a' is a map: a file of lines has none");
  CHECK(write_problem(R"({"a": [1, [2]]})", lines) == "'a[1]' is a list or map in a list");
  CHECK(write_problem(R"({"a b": 1})", lines).find("cannot be a name") != std::string::npos);
  for (const auto* name : {R"({"": 1})", R"({"#a": 1})", R"({";a": 1})", R"({"[a]": 1})",
                           R"({"a=b": 1})", R"({" a": 1})", R"({"a\n": 1})"})
    CHECK(write_problem(name, ini).find("cannot be a name") != std::string::npos);
  CHECK(write_problem(R"({"a]": {}})", ini).find("section") != std::string::npos);
}

TEST_CASE("no value can make a line of its own") {
  for (const auto& style : {ini, lines, bare, filled("x {{ a }} y\n")})
    for (const auto* value :
         {R"({"a": "1\nPermitRootLogin yes"})", R"({"a": "1\rb"})", R"({"a": "\u0000"})"})
      CHECK(write_problem(value, style).find("control character") != std::string::npos);
  CHECK_FALSE(write_problem(R"({"a": " x"})", lines).empty());
}

TEST_CASE("a template is filled line by line") {
  CHECK(written(R"({"servers": ["a", "b"], "log": {"on": true}, "n": null})",
                filled("# ours\nserver {{servers}} iburst\nlog {{ log.on }}/{{log.on}}\nnone {{ n "
                       "}}\nnone {{ missing }}\nend")) ==
        "# ours\nserver a iburst\nserver b iburst\nlog on/on\nend\n");
  CHECK(written("{}", filled("")).empty());
  CHECK(written(R"({"l": []})", filled("x {{ l }}\n")).empty());
  CHECK(write_problem(R"({"a": {"b": 1}})", filled("{{ a }}")) ==
        "'a' is no single value, which a template needs");
  CHECK(write_problem(R"({"a": [1], "b": [2]})", filled("{{ a }} {{ b }}")).find("second list") !=
        std::string::npos);
  CHECK(template_problem("a\n{{ x") == text_problem{2, "'{{' has no '}}' in its line"});
  CHECK(template_problem("{{ }}")->what == "nothing stands between '{{' and '}}'");
  CHECK(template_problem("{{ a..b }}"));
  CHECK_FALSE(template_problem("{{ a.b }} {{ c }} } {\n"));
  CHECK(read_problem("x", filled("x")).what == "a filled template cannot be read back");
}

TEST_CASE("drift is what the file says otherwise, whatever kinds the format knows") {
  text_problem problem;
  const auto document = json(R"({"Port": 22, "PermitRootLogin": false, "X": "y"})");
  auto changes = drift(document, "Port 22\nPermitRootLogin no\nX y\n", lines, problem);
  REQUIRE(changes);
  CHECK(changes->empty());
  changes = drift(document, "# by hand\nPermitRootLogin yes\nX y\nNew 1\n", lines, problem);
  REQUIRE(changes);
  REQUIRE(changes->size() == 3);
  CHECK((*changes)[0].path.text() == "New");
  CHECK((*changes)[1].path.text() == "PermitRootLogin");
  CHECK((*changes)[1].after == settings_value{"yes"});
  CHECK_FALSE((*changes)[2].after);
  CHECK_FALSE(drift(document, "{", {settings_format::json}, problem));
  CHECK_FALSE(drift(json(R"({"a": {}})"), "", lines, problem));
}

TEST_CASE("random settings that a format can say come back as it says them") {
  settings_maker random{18};
  std::string problem;
  text_problem at;
  std::size_t said = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto document = random.map(2);
    for (auto style : {ini, lines, bare, settings_file_style{settings_format::yaml},
                       settings_file_style{settings_format::json}}) {
      if (random.below(2) == 0 && style.format == settings_format::lines)
        style.separator = " = ";
      const auto text = write_settings(document, style, problem);
      if (!text)
        continue;
      ++said;
      const auto back = read_settings(*text, style, at);
      REQUIRE_MESSAGE(back, (at.what + "\n" + *text));
      const auto again = write_settings(*back, style, problem);
      REQUIRE_MESSAGE(again, problem);
      REQUIRE(*again == *text);
      const auto changes = drift(document, *text, style, at);
      REQUIRE(changes);
      REQUIRE(changes->empty());
    }
  }
  CHECK(said > 50'000);
}

TEST_CASE("formats and words are found by their names, and files have an end") {
  for (const auto* name : {"json", "yaml", "ini", "lines", "template"})
    CHECK(name_of(settings_format_of(name).value()) == name);
  for (const auto* name : {"true/false", "yes/no", "on/off", "1/0", "bare"})
    CHECK(name_of(flag_words_of(name).value()) == name);
  CHECK_FALSE(settings_format_of("xml"));
  CHECK(read_problem(std::string(settings_file_bytes_max + 1, '\n'), lines).what.find("larger") !=
        std::string::npos);
  CHECK(read_problem("[1]", {settings_format::json}).what == "it is a list, not a map of settings");
}
