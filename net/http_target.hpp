#pragma once
// The target of an HTTP request: path and query, escaped on the wire, plain in our hands.

#include <map>
#include <string>
#include <string_view>

namespace muster::net::http {

/// Decodes "/path?name=value&...". False on anything but a path: a bad escape, a control character,
/// a segment "..", a full URL.
[[nodiscard]] bool split_target(std::string_view target, std::string& path,
                                std::multimap<std::string, std::string>& query);

/// The reverse, escaping what is not plain.
[[nodiscard]] std::string join_target(std::string_view path,
                                      const std::multimap<std::string, std::string>& query);

} // namespace muster::net::http
