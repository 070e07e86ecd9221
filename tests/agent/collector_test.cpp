#include "net/section_digest.hpp"
#include "tests/agent/collector_world.hpp"

namespace muster::test {

TEST_CASE_FIXTURE(collector_world, "an agent says that it has started, and that it stops") {
  start();
  CHECK(spool.take() == types{"agent.started"});
  CHECK(spool.seen[0]->attributes.at("version") == "1.2.3");
  CHECK(spool.seen[0]->attributes.at("uptime_s") == "3600");
  const auto handle = eyes;
  stop_eyes();
  CHECK(spool.take() == types{"agent.stopped"});
  CHECK_FALSE(alive(handle));
}

TEST_CASE_FIXTURE(collector_world, "a stop waits for the spool, but not for ever") {
  start();
  spool.how = fake_spool::mood::is_silent;
  stop(eyes);
  REQUIRE(spool.waiting.size() == 1);
  stop(eyes); // being asked again changes nothing
  CHECK(alive(eyes));
  live(0s);
  CHECK(alive(eyes));
  live(1s);
  CHECK_FALSE(alive(eyes));
}

TEST_CASE_FIXTURE(collector_world, "a stop ends when the spool has answered, or has gone") {
  start();
  spool.how = fake_spool::mood::is_silent;
  SUBCASE("answered") {
    stop(eyes);
    REQUIRE(spool.waiting.size() == 1);
    wake_spool();
  }
  SUBCASE("gone") {
    stop(spool_actor);
    stop(eyes);
  }
  CHECK_FALSE(alive(eyes));
}

TEST_CASE_FIXTURE(collector_world, "the first list of applications is announced to nobody") {
  machine.install("curl", "7.88");
  start();
  see_packages();
  CHECK(spool.take() == types{"agent.started"});
}

TEST_CASE_FIXTURE(collector_world, "applications that come, go and change are told at once") {
  machine.install("curl", "7.88");
  machine.install("nano", "7.2");
  start();
  spool.take();
  machine.install("git", "2.39");
  machine.remove("nano");
  machine.install("curl", "7.89");
  see_packages();
  REQUIRE(spool.take() ==
          types{"application.upgraded", "application.installed", "application.removed"});
  CHECK(spool.seen[0]->text == "curl went from 7.88 to 7.89");
  CHECK(spool.seen[0]->attributes == std::map<std::string, std::string>{{"name", "curl"},
                                                                        {"version", "7.89"},
                                                                        {"version_before", "7.88"},
                                                                        {"architecture", "amd64"},
                                                                        {"manager", "dpkg"}});
  CHECK(spool.seen[1]->text == "git 2.39 was installed");
  CHECK(spool.seen[2]->text == "nano 7.2 was removed");
  see_packages();
  CHECK(spool.take().empty());
}

TEST_CASE_FIXTURE(collector_world, "a sync finds what no watch has told of") {
  start();
  spool.take();
  machine.install("git", "2.39");
  collect();
  settle();
  CHECK(spool.take() == types{"application.installed"});
}

TEST_CASE_FIXTURE(collector_world, "what changed while the agent was off is told at its start") {
  machine.install("curl", "7.88");
  start();
  stop_eyes();
  spool.take();
  machine.install("curl", "7.89");
  start();
  CHECK(spool.take() == types{"agent.started", "application.upgraded"});
  stop_eyes();
  start();
  CHECK(spool.take() == types{"agent.stopped", "agent.started"});
}

TEST_CASE_FIXTURE(collector_world, "very many changes at once are one event with their number") {
  machine.install("old", "1");
  start();
  spool.take();
  machine.remove("old");
  for (int i = 0; i < 4; ++i)
    machine.install("p" + std::to_string(i), "1");
  see_packages();
  CHECK(spool.take().size() == 5); // as many as are told singly
  for (int i = 0; i < 4; ++i)
    machine.install("p" + std::to_string(i), "2");
  machine.install("q", "1");
  machine.install("r", "1");
  see_packages();
  REQUIRE(spool.take() == types{"application.changed"});
  CHECK(spool.seen[0]->attributes == std::map<std::string, std::string>{
                                       {"installed", "2"}, {"removed", "0"}, {"upgraded", "4"}});
  see_packages();
  CHECK(spool.take().empty());
}

TEST_CASE_FIXTURE(collector_world, "a change the spool could not take is told at the next tick") {
  start();
  spool.take();
  spool.how = fake_spool::mood::refuses;
  machine.install("git", "2.39");
  see_packages();
  CHECK(spool.take().empty());
  spool.how = fake_spool::mood::writes;
  live(30s);
  CHECK(spool.take() == types{"application.installed"});
  live(30s);
  CHECK(spool.take().empty());
}

TEST_CASE_FIXTURE(collector_world, "a change the spool could not take survives a restart") {
  start();
  spool.how = fake_spool::mood::refuses;
  machine.install("git", "2.39");
  see_packages();
  stop_eyes();
  spool.how = fake_spool::mood::writes;
  spool.take();
  start();
  CHECK(spool.take() == types{"agent.started", "application.installed"});
}

TEST_CASE_FIXTURE(collector_world, "a change during an announcement is announced after it, once") {
  start();
  spool.take();
  spool.how = fake_spool::mood::is_silent;
  machine.install("git", "2.39");
  see_packages();
  machine.install("curl", "7.88");
  see_packages();
  REQUIRE(spool.waiting.size() == 1);
  wake_spool();
  REQUIRE(spool.take() == types{"application.installed"});
  CHECK(spool.seen[0]->attributes.at("name") == "curl");
}

TEST_CASE_FIXTURE(collector_world, "an unreadable package list changes nothing") {
  machine.install("curl", "7.88");
  start();
  const auto before = collect();
  spool.take();
  const auto list = std::exchange(machine.applications, std::nullopt);
  see_packages();
  CHECK(collect()->digests == before->digests);
  CHECK(spool.take().empty());
  machine.applications = list;
  machine.install("git", "2.39");
  live(30s); // the list that could not be read is looked for again
  CHECK(spool.take() == types{"application.installed"});
}

TEST_CASE_FIXTURE(collector_world,
                  "unreadable from the start, the list of the last run stands in") {
  machine.install("curl", "7.88");
  start();
  stop_eyes();
  machine.applications.reset();
  start();
  wire::applications list;
  REQUIRE(list.ParseFromString(collect()->content[1]));
  REQUIRE(list.items_size() == 1);
  CHECK(list.items(0).name() == "curl");
  CHECK(list.items(0).version() == "7.88");
}

TEST_CASE_FIXTURE(collector_world, "memory that cannot be read is asked for again") {
  machine.install("curl", "7.88");
  start();
  stop_eyes();
  spool.take();
  machine.install("curl", "7.89");
  db.fail_reads(storage::errc::io_error);
  start();
  see_packages();
  live(30s);
  CHECK(spool.take() == types{"agent.started"});
  db.fail_reads({});
  live(30s);
  CHECK(spool.take() == types{"application.upgraded"});
}

TEST_CASE_FIXTURE(collector_world, "memory that is no record is as good as none") {
  std::error_code ec = db.write_sync(std::vector<storage::change_batch>{
    {storage::put(storage::family::meta, storage::keys::setting("collector.applications"), "?"),
     storage::put(storage::family::meta, storage::keys::setting("collector.alarms"), "?")}});
  REQUIRE_FALSE(ec);
  machine.install("curl", "7.88");
  start();
  CHECK(spool.take() == types{"agent.started"});
  machine.install("curl", "7.89");
  see_packages();
  CHECK(spool.take() == types{"application.upgraded"});
}

// -- alarms ---------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(collector_world, "a service that fails is told once, and so is its recovery") {
  machine.services = {{{"ssh.service", "active", "running"}}};
  start();
  spool.take();
  machine.services = {{{"ssh.service", "failed", "failed"}}};
  live(30s);
  REQUIRE(spool.take() == types{"service.failed"});
  CHECK(spool.seen[0]->severity == severity::failure);
  CHECK(spool.seen[0]->text == "ssh.service has failed");
  CHECK(spool.seen[0]->attributes.at("service") == "ssh.service");
  live(30s);
  machine.services = {{{"ssh.service", "activating", "auto-restart"}}};
  live(30s);
  CHECK(spool.take().empty()); // neither failed anew nor well
  machine.services = {{{"ssh.service", "active", "running"}}};
  live(30s);
  REQUIRE(spool.take() == types{"service.recovered"});
  CHECK(spool.seen[0]->text == "ssh.service is active again");
}

