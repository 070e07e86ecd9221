// What hands do to the files of applications, and what the keeper makes of it.
#include "tests/agent/hardened_world.hpp"

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(hardened_world, "a locked value changed by hand is repaired, with an event") {
  SUBCASE("another value") { machine.edit(sshd_file, "PermitRootLogin yes\nPort 22\n"); }
  SUBCASE("in another spelling beside it") {
    machine.edit(sshd_file, "permitrootlogin yes\n" + hardened_text);
  }
  SUBCASE("twice") { machine.edit(sshd_file, "PermitRootLogin yes\n" + hardened_text); }
  SUBCASE("taken away") { machine.edit(sshd_file, "Port 22\n"); }
  SUBCASE("with the whole file") {
    machine.files.erase(sshd_file);
    ++machine.writes[sshd_file];
  }
  SUBCASE("made unreadable") { machine.edit(sshd_file, hardened_text + '\x01'); }
  SUBCASE("its owner or mode") { machine.attributes_fit = false; }
  tick();
  CHECK(machine.files.at(sshd_file) == hardened_text);
  end_commands();
  CHECK(state().outcome() == wire::settings_applied);
  CHECK(state().local_values().empty());
  const auto told = events();
  REQUIRE(told.size() == 1);
  CHECK(told[0].starts_with("settings.repaired: sshd: "));
}

TEST_CASE_FIXTURE(hardened_world, "an unlocked value changed by hand becomes the device's own") {
  machine.edit(sshd_file, "PermitRootLogin no\nPort 2200\nBanner none\n");
  tick();
  CHECK(machine.take_done() == strings{"run /usr/sbin/sshd"}); // is it good?
  end_command();
  CHECK(machine.files.at(sshd_file) == "PermitRootLogin no\nPort 2200\nBanner none\n");
  CHECK(local_of(state()) == "Banner: none\nPort: \"2200\"\n");
  CHECK(events() == strings{"settings.changed_locally: sshd: Banner, Port changed by hand in " +
                            sshd_file + ": this device's own from now on"});
  CHECK(machine.changes_told.size() == 1);
  tick();
  CHECK(machine.take_done().empty());

  // It outlives the next policy, and goes when a hand takes it away.
  give({moved});
  CHECK(machine.files.at(sshd_file) == "Banner none\nPermitRootLogin no\nPort 2200\n");
  end_commands();
  machine.edit(sshd_file, "PermitRootLogin no\nPort 2222\n");
  tick();
  end_commands();
  CHECK(machine.files.at(sshd_file) == "PermitRootLogin no\nPort 2222\n");
  machine.take_done();
  tick();
  CHECK(machine.take_done().empty());
}

TEST_CASE_FIXTURE(hardened_world, "what a hand has broken is set back") {
  machine.edit(sshd_file, "PermitRootLogin no\nPort 22\nNonsense 1\n");
  tick();
  end_command(255, "Bad configuration option: Nonsense");
  CHECK(machine.files.at(sshd_file) == hardened_text);
  CHECK(end_command() == "/usr/bin/systemctl ssh");
  CHECK(state().local_values().empty());
  CHECK(events().at(0).starts_with("settings.repaired: sshd: Nonsense changed by hand"));
}

TEST_CASE_FIXTURE(hardened_world, "a comment by hand is nobody's business") {
  machine.edit(sshd_file, "# why not\n" + hardened_text);
  tick();
  CHECK(machine.take_done().empty());
  CHECK(events().empty());
  tick();
  CHECK(machine.files.at(sshd_file).starts_with("# why not"));
}

TEST_CASE_FIXTURE(hardened_world, "something that writes against us is told once a minute") {
  for (int i = 0; i < 12; ++i) {
    machine.edit(sshd_file, "PermitRootLogin yes\nPort 22\n");
    tick();
    end_commands();
    CHECK(machine.files.at(sshd_file) == hardened_text);
  }
  CHECK(events().size() == 2);
}

TEST_CASE_FIXTURE(hardened_world, "an administrator's own settings win over hands, locks over both") {
  machine.edit(sshd_file, "PermitRootLogin no\nPort 2200\n");
  tick();
  end_commands();
  give({hardened, own_settings("sshd", 3, "{Port: 22022, PermitRootLogin: true}")});
  CHECK(machine.files.at(sshd_file) == "PermitRootLogin no\nPort 22022\n");
  end_commands();
  CHECK(state().own_hash().size() == 16);
  CHECK(state().revision() == 7);
}
