// What devices shall hold: manifests, the documents behind them, and who is told when.

#include "tests/actors/order_world.hpp"

using namespace muster;
using namespace muster::test;

namespace {

/// One device that is connected and holds what it was told.
struct documents_world : order_world {
  played_agent agent = enrolled();
  played_session_ptr there = session();
  held_documents held;

  document_manifest manifest_of(const device_id& device) {
    const auto found = row(device);
    REQUIRE(found);
    REQUIRE(found->documents);
    return *found->documents;
  }
  /// Says hello with what it holds, and takes what it is told.
  void come() {
    const auto answer = greet(agent, there, held);
    if (answer.manifest)
      take_in_documents(agent.device, held, *answer.manifest);
    CHECK(held.digest() == manifest_of(agent.device).digest);
  }
  admission compare(const document_standing& standing) {
    return *ask<admission_ptr>(directory_of(agent.device), atom::compare_v, agent.device, standing);
  }
};

document_wish wish_for(const document_entry& entry, const document_hash& have = {}) {
  return {entry.kind, entry.name, entry.hash, have};
}

} // namespace

TEST_CASE_FIXTURE(documents_world, "nobody is told anything before the order of the fleet is known, least of all to "
                                   "forget") {
  CHECK(greet(agent, there, held).manifest == nullptr);
  CHECK_FALSE(row(agent.device)->documents);
  policy("", "sshd", R"({"Port": 22})");
  publish();
  REQUIRE(there->manifests.size() == 1);
  take_in_documents(agent.device, held, *there->manifests[0]);
  CHECK(held.values("sshd") == json(R"({"Port": 22})"));
  lose_power();
  there = session();
  CHECK(greet(agent, there, held).manifest == nullptr);
  publish();
  CHECK(there->manifests.empty()); // it holds that
}

TEST_CASE_FIXTURE(documents_world, "who comes is told what differs, and nothing when nothing does") {
  policy("", "sshd", R"({"Port": 22, "X11": false})", {"Port"});
  publish();
  const auto first = greet(agent, there, held);
  REQUIRE(first.manifest);
  CHECK(first.manifest->entries.size() == 1);
  CHECK(first.manifest->entries[0].name == "sshd");
  CHECK(first.manifest->entries[0].revision == order.policies.at(rules::group_tree::root).at("sshd").revision);
  take_in_documents(agent.device, held, *first.manifest);
  CHECK(held.locks("sshd") == json(R"(["Port"])"));
  CHECK(greet(agent, there, held).manifest == nullptr);
  CHECK(compare(held.standing()).manifest == nullptr);
  REQUIRE(compare({true, {}, true}).manifest);
  CHECK(compare({true, {}, true}).manifest->digest == held.digest());
  CHECK(there->manifests.empty());
}

TEST_CASE_FIXTURE(documents_world, "an agent that takes no documents is never told of any") {
  policy("", "sshd", R"({"Port": 22})");
  publish();
  CHECK(hello(agent, there).manifest == nullptr);
  CHECK(compare({}).manifest == nullptr);
  policy("eu", "sshd", R"({"Port": 23})");
  publish();
  assign(agent.device, placed(group("eu")));
  CHECK(there->manifests.empty());
}

TEST_CASE_FIXTURE(documents_world, "a device that is not known cannot compare, and gets nothing") {
  publish();
  const auto answer = try_ask<admission_ptr>(directories[0], atom::compare_v, device_id{},
                                             document_standing{true, {}, true});
  REQUIRE_FALSE(answer);
  CHECK(text_of(answer.error()) == "the device is no longer known");
  policy("", "sshd", R"({"Port": 22})");
  publish();
  const auto parcels = fetch(device_id{}, {wish_for(manifest_of(agent.device).entries[0])});
  REQUIRE(parcels.size() == 1);
  CHECK(parcels[0].gone);
}

