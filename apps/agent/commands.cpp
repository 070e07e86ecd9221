#include "apps/agent/commands.hpp"

#include "actors/agent/enrolment.hpp"
#include "actors/agent/local_request.hpp"
#include "actors/agent/probe/facts.hpp"
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

int complain(const std::string& problem, int code) {
  std::fprintf(stderr, "muster-agent: %s\n", problem.c_str());
  return code;
}

/// The token by whichever way it came; empty when by none.
std::string token_of(const enrol_command& command, std::string& problem) {
  if (command.token_file.empty())
    return command.token;
  std::ifstream in(command.token_file);
  std::string token;
  if (!(in >> token))
    problem = "--token-file: cannot read a token from " + command.token_file.string();
  return token;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
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
  actors::enrolment_options options;
  options.server = command.server;
  options.token = token_of(command, problem);
  if (!problem.empty())
    return complain(problem, exit_usage);
  if (options.token.empty())
    return complain("no enrolment token: give --token, --token-file or MUSTER_TOKEN", exit_usage);
  if (!command.pin.empty()) {
    const auto raw = net::from_hex(command.pin);
    if (!raw || raw->size() != sizeof(net::sha256_digest))
      return complain("--pin: give the 64 hexadecimal digits that 'muster token create' prints",
                      exit_usage);
    options.pin.emplace();
    std::copy(raw->begin(), raw->end(), options.pin->begin());
  } else if (!command.trust_on_first_use) {
    return complain("give --pin, or --trust-on-first-use to trust whoever answers", exit_usage);
  }
  options.trust_on_first_use = command.trust_on_first_use;
  options.identity_directory = settings.identity();
  options.fingerprint = actors::probe::read_fingerprint("/");
  options.host_name = settings.name.empty() ? host_name() : settings.name;
  options.agent_version = std::string{version()};
  const auto outcome = actors::enrol(options);
  if (!outcome.ok)
    return complain(outcome.sentence, exit_failed);
  std::printf("%s\n", outcome.sentence.c_str());
  if (command.pin.empty() && !outcome.already)
    std::printf("trusted on first use: the server's CA key, SHA-256 %s\n",
                net::to_hex(outcome.pin).c_str());
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
  const auto answer = ask(settings, actors::local_status_request(), 10s, code);
  if (!answer)
    return code;
  if (json)
    std::printf("%s\n", actors::local_ok(answer->status).c_str());
  else
    std::printf("version     %s\nconnection  %s\nevents      %llu waiting\n",
                answer->status.version.c_str(), answer->status.connection.c_str(),
                static_cast<unsigned long long>(answer->status.events_waiting));
  return code;
}

int sync_now(const agent_settings& settings) {
  int code = exit_fine;
  if (ask(settings, actors::local_sync_request(), 2min, code))
    std::printf("synced\n");
  return code;
}

} // namespace muster::agent
