// How the settings of a device stand, for people: pure.

#include "actors/rules/settings_codec.hpp"
#include "actors/server/api/device_settings.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace muster;
using namespace muster::actors;

namespace {

rules::settings_path path(const std::string& text) {
  std::string problem;
  return *rules::settings_path::parse(text, problem);
}

document_entry entry(document_kind kind, const std::string& name, std::uint64_t revision, std::uint8_t hash) {
  document_entry out{kind, name, revision, {}};
  out.hash[0] = hash;
  return out;
}

std::string hash(std::uint8_t first) {
  std::string out(16, '\0');
  out[0] = static_cast<char>(first);
  return out;
}

wire::settings_state said(const std::string& application, wire::settings_outcome outcome,
                          std::uint8_t settings, std::uint8_t own = 0) {
  wire::settings_state out;
  out.set_application(application);
  out.set_outcome(outcome);
  out.set_revision(7);
  if (settings != 0)
    out.set_hash(hash(settings));
  if (own != 0)
    out.set_own_hash(hash(own));
  return out;
}

/// The state of the one application that is wanted with hash 1, and hash 2 of its own if `with_own`.
std::string state_of(const std::vector<wire::settings_state>& reported, bool with_own = false) {
  auto manifest = std::make_shared<document_manifest>();
  manifest->entries.push_back(entry(document_kind::settings, "sshd", 7, 1));
  if (with_own)
    manifest->entries.push_back(entry(document_kind::own_settings, "sshd", 9, 2));
  wire::settings_states states;
  for (const auto& one : reported)
    *states.add_items() = one;
  admin::device_settings out;
  api::present(manifest, states, out);
  REQUIRE(out.applications_size() == 1);
  CHECK(out.applications(0).own_revision() == (with_own ? 9 : 0));
  return out.applications(0).state();
}

struct small_fleet {
  fleet_snapshot snapshot;
  rules::group_id eu;

  small_fleet() {
    std::string problem;
    eu = *snapshot.groups.create(rules::group_tree::root, "eu", problem);
    rules::policy top;
    top.name = "sshd";
    top.values.set("Port", 22);
    top.values.set("Tries", 4);
    top.locks = {path("Port")};
    add(rules::group_tree::root, top);
    rules::policy own;
    own.name = "sshd";
    own.group = "eu";
    own.values.set("Port", 1);
    own.values.set("Tries", 3);
    rules::policy_profile laptops;
    laptops.name = "laptops";
    laptops.when = *rules::profile_condition("tag:laptop", problem);
    laptops.values.set("X11", true);
    own.profiles.push_back(std::move(laptops));
    add(eu, own);
  }
  void add(rules::group_id group, rules::policy p) {
    standing_policy standing;
    standing.policy = std::make_shared<const rules::policy>(std::move(p));
    snapshot.policies[group].emplace("sshd", standing);
  }
  [[nodiscard]] device_row device(std::vector<std::string> tags = {}) const {
    device_row out;
    out.group = eu.number;
    out.group_path = "eu";
    out.tags = std::move(tags);
    return out;
  }
  admin::effective_settings explained(const device_row& row, const api::own_layers& own = {}) const {
    admin::effective_settings out;
    api::explain(*api::compose_for(snapshot, row, "sshd"), own, out);
    return out;
  }
};

const admin::effective_setting& row_of(const admin::effective_settings& all, const std::string& name) {
  for (const auto& one : all.settings())
    if (one.path() == name)
      return one;
  FAIL("nothing is said of " << name);
  return all.settings(0);
}

} // namespace

