// What the keeper makes of documents: files, checks, reloads, repairs.
#include "actors/agent/limits.hpp"
#include "storage/keys.hpp"
#include "tests/agent/hardened_world.hpp"

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;


TEST_CASE_FIXTURE(keeper_world, "an agent that was never told anything has nothing to say") {
  CHECK(report()->states.empty());
  CHECK(report()->states_digest == section_digest{});
  CHECK(report()->documents == manifest_of({})->digest);
}

TEST_CASE_FIXTURE(keeper_world, "a policy is written, checked, loaded, read back and reported") {
  give({hardened});
  CHECK(machine.files.at(sshd_file) == hardened_text);
  CHECK(state().application().empty()); // nothing has ended yet
  CHECK(end_command() == "/usr/sbin/sshd -t");
  CHECK(end_command() == "/usr/bin/systemctl ssh");
  CHECK(end_command(0, "permitrootlogin no\nport 22\n") == "/usr/sbin/sshd -T");
  CHECK(machine.take_done() == whole_way);
  const auto now = state();
  CHECK(now.outcome() == wire::settings_applied);
  CHECK(now.revision() == 7);
  CHECK(now.hash() == std::string(hardened.hash.begin(), hardened.hash.end()));
  CHECK(now.since_s() == now_us / 1'000'000);
  std::string problem;
  CHECK(rules::to_yaml(*rules::settings_from_bytes(now.daemon_values(), problem))
        == rules::to_yaml(yaml("{permitrootlogin: 'no', port: '22'}")));
  CHECK(machine.changes_told.size() == 1);
  CHECK(report()->states_digest == net::section_digest_of(report()->states));
  tick();
  CHECK(machine.take_done().empty());
  CHECK(machine.changes_told.size() == 1);
  CHECK(events().empty());
}

TEST_CASE_FIXTURE(hardened_world, "what the check refuses is reported in its words; the last good file stays") {
  give({moved});
  CHECK(machine.files.at(sshd_file) == moved_text);
  end_command(255, "line 2: Bad configuration option: Port\n");
  CHECK(machine.files.at(sshd_file) == hardened_text);
  CHECK(machine.commands.empty()); // nobody reloads
  auto now = state();
  CHECK(now.outcome() == wire::settings_refused);
  CHECK(now.detail() == "line 2: Bad configuration option: Port");
  CHECK(now.revision() == 8);
  CHECK(machine.changes_told.size() == 1);
  CHECK(events() == strings{"settings.refused: the settings of sshd were refused: line 2: Bad "
                            "configuration option: Port"});
  machine.take_done();
  for (int i = 0; i < 500; ++i)
    tick();
  CHECK(machine.take_done() == strings{}); // a check that refuses once refuses twice
  give({hardened});
  end_commands();
  CHECK(state().outcome() == wire::settings_applied);
}

TEST_CASE_FIXTURE(keeper_world, "without a last good file a refused one is taken away") {
  give({hardened});
  end_command(1, "no");
  CHECK_FALSE(machine.files.contains(sshd_file));
  CHECK(state().outcome() == wire::settings_refused);
}

TEST_CASE_FIXTURE(keeper_world, "a file that was there before keeps what policies do not speak of") {
  machine.edit(sshd_file, "Port 99\nBanner /etc/issue\n");
  SUBCASE("when all goes well") {
    give({hardened});
    CHECK(machine.files.at(sshd_file) == "Banner /etc/issue\n" + hardened_text);
    end_commands();
    CHECK(local_of(state()) == "Banner: /etc/issue\n");
  }
  SUBCASE("and comes back when the check refuses") {
    give({hardened});
    end_command(1, "no");
    CHECK(machine.files.at(sshd_file) == "Port 99\nBanner /etc/issue\n");
  }
}

TEST_CASE_FIXTURE(hardened_world, "a failed reload is told, and tried again at growing distances") {
  give({moved});
  end_command();
  end_command(1, "Job failed");
  CHECK(state().outcome() == wire::settings_failed);
  CHECK(state().detail() == "the file is good, but reloading failed: Job failed");
  CHECK(machine.files.at(sshd_file) == moved_text);
  pass(50s);
  CHECK(machine.commands.empty());
  pass(20s);
  REQUIRE(machine.commands.size() == 1);
  end_command();
  end_command(1, "Job failed");
  pass(110s);
  CHECK(machine.commands.empty());
  pass(20s);
  REQUIRE(machine.commands.size() == 1);
  end_commands();
  CHECK(state().outcome() == wire::settings_applied);
}

TEST_CASE_FIXTURE(hardened_world, "a file that cannot be written is told, and tried again") {
  machine.write_problem = "No space left on device";
  give({moved});
  CHECK(state().outcome() == wire::settings_failed);
  CHECK(state().detail() == "No space left on device");
  machine.write_problem.clear();
  pass(70s);
  end_commands();
  CHECK(state().outcome() == wire::settings_applied);
  CHECK(machine.files.at(sshd_file) == moved_text);
}

