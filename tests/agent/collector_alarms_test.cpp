// What the collector says of services, disks and the clock.

#include "tests/agent/collector_world.hpp"

namespace muster::test {

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

} // namespace muster::test
