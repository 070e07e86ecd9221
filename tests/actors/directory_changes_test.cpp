// Devices are revoked and removed, durably; what the store holds is what the next start finds.

#include "actors/server/section_intake.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"
#include "tests/actors/fleet_world.hpp"

#include <map>

using namespace muster;
using namespace muster::test;

namespace {

/// What a sync job writes for a list of applications.
storage::change_batch applications_of(const storage::store& db, const device_id& device,
                                      std::size_t count) {
  wire::applications list;
  for (std::size_t i = 0; i < count; ++i) {
    auto& one = *list.add_items();
    one.set_name("package-" + std::to_string(1000 + i));
    one.set_version("1:2.3-" + std::to_string(i));
    one.set_architecture("amd64");
    one.set_manager("dpkg");
  }
  section_arrival arrival;
  arrival.device = device;
  arrival.section = wire::section_applications - 1;
  arrival.content = list.SerializeAsString();
  arrival.digest = net::section_digest_of(arrival.content);
  section_intake intake;
  REQUIRE_FALSE(take_in(db, arrival, intake));
  REQUIRE(intake.problem.empty());
  return intake.changes;
}

std::size_t count_of(const storage::store& db, family f, std::string_view bytes) {
  std::size_t out = 0;
  REQUIRE_FALSE(db.scan(f, {}, false, [&](std::string_view key, std::string_view value) {
    if (key.find(bytes) != std::string_view::npos || value.find(bytes) != std::string_view::npos)
      ++out;
    return true;
  }));
  return out;
}

/// A sync that brought sections with these digests.
sync_outcome brought(section_digests digests) {
  sync_outcome out;
  out.digests = digests;
  return out;
}

event_append_ptr one_event_of(const device_id& device) {
  auto out = std::make_shared<event_append>();
  out->device = device;
  out->epoch = 5;
  event_item item;
  item.sequence = 1;
  item.type = "x";
  out->events.push_back(item);
  return out;
}

struct changes_world : fleet_world {
  void store(storage::change_batch changes) {
    ask<caf::ok_atom>(writer, atom::put_v,
                      std::make_shared<const storage::change_batch>(std::move(changes)),
                      durability::fact);
  }
  bool revoke(const device_id& device) {
    return ask<bool>(directory_of(device), atom::revoke_v, device,
                     audit("device.revoke", device.text()));
  }
  bool remove(const device_id& device) {
    return ask<bool>(directory_of(device), atom::remove_v, device,
                     audit("device.remove", device.text()));
  }
  /// Everywhere but in events and audit, which keep what has happened.
  std::map<family, std::size_t> traces_of(const device_id& device) {
    std::map<family, std::size_t> out;
    for (const auto f : {family::meta, family::devices, family::inventory, family::index})
      if (const auto n = count_of(*db, f, device.raw()); n > 0)
        out[f] = n;
    return out;
  }
};

} // namespace

TEST_CASE_FIXTURE(changes_world, "revoking ends the live session and survives a power loss") {
  auto agent = enrolled();
  const auto live = session();
  CHECK(hello(agent, live).reason == refusal::none);
  CHECK(revoke(agent.device));
  CHECK(live->endings == std::vector{session_end::revoked});
  CHECK(row(agent.device)->state == device_state::revoked);
  lose_power(); // at once: it was a command
  CHECK(row(agent.device)->state == device_state::revoked);
  CHECK(hello(agent, session()).reason == refusal::revoked);
  CHECK(audited().back() == "device.revoke " + agent.device.text());
  const auto kept =
    stored<storage::record::device>(family::devices, storage::keys::device(agent.device.bytes));
  CHECK(kept->revoked_by() == "anna");
  CHECK_FALSE(kept->certificate().empty());
  // Its key never enrols again, whatever token it shows.
  const auto again = try_enrol(agent.request(make_token().secret));
  CHECK(again.reason == refusal::revoked);
  CHECK(again.certificate.empty());
}

TEST_CASE_FIXTURE(changes_world, "a device is refused from the moment somebody revokes it") {
  auto agent = enrolled();
  auto revoking =
    begin_ask(directory_of(agent.device), atom::revoke_v, agent.device, audit("device.revoke"));
  auto coming = begin_hello(agent, session());
  auto revoking_again =
    begin_ask(directory_of(agent.device), atom::revoke_v, agent.device, audit("device.revoke"));
  settle();
  CHECK(*take<bool>(revoking));
  CHECK((*take<admission_ptr>(coming))->reason == refusal::revoked);
  // While the first is being written the second is sent away; behind it there is nothing to do.
  const auto again = take<bool>(revoking_again);
  CHECK((!again || *again));
  CHECK(revoke(agent.device)); // done is done
  const auto entries = audited();
  CHECK(std::count(entries.begin(), entries.end(), "device.revoke ") == 1);
}

