#pragma once
// muster-server as a benchmark starts it: the built program, on free ports of the loopback address.

#include "tests/system/process.hpp"

#include <muster/assert.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace muster::bench {

/// What a program prints; the benchmark ends when it does not come within a minute.
[[nodiscard]] inline std::string wait_for(test::process& program, const std::string& pattern) {
  auto found = program.expect(pattern, std::chrono::seconds{60});
  if (!found) {
    std::fprintf(stderr, "waited for '%s' in:\n%s", pattern.c_str(), program.output().c_str());
    std::exit(2);
  }
  return *found;
}

/// Its data live in `directory`/server and outlive it.
class real_server {
public:
  /// 0: any free port.
  explicit real_server(const std::filesystem::path& directory, std::uint16_t port = 0)
    : data_(directory / "server"),
      program_({MUSTER_SERVER_PATH, "--config", settings(directory), "--data", data_.string(),
                "--agents-address", "127.0.0.1", "--agents-port", std::to_string(port),
                "--notices-address", "127.0.0.1", "--notices-port", "0", "--admin-address",
                "127.0.0.1", "--admin-port", "0"}) {
    port_ = port_behind("agents");
    admin_port_ = port_behind("console");
    pin_ = wait_for(program_, "pin +([0-9a-f]{64})\n");
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint16_t admin_port() const { return admin_port_; }
  [[nodiscard]] const std::string& pin() const { return pin_; }
  [[nodiscard]] std::filesystem::path first_token() const { return data_ / "first-token"; }
  [[nodiscard]] std::filesystem::path first_password() const { return data_ / "first-password"; }
  [[nodiscard]] test::process& program() { return program_; }

  void stop() {
    program_.signal(SIGTERM);
    MUSTER_ASSERT(program_.wait(std::chrono::seconds{60}) == 0, "the server stops");
  }

private:
  static std::string settings(const std::filesystem::path& directory) {
    const auto file = directory / "server.toml";
    std::ofstream{file} << "[log]\nlevel = \"warning\"\n";
    return file.string();
  }
  std::uint16_t port_behind(const std::string& label) {
    return static_cast<std::uint16_t>(
      std::stoi(wait_for(program_, label + " +\\S*127.0.0.1:([0-9]+)\n")));
  }

  const std::filesystem::path data_;
  test::process program_;
  std::uint16_t port_ = 0;
  std::uint16_t admin_port_ = 0;
  std::string pin_;
};

} // namespace muster::bench