TEST_CASE_FIXTURE(hardened_world, "a policy that is withdrawn lets the application go") {
  machine.connectors["sshd"].connector.defaults = yaml("{UsePAM: true}");
  machine.connectors_changed = true;
  tick();
  end_commands();
  machine.changes_told.clear();
  give({});
  CHECK(machine.files.at(sshd_file) == "UsePAM yes\n");
  end_commands();
  CHECK(report()->states.empty());
  CHECK(report()->states_digest == net::section_digest_of("")); // the server may have states of us
  CHECK(machine.changes_told.size() == 1);
  machine.edit(sshd_file, "PermitRootLogin yes\n");
  machine.take_done();
  tick();
  CHECK(machine.take_done().empty());
}

TEST_CASE_FIXTURE(keeper_world, "whoever cannot be managed is reported with the reason") {
  SUBCASE("no connector") {
    give({policy("chrony", 1, "{makestep: 1}")});
    CHECK(state("chrony").outcome() == wire::settings_no_connector);
    CHECK(state("chrony").detail() == "there is no connector for 'chrony' in /etc/muster/apps.d");
    CHECK(state("chrony").revision() == 1);
  }
  SUBCASE("not installed, until it is") {
    machine.packages.clear();
    give({hardened});
    CHECK(state().outcome() == wire::settings_not_installed);
    CHECK_FALSE(machine.files.contains(sshd_file));
    machine.packages.insert("openssh-server");
    tick();
    end_commands();
    CHECK(state().outcome() == wire::settings_applied);
    machine.packages.clear();
    tick();
    CHECK(state().outcome() == wire::settings_not_installed);
  }
  SUBCASE("unsafe, until it is mended") {
    machine.connectors["sshd"].how = found_connector::verdict::unsafe;
    machine.connectors["sshd"].problem = "it belongs to user 1000";
    machine.connectors_changed = true;
    tick();
    give({hardened});
    CHECK(state().outcome() == wire::settings_unsafe);
    CHECK(state().detail() == "it belongs to user 1000");
    CHECK(machine.done.empty());
    machine.connectors["sshd"].how = found_connector::verdict::good;
    machine.connectors_changed = true;
    tick();
    end_commands();
    CHECK(state().outcome() == wire::settings_applied);
  }
  SUBCASE("what the file cannot say") {
    give({policy("sshd", 1, "{Match: {User: root}}")});
    CHECK(state().outcome() == wire::settings_refused);
    CHECK(state().detail() == "'Match' is a map: a file of lines has none");
    CHECK(machine.done.empty());
  }
  SUBCASE("no document of settings") {
    give({document_with(document_kind::settings, "sshd", 1, yaml("{what: ever}"))});
    CHECK(state().outcome() == wire::settings_refused);
  }
  SUBCASE("the machine's owner forbids it") {
    auto options = defaults();
    options.manage = false;
    start(options);
    give({hardened});
    CHECK(state().outcome() == wire::settings_no_connector);
    CHECK(state().detail() == "the owner of this machine forbids it: settings.manage is false");
    CHECK(machine.done.empty());
  }
  machine.take_done();
  tick();
  CHECK(machine.take_done().empty());
}

TEST_CASE_FIXTURE(hardened_world, "another connector means another look") {
  SUBCASE("that writes the file in another way") {
    machine.connectors["sshd"].connector.style.flags = rules::flag_words::on_off;
    machine.connectors_changed = true;
    tick();
    CHECK(machine.files.at(sshd_file) == "PermitRootLogin off\nPort 22\n");
    end_commands();
  }
  SUBCASE("after which what was refused is tried again") {
    give({moved});
    end_command(1, "no");
    machine.take_done();
    machine.connectors_changed = true;
    tick();
    CHECK(machine.take_done() == strings{"write " + sshd_file, "run /usr/sbin/sshd"});
    end_commands();
    CHECK(state().outcome() == wire::settings_applied);
  }
}

TEST_CASE_FIXTURE(hardened_world, "what has an end is not begun again by a restart") {
  SUBCASE("applied") {}
  SUBCASE("refused") {
    give({moved});
    end_command(1, "no");
  }
  const auto before = report();
  machine.take_done();
  start();
  tick();
  const auto begun = machine.take_done();
  for (const auto& one : begun)
    CHECK(one == "run /usr/sbin/sshd"); // the daemon is asked how it is
  CHECK(begun.size() <= 1);
  CHECK(state().outcome() != wire::settings_outcome_unspecified);
  CHECK(report()->documents == before->documents);
}

