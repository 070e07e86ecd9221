#include "apps/agent/check.hpp"

#include "actors/agent/dialer.hpp"
#include "actors/agent/local_request.hpp"
#include "actors/agent/self_check.hpp"
#include "apps/agent/place.hpp"
#include "apps/common/clock.hpp"
#include "apps/common/exit_codes.hpp"
#include "net/agent_identity.hpp"
#include "net/local_port.hpp"
#include "net/reach.hpp"

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

namespace muster::agent {

namespace {

using namespace std::chrono_literals;
using actors::check_attempt;
using actors::check_facts;
using order = actors::local_order::kind;

/// Each step may take this long; a handshake ends by itself (net/limits.hpp), as does the agent's
/// test of wakes.
constexpr auto step_max = 5s;
constexpr auto wake_test_max = 30s;
/// The machine of a closed port says so in a round trip.
constexpr auto refusal_max = 500ms;

/// Tries, step by step, and stops where nothing further can be tried.
class inquiry {
public:
  inquiry(const agent_settings& settings, check_facts& facts) : settings_(settings), facts_(facts) {}

  void run() {
    look_at_identity();
    ask_agent(facts_.before);
    if (identity_ && find_server())
      try_ports();
    if (facts_.before && !facts_.addresses.empty())
      test_wake();
  }

private:
  void look_at_identity();
  std::optional<actors::local_answer> ask(order what, std::chrono::milliseconds time,
                                          std::string& problem) const;
  void ask_agent(std::optional<actors::local_status>& into);
  [[nodiscard]] bool find_server();
  void try_ports();
  [[nodiscard]] std::string first_open(std::uint16_t port, std::optional<check_attempt>& out) const;
  [[nodiscard]] check_attempt handshake(const std::string& address, std::uint16_t port,
                                        bool plain) const;
  void test_wake();

  const agent_settings& settings_;
  check_facts& facts_;
  std::optional<net::agent_identity> identity_;
};

void inquiry::look_at_identity() {
  facts_.now_s = now_us() / 1'000'000;
  facts_.plain = settings_.plain();
  facts_.plain_port = settings_.plain_port;
  facts_.notice_port = settings_.notice_port;
  facts_.wake_port = settings_.wake_port;
  identity_ = net::load_agent_identity(settings_.identity(), facts_.identity_problem);
  facts_.enrolled = identity_.has_value();
  if (!identity_)
    return;
  facts_.device = actors::device_id{identity_->device_id}.text();
  facts_.certificate_begins_s = identity_->leaf.not_before_s();
  facts_.certificate_ends_s = identity_->leaf.not_after_s();
}

std::optional<actors::local_answer> inquiry::ask(order what, std::chrono::milliseconds time,
                                                 std::string& problem) const {
  const auto text = net::ask_local(settings_.local_socket(), actors::local_request_for(what), time,
                                   problem);
  if (!text)
    return std::nullopt;
  auto answer = actors::parse_local_answer(*text);
  if (answer.ok)
    return answer;
  problem = answer.error;
  return std::nullopt;
}

void inquiry::ask_agent(std::optional<actors::local_status>& into) {
  std::string problem;
  if (auto answer = ask(order::status, step_max, problem))
    into = std::move(answer->status);
  else
    facts_.agent_problem = "no agent answers here: " + problem;
}

bool inquiry::find_server() {
  const auto place = server_place(settings_, *identity_);
  if (!place)
    return false;
  facts_.host = place->host;
  facts_.port = place->port;
  auto found = net::resolve_name(place->host, step_max);
  facts_.name = check_attempt{found.ec, found.ec ? found.ec.message() : std::string{}};
  facts_.addresses = std::move(found.addresses);
  return !facts_.addresses.empty();
}

void inquiry::try_ports() {
  if (const auto address = first_open(facts_.port, facts_.tcp); !address.empty())
    facts_.tls = handshake(address, facts_.port, false);
  if (facts_.plain)
    if (const auto address = first_open(facts_.plain_port, facts_.plain_tcp); !address.empty())
      facts_.plain_handshake = handshake(address, facts_.plain_port, true);
  facts_.notices_refused
    = net::is_udp_refused(facts_.addresses.front(), facts_.notice_port, refusal_max);
}

/// The first address where somebody listens; else empty, with what came of the last one.
std::string inquiry::first_open(std::uint16_t port, std::optional<check_attempt>& out) const {
  for (const auto& address : facts_.addresses) {
    const auto ec = net::try_tcp(address, port, step_max);
    out = check_attempt{ec, address};
    if (!ec)
      return address;
  }
  return {};
}

/// As the agent does it, but for the hello: without one there is no session.
check_attempt inquiry::handshake(const std::string& address, std::uint16_t port, bool plain) const {
  auto out = actors::dial_once({.identity = *identity_,
                                .server = {address, port},
                                .from_address = {},
                                .now_s = [] { return now_us() / 1'000'000; },
                                .plain = plain});
  return {out.ec, std::move(out.detail)};
}

void inquiry::test_wake() {
  const auto& before = *facts_.before;
  if (before.wake_port == 0)
    return;
  if (const auto answer = ask(order::wake_test, wake_test_max, facts_.wake_problem))
    facts_.wake = answer->wake;
  std::string agent_problem = facts_.agent_problem;
  ask_agent(facts_.after);
  if (facts_.agent_problem != agent_problem) // it has ended meanwhile
    facts_.after.reset();
}

} // namespace

int check(const agent_settings& settings, const std::filesystem::path& settings_file,
          const std::vector<std::string>& problems, bool json) {
  check_facts facts;
  facts.settings_file = settings_file.string();
  facts.settings_problems = problems;
  if (problems.empty())
    inquiry{settings, facts}.run();
  const auto steps = actors::judge(facts);
  std::printf("%s%s", json ? actors::check_json(steps).c_str() : actors::check_lines(steps).c_str(),
              json ? "\n" : "");
  return actors::all_well(steps) ? exit_fine : exit_failed;
}

} // namespace muster::agent
