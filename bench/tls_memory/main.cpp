// What does a kept session cost our server when nothing happens, and what does an idle agent cost
// its computer?

#include "bench/figures.hpp"
#include "bench/real_server.hpp"
#include "bench/tls_memory/crowd.hpp"
#include "bench/tls_memory/process_figures.hpp"

#include <muster/assert.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>

using namespace muster::bench;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t few = 1'000;
constexpr std::size_t many = 10'000;
constexpr double session_bytes_max = 6.5 * 1024;
constexpr std::chrono::seconds server_watch{30};
constexpr std::chrono::seconds agent_watch{60};

crowd_options for_agents_of(const real_server& server) {
  crowd_options out;
  out.port = server.port();
  const auto raw = muster::net::from_hex(server.pin());
  std::copy(raw->begin(), raw->end(), out.pin.begin());
  std::ifstream(server.first_token()) >> out.token;
  return out;
}

/// Share of one core over this time.
double cpu_share(process& program, std::chrono::seconds time) {
  const auto before = cpu_seconds_of(program.id());
  const bool ended = program.wait(time).has_value();
  MUSTER_ASSERT(!ended, "the program goes on running");
  return (cpu_seconds_of(program.id()) - before) / static_cast<double>(time.count());
}

/// Memory once it does not move any more: what just happened is over.
memory settled_memory(process& program) {
  auto now = memory_of(program.id());
  for (int i = 0; i < 20; ++i) {
    static_cast<void>(program.wait(1s));
    const auto before = std::exchange(now, memory_of(program.id()));
    if (now.anonymous_kb == before.anonymous_kb)
      break;
  }
  return now;
}

void ask_about_sessions(const std::filesystem::path& directory, figures& out) {
  muster::net::io_pool pool{1};
  auto first = std::make_unique<real_server>(directory);
  const auto port = first->port();
  crowd agents{pool, for_agents_of(*first)};
  agents.enrol(many);
  // Enrolling and syncing leave much in memory that is not the sessions': begin anew.
  first->stop();
  first.reset();
  real_server fresh{directory, port};
  const auto empty = settled_memory(fresh.program());
  const auto per_session = [&](const memory& now, std::size_t sessions) {
    return (now.anonymous_kb - empty.anonymous_kb) * 1024 / static_cast<double>(sessions);
  };
  agents.come(few);
  const auto with_few = settled_memory(fresh.program());
  agents.come(many);
  const auto with_many = settled_memory(fresh.program());
  out.tell("server without sessions, anonymous memory", empty.anonymous_kb / 1024, "MB");
  out.tell("session, of 1,000", per_session(with_few, few), "bytes");
  out.tell("session, of 10,000", per_session(with_many, many), "bytes", at_most(session_bytes_max));
  out.tell("session, from 1,000 to 10,000",
           (with_many.anonymous_kb - with_few.anonymous_kb) * 1024 /
             static_cast<double>(many - few),
           "bytes");
  out.tell("server with 10,000 sessions, resident", with_many.resident_kb / 1024, "MB");
  out.tell("server with 10,000 idle sessions, CPU of one core",
           100 * cpu_share(fresh.program(), server_watch), "%", at_most(1));
  agents.leave();
  fresh.stop();
  pool.join();
}

void ask_about_agent(const std::filesystem::path& directory, figures& out) {
  real_server here{directory};
  const auto config = directory / "agent.toml";
  std::ofstream{config} << "[sync]\nkeep = true\n";
  const std::vector<std::string> agent{MUSTER_AGENT_PATH, "--config", config.string(), "--data",
                                       (directory / "agent").string()};
  auto enrol = agent;
  enrol.insert(enrol.end(), {"enrol", "--server", "127.0.0.1:" + std::to_string(here.port()),
                             "--pin", here.pin(), "--token-file", here.first_token().string()});
  MUSTER_ASSERT(run(enrol).exit_code == 0, "the agent enrols");
  process program{agent};
  static_cast<void>(wait_for(program, "connected to "));
  auto sync = agent;
  sync.emplace_back("sync");
  MUSTER_ASSERT(run(sync).exit_code == 0, "the agent syncs");
  const auto share = cpu_share(program, agent_watch);
  const auto now = memory_of(program.id());
  out.tell("agent, private memory", now.private_kb / 1024, "MB", at_most(10));
  out.tell("agent, resident", now.resident_kb / 1024, "MB");
  out.tell("agent, idle, CPU of one core", 100 * share, "%", at_most(0.1));
  program.signal(SIGTERM);
  MUSTER_ASSERT(program.wait() == 0, "the agent stops");
  here.stop();
}

} // namespace

int main() {
  rlimit descriptors{};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &descriptors);
  figures out("tls_memory");
  const temporary_directory for_sessions;
  ask_about_sessions(for_sessions.path(), out);
  const temporary_directory for_agent;
  ask_about_agent(for_agent.path(), out);
  return out.exit_code();
}
