#include "apps/console/api.hpp"

#include "apps/common/utf8.hpp"
#include "apps/console/failure.hpp"
#include "net/limits.hpp"

#include <muster/version.hpp>

#include <nlohmann/json.hpp>

namespace muster::console {

namespace {

constexpr const char* base = "/api/v1";

exit_code code_of(int status) {
  switch (status) {
  case 400:
    return exit_usage;
  case 401:
    return exit_unreachable;
  case 403:
  case 429:
    return exit_refused;
  case 404:
    return exit_not_found;
  case 422: // files, or what was to be changed, are wrong
    return exit_usage;
  default:
    return exit_failed;
  }
}

/// "title: detail", or what there is of it. A title without a type of its own is only the status in
/// words (RFC 9457, 4.2.1) and tells a person nothing.
std::string sentence_of(const net::http::response& answer) {
  const auto problem = nlohmann::json::parse(answer.body, nullptr, false);
  const auto word = [&](const char* name) {
    if (!problem.is_object())
      return std::string{};
    const auto at = problem.find(name);
    return at != problem.end() && at->is_string() ? at->get<std::string>() : std::string{};
  };
  const auto detail = word("detail");
  const auto title = word("type") == "about:blank" && !detail.empty() ? "" : word("title");
  if (title.empty() && detail.empty())
    return "the server answered with status " + std::to_string(answer.status);
  return title.empty() || detail.empty() ? title + detail : title + ": " + detail;
}

/// A line for each thing that is wrong, when there are several.
std::string list_of_problems(const net::http::response& answer) {
  const auto problem = nlohmann::json::parse(answer.body, nullptr, false);
  const auto at = problem.is_object() ? problem.find("problems") : problem.end();
  std::string out;
  if (!problem.is_object() || at == problem.end() || !at->is_array() || at->size() < 2)
    return out;
  for (const auto& line : *at)
    if (line.is_string())
      out += "\n  " + utf8::clean(line.get<std::string>());
  return out;
}

} // namespace

void fail_with(const net::http::response& answer, const profile& server) {
  auto text = utf8::clean(sentence_of(answer));
  if (answer.status == 401 && !server.token.empty())
    text = "the log-in has ended; log in again: muster login " + server.url();
  text += list_of_problems(answer);
  if (answer.status == 409)
    throw conflict(exit_failed, text);
  const bool may_pass = answer.status >= 502 && answer.status <= 504;
  throw failure(code_of(answer.status), text, may_pass);
}

net::http::request api::make(std::string method, const std::string& path, query q) const {
  net::http::request r;
  r.method = std::move(method);
  r.path = base + path;
  r.query = std::move(q);
  r.headers["accept"] = "application/json";
  r.headers["user-agent"] = "muster/" + std::string(version());
  if (!profile_.token.empty())
    r.headers["authorization"] = "Bearer " + profile_.token;
  return r;
}

void api::connect() {
  if (connection_ != nullptr)
    return;
  std::string problem;
  connection_ = connect_ ? connect_(profile_, nullptr, problem) : nullptr;
  if (connection_ == nullptr)
    throw failure(exit_unreachable,
                  problem.empty() ? profile_.url() + " cannot be reached" : problem, true);
}

net::http::response api::exchange(const net::http::request& r) {
  connect();
  std::string problem;
  auto answer = connection_->exchange(r, problem);
  if (!answer) {
    connection_.reset();
    throw failure(exit_unreachable, problem, true);
  }
  if (!answer->keep_alive)
    connection_.reset();
  if (answer->status < 200 || answer->status >= 300)
    fail_with(*answer, profile_);
  return std::move(*answer);
}

std::string api::get(const std::string& path, const query& q) {
  return exchange(make("GET", path, q)).body;
}

net::http::response api::get_whole(const std::string& path, const query& q) {
  return exchange(make("GET", path, q));
}

std::string api::post(const std::string& path, const std::string& body) {
  // A connection on which nobody has shown a token yet does not take that much.
  if (body.size() > net::limits::http_body_bytes_anonymous_max)
    static_cast<void>(get("/whoami"));
  auto r = make("POST", path, {});
  r.body = body;
  if (!body.empty())
    r.headers["content-type"] = "application/json";
  return exchange(r).body;
}

void api::remove(const std::string& path) {
  exchange(make("DELETE", path, {}));
}

bool api::follow(const std::string& path, const query& q,
                 const net::http::event_stream_reader::on_event& tell, std::string& problem) {
  connect();
  auto r = make("GET", path, q);
  r.headers["accept"] = "text/event-stream";
  std::optional<net::http::response> instead;
  const bool done = connection_->follow(r, tell, problem, instead);
  // A stream uses its connection up.
  connection_.reset();
  if (instead)
    fail_with(*instead, profile_);
  return done;
}

} // namespace muster::console
