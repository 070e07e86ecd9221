#pragma once
// What a console remembers of its log-in: which server, how it proves itself, and our token.

#include "net/errc.hpp"
#include "net/link.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace muster::console {

inline constexpr std::uint16_t admin_port = 13299;

struct profile {
  std::string host;
  std::uint16_t port = admin_port;
  /// SHA-256 of the server's CA key, 64 hexadecimal digits. Empty: the server shows an operator's
  /// own certificate, judged by the authorities of `trust_pem` or, without that, the system's.
  std::string pin;
  std::string trust_pem;
  std::string server_id; ///< 32 hexadecimal digits, once known
  std::string user;
  std::string token;
  std::int64_t expires_us = 0; ///< of the token

  /// "https://host:port", as people type it.
  [[nodiscard]] std::string url() const;
  /// "host:port", with brackets around a numeric IPv6 address.
  [[nodiscard]] std::string host_and_port() const;
};

/// "https://HOST[:PORT]", or HOST[:PORT]. Empty with a sentence in `problem` on anything else.
[[nodiscard]] std::optional<profile> parse_url(std::string_view url, std::string& problem);

/// 64 hexadecimal digits in any case, with or without colons or "sha256:" before them; lower case
/// without them. Empty on anything else.
[[nodiscard]] std::optional<std::string> parse_pin(std::string_view text);

/// "AB:CD:...", four lines' worth for the eye to compare: groups of two digits.
[[nodiscard]] std::string pin_for_people(std::string_view pin);

/// MUSTER_CONFIG, or "muster" in XDG_CONFIG_HOME or in ~/.config. Empty when there is no home.
[[nodiscard]] std::filesystem::path profile_directory();

/// Empty with an empty `problem` when nobody has logged in.
[[nodiscard]] std::optional<profile> load_profile(const std::filesystem::path& directory,
                                                  std::string& problem);
/// Directory 0700, file 0600.
[[nodiscard]] bool save_profile(const std::filesystem::path& directory, const profile& p,
                                std::string& problem);

/// As in the file; for tests.
[[nodiscard]] std::string to_json(const profile& p);
[[nodiscard]] std::optional<profile> profile_from_json(std::string_view text);

} // namespace muster::console
