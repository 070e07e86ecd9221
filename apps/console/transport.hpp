#pragma once
// The console's way to a server, replaceable in tests.

#include "apps/console/profile.hpp"
#include "net/http.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace muster::console {

/// One connection. Not thread-safe.
class transport {
public:
  virtual ~transport() = default;
  /// Empty with a sentence in `problem` when no answer came.
  [[nodiscard]] virtual std::optional<net::http::response> exchange(const net::http::request& r,
                                                                    std::string& problem) = 0;
  /// As net::https_client::follow(): true when the callback or the server ended the stream; an
  /// answer that is no stream is put into `instead`.
  virtual bool follow(const net::http::request& r,
                      const net::http::event_stream_reader::on_event& tell, std::string& problem,
                      std::optional<net::http::response>& instead) = 0;
};

/// What first contact with a server found out.
struct first_contact {
  std::string pin; ///< of the CA it showed, 64 hexadecimal digits; empty: it showed none of ours
};

/// Connects by what the profile trusts. With neither pin nor trust in the profile, `found` must be
/// given: any CA of ours is then accepted and reported in it, or else a certificate that the
/// system's authorities vouch for.
using connector = std::function<std::unique_ptr<transport>(const profile& p, first_contact* found,
                                                           std::string& problem)>;

/// Over the network.
[[nodiscard]] std::unique_ptr<transport> connect_https(const profile& p, first_contact* found,
                                                       std::string& problem);

} // namespace muster::console
