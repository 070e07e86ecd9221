#include "actors/rules/policy_document.hpp"

#include "tests/rules/settings_world.hpp"

#include <doctest/doctest.h>

using namespace muster::rules;
using muster::test::json;
using muster::test::path;

TEST_CASE("a device gets the values and the least set of locks") {
  policy above{"sshd", "", json(R"({"Port": 22, "Match": {"User": "git"}})"), {path("Match")}, {}};
  policy own{"sshd",
             "eu",
             json(R"({"Port": 2222, "Match": {"User": "x"}})"),
             {path("Port"), path("Match.User")},
             {}};
  const auto composed =
    composed_policy::compose(composed_policy::compose(nullptr, above, 0), own, 0);
  CHECK(
    document_of(*composed) ==
    json(R"({"locks": ["Match", "Port"], "values": {"Match": {"User": "git"}, "Port": 2222}})"));
}

TEST_CASE("a policy that says nothing is a document all the same") {
  const auto composed =
    composed_policy::compose(nullptr, policy{"sshd", "", settings_value::empty_map(), {}, {}}, 0);
  CHECK(document_of(*composed) == json(R"({"locks": [], "values": {}})"));
  CHECK(document_of_own(json(R"({"Port": 1})")) == json(R"({"values": {"Port": 1}})"));
}