TEST_CASE_FIXTURE(documents_world, "groups inherit, profiles follow tags and OS, and each change of a device "
                                   "reaches it") {
  policy("", "sshd", R"({"Port": 22, "Banner": "root"})", {"Banner"});
  auto& eu = policy("eu", "sshd", R"({"Port": 2222, "Banner": "eu"})");
  eu.profiles.push_back(profile("laptops", "tag:laptop", R"({"Port": 3333})"));
  eu.profiles.push_back(profile("debian", "os:debian", R"({"UsePAM": true})"));
  policy("eu", "chrony", R"({"pool": "eu.pool.ntp.org"})");
  publish();
  come();
  CHECK(held.values("sshd") == json(R"({"Port": 22, "Banner": "root"})"));
  CHECK_FALSE(held.has("chrony"));
  const auto follow_on = [&](std::size_t told) {
    REQUIRE(there->manifests.size() == told);
    take_in_documents(agent.device, held, *there->manifests.back());
  };
  assign(agent.device, placed(group("eu")));
  follow_on(1);
  CHECK(held.values("sshd") == json(R"({"Port": 2222, "Banner": "root"})"));
  CHECK(held.has("chrony"));
  assign(agent.device, placed({}, {"laptop"}));
  follow_on(2);
  CHECK(held.values("sshd").find("Port")->as_integer()[0] == 3333);
  first_sync(agent, {"mill", "debian", {}, {}});
  follow_on(3);
  CHECK(held.values("sshd").find("UsePAM")->as_boolean()[0]);
  facts_sync(agent, "windmill", "debian"); // nothing that matters
  CHECK(there->manifests.size() == 3);
  assign(agent.device, placed(rules::group_tree::unassigned));
  follow_on(4);
  CHECK_FALSE(held.has("chrony"));
  CHECK(held.values("sshd") == json(R"({"Port": 22, "Banner": "root"})"));
}

TEST_CASE_FIXTURE(documents_world, "a new order is told to those whom it changes something for, and to nobody else") {
  policy("eu", "sshd", R"({"Port": 22})");
  policy("us", "sshd", R"({"Port": 22})");
  publish();
  come();
  auto other = enrolled("other");
  const auto other_session = session();
  assign(agent.device, placed(group("eu")));
  assign(other.device, placed(group("us")));
  greet(other, other_session, {});
  there->manifests.clear();
  policy("eu", "sshd", R"({"Port": 23})");
  publish();
  CHECK(there->manifests.size() == 1);
  CHECK(other_session->manifests.empty());
  publish(); // the same again
  CHECK(there->manifests.size() == 1);
  leave(agent, there);
  policy("eu", "sshd", R"({"Port": 24})");
  publish();
  CHECK(there->manifests.size() == 1); // it hears with its next hello
  come();
  CHECK(held.values("sshd").find("Port")->as_integer()[0] == 24);
}

TEST_CASE_FIXTURE(documents_world, "an order that comes while another is being told ends with the newer one "
                                   "everywhere") {
  policy("", "sshd", R"({"Port": 1})");
  publish();
  come();
  policy("", "sshd", R"({"Port": 2})");
  publish_only();
  for (int i = 0; i < 3; ++i)
    sched.try_run_once();
  policy("", "sshd", R"({"Port": 3})");
  publish();
  REQUIRE_FALSE(there->manifests.empty());
  take_in_documents(agent.device, held, *there->manifests.back());
  CHECK(held.values("sshd") == json(R"({"Port": 3})"));
  CHECK(held.digest() == manifest_of(agent.device).digest);
}

