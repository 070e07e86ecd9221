#include "actors/server/api/reply.hpp"

#include "actors/errc.hpp"

#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace muster::actors::api {

namespace {

namespace json_util = google::protobuf::util;

std::string_view title_of(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 507: return "Insufficient Storage";
    default: return "Error";
  }
}

/// Seconds until an overloaded or stopping server may have changed its mind.
constexpr std::uint32_t retry_soon_s = 2;

} // namespace

std::string to_json(const google::protobuf::Message& message) {
  json_util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string out;
  const auto status = json_util::MessageToJsonString(message, &out, options);
  return status.ok() ? out : std::string{};
}

bool from_json(std::string_view text, google::protobuf::Message& message, std::string& problem) {
  json_util::JsonParseOptions options;
  const auto status = json_util::JsonStringToMessage({text.data(), text.size()}, &message, options);
  if (status.ok())
    return true;
  problem = std::string{status.message()};
  return false;
}

void harden(net::http::response& r) {
  r.headers.emplace_back("Cache-Control", "no-store");
  r.headers.emplace_back("X-Content-Type-Options", "nosniff");
  r.headers.emplace_back("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

net::http::response text(int status, std::string content_type, std::string body) {
  net::http::response out;
  out.status = status;
  out.content_type = std::move(content_type);
  out.body = std::move(body);
  harden(out);
  return out;
}

net::http::response reply(int status, const google::protobuf::Message& message) {
  auto body = to_json(message);
  if (body.empty())
    return problem(500, "the answer has a text that is no UTF-8");
  return text(status, "application/json", std::move(body));
}

net::http::response no_content() {
  return text(204, {}, {});
}

net::http::response problem(int status, std::string_view detail) {
  return problem(status, detail, {});
}

net::http::response problem(int status, std::string_view detail,
                            const std::vector<std::string>& problems) {
  nlohmann::json body{{"type", "about:blank"},
                      {"title", title_of(status)},
                      {"status", status},
                      {"detail", detail}};
  if (!problems.empty())
    body["problems"] = problems;
  // What a client sent may be in the detail, and may be no UTF-8.
  return text(status, "application/problem+json",
              body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

net::http::response unauthorized(std::string_view detail) {
  auto out = problem(401, detail);
  out.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"muster\"");
  return out;
}

net::http::response problem_for_now(int status, std::string_view detail,
                                    std::uint32_t retry_after_s) {
  auto out = problem(status, detail);
  out.headers.emplace_back("Retry-After", std::to_string(std::max(retry_after_s, 1U)));
  return out;
}

net::http::response problem(const caf::error& why) {
  if (is(why, storage::errc::disk_full))
    return problem_for_now(507, "the server's disk is full; nothing was changed", 60);
  if (why.category() == caf::atom("storage"))
    return problem(500, "the server's store: " + text_of(why));
  if (why.category() == error_category) {
    switch (static_cast<errc>(why.code())) {
      case errc::invalid: return problem(400, text_of(why));
      case errc::overloaded: return problem_for_now(503, text_of(why), retry_soon_s);
      case errc::stopping: return problem_for_now(503, text_of(why), retry_soon_s);
      default: return problem(500, text_of(why));
    }
  }
  // CAF's own: whoever was asked has just ended.
  return problem_for_now(503, "the server is stopping, or restarting a part of itself",
                         retry_soon_s);
}

} // namespace muster::actors::api
