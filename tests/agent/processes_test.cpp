#include "actors/agent/probe/processes.hpp"

#include "net/wire/agent.pb.h"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace muster::actors::probe {

namespace {

using namespace std::string_view_literals;

constexpr std::int64_t boot_s = 1'700'000'000;
constexpr std::int64_t now_us = (boot_s + 1000) * 1'000'000;

/// A machine in a folder: /proc, and what dpkg says of files.
class fake_root {
public:
  fake_root() {
    std::filesystem::create_directories(path() / "proc");
    std::filesystem::create_directories(path() / "var/lib/dpkg/info");
    write("proc/stat", "cpu 1 2 3\nbtime " + std::to_string(boot_s) + "\n");
    write("var/lib/dpkg/status", "");
  }

  struct process {
    int pid = 0;
    int parent = 1;
    int session = 0;
    int terminal = 0;
    unsigned flags = 0;
    std::uint64_t cpu_s = 0;
    std::uint64_t started_s = 100;
    std::uint64_t resident_kb = 1000;
    char state = 'S';
    std::string link;
    std::string_view cmdline;
  };

  void run(const process& p) const {
    const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    const auto page_kb = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
    const auto name = "proc/" + std::to_string(p.pid);
    std::filesystem::create_directories(path() / name);
    const auto word = [](auto n) { return std::to_string(n) + " "; };
    write(name + "/stat", word(p.pid) + "(name) " + p.state + " " + word(p.parent) + word(p.pid) +
                            word(p.session) + word(p.terminal) + "-1 " + word(p.flags) +
                            "0 0 0 0 " + word(p.cpu_s * ticks) + "0 0 0 20 0 1 0 " +
                            word(p.started_s * ticks) + "4096 " + word(p.resident_kb / page_kb) +
                            "0 0 0 0\n");
    write(name + "/cmdline", std::string{p.cmdline});
    if (!p.link.empty())
      std::filesystem::create_symlink(p.link, path() / name / "exe");
  }
  void own(const std::string& package, const std::string& files) const {
    write("var/lib/dpkg/info/" + package + ".list", files);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream{path() / name, std::ios::binary} << text;
  }
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }

  wire::run_states look(package_owners& owners, std::int64_t at_us = now_us) const {
    wire::run_states out;
    CHECK(read_processes({.root = path()}, at_us, owners, out));
    return out;
  }
  wire::run_states look() const {
    package_owners owners{path()};
    return look(owners);
  }

private:
  test::temp_directory folder_;
};

} // namespace

TEST_CASE("the processes of one program are one service, with its package") {
  fake_root root;
  root.own("nginx-core", "/.\n/usr/sbin/nginx\n");
  root.run({.pid = 50,
            .session = 50,
            .cpu_s = 1,
            .started_s = 200,
            .resident_kb = 4000,
            .link = "/usr/sbin/nginx",
            .cmdline = "nginx: master process\0"sv});
  root.run({.pid = 51,
            .parent = 50,
            .session = 50,
            .cpu_s = 7,
            .started_s = 201,
            .resident_kb = 8000,
            .link = "/usr/sbin/nginx",
            .cmdline = "nginx: worker process\0"sv});
  const auto out = root.look();
  REQUIRE(out.items_size() == 1);
  const auto& item = out.items(0);
  CHECK(item.name() == "nginx");
  CHECK(item.kind() == wire::run_kind_process);
  CHECK(item.state() == "running");
  CHECK(item.since_s() == boot_s + 200);
  CHECK(item.application() == "nginx-core");
  CHECK(item.processes() == 2);
  CHECK(item.memory_class_kb() == 16384);
  CHECK(item.cpu_class_permille() == 10); // 8 of 800 seconds
}

TEST_CASE("what is no service is not told") {
  fake_root root;
  root.run({.pid = 20, .session = 20, .terminal = 34816, .link = "/usr/bin/vim", .cmdline = {}});
  root.run({.pid = 21, .session = 21, .flags = 0x00200000, .link = {}, .cmdline = {}});
  root.run({.pid = 22, .session = 22, .state = 'Z', .link = "/usr/bin/dead", .cmdline = {}});
  root.run({.pid = 23, .session = 23, .started_s = 995, .link = "/usr/bin/job", .cmdline = {}});
  root.run({.pid = 24, .parent = 30, .session = 30, .link = "/usr/bin/child", .cmdline = {}});
  root.run({.pid = 30, .parent = 1, .session = 30, .link = "/usr/sbin/cron", .cmdline = {}});
  const auto out = root.look();
  REQUIRE(out.items_size() == 1);
  CHECK(out.items(0).name() == "cron");
}

TEST_CASE("in a container the first process is a service, whatever it leads") {
  fake_root root;
  root.run({.pid = 1, .parent = 0, .session = 0, .link = "/usr/bin/redis-server", .cmdline = {}});
  const auto out = root.look();
  REQUIRE(out.items_size() == 1);
  CHECK(out.items(0).name() == "redis-server");
}