TEST_CASE_FIXTURE(changes_world, "a hello that is being recorded when its device is revoked is "
                                 "refused") {
  auto agent = enrolled();
  const auto coming = session();
  auto pending = begin_hello(agent, coming);
  auto revoking =
    begin_ask(directory_of(agent.device), atom::revoke_v, agent.device, audit("device.revoke"));
  settle();
  CHECK(*take<bool>(revoking));
  const auto answer = take<admission_ptr>(pending);
  REQUIRE(answer);
  // Let in before, and then ended; or not let in at all. Never in and alive.
  CHECK(((*answer)->reason == refusal::revoked ||
         coming->endings == std::vector{session_end::revoked}));
  CHECK(row(agent.device)->state == device_state::revoked);
}

TEST_CASE_FIXTURE(changes_world, "a revocation that the store refuses has not happened") {
  auto agent = enrolled();
  const auto live = session();
  CHECK(hello(agent, live).reason == refusal::none);
  db->fail_writes(storage::errc::disk_full);
  const auto answer =
    try_ask<bool>(directory_of(agent.device), atom::revoke_v, agent.device, audit("device.revoke"));
  REQUIRE_FALSE(answer);
  CHECK(is(answer.error(), storage::errc::disk_full));
  CHECK(live->endings.empty());
  CHECK(row(agent.device)->state == device_state::connected);
  db->fail_writes({});
  CHECK(revoke(agent.device));
}

TEST_CASE_FIXTURE(changes_world, "on a full disk devices can still be shut out and removed, and "
                                 "nothing else") {
  auto thief = enrolled("thief");
  auto old = enrolled("old");
  auto other = enrolled("other");
  store(applications_of(*db, old.device, 100));
  const auto live = session();
  CHECK(hello(thief, live).reason == refusal::none);
  db->run_low(true);
  CHECK(revoke(thief.device));
  CHECK(live->endings == std::vector{session_end::revoked});
  CHECK(remove(old.device));
  CHECK_FALSE(traces_of(old.device).contains(family::inventory));
  CHECK_FALSE(try_ask<token_infos>(enrols, atom::create_v,
                                   token_order{"test", 0, 0, audit("token.create")}));
  auto coming = begin_hello(other, session());
  settle();
  CHECK(is(take<admission_ptr>(coming).error(), storage::errc::disk_full));
  lose_power();
  CHECK(hello(thief, session()).reason == refusal::revoked);
  CHECK(hello(old, session()).reason == refusal::unknown_device);
  CHECK(audited().back() == "device.remove " + old.device.text());
}

TEST_CASE_FIXTURE(changes_world, "who is not there can be neither revoked nor removed") {
  const auto nobody = played_agent::random_id<device_id>();
  CHECK_FALSE(revoke(nobody));
  CHECK_FALSE(remove(nobody));
  CHECK(audited().empty());
}

TEST_CASE_FIXTURE(changes_world, "a removed device leaves nothing behind but the hash of its key") {
  auto agent = enrolled();
  auto other = enrolled("lathe");
  const auto live = session();
  CHECK(hello(agent, live).reason == refusal::none);
  store(applications_of(*db, agent.device, 500));
  store(applications_of(*db, other.device, 7));
  sync(agent, brought({{{1}, {2}, {3}}}));
  CHECK(ask<append_result>(writer, atom::append_v, one_event_of(agent.device)).stored);
  const auto others = traces_of(other.device);
  CHECK(traces_of(agent.device).at(family::index) > 500);

  CHECK(remove(agent.device));
  CHECK(live->endings == std::vector{session_end::removed});
  CHECK_FALSE(row(agent.device));
  pass_time(fleet_limits::removal_recheck + 10s);
  pass_time(2s); // and on the disk
  lose_power();
  // The key hash names it, and its events stay until their time.
  CHECK(count_of(*db, family::devices, agent.device.raw()) == 1);
  CHECK(stored<storage::record::device>(family::devices, storage::keys::device(agent.device.bytes))
          .has_value() == false);
  CHECK(count_of(*db, family::inventory, agent.device.raw()) == 0);
  std::size_t applications = 0;
  REQUIRE_FALSE(db->scan(family::index, storage::keys::applications(), false, [&](auto key, auto) {
    applications += storage::keys::parse_application(key)->device == agent.device.bytes ? 1 : 0;
    return true;
  }));
  CHECK(applications == 0);
  CHECK(traces_of(other.device) == others);

  CHECK(hello(agent, session()).reason == refusal::unknown_device);
  CHECK(try_enrol(agent.request(make_token().secret)).reason == refusal::revoked);
  // The writer has forgotten the position, too.
  CHECK(ask<event_position>(writer, atom::position_v, agent.device) == event_position{});
}