TEST_CASE_FIXTURE(collector_world, "a failure that somebody clears away is over") {
  machine.services = {{{"ssh.service", "failed", "failed"}}};
  start();
  CHECK(spool.take() == types{"agent.started", "service.failed"});
  machine.services.reset(); // systemd does not answer: nobody knows
  live(30s);
  CHECK(spool.take().empty());
  machine.services.emplace();
  live(30s);
  REQUIRE(spool.take() == types{"service.recovered"});
  CHECK(spool.seen[0]->attributes.at("state") == "inactive");
}

TEST_CASE_FIXTURE(collector_world, "alarms are remembered over a restart, in both directions") {
  machine.services = {{{"ssh.service", "failed", "failed"}}};
  machine.use_disk(95);
  start();
  CHECK(spool.take() == types{"agent.started", "service.failed", "disk.nearly_full"});
  stop_eyes();
  start();
  CHECK(spool.take() == types{"agent.stopped", "agent.started"});
  stop_eyes();
  spool.take();
  machine.services = {{{"ssh.service", "active", "running"}}};
  machine.use_disk(50);
  start();
  CHECK(spool.take() == types{"agent.started", "service.recovered", "disk.ok"});
}

TEST_CASE_FIXTURE(collector_world, "a disk around its threshold does not flap") {
  machine.use_disk(89);
  start();
  spool.take();
  const std::vector<std::pair<std::uint32_t, types>> story{{90, {"disk.nearly_full"}},
                                                           {91, {}},
                                                           {89, {}},
                                                           {90, {}},
                                                           {85, {}},
                                                           {84, {"disk.ok"}},
                                                           {85, {}},
                                                           {89, {}},
                                                           {90, {"disk.nearly_full"}}};
  for (const auto& [percent, expected] : story) {
    machine.use_disk(percent);
    live(30s);
    CHECK_MESSAGE(spool.take() == expected, percent);
  }
  CHECK(spool.seen[0]->text == "/ is 90 % full, 10.0 GB left");
  CHECK(spool.seen[0]->severity == severity::warning);
  CHECK(spool.seen[0]->attributes ==
        std::map<std::string, std::string>{{"mount", "/"},
                                           {"used_percent", "90"},
                                           {"free_bytes", "10000000000"},
                                           {"size_bytes", "100000000000"}});
}

