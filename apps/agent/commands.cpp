#include "apps/agent/commands.hpp"

#include "actors/agent/enrolment.hpp"
#include "actors/agent/local_request.hpp"
#include "actors/agent/move.hpp"
#include "actors/agent/probe/facts.hpp"
#include "apps/common/clock.hpp"
#include "apps/common/exit_codes.hpp"
#include "net/certificate.hpp"
#include "net/local_port.hpp"

#include <muster/version.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>

namespace muster::agent {

namespace {

using namespace std::chrono_literals;
using order = actors::local_order::kind;

int complain(const std::string& problem, int code) {
  std::fprintf(stderr, "muster-agent: %s\n", problem.c_str());
  return code;
}

/// The token by whichever way it came; empty when by none.
std::string token_of(const std::string& token, const std::filesystem::path& file,
                     std::string& problem) {
  if (file.empty())
    return token;
  std::ifstream in(file);
  std::string found;
  if (!(in >> found))
    problem = "--token-file: cannot read a token from " + file.string();
  return found;
}

/// Empty with a problem unless it is the 64 digits of a pin.
std::optional<net::sha256_digest> pin_of(const std::string& text, std::string& problem) {
  const auto raw = net::from_hex(text);
  net::sha256_digest out{};
  if (!raw || raw->size() != out.size()) {
    problem = "--pin: give the 64 hexadecimal digits that 'muster token create' prints";
    return std::nullopt;
  }
  std::copy(raw->begin(), raw->end(), out.begin());
  return out;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

/// What every enrolment says of this machine.
actors::enrolment_options machine_of(const agent_settings& settings) {
  actors::enrolment_options out;
  out.identity_directory = settings.identity();
  out.fingerprint = actors::probe::read_fingerprint("/");
  out.host_name = settings.name.empty() ? host_name() : settings.name;
  out.agent_version = std::string{version()};
  out.now_s = [] { return now_us() / 1'000'000; };
  return out;
}

/// Asks the agent that runs with these settings. Empty after a complaint.
std::optional<actors::local_answer> ask(const agent_settings& settings, const std::string& request,
                                        std::chrono::milliseconds time, int& code) {
  std::string problem;
  const auto text = net::ask_local(settings.local_socket(), request, time, problem);
  if (!text) {
    code = complain("the agent does not answer: " + problem, exit_unreachable);
    return std::nullopt;
  }
  auto answer = actors::parse_local_answer(*text);
  if (!answer.ok) {
    code = complain(answer.error, exit_failed);
    return std::nullopt;
  }
  return answer;
}

} // namespace

int enrol(const agent_settings& settings, const enrol_command& command) {
  std::string problem;
  auto options = machine_of(settings);
  options.server = command.server;
  options.token = token_of(command.token, command.token_file, problem);
  if (!problem.empty())
    return complain(problem, exit_usage);
  if (options.token.empty())
    return complain("no enrolment token: give --token, --token-file or MUSTER_TOKEN", exit_usage);
  if (!command.pin.empty()) {
    options.pin = pin_of(command.pin, problem);
    if (!options.pin)
      return complain(problem, exit_usage);
  } else if (!command.trust_on_first_use) {
    return complain("give --pin, or --trust-on-first-use to trust whoever answers", exit_usage);
  }
  options.trust_on_first_use = command.trust_on_first_use;
  const auto outcome = actors::enrol(options);
  if (!outcome.ok)
    return complain(outcome.sentence, exit_failed);
  std::printf("%s\n", outcome.sentence.c_str());
  if (command.pin.empty() && !outcome.already)
    std::printf("trusted on first use: the server's CA key, SHA-256 %s\n",
                net::to_hex(outcome.pin).c_str());
  return exit_fine;
}

int move(const agent_settings& settings, const move_command& command) {
  std::string problem;
  actors::move_options options;
  options.target = machine_of(settings);
  options.target.server = command.server;
  options.target.token = token_of(command.token, command.token_file, problem);
  if (!problem.empty())
    return complain(problem, exit_usage);
  if (!command.pin.empty()) {
    options.target.pin = pin_of(command.pin, problem);
    if (!options.target.pin)
      return complain(problem, exit_usage);
  }
  options.server_setting = settings.server;
  const auto outcome = actors::move_device(options);
  if (!outcome.ok)
    return complain(outcome.sentence, exit_failed);
  std::printf("%s\n", outcome.sentence.c_str());
  const auto answer = net::ask_local(settings.local_socket(), actors::local_request_for(order::reload),
                                     10s, problem);
  if (!answer)
    std::printf("no agent runs here; it goes there when it is started\n");
  else if (const auto said = actors::parse_local_answer(*answer); !said.ok)
    std::printf("the running agent still goes to the old place (%s): restart it\n",
                said.error.c_str());
  else
    std::printf("the running agent starts anew\n");
  return exit_fine;
}

int raise_event(const agent_settings& settings, const event_command& command) {
  const auto severity = actors::severity_of(command.severity);
  if (!severity)
    return complain("--severity: info, warning, critical or failure", exit_usage);
  actors::raised_event event;
  event.severity = *severity;
  event.type = command.type;
  event.text = command.text;
  for (const auto& one : command.attributes) {
    const auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0)
      return complain("--attribute: '" + one + "' is not KEY=VALUE", exit_usage);
    event.attributes[one.substr(0, equals)] = one.substr(equals + 1);
  }
  int code = exit_fine;
  static_cast<void>(ask(settings, actors::local_event_request(event), 10s, code));
  return code;
}

int show_status(const agent_settings& settings, bool json) {
  int code = exit_fine;
  const auto answer = ask(settings, actors::local_request_for(order::status), 10s, code);
  if (!answer)
    return code;
  if (json)
    std::printf("%s\n", actors::status_answer(answer->status).c_str());
  else
    std::printf("%s", actors::status_lines(answer->status, now_us()).c_str());
  return code;
}

int sync_now(const agent_settings& settings) {
  int code = exit_fine;
  if (ask(settings, actors::local_request_for(order::sync), 2min, code))
    std::printf("synced\n");
  return code;
}

} // namespace muster::agent
