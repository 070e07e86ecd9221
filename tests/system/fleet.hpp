#pragma once
// A real fleet of a test's own: muster-server with a temporary data directory and ports of its own,
// agents with theirs, and the console logged in.

#include "net/http.hpp"
#include "tests/system/process.hpp"
#include "tests/system/reserved_port.hpp"
#include "tests/system/wire_client.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace muster::test {

using words = std::vector<std::string>;

/// One server. Fails the test (REQUIRE) when it cannot be started.
class server_under_test {
public:
  /// `settings` are flags of muster-server that every start gets; with --plain-enabled its plain
  /// port is treated like the others. `wrapper` stands in front of the
  /// program's path. `data` is the data directory when it shall be a particular one.
  explicit server_under_test(words settings = {}, words wrapper = {},
                             std::filesystem::path data = {});

  /// For agents, before the first start; the console stays on loopback.
  void listen_on(std::string address) { agents_host_ = std::move(address); }
  /// Starts and waits until it is ready. It has the same ports each time.
  void start();
  /// SIGKILL, and waits until it is gone.
  void kill();
  /// SIGTERM; its exit code, or -1 when it does not end in time.
  [[nodiscard]] int stop(std::chrono::milliseconds time = patience);

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_.path(); }
  [[nodiscard]] const std::filesystem::path& data() const { return data_; }
  [[nodiscard]] std::uint16_t agents_port() const { return agents_port_; }
  /// 0: that port is off (settings without --plain-enabled).
  [[nodiscard]] std::uint16_t plain_port() const { return plain_port_; }
  [[nodiscard]] std::uint16_t admin_port() const { return admin_port_; }
  [[nodiscard]] std::uint16_t notices_port() const { return notices_port_; } ///< UDP
  [[nodiscard]] const std::string& pin() const { return pin_; }
  [[nodiscard]] net::sha256_digest pin_bytes() const;
  [[nodiscard]] std::string agents_address() const {
    return agents_host_ + ":" + std::to_string(agents_port_);
  }
  /// The first start's secrets, from the files it printed.
  [[nodiscard]] std::string first_token() const { return first_line(first_token_file_); }
  [[nodiscard]] std::string first_password() const { return first_line(first_password_file_); }
  [[nodiscard]] const std::filesystem::path& first_password_file() const {
    return first_password_file_;
  }
  [[nodiscard]] process& program() { return *program_; }
  [[nodiscard]] const words& wrapper() const { return wrapper_; }
  /// What the admin port answers to anybody on this machine; REQUIREs that it does.
  [[nodiscard]] net::http::response get(const std::string& path) const;
  /// Runs muster-server with other words, for example {"pin"}, on the same data.
  [[nodiscard]] finished run_beside(words arguments) const;

  /// A device that speaks through a wire_client, enrolled with the first token.
  [[nodiscard]] wire_identity enrol_wire_device(const std::string& name);

private:
  [[nodiscard]] static std::string first_line(const std::filesystem::path& file);

  temporary_directory directory_;
  words settings_;
  words wrapper_;
  std::filesystem::path data_;
  std::string agents_host_ = "127.0.0.1";
  std::uint16_t agents_port_ = reserve_port();
  std::uint16_t plain_port_ = 0;
  std::uint16_t admin_port_ = reserve_port();
  std::uint16_t notices_port_ = reserve_port();
  std::string pin_;
  std::filesystem::path first_token_file_;
  std::filesystem::path first_password_file_;
  std::unique_ptr<process> program_;
};

/// One agent of that server.
class agent_under_test {
public:
  /// Enrols at once with the first token (REQUIREs that it works). `settings` are flags of
  /// muster-agent. `wrapper` stands in front of the program's path.
  agent_under_test(server_under_test& server, std::string name, words settings = {},
                   words wrapper = {});

  /// `more` are flags for this start alone.
  void start(words more = {});
  void kill();
  [[nodiscard]] int stop(std::chrono::milliseconds time = patience);
  [[nodiscard]] process& program() { return *program_; }
  [[nodiscard]] std::filesystem::path data() const { return directory_.path() / "agent"; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// `muster-agent` with these words behind its settings.
  [[nodiscard]] finished run(words arguments) const;
  /// True once the running agent answers on its local socket.
  [[nodiscard]] bool answers();

private:
  [[nodiscard]] words command(words arguments) const;

  server_under_test& server_;
  temporary_directory directory_;
  std::string name_;
  words settings_;
  words wrapper_;
  std::unique_ptr<process> program_;
};

/// An administrator at a terminal that is none, on the server's own machine.
class console_under_test {
public:
  /// Logs in as admin with the first password (REQUIREs that it works), unless told not to.
  explicit console_under_test(server_under_test& server, bool log_in = true);

  /// `muster` with these words.
  [[nodiscard]] finished run(words arguments, words environment = {}) const;
  /// The same with --json; REQUIREs success and parses.
  [[nodiscard]] nlohmann::json json(words arguments) const;
  /// One list of that document; empty when it is not there (protobuf leaves empty ones out).
  [[nodiscard]] nlohmann::json list(words arguments, const std::string& member) const;
  /// A `muster` that goes on running.
  [[nodiscard]] std::unique_ptr<process> follow(words arguments) const;
  [[nodiscard]] finished log_in(const std::string& password) const;

private:
  [[nodiscard]] words environment() const;

  server_under_test& server_;
  temporary_directory directory_;
};

/// What a server counts, as of now: /metrics.
class figures {
public:
  explicit figures(const server_under_test& server) : text_(server.get("/metrics").body) {}
  /// `muster_NAME`; REQUIREs that there is one.
  [[nodiscard]] std::uint64_t of(const std::string& name) const;

private:
  std::string text_;
};

/// How long an agent may stay away that found its server gone several times in a row: its pauses
/// grow threefold.
inline constexpr std::chrono::seconds comeback_max{180};

/// Asks until the answer is true, for at most `time`. The question must not have been true before
/// what the test did.
[[nodiscard]] bool eventually(const std::function<bool()>& question,
                              std::chrono::milliseconds time = patience);

} // namespace muster::test
