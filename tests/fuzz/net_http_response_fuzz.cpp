// The console reads answers and events from a server that it has authenticated, or from a proxy
// that it has not. The first byte says how the bytes are cut on their way.
#include "net/http.hpp"

#include <muster/assert.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace {

using namespace muster::net;

using event = std::tuple<std::string, std::string, std::string>;

struct outcome {
  bool head = false;
  bool done = false;
  bool refused = false;
  int status = 0;
  std::string body;
};

outcome read(std::string_view in, std::size_t piece, http::body_use use) {
  http::response_reader reader(use);
  outcome out;
  std::string pending;
  std::error_code ec;
  for (std::size_t at = 0; at < in.size() && !ec && !reader.is_done(); at += piece) {
    pending += in.substr(at, piece);
    const auto used = reader.put(pending, ec);
    MUSTER_ASSERT(used <= pending.size(), "no reader takes more than there is");
    pending.erase(0, used);
    if (use == http::body_use::streamed && reader.has_head())
      out.body += reader.take_body();
  }
  if (!ec && !reader.is_done())
    reader.put_end(ec);
  out.refused = static_cast<bool>(ec);
  out.head = reader.has_head();
  out.done = reader.is_done();
  if (out.head && !ec) {
    const auto head = reader.head();
    out.status = head.status;
    out.body += head.body;
  }
  return out;
}

std::vector<event> events_of(std::string_view in, std::size_t piece) {
  http::event_stream_reader reader;
  std::vector<event> out;
  std::error_code ec;
  const auto keep = [&](std::string_view name, std::string_view id, std::string_view data) {
    out.emplace_back(name, id, data);
    return true;
  };
  for (std::size_t at = 0; at < in.size(); at += piece)
    if (!reader.put(in.substr(at, piece), keep, ec))
      break;
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::size_t piece = 1 + (data[0] >> 1U);
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);

  const auto whole = read(in, in.size() + 1, http::body_use::collected);
  const auto cut = read(in, piece, http::body_use::collected);
  if (!whole.refused && !cut.refused) {
    MUSTER_ASSERT(whole.status == cut.status && whole.body == cut.body,
                  "how the bytes were cut does not matter");
    const auto streamed = read(in, piece, http::body_use::streamed);
    MUSTER_ASSERT(streamed.refused || streamed.body == whole.body,
                  "a streamed body is the collected one");
  }

  MUSTER_ASSERT(events_of(in, in.size() + 1) == events_of(in, piece),
                "how the bytes were cut does not matter");
  // Data that we write is read as it was, line ends apart.
  std::string text(in);
  for (char& c : text)
    c = c == '\r' ? '\n' : c;
  const auto again = events_of(http::event_stream_item("event", "id", text), piece);
  if (text.size() < 1000) {
    MUSTER_ASSERT(again.size() == 1, "one event was written");
    std::string last = std::get<2>(again.front());
    MUSTER_ASSERT(last == text || last + '\n' == text, "an event says what was said");
  }
  return 0;
}
