#include "actors/agent/self_check.hpp"

#include "actors/agent/local_json.hpp"
#include "actors/agent/self_check_steps.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace muster::actors {

namespace {

using namespace check_steps;
using namespace std::chrono_literals;

/// As on the server: rules/device_status.hpp.
constexpr std::int64_t near_end_s = 30 * 86'400;
/// Certificates are dated 48 h back; a clock that is off by this much is wrong whatever it hinders.
constexpr std::chrono::milliseconds offset_max = 5min;

constexpr const char* enrol_anew = "stop the agent, remove what is in its identity directory and enrol "
                                   "this machine again, as a new device";

check_step settings(const check_facts& facts) {
  if (facts.settings_problems.empty())
    return well("settings", facts.settings_file);
  return bad("settings", facts.settings_problems.front(), check_fault::this_machine,
             facts.settings_problems.size() == 1
               ? "mend it; `muster-agent check-config` says whether all is understood"
               : fmt::format("mend it, and {} more: `muster-agent check-config` names all of them",
                             facts.settings_problems.size() - 1));
}

check_step identity(const check_facts& facts) {
  if (!facts.settings_problems.empty())
    return left_out("identity", "the settings say where it is");
  if (!facts.identity_problem.empty())
    return bad("identity", facts.identity_problem, check_fault::this_machine,
               "run this as root or as the agent's own user; else see what is said of the file");
  if (!facts.enrolled)
    return bad("identity", "this machine has not enrolled", check_fault::this_machine,
               "on a console: `muster token create`, then type here what it prints");
  return well("identity", "device " + facts.device);
}

check_step certificate(const check_facts& facts) {
  if (!facts.enrolled)
    return left_out("certificate", "there is none");
  const auto ends = [&] {
    return span_text(std::chrono::seconds{facts.certificate_ends_s - facts.now_s});
  };
  if (facts.now_s < facts.certificate_begins_s)
    return bad("certificate", "by this machine's clock it is not valid yet",
               check_fault::this_machine, "set the clock");
  if (facts.now_s >= facts.certificate_ends_s)
    return bad("certificate", "by this machine's clock it has ended", check_fault::this_machine,
               "set the clock if it is wrong; else " + std::string{enrol_anew});
  if (facts.certificate_ends_s - facts.now_s < near_end_s)
    return bad("certificate", "ends in " + ends(), check_fault::this_machine,
               "until then all goes on; before that day " + std::string{enrol_anew});
  return well("certificate", "valid for " + ends());
}

check_step agent(const check_facts& facts) {
  if (!facts.settings_problems.empty())
    return left_out("agent", "the settings say where it listens");
  if (!facts.agent_problem.empty())
    return bad("agent", facts.agent_problem, check_fault::this_machine,
               "start it, for example by `systemctl start muster-agent`; if it does not stay, its log "
               "says why");
  const auto& now = facts.after ? facts.after : facts.before;
  return now ? well("agent", "version " + now->version + ", " + now->connection)
             : left_out("agent", "");
}

/// What the server has last said to the running agent.
check_step word(const check_facts& facts) {
  const auto& now = facts.after ? facts.after : facts.before;
  if (!now)
    return left_out("server's word", "the server says to a running agent whether it wants it");
  if (now->refusal.empty())
    return now->clock_told_us != 0 ? well("server's word", "it lets this device in")
                                   : left_out("server's word", "it has not said anything yet");
  const auto text = "it refuses this device (" + now->refusal + "): " + now->last_error;
  if (now->refusal == word_of_refusal(2))
    return bad("server's word", text, check_fault::server,
               "an administrator has revoked it; if that was wrong, " + std::string{enrol_anew});
  if (now->refusal == word_of_refusal(3))
    return bad("server's word", text, check_fault::server,
               "the server does not know this device: it was removed there, or the server was "
               "restored from an older backup; " + std::string{enrol_anew});
  if (now->refusal == word_of_refusal(4))
    return bad("server's word", text, check_fault::this_machine, enrol_anew);
  if (now->refusal == word_of_refusal(5))
    return bad("server's word", text, check_fault::this_machine,
               "another machine runs with a copy of this data directory: enrol one of them anew, "
               "with an empty directory");
  return bad("server's word", text, check_fault::server, "see the server's log");
}

check_step clock(const check_facts& facts) {
  const auto& now = facts.after ? facts.after : facts.before;
  if (!now || now->clock_told_us == 0) {
    if (facts.tls && !facts.tls->ec)
      return well("clock", "within the validity of the server's certificate; its time is not known");
    return left_out("clock", "the server has not told its time");
  }
  const std::chrono::milliseconds offset{now->clock_offset_ms};
  const auto by = span_text(offset < 0ms ? -offset : offset);
  if (offset > -offset_max && offset < offset_max)
    return well("clock", "off by " + by + " against the server's");
  return bad("clock", fmt::format("this machine's clock is {} by {} against the server's",
                                  offset > 0ms ? "behind" : "ahead", by),
             check_fault::this_machine,
             "set it (`timedatectl`); if it is right, the server's is wrong");
}

check_step notices(const check_facts& facts) {
  if (!facts.notices_refused)
    return left_out("notices", "the server was not reached");
  if (*facts.notices_refused)
    return bad("notices",
               fmt::format("nobody listens at the server's UDP port {}: it will not know when this "
                           "device goes off",
                           facts.notice_port),
               check_fault::server,
               "compare the setting notice.port here with the server's notices.port");
  return left_out("notices", fmt::format("whether the server hears UDP port {} cannot be told without "
                                         "marking this device off; nobody says that it is closed",
                                         facts.notice_port));
}

/// A wake that came and was not taken: reason, or empty.
std::string refused_meanwhile(const check_facts& facts) {
  if (!facts.before || !facts.after)
    return {};
  for (const auto& [reason, count] : facts.after->wakes_refused) {
    const auto found = facts.before->wakes_refused.find(reason);
    if (count > (found == facts.before->wakes_refused.end() ? 0 : found->second))
      return reason;
  }
  return {};
}

check_step wakes(const check_facts& facts) {
  const auto& before = facts.before;
  if (!before)
    return left_out("wakes", "that takes a running agent");
  if (before->wake_port == 0 && before->wake_problem.empty())
    return left_out("wakes", "by its settings this device is not to be called (wake.port is 0)");
  if (before->wake_port == 0)
    return bad("wakes", before->wake_problem, check_fault::this_machine,
               "end what has the port, or choose another one with wake.port");
  const auto& now = facts.after ? facts.after : before;
  if (!facts.wake)
    return left_out("wakes", facts.wake_problem.empty() ? "the server was not reached"
                                                        : facts.wake_problem);
  if (facts.wake->arrived)
    return well("wakes", fmt::format("one arrived after {} ms", facts.wake->took_ms));
  const auto& way = facts.plain ? facts.plain_handshake : facts.tls;
  if (!way || way->ec)
    return left_out("wakes", "the server was not reached");
  if (!now->refusal.empty() || now->clock_told_us == 0)
    return left_out("wakes", "the agent has no connection to ask for one: " + facts.wake->text);
  if (!facts.wake->sent)
    return bad("wakes", "the server did not send one: " + facts.wake->text, check_fault::server,
               "see the server's log, and `muster server status` on a console");
  if (!now->wake_keys)
    return bad("wakes", "one was sent, but this device has no keys to believe it",
               check_fault::network,
               fmt::format("keys come over TLS only: let this machine reach TCP port {} of the server "
                           "once",
                           facts.port));
  if (const auto reason = refused_meanwhile(facts); !reason.empty())
    return bad("wakes", "something came meanwhile, but it was no wake for this device now: " + reason,
               check_fault::server,
               "try again; if it stays so, restart the agent so that it gets its keys anew");
  return bad("wakes", "the server sent one, and it did not arrive", check_fault::network,
             fmt::format("a firewall or address translation between server and this machine drops UDP "
                         "to port {}; open it, or use keep connection (sync.keep = true, or `muster "
                         "keep on` on a console)",
                         before->wake_port));
}

constexpr std::array<const char*, 3> verdict_words = {"ok", "failed", "not tried"};
constexpr std::array<const char*, 4> fault_words = {"", "this machine", "the network", "the server"};

} // namespace

