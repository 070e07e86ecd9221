#include "tests/system/fleet.hpp"

#include "net/https_client.hpp"

#include <doctest/doctest.h>

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <fstream>

namespace muster::test {

namespace {

words joined(words front, const words& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

/// What a program printed behind a label of its announcement.
std::string announced(process& program, const std::string& label) {
  const auto found = program.expect("\n  " + label + " +(\\S+)\n");
  REQUIRE_MESSAGE(found.has_value(), "no '" << label << "' in: " << program.output());
  return *found;
}

} // namespace

// -- server ---------------------------------------------------------------------------------------

server_under_test::server_under_test(words settings, words wrapper, std::filesystem::path data)
  : settings_(std::move(settings)), wrapper_(std::move(wrapper)),
    data_(data.empty() ? directory_.path() / "server" : std::move(data)) {
  if (std::find(settings_.begin(), settings_.end(), "--plain-enabled") != settings_.end())
    plain_port_ = reserve_port();
}

void server_under_test::start() {
  const words own{MUSTER_SERVER_PATH,
                  "--config",
                  directory_.write("server.toml", "").string(),
                  "--data",
                  data().string(),
                  "--agents-address",
                  agents_host_,
                  "--agents-port",
                  std::to_string(agents_port_),
                  "--notices-address",
                  agents_host_,
                  "--notices-port",
                  std::to_string(notices_port_),
                  "--admin-address",
                  "127.0.0.1",
                  "--admin-port",
                  std::to_string(admin_port_),
                  // Nobody reads its output for long stretches, and a full pipe would stop it.
                  "--log-level",
                  "warning"};
  const words open = plain_port_ != 0 ? words{"--plain-address", agents_host_, "--plain-port",
                                              std::to_string(plain_port_)}
                                      : words{};
  program_ =
    std::make_unique<process>(joined(joined(joined(wrapper_, own), open), settings_));
  REQUIRE_MESSAGE(program_->expect("muster-server: ready\n").has_value(), program_->output());
  pin_ = announced(*program_, "pin");
  if (first_token_file_.empty()) {
    first_password_file_ = announced(*program_, "first password");
    first_token_file_ = announced(*program_, "first token");
  }
}

void server_under_test::kill() {
  program_->signal(SIGKILL);
  REQUIRE(program_->wait().has_value());
}

int server_under_test::stop(std::chrono::milliseconds time) {
  program_->signal(SIGTERM);
  return program_->wait(time).value_or(-1);
}

net::http::response server_under_test::get(const std::string& path) const {
  net::client_tls_options options;
  options.alpn = net::alpn_http;
  options.server.authority_pin = pin_bytes();
  std::error_code ec;
  std::string problem;
  const auto client = net::https_client::connect(
    {"127.0.0.1", admin_port_}, net::client_tls_context::make(options, ec), problem);
  REQUIRE_MESSAGE(client != nullptr, problem);
  net::http::request request;
  request.method = "GET";
  request.path = path;
  const auto answer = client->exchange(request, patience, problem);
  REQUIRE_MESSAGE(answer.has_value(), problem);
  return *answer;
}

net::sha256_digest server_under_test::pin_bytes() const {
  const auto raw = net::from_hex(pin_);
  net::sha256_digest out{};
  REQUIRE(raw.has_value());
  REQUIRE(raw->size() == out.size());
  std::copy(raw->begin(), raw->end(), out.begin());
  return out;
}

finished server_under_test::run_beside(words arguments) const {
  return test::run(joined({MUSTER_SERVER_PATH, "--config", (directory() / "server.toml").string(),
                           "--data", data().string()},
                          arguments));
}

wire_identity server_under_test::enrol_wire_device(const std::string& name) {
  wire_identity who;
  who.pin = pin_bytes();
  // Another machine than its neighbour.
  const auto machine = net::sha256(name);
  who.fingerprint.assign(machine.begin(), machine.begin() + 16);
  const auto problem = enrol(who, agents_port_, first_token(), name);
  REQUIRE_MESSAGE(problem.empty(), problem);
  return who;
}

std::string server_under_test::first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  REQUIRE_MESSAGE(!line.empty(), "nothing in " << file.string());
  return line;
}

// -- agent ----------------------------------------------------------------------------------------

agent_under_test::agent_under_test(server_under_test& server, std::string name, words settings,
                                   words wrapper)
  : server_(server), name_(std::move(name)), settings_(std::move(settings)),
    wrapper_(std::move(wrapper)) {
  directory_.write("agent.toml", "");
  const auto enrolled = run({"enrol", "--server", server_.agents_address(), "--pin", server_.pin(),
                             "--token", server_.first_token()});
  REQUIRE_MESSAGE(enrolled.exit_code == 0, enrolled.output);
}

words agent_under_test::command(words arguments) const {
  const words own{MUSTER_AGENT_PATH,
                  "--config",
                  (directory_.path() / "agent.toml").string(),
                  "--data",
                  data().string(),
                  "--name",
                  name_};
  return joined(joined(joined(wrapper_, own), settings_), arguments);
}

void agent_under_test::start(words more) {
  program_ = std::make_unique<process>(command(std::move(more)));
  REQUIRE_MESSAGE(eventually([this] { return answers(); }), program_->output());
}

void agent_under_test::kill() {
  program_->signal(SIGKILL);
  REQUIRE(program_->wait().has_value());
}

int agent_under_test::stop(std::chrono::milliseconds time) {
  program_->signal(SIGTERM);
  return program_->wait(time).value_or(-1);
}

finished agent_under_test::run(words arguments) const {
  return test::run(command(std::move(arguments)));
}

bool agent_under_test::answers() {
  return run({"status"}).exit_code == 0;
}

// -- console --------------------------------------------------------------------------------------

console_under_test::console_under_test(server_under_test& server, bool log_in_at_once)
  : server_(server) {
  if (!log_in_at_once)
    return;
  const auto done = log_in(server_.first_password());
  REQUIRE_MESSAGE(done.exit_code == 0, done.output);
}

finished console_under_test::log_in(const std::string& password) const {
  return run({"login", "https://127.0.0.1:" + std::to_string(server_.admin_port()), "--pin",
              server_.pin(), "--user", "admin"},
             {"MUSTER_PASSWORD=" + password});
}

finished console_under_test::run(words arguments, words more) const {
  return test::run(joined(joined(server_.wrapper(), {MUSTER_CONSOLE_PATH}), arguments),
                   joined(environment(), more));
}

nlohmann::json console_under_test::json(words arguments) const {
  arguments.emplace_back("--json");
  const auto done = run(std::move(arguments));
  REQUIRE_MESSAGE(done.exit_code == 0, done.output);
  auto parsed = nlohmann::json::parse(done.output, nullptr, false);
  REQUIRE_MESSAGE(!parsed.is_discarded(), done.output);
  return parsed;
}

nlohmann::json console_under_test::list(words arguments, const std::string& member) const {
  return json(std::move(arguments)).value(member, nlohmann::json::array());
}

std::unique_ptr<process> console_under_test::follow(words arguments) const {
  return std::make_unique<process>(
    joined(joined(server_.wrapper(), {MUSTER_CONSOLE_PATH}), arguments), environment());
}

words console_under_test::environment() const {
  return {"MUSTER_CONFIG=" + (directory_.path() / "console").string(), "COLUMNS=200"};
}

// -- figures --------------------------------------------------------------------------------------

std::uint64_t figures::of(const std::string& name) const {
  const auto line = "\nmuster_" + name + " ";
  const auto at = text_.find(line);
  REQUIRE_MESSAGE(at != std::string::npos, "no figure " << name);
  return std::stoull(text_.substr(at + line.size()));
}

// -- waiting --------------------------------------------------------------------------------------

bool eventually(const std::function<bool()>& question, std::chrono::milliseconds time) {
  constexpr int between_two_looks_ms = 20;
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (!question()) {
    if (std::chrono::steady_clock::now() >= deadline)
      return false;
    ::poll(nullptr, 0, between_two_looks_ms);
  }
  return true;
}

} // namespace muster::test
