#include "actors/rules/settings_secrets.hpp"

#include "actors/rules/settings_json.hpp"

#include "tests/rules/settings_world.hpp"

#include <doctest/doctest.h>

using namespace muster::rules;
using muster::test::json;

namespace {

settings_value with_secrets() {
  return json(R"({
  "port": 22, "password": {"secret": "one"},
  "users": [{"name": "a", "key": {"secret": "two"}}, {"name": "b"}],
  "secret": "not marked: others stand beside it"})");
}

} // namespace

TEST_CASE("a map with the one entry 'secret' is one, wherever it stands; nothing else is") {
  CHECK(is_secret(json(R"({"secret": "x"})")));
  CHECK_FALSE(is_secret(json(R"({"secret": "x", "other": 1})")));
  CHECK_FALSE(is_secret(json(R"("secret")")));
  CHECK(has_secrets(with_secrets()));
  CHECK_FALSE(has_secrets(json(R"({"secret": "x", "list": [1, {}], "map": {"a": null}})")));
}

TEST_CASE("people see that there is one, devices what it is") {
  CHECK(concealed(with_secrets()) == json(R"({
    "port": 22, "password": {"secret": "kept"},
    "users": [{"name": "a", "key": {"secret": "kept"}}, {"name": "b"}],
    "secret": "not marked: others stand beside it"})"));
  CHECK(revealed(with_secrets()) == json(R"({
    "port": 22, "password": "one", "users": [{"name": "a", "key": "two"}, {"name": "b"}],
    "secret": "not marked: others stand beside it"})"));
}

TEST_CASE("what was shown is applied again without knowing it") {
  std::string problem;
  const auto again = with_kept(concealed(with_secrets()), with_secrets(), problem);
  CHECK(again == with_secrets());
  const auto changed =
    with_kept(json(R"({"password": {"secret": "new"}})"), with_secrets(), problem);
  CHECK(changed == json(R"({"password": {"secret": "new"}})"));
  CHECK_FALSE(with_kept(json(R"({"port": {"secret": "kept"}})"), with_secrets(), problem));
  CHECK(problem == "there is no secret at 'port' that could be kept");
}

TEST_CASE("a secret is a text with something in it, and no novel") {
  CHECK(secrets_problem(with_secrets()).empty());
  CHECK(secrets_problem(json(R"({"a": [{"secret": 5}]})")) ==
        "'a[0]': a secret must be a text with something in it");
  CHECK(secrets_problem(json(R"({"a": {"secret": ""}})")) ==
        "'a': a secret must be a text with something in it");
  auto long_one = settings_value::empty_map();
  long_one.set("secret", std::string(secret_bytes_max + 1, 'x'));
  CHECK(secrets_problem(long_one) == "'': a secret is longer than 64 KB");
}

TEST_CASE("each is sealed with its place, and opened again") {
  const auto sealed = turned(with_secrets(), [](const std::string& text, const settings_path& at) {
    return std::optional(at.text() + "=" + text);
  });
  REQUIRE(sealed);
  CHECK(*sealed->find("password")->find("secret")->as_text() == "password=one");
  CHECK(*(*sealed->find("users")->as_list())[0].find("key")->find("secret")->as_text() ==
        "users[0].key=two");
  const auto open = turned(*sealed, [](const std::string& text, const settings_path& at) {
    return text.starts_with(at.text() + "=") ? std::optional(text.substr(at.text().size() + 1))
                                             : std::nullopt;
  });
  CHECK(open == with_secrets());
  CHECK_FALSE(turned(with_secrets(), [](const std::string&, const settings_path&) {
    return std::optional<std::string>{};
  }));
}
