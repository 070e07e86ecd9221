// Server-sent events, both sides (WHATWG HTML, 9.2).

#include "net/errc.hpp"
#include "net/http.hpp"

namespace muster::net::http {

namespace {

/// The part before the first line break: a field is one line.
std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

} // namespace

std::string event_stream_head() {
  return "HTTP/1.1 200 OK\r\n"
         "Content-Type: text/event-stream\r\n"
         "Cache-Control: no-store\r\n"
         "X-Content-Type-Options: nosniff\r\n"
         "Connection: close\r\n\r\n";
}

std::string event_stream_item(std::string_view event, std::string_view id, std::string_view data) {
  std::string result;
  if (!event.empty())
    result.append("event: ").append(first_line(event)).append("\n");
  if (!id.empty())
    result.append("id: ").append(first_line(id)).append("\n");
  while (true) {
    const auto line = first_line(data);
    result.append("data: ").append(line).append("\n");
    data.remove_prefix(line.size());
    if (data.empty())
      break;
    data.remove_prefix(data.starts_with("\r\n") ? 2 : 1);
  }
  return result += "\n";
}

std::string event_stream_comment() {
  return ":\n\n";
}

bool event_stream_reader::put(std::string_view bytes, const on_event& tell, std::error_code& ec) {
  ec.clear();
  while (!bytes.empty()) {
    if (std::exchange(after_return_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto piece = first_line(bytes);
    line_ += piece;
    bytes.remove_prefix(piece.size());
    if (line_.size() + data_.size() > limits::http_body_bytes_max) {
      ec = errc::frame_too_large;
      return false;
    }
    if (bytes.empty())
      return true;
    after_return_ = bytes.front() == '\r';
    bytes.remove_prefix(1);
    if (!take_line(std::exchange(line_, {}), tell))
      return false;
  }
  return true;
}

bool event_stream_reader::take_line(std::string_view line, const on_event& tell) {
  if (line.empty()) {
    const auto event = std::exchange(event_, {});
    auto data = std::exchange(data_, {});
    if (data.empty())
      return true;
    data.pop_back(); // the line feed behind the last line
    return tell(event.empty() ? "message" : std::string_view(event), id_, data);
  }
  const auto name = line.substr(0, line.find(':'));
  auto value = name.size() == line.size() ? std::string_view{} : line.substr(name.size() + 1);
  if (value.starts_with(' '))
    value.remove_prefix(1);
  if (name == "event")
    event_ = value;
  else if (name == "id")
    id_ = value;
  else if (name == "data")
    data_.append(value).append("\n");
  return true; // comments and unknown fields are ignored
}

} // namespace muster::net::http
