#pragma once
// A request of the admin API, understood: the border between what a client sends and what handlers
// work with. Whatever is wrong with a request is found here and said with the right status. Pure.

#include "actors/call_messages.hpp"
#include "actors/rules/fleet_document.hpp"
#include "actors/server/api/routes.hpp"
#include "net/http.hpp"

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::actors::api {

/// Of a body, before anybody has shown a token; afterwards: routes.hpp.
inline constexpr std::size_t body_bytes_anonymous_max = 4 * 1024;
inline constexpr std::size_t query_text_bytes_max = 1024;
inline constexpr std::uint32_t page_rows_default = 100;
inline constexpr std::uint32_t page_rows_max = 1000;

struct call {
  const route* where = nullptr;
  net::http::request request;
  std::string bearer;               ///< empty: none was shown
  // What stands for the name in braces: a device, or else a text.
  device_id device;
  std::string argument;
  // The query; only what the route knows can be set.
  std::string target, prefix;
  std::optional<std::string> name, version, group, application;
  std::optional<rules::fleet_kind> kind;
  std::optional<device_id> of_device;
  std::optional<call_step> step;
  severity severity_min = severity::info;
  std::int64_t since_us = 0;
  std::int64_t until_us = std::numeric_limits<std::int64_t>::max();
  std::uint32_t limit = page_rows_default;
  std::vector<std::string> cursor;  ///< its fields; empty: from the beginning
  std::string question;             ///< what cursors of the answer belong to
  /// Of the type that the route takes; null when it takes none.
  std::unique_ptr<google::protobuf::Message> body;

  /// The body as what the route's table entry says it is.
  template <class Message>
  [[nodiscard]] const Message& body_as() const {
    return dynamic_cast<const Message&>(*body);
  }
};

/// First step: where does it go, and may somebody who shows this ask? The bearer token is only
/// taken out; whose it is, is judged by accounts. Null with a refusal: 404, 405, 401, 413.
[[nodiscard]] std::shared_ptr<call> begin_call(net::http::request request, bool from_loopback,
                                               net::http::response& refusal);

/// Whether the route asks accounts about the bearer.
[[nodiscard]] bool needs_user(const call& c, bool from_loopback);

/// Second step, when the user is known: may this role do that, and what exactly is asked? False
/// with a refusal: 400, 403, 404, 413, 415.
[[nodiscard]] bool finish_call(call& c, const console_user& user, net::http::response& refusal);

/// A number as cursors and queries have it: decimal digits, nothing else.
[[nodiscard]] std::optional<std::int64_t> parse_number(std::string_view text);

[[nodiscard]] std::optional<std::uint64_t> parse_unsigned(std::string_view text);

/// Whether an address is this machine's own.
[[nodiscard]] bool is_loopback(std::string_view address);

} // namespace muster::actors::api
