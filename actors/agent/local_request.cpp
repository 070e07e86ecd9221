#include "actors/agent/local_request.hpp"

#include "actors/agent/limits.hpp"
#include "actors/agent/local_json.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace muster::actors {

namespace {

using local_json::dump;
using local_json::json;
using local_json::object_of;
using local_json::text_in;

constexpr std::array<std::string_view, 4> severity_words = {"info", "warning", "critical",
                                                            "failure"};
constexpr std::string_view type_prefix = "local.";

/// Requests that say no more than what is to be done, index: local_order::kind.
constexpr std::array<std::string_view, 5> words_of_kinds = {"event", "status", "sync", "wake-test",
                                                            "reload"};

bool type_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
         || c == '_' || c == '-';
}

/// A string member within its bound; absent is empty.
bool take_text(const json& in, const char* key, std::size_t bytes_max, std::string& out,
               std::string& problem) {
  const auto found = in.find(key);
  if (found == in.end())
    return true;
  if (!found->is_string()) {
    problem = std::string{"'"} + key + "' must be a text";
    return false;
  }
  out = found->get<std::string>();
  if (out.size() <= bytes_max)
    return true;
  problem = std::string{"'"} + key + "' has more than " + std::to_string(bytes_max) + " bytes";
  return false;
}

bool take_attributes(const json& in, raised_event& out, std::string& problem) {
  const auto found = in.find("attributes");
  if (found == in.end())
    return true;
  if (!found->is_object()) {
    problem = "'attributes' must be an object of texts";
    return false;
  }
  // Three are ours: who said it.
  if (found->size() > limits::event_attributes_max - 3) {
    problem = "more than " + std::to_string(limits::event_attributes_max - 3) + " attributes";
    return false;
  }
  for (const auto& [key, value] : found->items()) {
    if (key.empty() || key.size() > limits::event_key_bytes_max) {
      problem = "an attribute's name must have 1 to "
                + std::to_string(limits::event_key_bytes_max) + " bytes";
      return false;
    }
    if (key.starts_with(type_prefix)) {
      problem = "attributes that begin with 'local.' are the agent's own";
      return false;
    }
    if (!take_text(*found, key.c_str(), limits::event_value_bytes_max, out.attributes[key],
                   problem))
      return false;
  }
  return true;
}

bool take_type(const json& in, raised_event& out, std::string& problem) {
  constexpr auto room = limits::event_type_bytes_max - type_prefix.size();
  std::string type;
  if (!take_text(in, "type", limits::event_type_bytes_max, type, problem))
    return false;
  if (type.starts_with(type_prefix))
    type.erase(0, type_prefix.size());
  if (type.size() > room || !std::all_of(type.begin(), type.end(), type_character)) {
    problem = "'type' may have " + std::to_string(room)
              + " letters, digits, dots, underscores and hyphens";
    return false;
  }
  out.type = std::string{type_prefix} + (type.empty() ? "event" : type);
  return true;
}

bool take_event(const json& in, raised_event& out, std::string& problem) {
  std::string word = "info";
  if (!take_text(in, "severity", 16, word, problem) || !take_type(in, out, problem)
      || !take_text(in, "text", limits::event_text_bytes_max, out.text, problem)
      || !take_attributes(in, out, problem))
    return false;
  const auto how = severity_of(word);
  if (!how)
    problem = "'severity' must be info, warning, critical or failure";
  else if (out.text.empty())
    problem = "an event needs a 'text'";
  else
    out.severity = *how;
  return problem.empty();
}

bool only_members(const json& in, std::initializer_list<std::string_view> known,
                  std::string& problem) {
  for (const auto& [key, value] : in.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      problem = "unknown member '" + key.substr(0, limits::event_key_bytes_max) + "'";
      return false;
    }
  }
  return true;
}

} // namespace

std::optional<local_order> parse_local_request(std::string_view text, std::string& problem) {
  problem.clear();
  if (text.size() > net::limits::local_message_bytes_max) {
    problem = "a request has at most "
              + std::to_string(net::limits::local_message_bytes_max) + " bytes";
    return std::nullopt;
  }
  const auto in = object_of(text);
  const auto what = in.is_object() ? text_in(in, "do") : std::string{};
  const auto known = std::find(words_of_kinds.begin(), words_of_kinds.end(), what);
  local_order out;
  bool good = false;
  if (!in.is_object()) {
    problem = "a request is one JSON object";
  } else if (known == words_of_kinds.end()) {
    problem = "'do' must be event, status, sync, wake-test or reload";
  } else {
    out.what = static_cast<local_order::kind>(known - words_of_kinds.begin());
    if (out.what == local_order::kind::event)
      good = only_members(in, {"do", "severity", "text", "type", "attributes"}, problem)
             && take_event(in, out.event, problem);
    else
      good = only_members(in, {"do"}, problem);
  }
  return good ? std::optional(std::move(out)) : std::nullopt;
}

std::string local_event_request(const raised_event& event) {
  json out{{"do", "event"}, {"severity", word_of(event.severity)}, {"text", event.text}};
  if (!event.type.empty())
    out["type"] = event.type;
  for (const auto& [key, value] : event.attributes)
    out["attributes"][key] = value;
  return dump(out);
}

std::string local_request_for(local_order::kind what) {
  return dump({{"do", words_of_kinds.at(static_cast<std::size_t>(what))}});
}

std::string local_ok() { return dump({{"ok", true}}); }

std::string local_ok(const wake_probe& result) {
  return dump({{"ok", true},
               {"sent", result.sent},
               {"arrived", result.arrived},
               {"took_ms", result.took_ms},
               {"text", result.text.substr(0, limits::local_text_bytes_max)}});
}

std::string local_error(std::string_view why) { return dump({{"ok", false}, {"error", why}}); }

local_answer parse_local_answer(std::string_view text) {
  local_answer out;
  const auto in = text.size() <= net::limits::local_answer_bytes_max ? object_of(text) : json{};
  const auto ok = in.is_object() ? in.find("ok") : in.end();
  if (ok == in.end() || !ok->is_boolean()) {
    out.error = "the agent answered what is no answer";
    return out;
  }
  out.ok = ok->get<bool>();
  out.error = text_in(in, "error");
  if (!out.ok && out.error.empty())
    out.error = "the agent refused and did not say why";
  out.status = parse_status_answer(text);
  out.wake.sent = local_json::flag_in(in, "sent");
  out.wake.arrived = local_json::flag_in(in, "arrived");
  out.wake.took_ms = static_cast<std::uint32_t>(
    std::min<std::uint64_t>(local_json::count_in(in, "took_ms"), UINT32_MAX));
  out.wake.text = text_in(in, "text");
  return out;
}

const char* word_of(severity how) {
  const auto rank = std::clamp<std::size_t>(static_cast<std::size_t>(how), 1, 4) - 1;
  return severity_words[rank].data();
}

std::optional<severity> severity_of(std::string_view word) {
  const auto found = std::find(severity_words.begin(), severity_words.end(), word);
  if (found == severity_words.end())
    return std::nullopt;
  return static_cast<severity>(found - severity_words.begin() + 1);
}

} // namespace muster::actors
