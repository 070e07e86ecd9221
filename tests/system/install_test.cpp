// Must hold: what `cmake --install` lays out is whole and understood by systemd, its examples say
// what is true, and its programs run with them, with the rights that their units leave them.

#include "tests/system/fleet.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

constexpr const char* systemd_analyze = "/usr/bin/systemd-analyze";
constexpr const char* systemd_sysusers = "/usr/bin/systemd-sysusers";
constexpr const char* setpriv = "/usr/bin/setpriv";
constexpr unsigned nobody = 65534;
constexpr int patience_ms = std::chrono::milliseconds{patience}.count();

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  REQUIRE_MESSAGE(in.good(), file.string() << " cannot be read");
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// One component of the build, below a folder that stands for the root of a machine.
class installation {
public:
  explicit installation(const std::string& component) {
    const auto done = run({MUSTER_CMAKE, "--install", MUSTER_BUILD_DIRECTORY, "--prefix", "/usr",
                           "--component", component},
                          {"DESTDIR=" + root_.path().string()});
    REQUIRE_MESSAGE(done.exit_code == 0, done.output);
    fs::permissions(root_.path(), fs::perms{0711}); // others run what is inside
  }

  [[nodiscard]] fs::path at(const std::string& place) const { return root_.path() / place; }
  [[nodiscard]] std::set<std::string> files() const {
    std::set<std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(root_.path()))
      if (!entry.is_directory())
        out.insert(entry.path().lexically_relative(root_.path()).string());
    return out;
  }
  [[nodiscard]] std::string unit(const std::string& program) const {
    return text_of(at("usr/lib/systemd/system/" + program + ".service"));
  }
  /// The example as it would be with every '#' taken away.
  [[nodiscard]] fs::path example_in_force(const std::string& component) const {
    const auto text = text_of(at("usr/share/doc/muster/examples/" + component + ".toml"));
    return root_.write("in-force.toml",
                       std::regex_replace(text, std::regex{"(^|\n)#([a-z_]+ = )"}, "$1$2"));
  }

private:
  temporary_directory root_;
};

/// Stands for systemd: hears what a service says of itself.
class service_manager {
public:
  service_manager() {
    fs::permissions(directory_.path(), fs::perms{0711});
    const auto path = (directory_.path() / "notify").string();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof(address.sun_path));
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    fs::permissions(path, fs::perms::all);
    variable_ = "NOTIFY_SOCKET=" + path;
  }
  ~service_manager() { ::close(fd_); }
  service_manager(const service_manager&) = delete;
  service_manager& operator=(const service_manager&) = delete;

  [[nodiscard]] const std::string& variable() const { return variable_; }
  /// What it says next; empty when it says nothing for too long.
  [[nodiscard]] std::string next() const {
    pollfd waiting{fd_, POLLIN, 0};
    std::array<char, 256> buffer{};
    if (::poll(&waiting, 1, patience_ms) != 1)
      return {};
    const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }

private:
  temporary_directory directory_;
  int fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::string variable_;
};

/// "key = value" for each setting, and where the values come from.
struct shown_settings {
  std::vector<std::string> values;
  std::vector<std::string> sources;
};

shown_settings settings_of(const fs::path& program, const fs::path& file) {
  const auto done = run({program.string(), "check-config", "--config", file.string()});
  REQUIRE_MESSAGE(done.exit_code == 0, done.output);
  shown_settings out;
  const std::regex line{"([a-z_.]+) += (.*?) +# ([^\n]+)\n"};
  for (std::sregex_iterator at{done.output.begin(), done.output.end(), line}, end; at != end;
       ++at) {
    out.values.push_back((*at)[1].str() + " = " + (*at)[2].str());
    out.sources.push_back((*at)[3]);
  }
  return out;
}

/// What its unit leaves of a program's rights, so far as that can be done without systemd.
words as_its_unit(const words& rights) {
  if (::getuid() != 0 || !fs::exists(setpriv))
    return {};
  words out{setpriv, "--no-new-privs"};
  out.insert(out.end(), rights.begin(), rights.end());
  return out;
}

