#include "actors/server/api/call.hpp"

#include "actors/rules/device_filter.hpp"
#include "actors/server/accounts.hpp"
#include "actors/server/api/cursor.hpp"
#include "actors/server/api/present.hpp"
#include "actors/server/api/present_fleet.hpp"
#include "actors/server/api/reply.hpp"
#include "actors/server/api/schema.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <charconv>

namespace muster::actors::api {

namespace {

using net::http::response;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// RFC 6750, 2.1. Empty when there is no such header.
std::string bearer_of(const net::http::request& r) {
  const auto value = r.header("authorization");
  constexpr std::string_view scheme = "Bearer ";
  if (!equal_without_case(std::string_view{value}.substr(0, scheme.size()), scheme))
    return {};
  const auto begin = value.find_first_not_of(' ', scheme.size());
  return begin == std::string::npos ? std::string{} : value.substr(begin);
}

bool refuse(response& refusal, int status, std::string_view detail) {
  refusal = problem(status, detail);
  return false;
}

/// Path and query, without what may differ between the pages of one list.
std::string question_of(const call& c) {
  std::string out{c.where->path};
  for (const auto& [name, value] : c.request.query) {
    if (name == "cursor" || name == "limit")
      continue;
    out += '\0' + name + '\0' + value;
  }
  return out;
}

std::optional<severity> severity_of(std::string_view text) {
  constexpr std::string_view names[] = {"info", "warning", "critical", "failure"};
  for (std::size_t i = 0; i < std::size(names); ++i)
    if (text == names[i])
      return static_cast<severity>(i + 1);
  return std::nullopt;
}

/// Empty, or what is wrong with the value.
std::string take_text(call& c, std::string_view name, const std::string& value) {
  if (value.size() > query_text_bytes_max)
    return "is longer than " + std::to_string(query_text_bytes_max) + " bytes";
  std::string problem_of_target;
  if (name == "target" && !rules::device_filter::parse(value, problem_of_target))
    return "is no target: " + problem_of_target;
  if (name == "target")
    c.target = value;
  else if (name == "prefix")
    c.prefix = value;
  else if (name == "name")
    c.name = value;
  else if (name == "version")
    c.version = value;
  else if (name == "group")
    c.group = value;
  else if (name == "application")
    c.application = value;
  else
    MUSTER_ASSERT(false, "a text parameter of the table has a place in call");
  return {};
}

std::string take_parameter(call& c, const parameter& p, const std::string& value) {
  switch (p.kind) {
    case parameter_kind::text: return take_text(c, p.name, value);
    case parameter_kind::number: {
      const auto number = parse_number(value);
      if (!number || *number < 1 || *number > page_rows_max)
        return "must be a number from 1 to " + std::to_string(page_rows_max);
      c.limit = static_cast<std::uint32_t>(*number);
      return {};
    }
    case parameter_kind::cursor: {
      if (value.empty())
        return {}; // as in the last page's nextCursor
      auto fields = decode_cursor(c.question, value);
      if (!fields)
        return "is none that this list gave out; ask again without it";
      c.cursor = std::move(*fields);
      return {};
    }
    case parameter_kind::device:
      c.of_device = device_id::from_text(value);
      return c.of_device ? "" : "must be a device's id: 32 lower case hexadecimal digits";
    case parameter_kind::severity: {
      const auto found = severity_of(value);
      c.severity_min = found.value_or(severity::info);
      return found ? "" : "must be info, warning, critical or failure";
    }
    case parameter_kind::step:
      c.step = call_step_of(value);
      return c.step ? "" : "must be waiting, asked, waking, queued, done or failed";
    case parameter_kind::fleet_kind:
      c.kind = fleet_kind_of(value);
      return c.kind ? "" : "must be Group, Policy, Rule or Task";
    case parameter_kind::moment: {
      const auto number = parse_number(value);
      (p.name == "since" ? c.since_us : c.until_us) = number.value_or(0);
      return number ? "" : "must be microseconds since 1970";
    }
  }
  return {};
}

bool read_query(call& c, response& refusal) {
  c.question = question_of(c);
  std::string_view before;
  for (const auto& given : c.request.query) {
    const auto& name = given.first;
    if (name == before)
      return refuse(refusal, 400, "the parameter '" + name + "' comes twice");
    before = name;
    const auto& known = c.where->query;
    const auto p = std::find_if(known.begin(), known.end(),
                                [&](const auto& one) { return one.name == name; });
    if (p == known.end())
      return refuse(refusal, 400, "there is no parameter '" + name + "' here");
    if (const auto wrong = take_parameter(c, *p, given.second); !wrong.empty())
      return refuse(refusal, 400, "'" + name + "' " + wrong);
  }
  for (const auto& p : c.where->query)
    if (p.required && !c.request.query.contains(std::string{p.name}))
      return refuse(refusal, 400, "the parameter '" + std::string{p.name} + "' is missing");
  return true;
}

bool is_json(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  const auto end = type.find_last_not_of(" \t");
  return end != std::string_view::npos
         && equal_without_case(type.substr(0, end + 1), "application/json");
}

bool read_body(call& c, response& refusal) {
  const auto& text = c.request.body;
  if (c.where->request.empty()) {
    if (!text.empty())
      return refuse(refusal, 400, "this takes no body");
    return true;
  }
  if (!is_json(c.request.header("content-type")))
    return refuse(refusal, 415, "the body must be JSON: 'Content-Type: application/json'");
  c.body = make_message(c.where->request);
  if (std::string wrong; !from_json(text, *c.body, wrong))
    return refuse(refusal, 400, "the body is not what this takes: " + wrong);
  return true;
}

/// The devices' routes name a device in their path, the others whatever it is.
bool read_argument(call& c, response& refusal) {
  if (!c.where->path.starts_with("/api/v1/devices/{"))
    return true;
  const auto id = device_id::from_text(c.argument);
  if (!id)
    return refuse(refusal, 404, "there is no such device; a device's id has 32 lower case "
                                "hexadecimal digits");
  c.device = *id;
  return true;
}

} // namespace

std::shared_ptr<call> begin_call(net::http::request request, bool from_loopback,
                                 response& refusal) {
  auto out = std::make_shared<call>();
  out->request = std::move(request);
  auto way = find_route(out->request.method, out->request.path);
  if (way.found == nullptr) {
    if (way.allow.empty()) {
      refusal = problem(404, "there is nothing at this path; see /api/v1/openapi.json");
    } else {
      refusal = problem(405, "this path takes only " + way.allow);
      refusal.headers.emplace_back("Allow", way.allow);
    }
    return nullptr;
  }
  out->where = way.found;
  out->argument = std::move(way.argument);
  out->bearer = bearer_of(out->request);
  if (needs_user(*out, from_loopback) && out->bearer.empty()) {
    refusal =
      unauthorized("log in first: this needs the header 'Authorization: Bearer TOKEN'");
    return nullptr;
  }
  const auto bytes_max = way.found->who == access::anybody ? body_bytes_anonymous_max
                                                           : way.found->body_bytes;
  if (out->request.body.size() > bytes_max) {
    refusal = problem(413, "the body is larger than " + std::to_string(bytes_max) + " bytes");
    return nullptr;
  }
  return out;
}

bool needs_user(const call& c, bool from_loopback) {
  switch (c.where->who) {
    case access::anybody: return false;
    case access::user_or_loopback: return !from_loopback;
    case access::user:
    case access::administrator: break;
  }
  return true;
}

bool finish_call(call& c, const console_user& user, response& refusal) {
  if (c.where->who == access::administrator && user.role != administrator_role)
    return refuse(refusal, 403, "only an administrator may do that");
  return read_argument(c, refusal) && read_query(c, refusal) && read_body(c, refusal);
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (ec != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return out;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  const auto out = parse_unsigned(text);
  if (!out || *out > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  return static_cast<std::int64_t>(*out);
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

} // namespace muster::actors::api
