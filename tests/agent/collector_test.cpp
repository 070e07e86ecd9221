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

TEST_CASE_FIXTURE(collector_world,
                  "of several changes only those the spool refused are told again") {
  start();
  spool.take();
  const auto changed_at_ms = machine.now_us / 1000;
  spool.how = fake_spool::mood::takes_one;
  machine.install("a", "1");
  machine.install("b", "1");
  machine.install("c", "1");
  see_packages();
  REQUIRE(spool.take().size() == 1);
  CHECK(spool.seen[0]->attributes.at("name") == "a");
  spool.how = fake_spool::mood::writes;
  live(30s);
  REQUIRE(spool.take().size() == 2);
  CHECK(spool.seen[0]->attributes.at("name") == "b");
  CHECK(spool.seen[1]->attributes.at("name") == "c");
  CHECK(spool.seen[1]->time_ms == changed_at_ms); // not when it could be written
  live(30s);
  CHECK(spool.take().empty());
}

TEST_CASE_FIXTURE(collector_world, "a start the spool could not take is told at the next tick") {
  spool.how = fake_spool::mood::refuses;
  start();
  live(30s);
  machine.now_us += 60'000'000;
  live(30s);
  spool.how = fake_spool::mood::writes;
  live(30s);
  CHECK(spool.take() == types{"agent.started", "clock.jumped"});
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
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(first->digests[i] == net::section_digest_of(first->content[i]));
  CHECK(first->digests[3] == section_digest{}); // settings_keeper's
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
