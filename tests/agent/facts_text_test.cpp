#include "actors/agent/probe/facts_text.hpp"

#include "actors/agent/probe/text.hpp"
#include "net/wire/agent.pb.h"

#include <doctest/doctest.h>

#include <utmp.h>

#include <cstring>
#include <string>

namespace muster::actors::probe {

TEST_CASE("the operating system tells its name with and without quotes") {
  const auto os = parse_os_release(
    "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID='12'\nID=debian\n");
  CHECK(os.id == "debian");
  CHECK(os.name == "Debian GNU/Linux 12 (bookworm)");
  CHECK(os.version == "12");
}

TEST_CASE("processors are counted and the first model counts") {
  const auto cpu =
    parse_cpuinfo("processor\t: 0\nmodel name\t: AMD EPYC\nflags\t: fpu hypervisor\n\n"
                  "processor\t: 1\nmodel name\t: AMD EPYC\n");
  CHECK(cpu.cpus == 2);
  CHECK(cpu.model == "AMD EPYC");
  CHECK(cpu.hypervisor);
}

TEST_CASE("memory figures are found by their whole name") {
  const std::string text = "MemTotal:  16 kB\nMemFree: 3 kB\nMemAvailable:   7 kB\n";
  CHECK(parse_meminfo(text, "MemTotal") == 16);
  CHECK(parse_meminfo(text, "MemAvailable") == 7);
  CHECK(parse_meminfo(text, "Mem") == 0);
}

TEST_CASE("only local disks count, each once, and blanks in names are read") {
  const auto mounts =
    parse_mounts("proc /proc proc rw 0 0\n/dev/vda / ext4 rw 0 0\n"
                 "/dev/vda /srv/bound ext4 rw 0 0\n/dev/loop0 /snap/x squashfs ro 0 0\n"
                 "/dev/sdb1 /media/my\\040disk vfat ro,utf8 0 0\n");
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].where == "/");
  CHECK(mounts[1].where == "/media/my disk");
  CHECK_FALSE(mounts[0].read_only);
  CHECK(mounts[1].read_only);
}

TEST_CASE("the root counts whatever it stands on: a container's is no disk") {
  const auto mounts =
    parse_mounts("rootfs / rootfs rw 0 0\noverlay / overlay rw,lowerdir=/x 0 0\n"
                 "overlay /var/lib/other overlay rw 0 0\ntmpfs /run tmpfs rw 0 0\n");
  REQUIRE(mounts.size() == 1);
  CHECK(mounts[0].where == "/");
  CHECK(mounts[0].file_system == "overlay");
}

TEST_CASE("a session's user is logged in, unless it is nobody's or about to end") {
  const std::string session =
    "# This is private data. Do not parse.\nUID=1000\nUSER=ann\nACTIVE=1\n"
    "STATE=active\nTYPE=tty\nCLASS=user\n";
  CHECK(parse_session(session) == "ann");
  for (std::size_t cut = 0; cut + 1 < session.size(); ++cut)
    CHECK(parse_session(std::string_view{session}.substr(0, cut)).empty());
  CHECK(parse_session("USER=gdm\nSTATE=active\nCLASS=greeter\n").empty());
  CHECK(parse_session("USER=ann\nSTATE=closing\nCLASS=user\n").empty());
  CHECK(parse_session("").empty());
}

TEST_CASE("a variable is found by its whole name") {
  using namespace std::string_view_literals;
  constexpr auto text = "PATH=/bin\0xcontainer=no\0container=lxc\0container2=x\0"sv;
  CHECK(environment_value(text, "container") == "lxc");
  CHECK(environment_value(text, "contain").empty());
  CHECK(environment_value(text.substr(0, 14), "container").empty());
}

TEST_CASE("load, uptime and boot time are read") {
  CHECK(parse_loadavg("1.25 0.50 0.10 1/200 4711\n") == 1250);
  CHECK(parse_loadavg("") == 0);
  CHECK(parse_uptime("4711.12 800.00\n") == 4711);
  CHECK(parse_boot_time("cpu 1 2 3\nbtime 1700000000\n") == 1700000000);
}

TEST_CASE("who is logged in is listed once and in order") {
  const auto entry = [](const char* user, short type) {
    utmp e{};
    e.ut_type = type;
    std::strncpy(e.ut_user, user, sizeof e.ut_user);
    return std::string(reinterpret_cast<const char*>(&e), sizeof e);
  };
  const auto bytes = entry("zoe", USER_PROCESS) + entry("reboot", BOOT_TIME) +
                     entry("ann", USER_PROCESS) + entry("zoe", USER_PROCESS);
  CHECK(parse_utmp(bytes) == std::vector<std::string>{"ann", "zoe"});
  CHECK(parse_utmp(std::string_view{bytes}.substr(0, bytes.size() - 1)).size() == 2);
}

TEST_CASE("the time zone comes from the link, else from the file") {
  CHECK(parse_time_zone("/usr/share/zoneinfo/Europe/Berlin", "Etc/UTC\n") == "Europe/Berlin");
  CHECK(parse_time_zone("", "Etc/UTC\n") == "Etc/UTC");
}

TEST_CASE("virtual machines and containers are told apart from real ones") {
  CHECK(virtualization_of("Dell Inc. Latitude", false, "") == "none");
  CHECK(virtualization_of("QEMU Standard PC", true, "") == "qemu");
  CHECK(virtualization_of("", true, "") == "virtual");
  CHECK(virtualization_of("QEMU", true, "lxc\n") == "lxc");
}

TEST_CASE("text cut at any byte stays valid UTF-8") {
  const std::string text = "M\xC3\xBCller \xE2\x82\xAC \xF0\x9F\x98\x80";
  CHECK(clean(text) == text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    wire::device_facts facts;
    facts.set_host_name(clean(text, cut));
    CHECK(facts.host_name().size() <= cut);
    wire::device_facts back;
    CHECK(back.ParseFromString(facts.SerializeAsString()));
  }
  CHECK(clean("\xFF\xC0\x80x") == "???x");
  CHECK(clean("\xED\xA0\x80") == "???");
}

} // namespace muster::actors::probe
