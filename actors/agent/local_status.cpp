#include "actors/agent/local_status.hpp"

#include "actors/agent/limits.hpp"
#include "actors/agent/local_json.hpp"
#include "net/wire/agent.pb.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

namespace muster::actors {

namespace {

using local_json::json;
using std::chrono::milliseconds;

/// The numbers of wire::refusal.
constexpr std::array<std::string_view, 9> refusals = {
  "",        "token",           "revoked",  "unknown device", "certificate expired",
  "identity in use elsewhere", "protocol", "enrolment",      "limit"};

/// The numbers of wire::settings_outcome.
constexpr std::array<std::string_view, 7> outcomes = {
  "in progress", "applied", "refused", "failed", "no connector", "not installed", "unsafe connector"};

/// No time we speak of is further away: 30,000 years.
constexpr std::int64_t far_s = 1'000'000'000'000;

/// Not in the middle of a character.
std::string cut(const std::string& text) {
  auto size = std::min(text.size(), limits::local_text_bytes_max);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
    --size;
  return text.substr(0, size);
}

milliseconds since(std::int64_t then_us, std::int64_t now_us) {
  return milliseconds{std::max<std::int64_t>(now_us / 1000 - then_us / 1000, 0)};
}

/// "12 min ago", "in 3 s".
std::string when(std::int64_t at_us, std::int64_t now_us) {
  return at_us > now_us ? "in " + span_text(since(now_us, at_us))
                        : span_text(since(at_us, now_us)) + " ago";
}

std::string connection_line(const local_status& s, std::int64_t now_us) {
  if (s.connected)
    return s.keep ? "connected, and means to stay so" : "connected";
  std::string out = "not connected";
  if (s.keep)
    out += ", though it means to be";
  if (s.next_attempt_us > now_us)
    out += ", next attempt " + when(s.next_attempt_us, now_us);
  return out;
}

std::string sync_line(const local_status& s, std::int64_t now_us) {
  std::string out = s.last_sync_us == 0 ? "none since the agent started"
                                        : "last " + when(s.last_sync_us, now_us);
  if (s.next_sync_us > now_us)
    out += ", next " + when(s.next_sync_us, now_us);
  if (s.sync_period.count() > 0)
    out += ", every " + span_text(s.sync_period);
  return out;
}

std::string wake_line(const local_status& s) {
  std::string out = fmt::format("{} taken", s.wakes);
  for (const auto& [reason, count] : s.wakes_refused)
    out += fmt::format(", {} refused ({})", count, reason);
  if (s.acknowledgements_refused != 0)
    out += fmt::format(", {} refused (acknowledgement of a notice)", s.acknowledgements_refused);
  if (s.wake_port != 0)
    out += fmt::format(", listening on UDP port {}", s.wake_port);
  else
    out += s.wake_problem.empty() ? ", not listening (wake.port is 0)"
                                  : ", not listening: " + s.wake_problem;
  if (s.wake_port != 0 && !s.wake_keys)
    out += ", no keys from the server yet";
  return out;
}

std::string clock_line(const local_status& s, std::int64_t now_us) {
  if (s.clock_told_us == 0)
    return "the server has not told its time yet";
  const auto ahead = s.clock_offset_ms > 0 ? "the server's is ahead by " : "the server's is behind by ";
  const auto offset = milliseconds{std::abs(s.clock_offset_ms)};
  return (offset < std::chrono::seconds{1} ? "the same as the server's" : ahead + span_text(offset))
         + ", measured " + when(s.clock_told_us, now_us);
}

} // namespace

std::string word_of_refusal(std::uint32_t reason) {
  if (reason < refusals.size())
    return std::string{refusals.at(reason)};
  return "another reason";
}

void add_applications(local_status& status, std::string_view states) {
  wire::settings_states all;
  if (!all.ParseFromArray(states.data(), static_cast<int>(states.size())))
    return;
  for (const auto& one : all.items()) {
    if (status.applications.size() >= limits::local_applications_max)
      return;
    const auto outcome = static_cast<std::size_t>(one.outcome());
    std::string line{outcome < outcomes.size() ? outcomes.at(outcome) : "another outcome"};
    if (one.revision() != 0)
      line += fmt::format(", revision {}", one.revision());
    if (!one.detail().empty())
      line += ": " + one.detail();
    status.applications[one.application()] = cut(line);
  }
}

std::string printable(std::string text) {
  const auto control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  std::replace_if(text.begin(), text.end(), control, ' ');
  return text;
}

std::string span_text(milliseconds span) {
  const auto s = std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(span).count(), 0);
  if (s < 120)
    return fmt::format("{} s", s);
  if (s < 7'200)
    return fmt::format("{} min", s / 60);
  if (s < 172'800)
    return fmt::format("{} h", s / 3'600);
  return fmt::format("{} days", s / 86'400);
}

std::string status_answer(const local_status& s) {
  return local_json::dump({{"ok", true},
                           {"version", s.version},
                           {"connection", cut(s.connection)},
                           {"events_waiting", s.events_waiting},
                           {"device", s.device},
                           {"server", cut(s.server)},
                           {"address", s.address},
                           {"transport", s.transport},
                           {"connected", s.connected},
                           {"keep", s.keep},
                           {"next_attempt_us", s.next_attempt_us},
                           {"last_error", cut(s.last_error)},
                           {"last_error_us", s.last_error_us},
                           {"refusal", s.refusal},
                           {"syncs", s.syncs},
                           {"last_sync_us", s.last_sync_us},
                           {"next_sync_us", s.next_sync_us},
                           {"sync_period_ms", s.sync_period.count()},
                           {"wake_port", s.wake_port},
                           {"wake_problem", cut(s.wake_problem)},
                           {"wake_keys", s.wake_keys},
                           {"wakes", s.wakes},
                           {"wakes_refused", s.wakes_refused},
                           {"acknowledgements_refused", s.acknowledgements_refused},
                           {"applications", s.applications},
                           {"certificate_ends_s", s.certificate_ends_s},
                           {"clock_offset_ms", s.clock_offset_ms},
                           {"clock_told_us", s.clock_told_us}});
}

local_status parse_status_answer(std::string_view text) {
  const auto in = local_json::object_of(text);
  local_status out;
  if (!in.is_object())
    return out;
  using namespace local_json;
  out.version = text_in(in, "version");
  out.connection = text_in(in, "connection");
  out.events_waiting = count_in(in, "events_waiting");
  out.device = text_in(in, "device");
  out.server = text_in(in, "server");
  out.address = text_in(in, "address");
  out.transport = text_in(in, "transport");
  out.connected = flag_in(in, "connected");
  out.keep = flag_in(in, "keep");
  out.next_attempt_us = number_in(in, "next_attempt_us");
  out.last_error = text_in(in, "last_error");
  out.last_error_us = number_in(in, "last_error_us");
  out.refusal = text_in(in, "refusal");
  out.syncs = count_in(in, "syncs");
  out.last_sync_us = number_in(in, "last_sync_us");
  out.next_sync_us = number_in(in, "next_sync_us");
  out.sync_period = milliseconds{number_in(in, "sync_period_ms")};
  out.wake_port = static_cast<std::uint16_t>(
    std::min<std::uint64_t>(count_in(in, "wake_port"), std::numeric_limits<std::uint16_t>::max()));
  out.wake_problem = text_in(in, "wake_problem");
  out.wake_keys = flag_in(in, "wake_keys");
  out.wakes = count_in(in, "wakes");
  if (const auto found = in.find("wakes_refused"); found != in.end() && found->is_object())
    for (const auto& [reason, count] : found->items())
      if (count.is_number_unsigned() && out.wakes_refused.size() < limits::local_reasons_max)
        out.wakes_refused[reason] = count.get<std::uint64_t>();
  if (const auto found = in.find("applications"); found != in.end() && found->is_object())
    for (const auto& [name, line] : found->items())
      if (line.is_string() && out.applications.size() < limits::local_applications_max)
        out.applications[name] = cut(line.get<std::string>());
  out.acknowledgements_refused = count_in(in, "acknowledgements_refused");
  out.certificate_ends_s = std::clamp<std::int64_t>(number_in(in, "certificate_ends_s"), 0, far_s);
  out.clock_offset_ms = std::clamp(number_in(in, "clock_offset_ms"), -1'000 * far_s, 1'000 * far_s);
  out.clock_told_us = number_in(in, "clock_told_us");
  return out;
}

std::string status_lines(const local_status& s, std::int64_t now_us) {
  std::string out;
  const auto line = [&out](std::string_view label, const std::string& value) {
    out += fmt::format("{:<13}{}\n", label, printable(value));
  };
  line("version", s.version);
  line("device", s.device);
  line("server", s.server + (s.transport == "plain" ? ", without encryption" : "")
                   + (s.address.empty() ? "" : ", last reached at " + s.address));
  line("connection", connection_line(s, now_us));
  if (!s.refusal.empty())
    line("refused", s.refusal);
  if (!s.last_error.empty())
    line("last failure", s.last_error + ", " + when(s.last_error_us, now_us));
  line("sync", sync_line(s, now_us));
  line("events", fmt::format("{} waiting", s.events_waiting));
  line("wakes", wake_line(s));
  for (const auto& [name, how] : s.applications)
    line("settings", name + ": " + how);
  if (s.certificate_ends_s != 0)
    line("certificate", s.certificate_ends_s * 1'000'000 > now_us
                          ? "ends " + when(s.certificate_ends_s * 1'000'000, now_us)
                          : "ended " + when(s.certificate_ends_s * 1'000'000, now_us));
  line("clock", clock_line(s, now_us));
  return out;
}

} // namespace muster::actors
