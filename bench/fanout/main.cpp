// A policy is changed: when has the last of a thousand kept agents applied it, as the server sees it?

#include "bench/figures.hpp"
#include "bench/real_server.hpp"

#include <nlohmann/json.hpp>

using namespace muster::bench;
using namespace muster::test;

namespace {

constexpr int rounds = 5;
constexpr const char* agents = "1000";
constexpr double all_ms_max = 1000;
using words = std::vector<std::string>;

words logged_in(const std::filesystem::path& directory, const real_server& server) {
  words environment{"MUSTER_CONFIG=" + (directory / "console").string()};
  std::string password;
  std::ifstream(server.first_password()) >> password;
  environment.push_back("MUSTER_PASSWORD=" + password);
  const auto done = run({MUSTER_CONSOLE_PATH, "login",
                         "https://127.0.0.1:" + std::to_string(server.admin_port()), "--pin",
                         server.pin(), "--user", "admin"},
                        environment);
  MUSTER_ASSERT(done.exit_code == 0, "the console logs in");
  return environment;
}

nlohmann::json play(const real_server& server, const words& environment,
                    const std::filesystem::path& identities, const std::string& token) {
  const auto played =
    run({MUSTER_LOAD_PATH, "fanout", "--agents", agents, "--server",
         "127.0.0.1:" + std::to_string(server.port()), "--pin", server.pin(), "--token", token,
         "--identities", identities.string()},
        environment, std::chrono::minutes{3});
  const auto from = played.output.rfind("{\"scenario\"");
  if (played.exit_code != 0 || from == std::string::npos) {
    std::fprintf(stderr, "%s", played.output.c_str());
    std::exit(2);
  }
  return nlohmann::json::parse(played.output.substr(from, played.output.find('\n', from) - from));
}

} // namespace

int main() {
  figures out("fanout");
  const temporary_directory directory;
  real_server server{directory.path()};
  const auto environment = logged_in(directory.path(), server);
  std::string token;
  std::ifstream(server.first_token()) >> token;
  std::vector<double> all;
  std::vector<double> half;
  for (int i = 0; i < rounds; ++i) {
    const auto told = play(server, environment, directory.path() / "fleet", token);
    MUSTER_ASSERT(told["applied"] == 1000, "everybody applies it");
    all.push_back(told["latency_us"]["max"].get<double>() / 1000);
    half.push_back(told["latency_us"]["p50"].get<double>() / 1000);
  }
  out.tell("change to the 500th of 1,000 applied, median of 5", median(half), "ms");
  out.tell("change to the last applied, median of 5", median(all), "ms");
  out.tell("change to the last applied, worst of 5", *std::max_element(all.begin(), all.end()), "ms",
           at_most(all_ms_max));
  server.stop();
  return out.exit_code();
}
