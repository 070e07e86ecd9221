#pragma once
// What all connections of the plain port (or of one agent that uses it) share: our certificate and
// whom we trust. The counterpart of tls_context.hpp.

#include "net/certificate.hpp"
#include "net/trust.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace muster::net {

/// Immutable, thread-safe.
class server_plain_context {
public:
  /// `leaf` must be a server's, issued by `authority`, and `key` its private key.
  [[nodiscard]] static std::shared_ptr<const server_plain_context>
  make(const key_pair& key, const certificate& leaf, const certificate& authority,
       std::error_code& ec);

  [[nodiscard]] const key_pair& key() const noexcept { return key_; }
  /// DER, leaf first: what agents are shown.
  [[nodiscard]] const std::vector<std::string>& chain() const noexcept { return chain_; }
  /// Who must have issued the agents' certificates.
  [[nodiscard]] const certificate& authority() const noexcept { return authority_; }

private:
  server_plain_context(key_pair key, const certificate& leaf, certificate authority);

  key_pair key_;
  certificate authority_;
  std::vector<std::string> chain_;
};

using server_plain_context_ptr = std::shared_ptr<const server_plain_context>;

struct client_plain_options {
  key_pair key;
  certificate leaf; ///< role device
  /// Pin and server id are both needed: nobody meets a server for the first time here.
  server_expectation server;
  /// Validity is judged by this clock (seconds since 1970).
  std::function<std::int64_t()> now_s;
};

/// As above, for the connecting side. One per identity and server.
class client_plain_context {
public:
  [[nodiscard]] static std::shared_ptr<const client_plain_context>
  make(client_plain_options options, std::error_code& ec);

  [[nodiscard]] const client_plain_options& options() const noexcept { return options_; }

private:
  explicit client_plain_context(client_plain_options options);

  client_plain_options options_;
};

using client_plain_context_ptr = std::shared_ptr<const client_plain_context>;

} // namespace muster::net
