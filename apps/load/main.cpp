// muster-load: plays a fleet against a server and says what it measured.

#include "apps/common/command_line.hpp"
#include "apps/console/failure.hpp"
#include "apps/load/console_call.hpp"
#include "apps/load/options.hpp"
#include "apps/load/report.hpp"
#include "apps/load/scenarios.hpp"
#include "apps/load/server_watch.hpp"

#include <muster/version.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>

namespace {

using namespace muster::load;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  interrupted = true;
}

int complain(const std::string& what, int code = muster::exit_usage) {
  std::fprintf(stderr, "muster-load: %s\n", what.c_str());
  return code;
}

std::string started() {
  const auto now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
  return text;
}

std::optional<server_watch> watched(const load_options& options) {
  if (!options.watch_server)
    return std::nullopt;
  return options.server_pid != 0 ? std::optional(server_watch{options.server_pid})
                                 : server_watch::find();
}

/// What keeps it from being proved is an error of the run.
void prove(const std::vector<ledger_entry>& ledger, result& into) try {
  auto server = logged_in_console();
  const auto found = verify(server, ledger);
  into.tell("verified", static_cast<double>(found.acknowledged - found.missing));
  into.tell("verified_missing", static_cast<double>(found.missing));
  into.tell("verified_doubled", static_cast<double>(found.doubled));
} catch (const muster::console::failure& why) {
  into.failed("--verify: " + why.text());
}

/// Plays it, with a line of progress each second.
result play(const load_options& options) {
  result out{options.scenario};
  stage where;
  auto server = watched(options);
  const auto what = options.make(where, options.settings, out);
  const auto each_second = [&] {
    const auto& now = out.present();
    const double cpu = server ? server->cpu_percent() : 0;
    const auto memory = server ? server->memory_bytes() : 0;
    auto line = fmt::format("{}: {}, {}/s, {} errors", options.scenario, what->progress(), now.done,
                            out.error_count());
    if (server)
      line += fmt::format(", server {:.0f} % CPU, {} MB", cpu, memory >> 20);
    std::fprintf(stderr, "%s\n", line.c_str());
    out.next_second(cpu, memory);
  };
  where.run([&] { what->begin(); }, [] { return interrupted.load(); }, each_second);
  what->end();
  if (options.verify)
    prove(what->ledger(), out);
  out.tell("generator_lag_ms", static_cast<double>(where.worst_lag().count()) / 1000, "ms");
  if (server) {
    server->cpu_percent();
    out.tell("server_cpu_s", server->cpu_seconds(), "s");
    out.tell("server_memory_mb", static_cast<double>(server->memory_bytes()) / (1 << 20), "MB");
  }
  return out;
}

/// False when it cannot be written.
bool write_page(const load_options& options, const result& run) {
  run_facts facts;
  facts.all = {{"started", started()},
               {"server", options.server},
               {"agents", std::to_string(options.settings.fleet.agents)},
               {"seed", std::to_string(options.settings.fleet.player.seed)},
               {"muster-load", std::string{muster::version()}}};
  std::ofstream out{options.report, std::ios::trunc};
  out << page_of(run, facts);
  out.flush();
  return static_cast<bool>(out);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Plays a fleet of agents against a Muster server, with the real protocol.", "muster-load"};
  app.set_version_flag("--version", "muster-load " + std::string{muster::version()});
  load_options options;
  declare(app, options);
  if (const auto end = muster::parse_command_line(app, argc, argv))
    return *end;
  std::string problem;
  identity_file known;
  if (!complete(options, known, problem))
    return complain(problem);

  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  const auto run = play(options);
  std::fprintf(stderr, "%s", table_of(run).c_str());
  std::printf("%s\n", json_of(run).c_str());
  if (!options.identities.empty() && !known.save(options.identities, problem))
    return complain("--identities: " + problem, muster::exit_failed);
  if (!options.report.empty() && !write_page(options, run))
    return complain("--report: " + options.report + " cannot be written", muster::exit_failed);
  const auto missed = unmet(options.requirements, run);
  for (const auto& one : missed)
    std::fprintf(stderr, "muster-load: %s\n", one.c_str());
  const bool good = options.requirements.empty() ? run.error_count() == 0 : missed.empty();
  return good ? muster::exit_fine : muster::exit_failed;
}
