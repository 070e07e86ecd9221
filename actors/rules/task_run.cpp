#include "actors/rules/task_run.hpp"

#include <array>
#include <charconv>

namespace muster::rules {

namespace {

using enum task_state;

/// A whole text as a number, in its shortest form.
template <class Number>
std::optional<Number> number_of(std::string_view text) noexcept {
  Number out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, out);
  const bool shortest = text == "0" || (!text.starts_with('0') && !text.starts_with("-0"));
  return ec == std::errc{} && at == end && shortest ? std::optional{out} : std::nullopt;
}

settled one_sided(std::optional<task_state> server, std::optional<task_state> agent) noexcept {
  if (agent == pending)
    agent = delivered; // a device that has it has at least got it
  if (agent)
    return {settlement::adopted, agent, agent, !is_outcome(*agent) && *agent != running};
  if (!server)
    return {settlement::agree, server, agent, false};
  if (*server == pending)
    return {settlement::deliver, server, agent, true};
  if (is_outcome(*server))
    return {settlement::agent_takes, server, server, false};
  return {settlement::unknown, interrupted, interrupted, false};
}

} // namespace

std::string task_run::text() const {
  auto out = task.text() + "." + std::to_string(revision) + ".";
  if (const auto* request = std::get_if<request_id>(&cause))
    return out + "r" + request->text();
  return out + "t" + std::to_string(std::get<utc_seconds>(cause).time_since_epoch().count());
}

std::optional<task_run> task_run::from_text(std::string_view text) noexcept {
  const auto first = text.find('.');
  const auto second = text.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos || second + 1 == text.size())
    return std::nullopt;
  const auto task = task_id::from_text(text.substr(0, first));
  const auto revision = number_of<std::uint32_t>(text.substr(first + 1, second - first - 1));
  if (!task || !revision)
    return std::nullopt;
  task_run out{*task, *revision, {}};
  const char kind = text[second + 1];
  text.remove_prefix(second + 2);
  if (kind == 'r') {
    const auto request = request_id::from_text(text);
    if (!request)
      return std::nullopt;
    out.cause = *request;
    return out;
  }
  const auto seconds = number_of<std::int64_t>(text);
  if (kind != 't' || !seconds)
    return std::nullopt;
  out.cause = utc_seconds{std::chrono::seconds{*seconds}};
  return out;
}

settled settle(std::optional<task_state> server, std::optional<task_state> agent) noexcept {
  if (!server || !agent)
    return one_sided(server, agent);
  const auto theirs = *agent == pending ? delivered : *agent;
  const bool waits = theirs == delivered;
  if (*server == theirs)
    return {settlement::agree, server, theirs, waits};
  if (is_outcome(*server)) {
    if (waits)
      return {settlement::agent_takes, server, server, false};
    // What runs is left to end; its outcome is then the second.
    return {settlement::two_outcomes, server, theirs == running ? agent : server, false};
  }
  if (judge(*server, theirs, task_party::agent) == transition::take)
    return {settlement::server_takes, theirs, theirs, waits};
  return {settlement::unknown, interrupted, interrupted, false};
}

std::string_view name_of(settlement how) noexcept {
  static constexpr std::array<std::string_view, 7> names{
    "agree", "deliver", "server takes", "agent takes", "unknown", "adopted", "two outcomes"};
  return names[static_cast<std::size_t>(how)];
}

} // namespace muster::rules
