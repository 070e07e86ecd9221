#pragma once
// HTTP/1.1 for the admin port: Boost.Beast's parser and serializer, pure functions of bytes.

#include "net/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace muster::net::http {

struct request {
  std::string method;                            ///< "GET"
  std::string path;                              ///< decoded, without query: "/api/v1/devices"
  std::multimap<std::string, std::string> query; ///< decoded
  std::map<std::string, std::string> headers;    ///< names in lower case
  std::string body;
  bool keep_alive = true;

  [[nodiscard]] std::string header(const std::string& name) const;
  [[nodiscard]] std::optional<std::string> query_value(const std::string& name) const;
};

struct response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool keep_alive = true;
};

/// One complete request as cut out by make_request_splitter(), nothing before or behind it. Bounded
/// by limits::http_*; targets that are no path, with bad escapes, control characters or "..", and
/// requests that name several hosts are refused.
[[nodiscard]] std::optional<request> parse_request(std::string_view bytes, std::error_code& ec);
/// With Content-Type and Content-Length, except where the status allows no body. Line breaks in
/// header values become spaces.
[[nodiscard]] std::string serialize(const response& r);

/// What a client sends; `host` as in the URL, with port.
[[nodiscard]] std::string serialize(const request& r, std::string_view host);
/// One whole response, head and body.
[[nodiscard]] std::optional<response> parse_response(std::string_view bytes, std::error_code& ec);

/// collected: the body is at most limits::http_response_bytes_max. streamed: whoever reads takes it
/// as it comes, without end.
enum class body_use { collected, streamed };

/// Reads one response piece by piece, for clients. Not thread-safe.
class response_reader {
public:
  explicit response_reader(body_use use = body_use::collected);
  ~response_reader();
  response_reader(response_reader&&) noexcept;
  response_reader& operator=(response_reader&&) noexcept;

  /// Takes bytes as they come and returns how many of them belong to this response; the rest, at
  /// most one read, must be offered again, with more behind it, or belongs to the next response.
  [[nodiscard]] std::size_t put(std::string_view bytes, std::error_code& ec);
  /// The server has ended the connection; some bodies end that way.
  void put_end(std::error_code& ec);

  [[nodiscard]] bool has_head() const;
  [[nodiscard]] bool is_done() const;
  /// Status, headers, keep_alive; the body as far as it is there and was not taken.
  [[nodiscard]] response head() const;
  [[nodiscard]] std::string take_body();

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Head of an endless `text/event-stream` response, and one event of it (WHATWG HTML, 9.2). The
/// response ends with the connection.
[[nodiscard]] std::string event_stream_head();
[[nodiscard]] std::string event_stream_item(std::string_view event, std::string_view id,
                                            std::string_view data);
/// A comment line that keeps proxies and clients patient.
[[nodiscard]] std::string event_stream_comment();

/// Reads an event stream piece by piece, for clients. Not thread-safe. Bounded: a line and an
/// event are at most limits::http_body_bytes_max.
class event_stream_reader {
public:
  /// False to stop reading.
  using on_event =
    std::function<bool(std::string_view event, std::string_view id, std::string_view data)>;

  /// Calls `tell` for each event that is complete. False when `tell` said so or `ec` is set.
  [[nodiscard]] bool put(std::string_view bytes, const on_event& tell, std::error_code& ec);

private:
  [[nodiscard]] bool take_line(std::string_view line, const on_event& tell);

  std::string line_;
  std::string event_;
  std::string id_;
  std::string data_;
  bool after_return_ = false; ///< a line feed now belongs to the line before
};

} // namespace muster::net::http
