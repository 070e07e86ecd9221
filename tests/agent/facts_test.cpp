#include "actors/agent/probe/facts.hpp"

#include "net/wire/agent.pb.h"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <sys/utsname.h>
#include <utmp.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace muster::actors::probe {

namespace {

class machine_folder {
public:
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path() / name).parent_path());
    std::ofstream{path() / name, std::ios::binary} << text;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }
  [[nodiscard]] wire::device_facts facts() const {
    return read_facts({.root = folder_.path(), .name = {}});
  }

private:
  test::temp_directory folder_;
};

std::string utmp_entry(const char* user) {
  utmp e{};
  e.ut_type = USER_PROCESS;
  std::memcpy(e.ut_user, user, std::strlen(user));
  return {reinterpret_cast<const char*>(&e), sizeof e};
}

} // namespace

TEST_CASE("users are those that utmp or logind knows, each once") {
  machine_folder machine;
  machine.write("run/utmp", utmp_entry("zoe") + utmp_entry("ann"));
  machine.write("run/systemd/sessions/1", "USER=ann\nSTATE=active\nCLASS=user\n");
  machine.write("run/systemd/sessions/c2", "USER=bob\nSTATE=online\nCLASS=user\n");
  machine.write("run/systemd/sessions/c1", "USER=gdm\nSTATE=online\nCLASS=greeter\n");
  const auto facts = machine.facts();
  REQUIRE(facts.users_size() == 3);
  CHECK(facts.users(0) == "ann");
  CHECK(facts.users(1) == "bob");
  CHECK(facts.users(2) == "zoe");
}

TEST_CASE("a container says what it is in one of several ways") {
  machine_folder machine;
  machine.write("proc/cpuinfo", "processor : 0\nflags : hypervisor\n");
  CHECK(machine.facts().virtualization() == "virtual");
  machine.write(".dockerenv", "");
  CHECK(machine.facts().virtualization() == "docker");
  machine.write("run/.containerenv", "");
  CHECK(machine.facts().virtualization() == "podman");
  machine.write("proc/1/environ", std::string{"PATH=/bin\0container=lxc\0", 24});
  CHECK(machine.facts().virtualization() == "lxc");
  machine.write("run/systemd/container", "systemd-nspawn\n");
  CHECK(machine.facts().virtualization() == "systemd-nspawn");
}

TEST_CASE("a board without firmware tables tells its model") {
  machine_folder machine;
  machine.write("proc/device-tree/model", std::string{"Raspberry Pi 4 Model B\0", 23});
  CHECK(machine.facts().product() == "Raspberry Pi 4 Model B");
}

TEST_CASE("an empty folder is a machine of which nothing is known but its kernel") {
  machine_folder machine;
  const auto facts = machine.facts();
  CHECK_FALSE(facts.host_name().empty());
  CHECK(facts.os_id().empty());
  CHECK(facts.disks_size() == 0);
  CHECK(facts.users_size() == 0);
  CHECK(read_disks(machine.path()).empty());
  CHECK(read_boot_id(machine.path()) == boot_id{});
}

TEST_CASE("whether a disk can be written to is the machine's word, not that of our own protected view") {
  machine_folder machine;
  machine.write("proc/self/mounts", "/dev/vda / ext4 ro 0 0\n");
  machine.write("proc/1/mounts", "/dev/vda / ext4 rw 0 0\n");
  REQUIRE(read_disks(machine.path()).size() == 1);
  CHECK(read_disks(machine.path()).front().mount == "/");
  machine.write("proc/1/mounts", "/dev/vda / ext4 ro 0 0\n");
  CHECK(read_disks(machine.path()).empty());
  CHECK(machine.facts().disks_size() == 1);
}

TEST_CASE("this machine is described as it describes itself") {
  const auto facts = read_facts({.root = "/", .name = {}});
  utsname kernel{};
  REQUIRE(::uname(&kernel) == 0);
  CHECK(facts.host_name() == kernel.nodename);
  CHECK(facts.kernel() == kernel.release);
  CHECK(facts.architecture() == kernel.machine);
  CHECK_FALSE(facts.os_id().empty());
  CHECK_FALSE(facts.os_name().empty());
  CHECK(facts.cpus() >= 1);
  CHECK(facts.memory_bytes() > 64 * 1024 * 1024);
  REQUIRE(facts.disks_size() >= 1);
  CHECK(facts.disks(0).mount() == "/");
  CHECK_FALSE(facts.virtualization().empty());
  CHECK(facts.SerializeAsString() == read_facts({.root = "/", .name = {}}).SerializeAsString());

  const auto figures = read_statistics("/");
  CHECK(figures.uptime_s > 0);
  CHECK(figures.memory_available_kb > 0);
  CHECK(figures.memory_available_kb * 1024 <= facts.memory_bytes());
  CHECK(figures.disk_used_percent <= 100);
  CHECK_FALSE(read_boot_id("/") == boot_id{});
}

TEST_CASE("a name given to the agent is shown instead of the machine's") {
  CHECK(read_facts({.root = "/", .name = "mill"}).host_name() == "mill");
}

} // namespace muster::actors::probe
