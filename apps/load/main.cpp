// muster-load: plays a fleet against a server and says what it measured.

#include "apps/common/command_line.hpp"
#include "apps/load/keep.hpp"

#include <muster/version.hpp>

#include <CLI/CLI.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  interrupted = true;
}

void print(const muster::load::keep_result& r) {
  std::fprintf(stderr, "enrolled %u, kept %u, failed %u, lost %u\n", r.enrolled, r.kept, r.failed,
               r.lost);
}

void print_json(const muster::load::keep_result& r) {
  std::printf(
    R"({"scenario":"keep","enrolled":%u,"kept":%u,"failed":%u,"lost":%u,"ramp_ms":%lld})"
    "\n",
    r.enrolled, r.kept, r.failed, r.lost, static_cast<long long>(r.ramp.count()));
}

int usage_error(const std::string& what) {
  std::fprintf(stderr, "muster-load: %s\n", what.c_str());
  return 2;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Plays a fleet of agents against a Muster server.", "muster-load"};
  app.set_version_flag("--version", "muster-load " + std::string{muster::version()});
  app.require_subcommand(1);
  auto* keep = app.add_subcommand("keep", "enrol, connect and stay connected");
  muster::load::keep_options options;
  std::string server = "127.0.0.1:13000";
  std::string pin;
  std::string token;
  std::string identities;
  int hold_s = 0;
  keep->add_option("--server", server, "HOST:PORT of the server")->capture_default_str();
  keep->add_option("--pin", pin, "SHA-256 of the server's CA key")->required();
  keep->add_option("--token", token, "enrolment token (or MUSTER_TOKEN)")->envname("MUSTER_TOKEN");
  keep->add_option("--agents", options.agents, "how many")
    ->capture_default_str()
    ->check(CLI::Range(1, 20000));
  keep->add_option("--first", options.first_number, "number of the first one");
  keep->add_option("--at-once", options.at_once, "connection attempts in progress")
    ->capture_default_str()
    ->check(CLI::Range(1, 4096));
  keep->add_option("--source", options.player.source_address, "source address, e.g. 127.0.0.2");
  keep->add_option("--seed", options.player.seed, "the same seed plays the same fleet")
    ->capture_default_str();
  keep->add_option("--identities", identities,
                   "file of who enrolled: read if it is there, written at the end");
  keep->add_option("--hold", hold_s, "seconds to stay once all are connected")
    ->check(CLI::Range(0, 86400));
  if (const auto end = muster::parse_command_line(app, argc, argv))
    return *end;

  const auto endpoint = muster::net::parse_endpoint(server, 13000);
  if (!endpoint)
    return usage_error("--server: '" + server + "' is not HOST or HOST:PORT");
  options.player.server = *endpoint;
  const auto raw_pin = muster::net::from_hex(pin);
  if (!raw_pin || raw_pin->size() != options.player.pin.size())
    return usage_error("--pin: give the 64 hexadecimal digits that the server prints");
  std::copy(raw_pin->begin(), raw_pin->end(), options.player.pin.begin());
  if (token.empty() && identities.empty())
    return usage_error("no enrolment token: give --token or MUSTER_TOKEN, or --identities of a run before");
  options.player.token = token;
  options.hold = std::chrono::seconds{hold_s};
  muster::load::identity_file known;
  std::string problem;
  if (!identities.empty() && !known.load(identities, problem))
    return usage_error("--identities: " + problem);
  options.player.identities = &known;

  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  const auto result = muster::load::play_keep(options, [] { return interrupted.load(); }, print);
  print(result);
  for (const auto& [cause, times] : result.causes)
    std::fprintf(stderr, "  %u x %s\n", times, cause.c_str());
  print_json(result);
  if (!identities.empty() && !known.save(identities, problem))
    return usage_error("--identities: " + problem);
  return result.failed + result.lost == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