std::string announced(process& program, const std::string& label) {
  const auto found = program.expect("\n  " + label + " +(\\S+)\n");
  REQUIRE_MESSAGE(found.has_value(), "no '" << label << "' in: " << program.output());
  return *found;
}

} // namespace

TEST_CASE("each component is installed with all that belongs to it, and nothing else") {
  CHECK(installation{"server"}.files() ==
        std::set<std::string>{
          "usr/bin/muster-server", "usr/lib/systemd/system/muster-server.service",
          "usr/lib/sysusers.d/muster.conf", "usr/share/doc/muster/examples/server.toml",
          "usr/share/doc/muster/install.md", "usr/share/doc/muster/server.md"});
  CHECK(installation{"agent"}.files() ==
        std::set<std::string>{"usr/bin/muster-agent", "usr/lib/systemd/system/muster-agent.service",
                              "usr/share/doc/muster/agent.md",
                              "usr/share/doc/muster/examples/agent.toml",
                              "usr/share/doc/muster/examples/apps.d/chrony.toml",
                              "usr/share/doc/muster/examples/apps.d/rsyslog.toml",
                              "usr/share/doc/muster/examples/apps.d/sshd.toml",
                              "usr/share/doc/muster/install.md"});
  const installation console{"console"};
  CHECK(console.files() ==
        std::set<std::string>{"usr/bin/muster", "usr/share/bash-completion/completions/muster",
                              "usr/share/doc/muster/api.md", "usr/share/doc/muster/console.md",
                              "usr/share/fish/vendor_completions.d/muster.fish",
                              "usr/share/zsh/site-functions/_muster"});
  const auto script = console.at("usr/share/bash-completion/completions/muster").string();
  CHECK(run({"/bin/bash", "-c", "source '" + script + "' && complete -p muster"}).exit_code == 0);
}

TEST_CASE("systemd understands the units without a word, and finds them hardened") {
  // By tenths; what the figure is made of is `systemd-analyze security --offline=true UNIT`.
  for (const auto& [component, exposure_max] : {std::pair{"server", "20"}, {"agent", "30"}}) {
    CAPTURE(component);
    const installation installed{component};
    const auto name = "muster-" + std::string{component};
    auto unit = installed.unit(name);
    CHECK(unit.find("Type=notify\n") != std::string::npos);
    CHECK(unit.find("RestartPreventExitStatus=2\n") != std::string::npos);
    CHECK(unit.find('@' + std::string{"MUSTER"}) == std::string::npos);
    if (!fs::exists(systemd_analyze)) {
      MESSAGE("left out: no systemd-analyze here");
      return;
    }
    // The program must be there for systemd to agree.
    const auto command = unit.find("=/usr/bin/" + name);
    REQUIRE(command != std::string::npos);
    unit.insert(command + 1, installed.at("").parent_path().string());
    const temporary_directory directory;
    const auto file = directory.write(name + ".service", unit).string();
    const auto verified = run({systemd_analyze, "verify", "--man=no", file});
    CHECK(verified.exit_code == 0);
    CHECK(verified.output.empty()); // an unknown key is a warning, no failure
    CAPTURE(verified.output);
    const auto judged = run({systemd_analyze, "security", "--offline=true", "--no-pager",
                             std::string{"--threshold="} + exposure_max, file});
    CHECK_MESSAGE(judged.exit_code == 0, judged.output);
  }
}

TEST_CASE("the server's unit has descriptors for a million sessions, and its user can be made") {
  const installation installed{"server"};
  std::smatch limit;
  const auto unit = installed.unit("muster-server");
  REQUIRE(std::regex_search(unit, limit, std::regex{"LimitNOFILE=([0-9]+)\n"}));
  CHECK(std::stoul(limit[1]) >= 1'000'000 + 1024);
  CHECK(unit.find("User=muster\n") != std::string::npos);
  if (!fs::exists(systemd_sysusers)) {
    MESSAGE("left out: no systemd-sysusers here");
    return;
  }
  fs::create_directories(installed.at("etc"));
  const auto made = run({systemd_sysusers, "--root=" + installed.at("").string(), "muster.conf"});
  CHECK_MESSAGE(made.exit_code == 0, made.output);
  CHECK(text_of(installed.at("etc/passwd")).starts_with("muster:"));
}