// -- documents ------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(documents_world, "one setting of 200 travels as a patch, while the version before is remembered") {
  const auto settings = [](int changed) {
    std::string out = "{";
    for (int i = 0; i < 200; ++i)
      out += (i == 0 ? "" : ",") + ("\"setting number " + std::to_string(i) + "\": \"value " +
                                    std::to_string(i == 133 ? changed : i * 7919) + "\"");
    return out + "}";
  };
  policy("", "big", settings(1));
  publish();
  const auto first = greet(agent, there, held);
  const auto whole = take_in_documents(agent.device, held, *first.manifest);
  policy("", "big", settings(2));
  publish();
  REQUIRE(there->manifests.size() == 1);
  const auto wishes = held.take(*there->manifests[0]);
  REQUIRE(wishes.size() == 1);
  const auto parcels = fetch(agent.device, wishes);
  CHECK(parcels[0].base == wishes[0].have);
  CHECK(parcels[0].data.size() < 200);
  CHECK(whole > 5 * parcels[0].data.size());
  CHECK(held.put(parcels[0]));
  auto unknown = wishes[0];
  unknown.have.fill(9); // a version that we have never had
  const auto again = fetch(agent.device, {unknown});
  CHECK(again[0].base == document_hash{});
  CHECK(again[0].hash == wishes[0].hash);
  lose_power(); // and with it the versions from before
  publish();
  const auto later = fetch(agent.device, wishes);
  CHECK(later[0].base == document_hash{});
}

TEST_CASE_FIXTURE(documents_world, "a device gets what it shall hold and nothing else") {
  policy("eu", "sshd", R"({"Port": 22, "Secret": "of eu"})");
  policy("us", "sshd", R"({"Port": 22, "Secret": "of us"})");
  publish();
  auto other = enrolled("other");
  assign(agent.device, placed(group("eu")));
  assign(other.device, placed(group("us")));
  publish_own(other.device, {{"sshd", 5, json(R"({"Port": 99})")}});
  const auto mine = manifest_of(agent.device).entries;
  const auto theirs = manifest_of(other.device).entries;
  REQUIRE(mine.size() == 1);
  REQUIRE(theirs.size() == 2);
  for (const auto& entry : theirs)
    CHECK(fetch(agent.device, {wish_for(entry)})[0].gone);
  CHECK_FALSE(fetch(agent.device, {wish_for(mine[0])})[0].gone);
  CHECK_FALSE(fetch(other.device, {wish_for(theirs[1])})[0].gone);
  auto renamed = wish_for(mine[0]);
  renamed.name = "chrony";
  CHECK(fetch(agent.device, {renamed})[0].gone);
  renamed = wish_for(mine[0]);
  renamed.kind = document_kind::own_settings;
  CHECK(fetch(agent.device, {renamed})[0].gone);
  // Nor by naming another's version as its base: what it gets is a patch to what is its own.
  const auto parcel = fetch(agent.device, {wish_for(mine[0], theirs[0].hash)})[0];
  CHECK_FALSE(parcel.gone);
  policy("eu", "sshd", R"({"Port": 23})");
  publish();
  CHECK(fetch(agent.device, {wish_for(mine[0])})[0].gone); // it has been overtaken
}

TEST_CASE_FIXTURE(documents_world, "what has a secret in it travels only where nobody reads along, and without its mark") {
  policy("", "db", R"({"password": {"secret": "horse"}})");
  policy("", "sshd", R"({"Port": 22})");
  publish();
  publish_own(agent.device, {{"web", 3, json(R"({"key": {"secret": "battery"}})")}});
  auto standing = held.standing();
  standing.encrypted = false;
  const auto told = compare(standing).manifest;
  REQUIRE(told);
  REQUIRE(told->entries.size() == 3);
  document_wishes wishes;
  for (const auto& entry : told->entries)
    wishes.push_back(wish_for(entry));
  const auto plain = fetch(agent.device, wishes);
  CHECK(plain[0].gone);
  CHECK_FALSE(plain[1].gone);
  CHECK(plain[2].gone);
  take_in_documents(agent.device, held, *compare(held.standing()).manifest);
  CHECK(held.values("db") == json(R"({"password": "horse"})"));
  CHECK(held.values("web", document_kind::own_settings) == json(R"({"key": "battery"})"));
}

