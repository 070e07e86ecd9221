#pragma once
// Answers of the admin API: messages as JSON, problems as problem documents, headers that every
// answer has. Pure.

#include "net/http.hpp"
#include "net/limits.hpp"

#include <caf/fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
} // namespace google::protobuf

namespace muster::actors::api {

/// Most that the body of one answer may have: heads are small, and both fit into a link's queue.
inline constexpr std::size_t answer_bytes_max =
  net::limits::outbound_bytes_max - net::limits::http_head_bytes_max;

/// The message by the protobuf mapping, fields of value zero included (a client sees what there is
/// without asking whether it is there); messages that are not set are left out. Empty when it has no
/// JSON form, which only texts that are no UTF-8 can bring about.
[[nodiscard]] std::string to_json(const google::protobuf::Message& message);

/// False with a sentence in `problem` when the text is no such message: bad JSON, unknown fields,
/// wrong types.
[[nodiscard]] bool from_json(std::string_view text, google::protobuf::Message& message,
                             std::string& problem);

/// 500 when the message has no JSON form.
[[nodiscard]] net::http::response reply(int status, const google::protobuf::Message& message);
[[nodiscard]] net::http::response no_content();
[[nodiscard]] net::http::response text(int status, std::string content_type, std::string body);

/// RFC 9457: {"type":"about:blank","title":the status' name,"status":...,"detail":...}.
[[nodiscard]] net::http::response problem(int status, std::string_view detail);
/// The same with a list, `problems`: 422.
[[nodiscard]] net::http::response problem(int status, std::string_view detail,
                                          const std::vector<std::string>& problems);
/// 401, with the header that says how to do better.
[[nodiscard]] net::http::response unauthorized(std::string_view detail);
/// A problem that time may solve, with Retry-After, at least a second.
[[nodiscard]] net::http::response problem_for_now(int status, std::string_view detail,
                                                  std::uint32_t retry_after_s);
/// What an actor could not do, as HTTP says it.
[[nodiscard]] net::http::response problem(const caf::error& why);

/// For a response from elsewhere: no caching, no guessing of types.
void harden(net::http::response& r);

} // namespace muster::actors::api
