// Requests come from anybody who reaches the admin port. The splitter cuts them out, the parser
// reads what it cut. The first byte says how the bytes are cut on their way.
#include "net/http.hpp"
#include "net/splitter.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace muster::net;

struct outcome {
  std::vector<std::string> messages;
  bool refused = false;
  bool waits = false; ///< in the middle of a request
};

/// Whole requests must be the same ones. What is no request may be seen through sooner in one
/// piece than in several, as long as the others still wait for its end.
bool agree(const outcome& a, const outcome& b) {
  return a.messages == b.messages && (a.refused == b.refused || (a.refused ? b.waits : a.waits));
}

outcome split(std::string_view in, std::size_t piece, bool trusted) {
  const auto cut = make_request_splitter();
  if (trusted)
    cut->trust();
  outcome out;
  std::error_code ec;
  for (std::size_t at = 0; at < in.size() && !ec; at += piece) {
    auto rest = in.substr(at, piece);
    std::string message;
    while (!rest.empty() && cut->next(rest, message, ec)) {
      out.messages.push_back(message);
      message.clear();
    }
    static_cast<void>(cut->take_reply());
  }
  out.refused = static_cast<bool>(ec);
  out.waits = cut->in_message();
  return out;
}

void parse(const std::string& message) {
  std::error_code ec;
  const auto request = http::parse_request(message, ec);
  MUSTER_ASSERT(request.has_value() == !ec, "an error has a reason, a request has none");
  if (!request)
    return;
  MUSTER_ASSERT(request->path.starts_with('/'), "a path begins with a slash");
  MUSTER_ASSERT(request->path.find('\0') == std::string::npos, "no path has control characters");
  MUSTER_ASSERT(request->body.size() <= limits::http_body_bytes_max, "bodies are bounded");
  // What we would send for it says the same.
  const auto again = http::parse_request(http::serialize(*request, "host"), ec);
  if (again) {
    MUSTER_ASSERT(again->path == request->path, "a path survives its escapes");
    MUSTER_ASSERT(again->query == request->query, "a query survives its escapes");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const bool trusted = (data[0] & 1U) != 0;
  const std::size_t piece = 1 + (data[0] >> 1U);
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = split(in, in.size() + 1, trusted);
  MUSTER_ASSERT(agree(split(in, piece, trusted), whole), "how the bytes were cut does not matter");
  for (const auto& message : whole.messages)
    parse(message);
  // The parser has the last word on bytes that no splitter has seen, too.
  parse(std::string(in));
  return 0;
}
