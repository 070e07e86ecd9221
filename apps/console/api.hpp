#pragma once
// The admin API as commands use it: a path goes in, JSON comes out, anything else is a failure.

#include "apps/console/transport.hpp"
#include "net/http.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace muster::console {

using query = std::multimap<std::string, std::string>;

/// One connection to the server, made at the first call. Not thread-safe.
class api {
public:
  api(connector connect, profile p) : connect_(std::move(connect)), profile_(std::move(p)) {}
  /// Goes on with a connection that is there already.
  api(std::unique_ptr<transport> connection, profile p)
    : connection_(std::move(connection)), profile_(std::move(p)) {}

  /// The body of a good answer; throws failure otherwise. Paths are below /api/v1.
  std::string get(const std::string& path, const query& q = {});
  /// The same with its headers.
  net::http::response get_whole(const std::string& path, const query& q = {});
  std::string post(const std::string& path, const std::string& body = {});
  void remove(const std::string& path);
  /// Server-sent events until `tell` returns false or the server ends the stream (then true), or
  /// the connection is lost (then false with a sentence in `problem`). Throws failure when the
  /// server answers with something else.
  bool follow(const std::string& path, const query& q,
              const net::http::event_stream_reader::on_event& tell, std::string& problem);
  [[nodiscard]] const profile& server() const noexcept { return profile_; }
  /// Another connection to the same server.
  [[nodiscard]] api again() const { return {connect_, profile_}; }

private:
  [[nodiscard]] net::http::request make(std::string method, const std::string& path, query q) const;
  void connect();
  net::http::response exchange(const net::http::request& r);

  connector connect_;
  std::unique_ptr<transport> connection_;
  profile profile_;
};

/// What an answer that is not good means: code and one line, from the problem document (RFC 9457)
/// if it is one. Throws failure.
[[noreturn]] void fail_with(const net::http::response& answer, const profile& server);

} // namespace muster::console