TEST_CASE("every line of an installed example is a setting with its default") {
  for (const auto* component : {"server", "agent"}) {
    CAPTURE(component);
    const installation installed{component};
    const auto program = installed.at("usr/bin/muster-" + std::string{component});
    const auto in_force = installed.example_in_force(component);
    const temporary_directory directory;
    const auto by_default = settings_of(program, directory.write("empty.toml", ""));
    const auto by_example = settings_of(program, in_force);
    CHECK(by_default.values.size() > 10);
    CHECK(by_example.values == by_default.values);
    CHECK(std::all_of(by_default.sources.begin(), by_default.sources.end(),
                      [](const auto& source) { return source == "default"; }));
    for (std::size_t i = 0; i < by_example.sources.size(); ++i)
      CHECK_MESSAGE(by_example.sources[i].starts_with(in_force.string() + ":"),
                    by_example.values[i] << " is not in the example");
  }
}

TEST_CASE("the installed server and agent run by their examples, with no more rights than their "
          "units leave") {
  const installation servers{"server"};
  const installation agents{"agent"};
  const service_manager server_manager;
  const service_manager agent_manager;
  const temporary_directory directory;
  fs::permissions(directory.path(), fs::perms{0711});
  const auto data = directory.path() / "server";
  fs::create_directory(data);
  fs::permissions(data, fs::perms::owner_all);
  const auto as_server = as_its_unit(
    {"--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"});
  if (!as_server.empty())
    REQUIRE(::chown(data.c_str(), nobody, nobody) == 0);

  auto command = as_server;
  for (const auto& word :
       {servers.at("usr/bin/muster-server").string(), std::string{"--config"},
        servers.at("usr/share/doc/muster/examples/server.toml").string(), std::string{"--data"},
        data.string(), std::string{"--agents-address=127.0.0.1"}, std::string{"--agents-port=0"},
        std::string{"--notices-address=127.0.0.1"}, std::string{"--notices-port=0"},
        std::string{"--admin-address=127.0.0.1"}, std::string{"--admin-port=0"}})
    command.push_back(word);
  process server{command, {server_manager.variable()}};
  CHECK_MESSAGE(server_manager.next() == "READY=1", server.output());
  const auto address = announced(server, "agents");
  const auto notices = announced(server, "notices");
  const auto pin = announced(server, "pin");
  const auto token = announced(server, "first token");

  auto agent_words = as_its_unit({"--bounding-set=-all,+dac_read_search,+sys_ptrace"});
  for (const auto& word :
       {agents.at("usr/bin/muster-agent").string(), std::string{"--config"},
        agents.at("usr/share/doc/muster/examples/agent.toml").string(), std::string{"--data"},
        (directory.path() / "agent").string(), std::string{"--wake-port=0"},
        "--notice-port=" + notices.substr(notices.rfind(':') + 1)})
    agent_words.push_back(word);
  const auto agent_with = [&](words more) {
    auto out = agent_words;
    out.insert(out.end(), more.begin(), more.end());
    return out;
  };
  const auto enrolled =
    run(agent_with({"enrol", "--server", address, "--pin", pin, "--token-file", token}));
  REQUIRE_MESSAGE(enrolled.exit_code == 0, enrolled.output);
  process agent{agent_words, {agent_manager.variable()}};
  CHECK_MESSAGE(agent_manager.next() == "READY=1", agent.output());
  REQUIRE(eventually([&] { return run(agent_with({"status"})).exit_code == 0; }));
  const auto synced = run(agent_with({"sync"}));
  CHECK_MESSAGE(synced.exit_code == 0, synced.output << agent.output());

  agent.signal(SIGTERM);
  CHECK(agent_manager.next() == "STOPPING=1");
  CHECK(agent.wait() == 0);
  server.signal(SIGTERM);
  CHECK(server_manager.next() == "STOPPING=1");
  CHECK(server.wait() == 0);
}