TEST_CASE("the list is the same at every look, sorted by name") {
  fake_root root;
  for (int pid = 10; pid < 40; ++pid)
    root.run({.pid = pid,
              .session = pid,
              .link = "/usr/bin/p" + std::to_string(pid * 7 % 30),
              .cmdline = {}});
  package_owners owners{root.path()};
  const auto first = root.look(owners);
  REQUIRE(first.items_size() == 30);
  for (int i = 1; i < first.items_size(); ++i)
    CHECK(first.items(i - 1).name() < first.items(i).name());
  CHECK(root.look(owners, now_us + 60'000'000).SerializeAsString() == first.SerializeAsString());
}

TEST_CASE("processes that end while we look, and files that are none, are passed over") {
  fake_root root;
  root.run({.pid = 30, .session = 30, .link = "/usr/sbin/cron", .cmdline = {}});
  std::filesystem::create_directories(root.path() / "proc/31"); // ended: nothing in it any more
  std::filesystem::create_directories(root.path() / "proc/32");
  root.write("proc/32/stat", "32 (half) S 1 3");
  std::filesystem::create_directories(root.path() / "proc/sys");
  CHECK(root.look().items_size() == 1);
}

TEST_CASE("a machine without /proc has no answer") {
  test::temp_directory folder;
  package_owners owners{folder.path()};
  wire::run_states out;
  CHECK_FALSE(read_processes({.root = folder.path()}, now_us, owners, out));
}

TEST_CASE("this machine runs something") {
  package_owners owners{"/"};
  wire::run_states out;
  timespec now{};
  REQUIRE(::clock_gettime(CLOCK_REALTIME, &now) == 0);
  // Old enough for anything: the test itself may be the container's first process.
  REQUIRE(
    read_processes({.root = "/", .young_s = 0}, std::int64_t{now.tv_sec} * 1'000'000, owners, out));
  REQUIRE(out.items_size() > 0);
  for (const auto& item : out.items()) {
    CHECK_FALSE(item.name().empty());
    CHECK(item.processes() > 0);
    CHECK(item.since_s() > 0);
    CHECK(item.since_s() <= now.tv_sec + 1);
  }
}

// -- owners ---------------------------------------------------------------------------------------

TEST_CASE("a file's package is found under both names of a merged folder") {
  fake_root root;
  root.own("bash", "/.\n/bin\n/bin/bash\n");
  root.own("libc6:amd64", "/usr/lib/ld.so\n");
  package_owners owners{root.path()};
  owners.learn({"/usr/bin/bash", "/lib/ld.so", "/opt/own", "relative", ""});
  CHECK(owners.owner_of("/usr/bin/bash") == "bash");
  CHECK(owners.owner_of("/lib/ld.so") == "libc6");
  CHECK(owners.owner_of("/opt/own").empty());
  CHECK(owners.owner_of("relative").empty());
  CHECK(owners.owner_of("never asked").empty());
}

TEST_CASE("what is known of files is forgotten when dpkg has changed something") {
  fake_root root;
  root.own("one", "/usr/bin/thing\n");
  package_owners owners{root.path()};
  owners.learn({"/usr/bin/thing"});
  CHECK(owners.owner_of("/usr/bin/thing") == "one");
  std::filesystem::remove(root.path() / "var/lib/dpkg/info/one.list");
  root.own("two", "/usr/bin/thing\n");
  owners.learn({"/usr/bin/thing"});
  CHECK(owners.owner_of("/usr/bin/thing") == "one"); // nothing says that anything has changed
  const auto status = root.path() / "var/lib/dpkg/status";
  std::filesystem::last_write_time(status, std::filesystem::last_write_time(status) +
                                             std::chrono::seconds{1});
  owners.learn({"/usr/bin/thing"});
  CHECK(owners.owner_of("/usr/bin/thing") == "two");
}

TEST_CASE("of two packages that list a file the first by name owns it") {
  fake_root root;
  root.own("zsh", "/bin/sh\n");
  root.own("dash", "/bin/sh\n");
  package_owners owners{root.path()};
  owners.learn({"/bin/sh"});
  CHECK(owners.owner_of("/bin/sh") == "dash");
}

TEST_CASE("no more files are remembered than there is room for") {
  fake_root root;
  root.own("many", "/usr/bin/f0\n/usr/bin/f5000\n");
  package_owners owners{root.path()};
  std::vector<std::string> paths;
  for (int i = 0; i < 5001; ++i)
    paths.push_back("/usr/bin/f" + std::to_string(i));
  owners.learn(paths);
  CHECK(owners.owner_of("/usr/bin/f0") == "many");
  CHECK(owners.owner_of("/usr/bin/f5000").empty());
  owners.learn({"/usr/bin/f5000"}); // the full memory makes room
  CHECK(owners.owner_of("/usr/bin/f5000") == "many");
}

TEST_CASE("only merged folders have two names") {
  CHECK(listed_names("/usr/sbin/cron") == std::vector<std::string>{"/usr/sbin/cron", "/sbin/cron"});
  CHECK(listed_names("/lib64/x") == std::vector<std::string>{"/lib64/x", "/usr/lib64/x"});
  CHECK(listed_names("/usr/share/x") == std::vector<std::string>{"/usr/share/x"});
  CHECK(listed_names("/opt/bin/x") == std::vector<std::string>{"/opt/bin/x"});
}

} // namespace muster::actors::probe