std::vector<check_step> judge(const check_facts& facts) {
  return {settings(facts), identity(facts), certificate(facts), agent(facts),   name(facts),
          tcp(facts),      tls(facts),      plain(facts),       word(facts),    clock(facts),
          notices(facts),  wakes(facts)};
}

bool all_well(const std::vector<check_step>& steps) {
  return std::none_of(steps.begin(), steps.end(), [](const check_step& step) {
    return step.verdict == check_verdict::failed;
  });
}

std::string check_lines(const std::vector<check_step>& steps) {
  std::string out;
  for (const auto& step : steps) {
    out += fmt::format("{:<11}{:<15}{}\n", verdict_words.at(static_cast<std::size_t>(step.verdict)),
                       step.name, printable(step.text));
    if (step.verdict != check_verdict::failed)
      continue;
    out += fmt::format("{:<11}at fault: {}\n", "", fault_words.at(static_cast<std::size_t>(step.fault)));
    out += fmt::format("{:<11}what to do: {}\n", "", printable(step.remedy));
  }
  return out;
}

std::string check_json(const std::vector<check_step>& steps) {
  auto list = local_json::json::array();
  for (const auto& step : steps) {
    local_json::json one{{"name", step.name},
                         {"result", verdict_words.at(static_cast<std::size_t>(step.verdict))},
                         {"text", step.text}};
    if (step.verdict == check_verdict::failed) {
      one["fault"] = fault_words.at(static_cast<std::size_t>(step.fault));
      one["remedy"] = step.remedy;
    }
    list.push_back(std::move(one));
  }
  return local_json::dump({{"ok", all_well(steps)}, {"steps", std::move(list)}});
}

} // namespace muster::actors