TEST_CASE_FIXTURE(documents_world, "own settings are a device's alone, come and go, and end with it") {
  policy("", "sshd", R"({"Port": 22})");
  publish();
  come();
  publish_own(agent.device, {{"sshd", 7, json(R"({"Port": 2022})")},
                             {"chrony", 8, json(R"({"pool": "x"})")}});
  REQUIRE(there->manifests.size() == 1);
  const auto told = *there->manifests[0];
  REQUIRE(told.entries.size() == 3);
  CHECK(told.entries[1].name == "chrony"); // in order, by kind and name
  CHECK(told.entries[2].name == "sshd");
  CHECK(told.entries[2].revision == 7);
  take_in_documents(agent.device, held, told);
  CHECK(held.values("sshd", document_kind::own_settings) == json(R"({"Port": 2022})"));
  publish_own(agent.device, {});
  REQUIRE(there->manifests.size() == 2);
  take_in_documents(agent.device, held, *there->manifests[1]);
  CHECK_FALSE(held.has("sshd", document_kind::own_settings));
  publish_own(agent.device, {{"sshd", 9, json(R"({"Port": 1})")}});
  const auto entry = manifest_of(agent.device).entries.back();
  CHECK(ask<bool>(directory_of(agent.device), atom::remove_v, agent.device, audit("device.remove")));
  CHECK(fetch(agent.device, {wish_for(entry)})[0].gone);
  publish_own(agent.device, {{"sshd", 9, json(R"({"Port": 1})")}}); // heard too late: of nobody
}

TEST_CASE_FIXTURE(documents_world, "an answer has at most so much in it; the rest is asked for again") {
  std::uint64_t random = 1;
  const auto noise = [&] { // nothing that can be compressed much
    std::string out;
    for (int i = 0; i < 12'000; ++i) {
      random = random * 6364136223846793005U + 1442695040888963407U;
      out += std::to_string(random);
    }
    return "{\"text\": \"" + out.substr(0, 230'000) + "\"}";
  };
  for (int i = 0; i < 30; ++i)
    policy("", "app" + std::to_string(100 + i), noise());
  publish();
  const auto answer = greet(agent, there, held);
  REQUIRE(answer.manifest);
  const auto wishes = held.take(*answer.manifest);
  REQUIRE(wishes.size() == 30);
  const auto parcels = fetch(agent.device, wishes);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < parcels.size(); ++i) {
    CHECK(parcels[i].name == wishes[i].name);
    bytes += parcels[i].data.size();
  }
  CHECK(parcels.size() > 1);
  CHECK(parcels.size() < 30);
  CHECK(bytes <= fleet_limits::fetch_bytes_max);
  CHECK(bytes > fleet_limits::fetch_bytes_max / 2);
  take_in_documents(agent.device, held, *answer.manifest);
  CHECK(held.size() == 30);
}

TEST_CASE_FIXTURE(documents_world, "many devices are told in slices, and lists are answered in between") {
  constexpr std::size_t groups = 100;
  for (std::size_t i = 0; i < groups; ++i)
    policy("g" + std::to_string(i), "sshd", "{\"Port\": " + std::to_string(i) + "}");
  policy("", "sshd", R"({"Banner": "a"})");
  publish();
  std::vector<std::pair<played_agent, played_session_ptr>> crowd;
  for (std::size_t i = 0; i < groups; ++i) {
    crowd.emplace_back(enrolled("d" + std::to_string(i)), session());
    assign(crowd.back().first.device, placed(group("g" + std::to_string(i))));
    greet(crowd.back().first, crowd.back().second, {});
    crowd.back().second->manifests.clear();
  }
  policy("", "sshd", R"({"Banner": "b"})");
  publish_only();
  auto counted = begin_ask(directories[0], atom::count_v);
  const auto told = [&] {
    return std::count_if(crowd.begin(), crowd.end(),
                         [](const auto& one) { return !one.second->manifests.empty(); });
  };
  while (!self->has_next_message())
    REQUIRE(sched.try_run_once());
  CHECK(take<device_counts>(counted));
  CHECK(told() < static_cast<std::ptrdiff_t>(groups)); // not before all had been told
  settle();
  CHECK(told() == static_cast<std::ptrdiff_t>(groups));
  for (const auto& [one, role] : crowd)
    CHECK(role->manifests.size() == 1);
}
