#pragma once
// A blocking HTTPS client for command line tools: one connection, one request at a time.

#include "net/http.hpp"
#include "net/tcp_connector.hpp"
#include "net/tls_context.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::net {

/// Not thread-safe. Every failure is a sentence in `problem` naming host, step and cause.
class https_client {
public:
  /// Connects and shakes hands; every address of the name is tried.
  [[nodiscard]] static std::unique_ptr<https_client>
  connect(const endpoint_name& to, client_tls_context_ptr tls, std::string& problem);
  virtual ~https_client() = default;

  [[nodiscard]] virtual std::optional<http::response>
  exchange(const http::request& r, std::chrono::milliseconds timeout, std::string& problem) = 0;

  /// Reads a `text/event-stream`; `on_event(event, id, data)` returns false to stop. Ends when the
  /// server ends, the callback says so or `problem` says why (and the result is false). A server
  /// that is silent for limits::event_stream_silence_max, not even commenting, is gone.
  virtual bool follow(const http::request& r, const http::event_stream_reader::on_event& on_event,
                      std::string& problem) = 0;
};

} // namespace muster::net
