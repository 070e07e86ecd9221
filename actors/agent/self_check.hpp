#pragma once
// What `muster-agent check` makes of what it found: step by step whether all is well, else whose
// fault it is and what to do. Pure.

#include "actors/agent/local_status.hpp"
#include "actors/messages.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace muster::actors {

/// What came of one attempt; an empty code: it worked.
struct check_attempt {
  std::error_code ec;
  std::string detail;
};

/// Everything that was found. What is empty was not tried, because something before it failed.
struct check_facts {
  std::string settings_file;
  std::vector<std::string> settings_problems;

  bool enrolled = false;
  std::string identity_problem;      ///< when it cannot be used; empty and not enrolled: there is none
  std::string device;
  std::int64_t certificate_begins_s = 0;
  std::int64_t certificate_ends_s = 0;
  std::int64_t now_s = 0;            ///< by this machine's clock

  std::string agent_problem;         ///< why no agent answers; empty: one does
  std::optional<local_status> before; ///< the agent's word at the beginning ...
  std::optional<local_status> after;  ///< ... and when it has tested wakes

  std::string host;
  std::uint16_t port = 13000;        ///< TLS
  std::uint16_t plain_port = 14000;
  std::uint16_t notice_port = 13000; ///< UDP, of the server
  std::uint16_t wake_port = 15000;   ///< UDP, of this machine, by its settings
  bool plain = false;                ///< transport
  std::vector<std::string> addresses; ///< of the server
  std::optional<check_attempt> name;
  std::optional<check_attempt> tcp;
  std::optional<check_attempt> tls;
  std::optional<check_attempt> plain_tcp;
  std::optional<check_attempt> plain_handshake;
  std::optional<bool> notices_refused; ///< the server's machine says that nobody listens there

  std::string wake_problem;          ///< why there was no test of wakes, in the agent's words
  std::optional<wake_probe> wake;
};

enum class check_verdict : std::uint8_t { ok, failed, not_tried };
enum class check_fault : std::uint8_t { none, this_machine, network, server };

struct check_step {
  std::string name;                  ///< one word, for programs
  check_verdict verdict = check_verdict::not_tried;
  std::string text;
  check_fault fault = check_fault::none; ///< when failed
  std::string remedy;                    ///< when failed
};

/// Always the same steps, in the order in which they depend on each other.
[[nodiscard]] std::vector<check_step> judge(const check_facts& facts);
/// Nothing failed. (What was left out for other reasons than a failure does not count.)
[[nodiscard]] bool all_well(const std::vector<check_step>& steps);

[[nodiscard]] std::string check_lines(const std::vector<check_step>& steps);
/// {"ok":...,"steps":[{"name":...,"result":"ok"|"failed"|"not tried","text":...,"fault":...,
/// "remedy":...}]}
[[nodiscard]] std::string check_json(const std::vector<check_step>& steps);

} // namespace muster::actors