TEST_CASE("a kill at any step of an application is followed by the whole of it once more") {
  keeper_ground ground;
  for (int step = 0; step < 4; ++step) {
    CAPTURE(step);
    storage::memory_store db;
    ground.machine_.files[sshd_file] = hardened_text;
    {
      keeper_life life{db, ground.machine_};
      life.give({hardened});
      life.end_commands();
    }
    ground.machine_.take_done();
    {
      keeper_life life{db, ground.machine_};
      life.end_commands();
      life.give({moved}); // written; and then so many commands have ended
      for (int i = 0; i < step && !ground.machine_.commands.empty(); ++i)
        life.end_command();
    }
    ground.machine_.take_done();
    keeper_life life{db, ground.machine_};
    const bool ended = step == 3;
    if (!ended)
      CHECK(ground.machine_.take_done() == strings{"write " + sshd_file, "run /usr/sbin/sshd"});
    life.end_commands();
    CHECK(ground.machine_.files.at(sshd_file) == moved_text);
    CHECK(life.state().outcome() == wire::settings_applied);
    CHECK(life.state().revision() == 8);
    CHECK(life.events().empty()); // nobody takes our own work for a hand's
  }
}

TEST_CASE("a kill in the middle of a bad document ends with the last good file") {
  keeper_ground ground;
  {
    keeper_life life{ground.db, ground.machine_};
    life.give({hardened});
    life.end_commands();
    life.give({moved}); // the bad one is in its place, and not yet checked
  }
  CHECK(ground.machine_.files.at(sshd_file) == moved_text);
  keeper_life life{ground.db, ground.machine_};
  life.end_command(1, "bad");
  CHECK(ground.machine_.files.at(sshd_file) == hardened_text);
  CHECK(life.state().outcome() == wire::settings_refused);
}

TEST_CASE_FIXTURE(keeper_world, "a document counts when it is on the disk, not before") {
  const auto wishes = want({hardened});
  REQUIRE(wishes.size() == 1);
  CHECK(report()->documents == manifest_of({})->digest);
  REQUIRE(put(hardened.parcel()));
  CHECK(report()->documents == manifest_of({hardened})->digest);
  std::error_code ec;
  CHECK(db.get(storage::family::inventory, storage::keys::document({1, "sshd"}), ec));
  auto broken = moved.parcel();
  broken.data.pop_back();
  want({moved});
  const auto refused = put(broken);
  REQUIRE_FALSE(refused);
  CHECK(text_of(refused.error()).starts_with("document 'sshd': it cannot be unpacked"));
}

TEST_CASE_FIXTURE(keeper_world, "many applications are seen to one after the other") {
  machine.connect(R"(name = "chrony"
[settings]
file = "/etc/chrony/conf.d/50-muster.conf"
format = "lines"
[commands]
check = ["/usr/sbin/chronyd", "-p"]
)",
                  "chrony.toml");
  tick();
  give({hardened, policy("chrony", 2, "{makestep: 1 3}")});
  while (!machine.commands.empty()) {
    CHECK(machine.commands.size() == 1);
    end_command();
  }
  CHECK(state("sshd").outcome() == wire::settings_applied);
  CHECK(state("chrony").outcome() == wire::settings_applied);
  CHECK(machine.files.at("/etc/chrony/conf.d/50-muster.conf") == "makestep 1 3\n");
}

TEST_CASE_FIXTURE(keeper_world, "the agent's own policy is told, refused by name, and ends with its document") {
  give({policy("muster-agent", 4, "{sync_period_s: 60, keep: true}")});
  REQUIRE_FALSE(machine.policies.empty());
  CHECK(machine.policies.back().sync_period_s == 60);
  CHECK(machine.policies.back().keep == true);
  CHECK(state("muster-agent").outcome() == wire::settings_applied);
  give({policy("muster-agent", 5, "{sync_period_s: 1}")});
  CHECK(state("muster-agent").outcome() == wire::settings_refused);
  CHECK_FALSE(state("muster-agent").detail().empty());
  CHECK(machine.policies.back().sync_period_s == 60); // the last good one
  machine.policies.clear();
  start();
  REQUIRE(machine.policies.size() == 1);
  CHECK(machine.policies.back().sync_period_s == 60);
  give({});
  CHECK_FALSE(machine.policies.back().sync_period_s);
  CHECK(report()->states.empty());
}

TEST_CASE_FIXTURE(keeper_world, "what is reported keeps to what a server takes") {
  give({hardened});
  end_command();
  end_command();
  std::string much;
  for (int i = 0; i < 10'000; ++i)
    much += "setting" + std::to_string(i) + " value\n";
  end_command(0, much);
  CHECK(state().daemon_values().empty());
  give({moved});
  end_command(1, std::string(10'000, '\xc3'));
  CHECK(state().detail().size() <= limits::settings_detail_bytes_max);
  // More by hand than can be told is no longer a hand's.
  give({hardened});
  end_commands();
  machine.edit(sshd_file, hardened_text + much);
  tick();
  end_commands();
  CHECK(machine.files.at(sshd_file) == hardened_text);
}
