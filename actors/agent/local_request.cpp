#include "actors/agent/local_request.hpp"

#include "actors/agent/limits.hpp"
#include "net/limits.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace muster::actors {

namespace {

using json = nlohmann::json;

constexpr std::array<std::string_view, 4> severity_words = {"info", "warning", "critical",
                                                            "failure"};
constexpr std::string_view type_prefix = "local.";

/// Two levels (a request, its attributes) are all there is: an array of arrays of arrays would cost
/// more than it has bytes.
constexpr int depth_max = 2;

/// Empty when it is no JSON object of our depth.
json object_of(std::string_view text) {
  bool too_deep = false;
  const json::parser_callback_t shallow = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > depth_max;
    return !too_deep;
  };
  auto out = json::parse(text, shallow, false);
  return !too_deep && out.is_object() ? out : json{};
}

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

/// Texts that are no UTF-8 cannot be said in JSON; their bad bytes are replaced.
std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_in(const json& in, const char* key) {
  const auto found = in.find(key);
  return found != in.end() && found->is_string() ? found->get<std::string>() : std::string{};
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
  local_order out;
  bool good = false;
  if (!in.is_object()) {
    problem = "a request is one JSON object";
  } else if (what == "event") {
    out.what = local_order::kind::event;
    good = only_members(in, {"do", "severity", "text", "type", "attributes"}, problem)
           && take_event(in, out.event, problem);
  } else if (what == "status" || what == "sync") {
    out.what = what == "sync" ? local_order::kind::sync : local_order::kind::status;
    good = only_members(in, {"do"}, problem);
  } else {
    problem = "'do' must be event, status or sync";
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

std::string local_status_request() { return dump({{"do", "status"}}); }

std::string local_sync_request() { return dump({{"do", "sync"}}); }

std::string local_ok() { return dump({{"ok", true}}); }

std::string local_ok(const local_status& status) {
  return dump({{"ok", true},
               {"version", status.version},
               {"connection", status.connection},
               {"events_waiting", status.events_waiting}});
}

std::string local_error(std::string_view why) { return dump({{"ok", false}, {"error", why}}); }

local_answer parse_local_answer(std::string_view text) {
  local_answer out;
  const auto in = object_of(text);
  const auto ok = in.is_object() ? in.find("ok") : in.end();
  if (ok == in.end() || !ok->is_boolean()) {
    out.error = "the agent answered what is no answer";
    return out;
  }
  out.ok = ok->get<bool>();
  out.error = text_in(in, "error");
  if (!out.ok && out.error.empty())
    out.error = "the agent refused and did not say why";
  out.status.version = text_in(in, "version");
  out.status.connection = text_in(in, "connection");
  const auto waiting = in.find("events_waiting");
  if (waiting != in.end() && waiting->is_number_unsigned())
    out.status.events_waiting = waiting->get<std::uint64_t>();
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