TEST_CASE_FIXTURE(changes_world, "what was on its way when a device was removed is swept up later, "
                                 "also by the next start") {
  auto agent = enrolled();
  CHECK(remove(agent.device));
  // A sync job and an event stream whose writes come behind the removal.
  store(applications_of(*db, agent.device, 40));
  CHECK(ask<append_result>(writer, atom::append_v, one_event_of(agent.device)).stored);
  CHECK(traces_of(agent.device).contains(family::inventory));
  SUBCASE("by the same") {
    pass_time(fleet_limits::removal_recheck + 10s);
  }
  SUBCASE("by the next start") {
    pass_time(2s);
    lose_power();
    CHECK(traces_of(agent.device).contains(family::inventory));
    pass_time(10s);
  }
  SUBCASE("when the store refuses first") {
    db->fail_writes(storage::errc::disk_full);
    pass_time(fleet_limits::removal_recheck + 10s);
    CHECK(traces_of(agent.device).contains(family::inventory));
    db->fail_writes({});
    pass_time(fleet_limits::removal_recheck + 10s);
  }
  CHECK_FALSE(traces_of(agent.device).contains(family::inventory));
  CHECK(count_of(*db, family::devices, agent.device.raw()) == 1); // the key hash
  CHECK(ask<event_position>(writer, atom::position_v, agent.device) == event_position{});
}

TEST_CASE_FIXTURE(changes_world, "a removal is whole or has not happened") {
  auto agent = enrolled();
  store(applications_of(*db, agent.device, 100));
  const auto before = traces_of(agent.device);
  db->fail_writes(storage::errc::disk_full);
  CHECK_FALSE(try_ask<bool>(directory_of(agent.device), atom::remove_v, agent.device,
                            audit("device.remove")));
  db->fail_writes({});
  CHECK(traces_of(agent.device) == before);
  CHECK(hello(agent, session()).reason == refusal::none);
}

TEST_CASE_FIXTURE(changes_world, "what a device said comes back after a restart") {
  auto agent = enrolled();
  CHECK(hello(agent, session()).reason == refusal::none);
  now_us += 5'000'000;
  auto outcome = brought({{{1}, {}, {3}}});
  outcome.statistics = device_statistics{100, 200, 300, 400, 50};
  outcome.host_name = "new-mill";
  outcome.os_id = "debian";
  outcome.os_name = "Debian GNU/Linux 12 (bookworm)";
  outcome.os_version = "12";
  sync(agent, outcome);
  pass_time(2s);
  const auto before = *row(agent.device);
  CHECK(before.name == "new-mill");
  CHECK(before.last_information_us == before.last_sync_us);
  lose_power();
  auto after = *row(agent.device);
  CHECK(after.name == "new-mill");
  CHECK(after.os_name == before.os_name);
  CHECK(after.os_id == "debian");
  CHECK(after.os_version == "12");
  CHECK(after.agent_version == "1.1");
  CHECK(after.digests == section_digests{{{1}, {}, {3}}});
  CHECK(after.statistics.memory_available_kb == 200);
  CHECK(after.statistics.disk_used_percent == 50);
  CHECK(after.last_sync_us == before.last_sync_us);
  CHECK(after.enrolled_us == before.enrolled_us);
  CHECK(after.fingerprint == before.fingerprint);
  CHECK(after.certificate_expires_s == before.certificate_expires_s);
  // A sync that brings one section leaves the others known.
  sync(agent, brought({{{}, {2}, {}}}));
  CHECK(row(agent.device)->digests == section_digests{{{1}, {2}, {3}}});
  CHECK(hello(agent, session()).known == section_digests{{{1}, {2}, {3}}});
}

TEST_CASE_FIXTURE(changes_world,
                  "a damaged record stops the start: nobody is left out in silence") {
  const auto agent = enrolled();
  pass_time(2s);
  const auto key = storage::keys::device(agent.device.bytes);
  SUBCASE("not a record") {
    store({storage::put(family::devices, key, "rubbish")});
  }
  SUBCASE("a record that lacks what it must have") {
    store(
      {storage::put(family::devices, key, storage::records::encode(storage::record::device{}))});
  }
  SUBCASE("a report with half a digest") {
    storage::record::device_report report;
    report.set_boot_id(agent.boot.raw());
    report.add_digests("short");
    store({storage::put(family::devices, storage::keys::device_report(agent.device.bytes),
                        storage::records::encode(report))});
  }
  std::error_code ec;
  CHECK(load_directory(*db, 2, ec).empty());
  CHECK(ec);
}
