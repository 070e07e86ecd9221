// Must hold: real daemons are managed. A policy reaches the daemon's file and the running process, a
// broken one is refused by the daemon's own check, drift is repaired.
#include "actors/agent/settings_file_disk.hpp"
#include "tests/agent/keeper_world.hpp"
#include "tests/system/process.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

constexpr const char* sshd = "/usr/sbin/sshd";
constexpr const char* chronyd = "/usr/sbin/chronyd";

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

std::uint16_t free_port() {
  const descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  auto address = loopback(0);
  socklen_t size = sizeof address;
  REQUIRE(::bind(socket.number(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

/// The first line that the server at this port says; empty: nobody is there.
std::string greeting_of(std::uint16_t port) {
  const descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto address = loopback(port);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {};
  const timeval patience{10, 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string out;
  char c = 0;
  while (::recv(socket.number(), &c, 1, 0) == 1 && c != '\n')
    out += c;
  return out;
}

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// The keeper with this machine's own hands: its commands are real ones.
struct daemon_world : quiet_log {
  daemon_world() {
    fs::create_directory(connectors);
    fs::create_directory(drop_ins);
    fs::permissions(connectors, fs::perms{0755});
  }
  void begin() {
    life.emplace(db, machine);
    auto options = life->defaults();
    options.hands = hands_on_this_machine(connectors);
    // Actors of a test run on its own thread: what ends on another one waits for it.
    options.hands.run = [this, run = options.hands.run](command_order order, auto done) {
      run(std::move(order), [this, done](command_result result) {
        const std::lock_guard guard{mutex};
        ended.push_back([done, result = std::move(result)] { done(result); });
      });
    };
    life->start(std::move(options));
  }
  /// Until it is so: programs take their time.
  bool becomes(const std::function<bool()>& so) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (!so()) {
      if (std::chrono::steady_clock::now() > until)
        return false;
      std::this_thread::yield();
      std::vector<std::function<void()>> now;
      {
        const std::lock_guard guard{mutex};
        now.swap(ended);
      }
      for (const auto& one : now)
        one();
      life->settle();
    }
    return true;
  }
  bool ends(const std::string& application, std::uint64_t revision) {
    return becomes([&] {
      const auto now = life->state(application);
      return now.revision() == revision && now.outcome() != wire::settings_outcome_unspecified;
    });
  }
  std::string daemon_value(const std::string& application, const std::string& name) {
    std::string problem;
    const auto values =
      rules::settings_from_bytes(life->state(application).daemon_values(), problem);
    const auto* found = values ? values->find(name) : nullptr;
    return found != nullptr && found->as_text() != nullptr ? *found->as_text() : "";
  }

  temporary_directory directory;
  fs::path connectors = directory.path() / "apps.d";
  fs::path drop_ins = directory.path() / "conf.d";
  std::mutex mutex;
  std::vector<std::function<void()>> ended;
  storage::memory_store db;
  settings_machine machine;
  std::optional<keeper_life> life;
};

} // namespace

TEST_CASE_FIXTURE(daemon_world, "a real sshd goes by its policy, refuses a broken one, and is set right "
                                "after a hand") {
  if (!fs::exists(sshd) || ::geteuid() != 0) {
    MESSAGE("left out: no sshd here, or not root");
    return;
  }
  fs::create_directories("/run/sshd"); // where sshd leaves its rights behind
  const auto port = free_port();
  const auto key = (directory.path() / "host_key").string();
  REQUIRE(run({"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key}).exit_code == 0);
  const auto pid = (directory.path() / "pid").string();
  const auto config =
    directory
      .write("sshd_config", "Include " + drop_ins.string() + "/*.conf\nPort " +
                              std::to_string(port) + "\nListenAddress 127.0.0.1\nHostKey " + key +
                              "\nPidFile " + pid + "\n")
      .string();
  const auto file = drop_ins / "00-muster.conf";
  std::ofstream{connectors / "sshd.toml"}
    << "name = \"sshd\"\n[detect]\nfiles = [\"" << sshd << "\"]\n[settings]\nfile = \""
    << file.string() << "\"\nformat = \"lines\"\nbooleans = \"yes/no\"\n[commands]\ncheck = [\""
    << sshd << "\", \"-t\", \"-f\", \"" << config
    << "\"]\nreload = [\"/bin/sh\", \"-c\", \"kill -HUP $(cat " << pid << ")\"]\nstatus = [\""
    << sshd << "\", \"-T\", \"-f\", \"" << config << "\"]\nstatus_format = \"lines\"\n";
  fs::permissions(connectors / "sshd.toml", fs::perms{0644});
  process daemon{{sshd, "-D", "-e", "-f", config}};
  begin();
  REQUIRE(becomes([&] { return fs::exists(pid) && !greeting_of(port).empty(); }));

  // A change reaches the file, the daemon's own word and the running process.
  life->give({policy("sshd", 7, "{PermitRootLogin: false, VersionAddendum: muster-one}",
                     {"PermitRootLogin"})});
  REQUIRE(ends("sshd", 7));
  CHECK_MESSAGE(life->state("sshd").outcome() == wire::settings_applied,
                life->state("sshd").detail());
  const std::string good = "PermitRootLogin no\nVersionAddendum muster-one\n";
  CHECK(text_of(file) == good);
  CHECK(daemon_value("sshd", "permitrootlogin") == "no");
  CHECK(becomes([&] { return greeting_of(port).find("muster-one") != std::string::npos; }));

  // sshd itself refuses nonsense; what was good stays, in the file and in the process.
  life->give({policy("sshd", 8, "{PermitRootLogin: sometimes}", {"PermitRootLogin"})});
  REQUIRE(ends("sshd", 8));
  CHECK(life->state("sshd").outcome() == wire::settings_refused);
  CHECK_MESSAGE(life->state("sshd").detail().find("sometimes") != std::string::npos,
                life->state("sshd").detail());
  CHECK(text_of(file) == good);
  CHECK(greeting_of(port).find("muster-one") != std::string::npos);

  life->give({policy("sshd", 9, "{PermitRootLogin: false, VersionAddendum: muster-two}",
                     {"PermitRootLogin"})});
  REQUIRE(ends("sshd", 9));
  CHECK(becomes([&] { return greeting_of(port).find("muster-two") != std::string::npos; }));

  // A hand at what is locked is set back, in the running process, too.
  std::ofstream{file} << "permitrootlogin yes\nVersionAddendum muster-two\n";
  life->tick();
  CHECK(becomes(
    [&] { return life->events().back().starts_with("settings.repaired: sshd: "); }));
  CHECK(text_of(file) == "PermitRootLogin no\nVersionAddendum muster-two\n");
  CHECK(life->state("sshd").outcome() == wire::settings_applied);
}

TEST_CASE_FIXTURE(daemon_world, "a real chronyd checks its settings and says what it has") {
  if (!fs::exists(chronyd)) {
    MESSAGE("left out: no chronyd here");
    return;
  }
  const auto config = directory.write("chrony.conf", "confdir " + drop_ins.string() + "\n").string();
  const auto file = drop_ins / "50-muster.conf";
  std::ofstream{connectors / "chrony.toml"}
    << "name = \"chrony\"\n[settings]\nfile = \"" << file.string()
    << "\"\nformat = \"lines\"\nbooleans = \"bare\"\n[commands]\ncheck = [\"" << chronyd
    << "\", \"-p\", \"-f\", \"" << config << "\"]\nstatus = [\"" << chronyd
    << "\", \"-p\", \"-f\", \"" << config << "\"]\nstatus_format = \"lines\"\n";
  fs::permissions(connectors / "chrony.toml", fs::perms{0644});
  begin();
  const std::string values = "{server: ntp.example.org iburst, makestep: 1 3, rtcsync: true}";
  life->give({policy("chrony", 1, values)});
  REQUIRE(ends("chrony", 1));
  CHECK_MESSAGE(life->state("chrony").outcome() == wire::settings_applied,
                life->state("chrony").detail());
  CHECK(daemon_value("chrony", "makestep") == "1 3");
  const auto good = text_of(file);
  CHECK(good == "makestep 1 3\nrtcsync\nserver ntp.example.org iburst\n");
  life->give({policy("chrony", 2, "{makestep: often}")});
  REQUIRE(ends("chrony", 2));
  CHECK(life->state("chrony").outcome() == wire::settings_refused);
  CHECK(life->state("chrony").detail().find("makestep") != std::string::npos);
  CHECK(text_of(file) == good);
}