TEST_CASE("what a device said of the wanted version is the state; of any other it is pending") {
  CHECK(state_of({}) == "pending");
  CHECK(state_of({said("sshd", wire::settings_applied, 3)}) == "pending");
  const std::vector<std::pair<wire::settings_outcome, std::string>> words{
    {wire::settings_applied, "done"},
    {wire::settings_refused, "refused"},
    {wire::settings_failed, "failed"},
    {wire::settings_no_connector, "not managed"},
    {wire::settings_not_installed, "not installed"},
    {wire::settings_unsafe, "unsafe"},
    {wire::settings_outcome_unspecified, "unknown"},
  };
  for (const auto& [outcome, word] : words) {
    CHECK(state_of({said("sshd", outcome, 1)}) == word);
    CHECK(state_of({said("sshd", outcome, 1, 2)}, true) == word);
  }
}

TEST_CASE("a device's own values have to be there, too, before it is done") {
  CHECK(state_of({said("sshd", wire::settings_applied, 1)}, true) == "pending");
  CHECK(state_of({said("sshd", wire::settings_applied, 1, 3)}, true) == "pending");
  CHECK(state_of({said("sshd", wire::settings_applied, 1, 2)}) == "pending"); // they are gone by now
}

TEST_CASE("what nobody wants any more is released, and a manifest that is not there wants nothing") {
  wire::settings_states states;
  *states.add_items() = said("chrony", wire::settings_applied, 1);
  admin::device_settings out;
  api::present(nullptr, states, out);
  REQUIRE(out.applications_size() == 1);
  CHECK(out.applications(0).state() == "released");
  CHECK(out.applications(0).wanted_hash() == "");
  CHECK(out.applications(0).reported_revision() == 7);
}

TEST_CASE("each value tells who said it and who locked it") {
  const small_fleet fleet;
  const auto plain = fleet.explained(fleet.device());
  CHECK(plain.settings_size() == 2);
  CHECK(row_of(plain, "Port").value() == "22");
  CHECK(row_of(plain, "Port").policy().group() == "/");
  CHECK(row_of(plain, "Port").locked_by().group() == "/");
  CHECK(row_of(plain, "Tries").value() == "3");
  CHECK(row_of(plain, "Tries").policy().group() == "eu");
  CHECK_FALSE(row_of(plain, "Tries").has_locked_by());

  const auto tagged = fleet.explained(fleet.device({"laptop", "vip"}));
  CHECK(row_of(tagged, "X11").policy().profile() == "laptops");
  CHECK(row_of(tagged, "X11").policy().group() == "eu");
}

TEST_CASE("values of the device itself are told apart, and what locks keep out is named") {
  const small_fleet fleet;
  api::own_layers own;
  own.local.set("Tries", 9);
  own.local.set("Banner", "local");
  own.set.set("Tries", 6);
  own.set.set("Port", 2222);
  const auto out = fleet.explained(fleet.device(), own);
  CHECK(row_of(out, "Tries").value() == "6");
  CHECK(row_of(out, "Tries").from() == "own");
  CHECK(row_of(out, "Banner").from() == "local");
  CHECK(row_of(out, "Port").value() == "22");
  CHECK(row_of(out, "Port").from() == "policy");
  REQUIRE(out.overruled_size() == 1);
  CHECK(out.overruled(0) == "Port");
}

TEST_CASE("without any policy a device has what it has of its own") {
  const small_fleet fleet;
  api::own_layers own;
  own.set.set("a", 1);
  admin::effective_settings out;
  api::explain(*api::compose_for(fleet.snapshot, fleet.device(), "chrony"), own, out);
  REQUIRE(out.settings_size() == 1);
  CHECK(out.settings(0).from() == "own");
}

TEST_CASE("stored bytes that are no document are as none") {
  auto values = rules::settings_value::empty_map();
  values.set("a", 1);
  CHECK(api::stored_document(rules::to_bytes(values)) == values);
  CHECK(api::stored_document("") == rules::settings_value::empty_map());
  CHECK(api::stored_document("garbage") == rules::settings_value::empty_map());
  CHECK(api::stored_document(rules::to_bytes(rules::settings_value{1})) == rules::settings_value::empty_map());
}
