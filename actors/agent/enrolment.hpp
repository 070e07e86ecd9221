#pragma once
// How a machine becomes a device: what `muster-agent enrol` does. Blocking, no actors.

#include "actors/rules/ids.hpp"
#include "net/certificate.hpp"
#include "net/tcp_connector.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace muster::actors {

struct enrolment_options {
  std::string server;                         ///< HOST[:PORT]
  std::optional<net::sha256_digest> pin;      ///< SHA-256 of the CA's public key
  bool trust_on_first_use = false;            ///< without a pin: take any CA, and say which
  std::string token;
  std::filesystem::path identity_directory;
  rules::machine_fingerprint fingerprint;
  std::string host_name;
  std::string agent_version;
  std::string from_address;                   ///< source address; empty: any
  std::function<std::int64_t()> now_s;        ///< empty: the machine's clock
};

struct enrolment_outcome {
  bool ok = false;
  bool already = false;                       ///< had enrolled to this server before: nothing done
  /// One sentence: what has happened; on failure who is at fault and what to do.
  std::string sentence;
  rules::device_id device;                    ///< when ok
  net::sha256_digest pin{};                   ///< when ok: the authority trusted from now on
};

/// Makes the key if there is none, proves it to the server, stores what the server gives. A retry
/// after any failure, a kill included, shows the same key and so becomes the same device.
[[nodiscard]] enrolment_outcome enrol(const enrolment_options& options);

/// "host:13000", "[::1]:13000": as identities name their server.
[[nodiscard]] std::string place_text(const net::endpoint_name& name);

} // namespace muster::actors