TEST_CASE_FIXTURE(collector_world, "a full disk that is taken away is no alarm any more") {
  machine.use_disk(99);
  start();
  spool.take();
  machine.disks.clear();
  live(30s);
  CHECK(spool.take() == types{"disk.ok"});
}

TEST_CASE_FIXTURE(collector_world, "an alarm the spool could not take is told at the next tick") {
  start();
  spool.take();
  spool.how = fake_spool::mood::refuses;
  machine.use_disk(95);
  live(30s);
  spool.how = fake_spool::mood::writes;
  live(30s);
  CHECK(spool.take() == types{"disk.nearly_full"});
}

// -- the clock ------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(collector_world, "a clock that is set is told, one that is corrected is not") {
  start();
  spool.take();
  machine.now_us += 4'000'000;
  live(30s);
  CHECK(spool.take().empty());
  machine.now_us += 3600'000'000;
  live(30s);
  REQUIRE(spool.take() == types{"clock.jumped"});
  CHECK(spool.seen[0]->text == "the clock was set 3600 s forward");
  CHECK(spool.seen[0]->attributes.at("jump_ms") == "3600000");
  live(30s);
  CHECK(spool.take().empty());
  machine.now_us -= 6'000'000;
  live(30s);
  REQUIRE(spool.take() == types{"clock.jumped"});
  CHECK(spool.seen[0]->attributes.at("jump_ms") == "-6000");
}

TEST_CASE_FIXTURE(collector_world, "sleep is no jump: both clocks go on while a machine sleeps") {
  start();
  spool.take();
  machine.now_us += 8 * 3600'000'000LL;
  machine.boot_time_us += 8 * 3600'000'000LL;
  live(30s);
  CHECK(spool.take().empty());
}

// -- snapshots ------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(collector_world, "a snapshot holds all sections with their digests") {
  machine.facts.set_host_name("mill");
  machine.install("curl", "7.88");
  auto& state = *machine.run_states->add_items();
  state.set_name("ssh.service");
  machine.statistics.uptime_s = 7;
  start();
  const auto first = collect();
  CHECK(first->content[0] == canonical_form(machine.facts));
  CHECK(first->content[1] == canonical_form(*machine.applications));
  CHECK(first->content[2] == canonical_form(*machine.run_states));
  CHECK(first->statistics.uptime_s == 7);
  for (std::size_t i = 0; i < sections; ++i)
    CHECK(first->digests[i] == net::section_digest_of(first->content[i]));
  CHECK(collect()->digests == first->digests);

  state.set_state("failed");
  const auto second = collect();
  CHECK(second->digests[1] == first->digests[1]);
  CHECK(second->digests[2] != first->digests[2]);
}

TEST_CASE_FIXTURE(collector_world, "run states that cannot be read just now stand as they were") {
  machine.run_states->add_items()->set_name("ssh.service");
  start();
  const auto first = collect();
  machine.run_states.reset();
  CHECK(collect()->digests == first->digests);
}

TEST_CASE_FIXTURE(collector_world, "one tick is in flight, however often it is asked") {
  start();
  for (int i = 0; i < 20; ++i) {
    collect();
    see_packages();
  }
  live(30s);
  live(30s);
  CHECK(sched.trigger_timeouts() == 1);
  settle();
}

} // namespace muster::test
