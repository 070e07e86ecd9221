#pragma once
// A blocking HTTPS client for command line tools: one connection, one request at a time.

#include "net/http.hpp"
#include "net/limits.hpp"
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

struct https_client_options {
  std::chrono::milliseconds connect_max = limits::connect_max; ///< per address
  std::chrono::milliseconds handshake_max = limits::handshake_max;
  std::chrono::milliseconds silence_max = limits::event_stream_silence_max; ///< in follow()
};

/// Not thread-safe. Every failure is a sentence in `problem` naming host, step and cause.
class https_client {
public:
  /// Connects and shakes hands; every address of the name is tried.
  [[nodiscard]] static std::unique_ptr<https_client>
  connect(const endpoint_name& to, client_tls_context_ptr tls, std::string& problem,
          const https_client_options& options = {});
  virtual ~https_client() = default;

  /// Connects again first when the server has closed meanwhile, as it may between two requests. A
  /// request that has been sent is never sent twice.
  [[nodiscard]] virtual std::optional<http::response>
  exchange(const http::request& r, std::chrono::milliseconds timeout, std::string& problem) = 0;

  /// Reads a `text/event-stream`; `on_event(event, id, data)` returns false to stop. True when the
  /// server ended the stream in an orderly way or the callback said so. A server that is silent for
  /// silence_max, not even commenting, is gone. When it answers with anything but such a stream,
  /// that answer is in `instead` and `problem` names its status. The connection is used up.
  virtual bool follow(const http::request& r, const http::event_stream_reader::on_event& on_event,
                      std::string& problem,
                      std::optional<http::response>* instead = nullptr) = 0;
};

} // namespace muster::net
