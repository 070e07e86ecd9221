#include "actors/agent/self_check.hpp"
#include "net/errc.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace muster::actors;
using namespace std::chrono_literals;
using muster::net::errc;

namespace {

constexpr std::int64_t now_s = 1'800'000'000;

/// A device with which all is well.
check_facts healthy() {
  check_facts out;
  out.settings_file = "/etc/muster/agent.toml";
  out.enrolled = true;
  out.device = "0011";
  out.certificate_begins_s = now_s - 86'400;
  out.certificate_ends_s = now_s + 300 * 86'400;
  out.now_s = now_s;
  local_status status;
  status.version = "1.0";
  status.connection = "not connected to server:13000";
  status.wake_port = 15000;
  status.wake_keys = true;
  status.clock_told_us = now_s * 1'000'000;
  status.clock_offset_ms = 300;
  out.before = out.after = status;
  out.host = "server.example";
  out.addresses = {"192.0.2.1"};
  out.name = out.tcp = out.tls = check_attempt{};
  out.notices_refused = false;
  out.wake = wake_probe{true, true, 4, {}};
  return out;
}

check_step step_of(const check_facts& facts, const std::string& name) {
  for (auto& step : judge(facts))
    if (step.name == name)
      return step;
  FAIL("no step " << name);
  return {};
}

/// This step alone has failed; answers it.
check_step only_failure(const check_facts& facts, const std::string& name) {
  for (const auto& step : judge(facts))
    CHECK_MESSAGE((step.verdict == check_verdict::failed) == (step.name == name),
                  step.name << ": " << step.text);
  return step_of(facts, name);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

check_attempt with(std::error_code ec) { return {ec, "tried"}; }

} // namespace

TEST_CASE("a healthy device: nothing failed") {
  const auto steps = judge(healthy());
  CHECK(all_well(steps));
  const auto lines = check_lines(steps);
  CHECK(has(lines, "one arrived after 4 ms"));
  CHECK(has(lines, "not tried  notices"));
  CHECK_FALSE(has(lines, "at fault"));
  CHECK(has(check_json(steps), R"("ok":true)"));
}

TEST_CASE("settings that are not understood: nothing else is looked at") {
  check_facts facts;
  facts.settings_problems = {"agent.toml:3: 'x' is unknown", "agent.toml:4: so is this"};
  const auto step = only_failure(facts, "settings");
  CHECK(step.fault == check_fault::this_machine);
  CHECK(has(step.remedy, "1 more"));
  CHECK_FALSE(all_well(judge(facts)));
}

TEST_CASE("a machine that has not enrolled is told how") {
  check_facts facts;
  facts.agent_problem = "nobody there";
  CHECK(has(step_of(facts, "identity").remedy, "muster token create"));
  CHECK(step_of(facts, "name").verdict == check_verdict::not_tried);
  facts.identity_problem = "identity/enrolment: is damaged";
  CHECK(step_of(facts, "identity").text == facts.identity_problem);
}

TEST_CASE("a certificate that has ended, begins later or ends soon is this machine's trouble") {
  auto facts = healthy();
  facts.certificate_ends_s = now_s;
  CHECK(has(only_failure(facts, "certificate").text, "has ended"));
  facts.certificate_ends_s = now_s + 10 * 86'400;
  CHECK(has(only_failure(facts, "certificate").text, "ends in 10 days"));
  facts = healthy();
  facts.certificate_begins_s = now_s + 1;
  CHECK(has(only_failure(facts, "certificate").remedy, "clock"));
}

TEST_CASE("the side at fault follows from how a connection fails") {
  auto facts = healthy();
  facts.tls.reset();
  const auto fault = [&](std::error_code ec) {
    facts.tcp = with(ec);
    return only_failure(facts, "port").fault;
  };
  CHECK(fault(std::make_error_code(std::errc::connection_refused)) == check_fault::server);
  CHECK(fault(errc::timed_out) == check_fault::network);
  CHECK(fault(std::make_error_code(std::errc::network_unreachable)) == check_fault::network);
  CHECK(fault(std::make_error_code(std::errc::connection_reset)) == check_fault::network);
  facts = healthy();
  facts.tcp.reset();
  facts.tls.reset();
  facts.addresses.clear();
  facts.name = with(errc::name_not_found);
  CHECK(has(only_failure(facts, "name").text, "server.example"));
}

TEST_CASE("what a handshake showed is told with what to do") {
  auto facts = healthy();
  const auto remedy = [&](std::error_code ec, check_fault whose) {
    facts.tls = with(ec);
    const auto step = only_failure(facts, "tls");
    CHECK(step.fault == whose);
    return step.remedy;
  };
  for (const auto code : {errc::pin_mismatch, errc::certificate_foreign, errc::certificate_wrong_name})
    CHECK(has(remedy(code, check_fault::server), "muster-agent move"));
  CHECK(has(remedy(errc::certificate_expired, check_fault::this_machine), "clock"));
  CHECK(has(remedy(errc::peer_refused_us, check_fault::server), "enrol"));
  CHECK(has(remedy(errc::timed_out, check_fault::server), "does not answer"));
  CHECK(has(remedy(errc::tls_wrong_alpn, check_fault::server), "no Muster server"));
  CHECK(has(remedy(std::make_error_code(std::errc::connection_reset), check_fault::network), "cut"));
}

TEST_CASE("transport plain is judged by its own port, and can do without the other once it has keys") {
  auto facts = healthy();
  facts.plain = true;
  facts.plain_tcp = facts.plain_handshake = check_attempt{};
  CHECK(all_well(judge(facts)));
  CHECK(step_of(facts, "plain").verdict == check_verdict::ok);
  facts.tcp = with(errc::timed_out);
  facts.tls.reset();
  CHECK(all_well(judge(facts)));
  facts.before->wake_keys = facts.after->wake_keys = false;
  CHECK(only_failure(facts, "port").fault == check_fault::network);
  facts.wake = wake_probe{true, false, 0, {}};
  CHECK(has(step_of(facts, "wakes").remedy, "over TLS only"));
  facts = healthy();
  facts.plain = true;
  facts.plain_tcp = with(std::make_error_code(std::errc::connection_refused));
  CHECK(has(only_failure(facts, "plain").remedy, "plain.enabled"));
}

TEST_CASE("the server's no is passed on with the remedy") {
  auto facts = healthy();
  facts.wake = wake_probe{false, false, 0, "refused"};
  const auto remedy = [&](std::uint32_t reason) {
    facts.after->refusal = word_of_refusal(reason);
    facts.after->last_error = "refused: by the server";
    const auto step = only_failure(facts, "server's word");
    CHECK(has(step.text, word_of_refusal(reason)));
    return step.remedy;
  };
  CHECK(has(remedy(2), "revoked"));
  CHECK(has(remedy(3), "does not know"));
  CHECK(has(remedy(4), "enrol"));
  CHECK(has(remedy(5), "copy"));
  CHECK(has(remedy(6), "log"));
}

TEST_CASE("a clock is compared with the server's, else with its certificate") {
  auto facts = healthy();
  facts.after->clock_offset_ms = 600'000;
  CHECK(has(only_failure(facts, "clock").text, "behind by 10 min"));
  facts.after->clock_offset_ms = -600'000;
  CHECK(has(only_failure(facts, "clock").text, "ahead by 10 min"));
  facts.after->clock_told_us = facts.before->clock_told_us = 0;
  CHECK(has(step_of(facts, "clock").text, "validity"));
  facts.tls.reset();
  CHECK(step_of(facts, "clock").verdict == check_verdict::not_tried);
}

TEST_CASE("a wake that does not arrive names its cause") {
  auto facts = healthy();
  facts.wake = wake_probe{true, false, 0, {}};
  auto step = only_failure(facts, "wakes");
  CHECK(step.fault == check_fault::network);
  CHECK(has(step.remedy, "a firewall or address translation between server and this machine drops UDP "
                         "to port 15000; open it, or use keep connection"));
  facts.before->wakes_refused["tag"] = 5;
  facts.after->wakes_refused["tag"] = 5;
  CHECK(only_failure(facts, "wakes").fault == check_fault::network);
  facts.after->wakes_refused["tag"] = 9; // something did come
  CHECK(has(only_failure(facts, "wakes").text, "tag"));
  facts.tls = with(errc::timed_out); // not its fault
  CHECK(step_of(facts, "wakes").verdict == check_verdict::not_tried);
  facts.tls = check_attempt{};
  facts.wake = wake_probe{false, false, 0, "no socket"};
  step = only_failure(facts, "wakes");
  CHECK(step.fault == check_fault::server);
  CHECK(has(step.text, "no socket"));
}

TEST_CASE("without an agent, or a port, wakes are not tried; a port that is taken is a failure") {
  auto facts = healthy();
  facts.before.reset();
  facts.after.reset();
  facts.wake.reset();
  facts.agent_problem = "nobody there";
  CHECK(has(only_failure(facts, "agent").remedy, "start it"));
  CHECK(step_of(facts, "wakes").verdict == check_verdict::not_tried);
  facts = healthy();
  facts.wake.reset();
  facts.before->wake_port = 0;
  CHECK(has(step_of(facts, "wakes").text, "wake.port is 0"));
  CHECK(all_well(judge(facts)));
  facts.before->wake_problem = "UDP port 15000 is taken";
  CHECK(only_failure(facts, "wakes").fault == check_fault::this_machine);
  facts = healthy();
  facts.wake.reset();
  facts.wake_problem = "only root may";
  CHECK(step_of(facts, "wakes").text == "only root may");
}

TEST_CASE("a closed port for notices is the server's fault") {
  auto facts = healthy();
  facts.notices_refused = true;
  CHECK(only_failure(facts, "notices").fault == check_fault::server);
}

TEST_CASE("failures are shown with fault and remedy, to people and programs") {
  auto facts = healthy();
  facts.wake = wake_probe{true, false, 0, {}};
  const auto steps = judge(facts);
  CHECK(has(check_lines(steps), "at fault: the network"));
  CHECK(has(check_lines(steps), "what to do: a firewall"));
  const auto json = check_json(steps);
  CHECK(has(json, R"("ok":false)"));
  CHECK(has(json, R"("fault":"the network")"));
}
