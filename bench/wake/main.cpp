// How soon has a device synced that had no connection?

#include "bench/figures.hpp"
#include "bench/real_server.hpp"

#include <nlohmann/json.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

using namespace muster::bench;
using namespace muster::test;

namespace {

constexpr std::size_t rounds = 300;
constexpr double took_ms_max = 100;
using words = std::vector<std::string>;

/// One that nobody has just now; the agent is told it, as an administrator would.
std::uint16_t free_udp_port() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(here);
  MUSTER_ASSERT(socket >= 0 && ::bind(socket, reinterpret_cast<sockaddr*>(&here), size) == 0 &&
                  ::getsockname(socket, reinterpret_cast<sockaddr*>(&here), &size) == 0,
                "there is a free port");
  ::close(socket);
  return ntohs(here.sin_port);
}

class console {
public:
  console(const std::filesystem::path& directory, const real_server& server)
    : environment_{"MUSTER_CONFIG=" + (directory / "console").string()} {
    std::string password;
    std::ifstream(server.first_password()) >> password;
    environment_.push_back("MUSTER_PASSWORD=" + password);
    const auto done = say({"login", "https://127.0.0.1:" + std::to_string(server.admin_port()),
                           "--pin", server.pin(), "--user", "admin"});
    MUSTER_ASSERT(done.exit_code == 0, "the console logs in");
  }
  [[nodiscard]] finished say(words arguments) const {
    arguments.insert(arguments.begin(), MUSTER_CONSOLE_PATH);
    return run(std::move(arguments), environment_);
  }
  [[nodiscard]] nlohmann::json ask(words arguments) const {
    arguments.emplace_back("--json");
    return nlohmann::json::parse(say(std::move(arguments)).output, nullptr, false);
  }

private:
  words environment_;
};

bool is_idle(const console& by) {
  const auto answer = by.ask({"device", "sleeper"});
  if (!answer.contains("device")) // not yet known
    return false;
  const auto& device = answer["device"];
  return device.value("state", "") == "idle" && device.value("lastSyncUs", "0") != "0";
}

/// Of a sorted list.
double percentile(const std::vector<double>& sorted, double share) {
  const auto at = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(at, sorted.size() - 1)];
}

double ms_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun)
    .count();
}

void ask_about_syncs(const console& by, figures& out) {
  std::vector<double> took;
  std::vector<double> command;
  while (took.size() < rounds) {
    while (!is_idle(by)) {
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto call = by.ask({"sync", "sleeper"});
    const auto whole = ms_since(begun);
    const auto& row = call.at("rows").at(0);
    MUSTER_ASSERT(row.value("step", "") == "done", "the device syncs");
    if (row.value("way", "") != "wake")
      continue;
    took.push_back(std::stod(row.value("tookUs", "0")) / 1000);
    command.push_back(whole);
  }
  std::sort(took.begin(), took.end());
  std::sort(command.begin(), command.end());
  out.tell("asked to done, median", percentile(took, 0.5), "ms");
  out.tell("asked to done, 99th percentile", percentile(took, 0.99), "ms", at_most(took_ms_max));
  out.tell("asked to done, longest", took.back(), "ms");
  out.tell("command, median", percentile(command, 0.5), "ms");
  out.tell("command, 99th percentile", percentile(command, 0.99), "ms");
}

} // namespace

int main() {
  figures out("wake");
  const temporary_directory directory;
  real_server server{directory.path()};
  const console by{directory.path(), server};
  const words agent{MUSTER_AGENT_PATH,
                    "--config",
                    directory.write("agent.toml", "").string(),
                    "--data",
                    (directory.path() / "agent").string(),
                    "--name",
                    "sleeper",
                    "--wake-address",
                    "127.0.0.1",
                    "--wake-port",
                    std::to_string(free_udp_port())};
  auto enrol = agent;
  enrol.insert(enrol.end(), {"enrol", "--server", "127.0.0.1:" + std::to_string(server.port()),
                             "--pin", server.pin(), "--token-file", server.first_token().string()});
  MUSTER_ASSERT(run(enrol).exit_code == 0, "the agent enrols");
  process program{agent};
  ask_about_syncs(by, out);
  program.signal(SIGTERM);
  MUSTER_ASSERT(program.wait() == 0, "the agent stops");
  server.stop();
  return out.exit_code();
}
