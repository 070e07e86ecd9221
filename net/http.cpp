// HTTP messages by Boost.Beast's parser and serializer. Nothing of Beast is seen outside.

#include "net/http.hpp"

#include "net/errc.hpp"
#include "net/http_beast.hpp"
#include "net/http_target.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>

namespace muster::net::http {

namespace {

std::string to_string(beast::string_view text) {
  return {text.data(), text.size()};
}

beast::string_view to_beast(std::string_view text) {
  return {text.data(), text.size()};
}

std::string lower(beast::string_view text) {
  std::string result(text.data(), text.size());
  for (auto& c : result)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

/// No value may end its line and begin another header.
std::string one_line(std::string_view text) {
  std::string result(text);
  std::replace_if(
    result.begin(), result.end(), [](char c) { return c == '\r' || c == '\n' || c == 0; }, ' ');
  return result;
}

std::error_code translate(const beast::error_code& why) {
  if (!why)
    return {};
  if (why == beast_http::error::body_limit || why == beast_http::error::header_limit)
    return errc::frame_too_large;
  if (why == beast_http::error::need_more || why == beast_http::error::partial_message)
    return errc::truncated;
  return errc::malformed;
}

template <bool IsRequest>
std::string written(const beast_http::message<IsRequest, beast_http::string_body>& message) {
  beast_http::serializer<IsRequest, beast_http::string_body> out(message);
  std::string result;
  beast::error_code ec;
  while (!ec && !out.is_done()) {
    out.next(ec, [&](beast::error_code&, const auto& buffers) {
      std::size_t bytes = 0;
      for (auto at = boost::asio::buffer_sequence_begin(buffers);
           at != boost::asio::buffer_sequence_end(buffers); ++at) {
        const boost::asio::const_buffer piece(*at);
        result.append(static_cast<const char*>(piece.data()), piece.size());
        bytes += piece.size();
      }
      out.consume(bytes);
    });
  }
  return result;
}

/// Feeds all of `bytes`, which must be exactly one message.
template <class Parser>
bool parse_whole(Parser& parser, std::string_view bytes, std::error_code& ec) {
  beast::error_code why;
  while (!why && !parser.is_done() && !bytes.empty() && worth_parsing(parser, bytes.size()))
    bytes.remove_prefix(parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), why));
  ec = translate(why);
  if (!ec && !parser.is_done())
    ec = errc::truncated;
  if (!ec && !bytes.empty())
    ec = errc::malformed;
  return !ec;
}

/// False when there are several hosts: whom does the request mean?
template <class Fields>
bool take_headers(const Fields& fields, std::map<std::string, std::string>& headers) {
  for (const auto& field : fields) {
    const auto [at, is_new] = headers.emplace(lower(field.name_string()), to_string(field.value()));
    if (is_new)
      continue;
    if (at->first == "host")
      return false;
    at->second += ", " + to_string(field.value());
  }
  return true;
}

bool allows_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

} // namespace

std::string request::header(const std::string& name) const {
  const auto at = headers.find(name);
  return at != headers.end() ? at->second : std::string{};
}

std::optional<std::string> request::query_value(const std::string& name) const {
  const auto at = query.find(name);
  return at != query.end() ? std::optional(at->second) : std::nullopt;
}

std::optional<request> parse_request(std::string_view bytes, std::error_code& ec) {
  beast_http::request_parser<beast_http::string_body> parser;
  parser.header_limit(limits::http_head_bytes_max);
  parser.body_limit(limits::http_body_bytes_max);
  parser.eager(true);
  if (!parse_whole(parser, bytes, ec))
    return std::nullopt;
  request result;
  result.keep_alive = parser.keep_alive();
  auto message = parser.release();
  const auto method = message.method_string();
  const auto target = message.target();
  result.method.assign(method.data(), method.size());
  if (!split_target({target.data(), target.size()}, result.path, result.query) ||
      !take_headers(message, result.headers)) {
    ec = errc::malformed;
    return std::nullopt;
  }
  result.body = std::move(message.body());
  return result;
}

std::string serialize(const response& r) {
  beast_http::response<beast_http::string_body> message;
  message.version(11);
  message.result(static_cast<unsigned>(std::clamp(r.status, 100, 999)));
  for (const auto& [name, value] : r.headers)
    message.set(to_beast(one_line(name)), to_beast(one_line(value)));
  if (allows_body(r.status)) {
    message.set(beast_http::field::content_type, to_beast(one_line(r.content_type)));
    message.body() = r.body;
    message.content_length(r.body.size());
  }
  message.keep_alive(r.keep_alive);
  return written(message);
}

std::string serialize(const request& r, std::string_view host) {
  beast_http::request<beast_http::string_body> message;
  message.version(11);
  message.method_string(to_beast(one_line(r.method)));
  message.target(to_beast(join_target(r.path, r.query)));
  message.set(beast_http::field::host, to_beast(one_line(host)));
  for (const auto& [name, value] : r.headers)
    message.set(to_beast(one_line(name)), to_beast(one_line(value)));
  message.body() = r.body;
  if (!r.body.empty() || r.method == "POST" || r.method == "PUT" || r.method == "PATCH")
    message.content_length(r.body.size());
  message.keep_alive(r.keep_alive);
  return written(message);
}

// -- responses, for clients ---------------------------------------------------

namespace {

/// A text that takes memory for what has come, not for what the peer says will come: the body of a
/// stream has no limit that its announced length could be held against.
struct growing_body {
  using value_type = std::string;
  class reader {
  public:
    template <bool IsRequest, class Fields>
    reader(beast_http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>&, beast::error_code& ec) { ec = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, beast::error_code& ec) {
      ec = {};
      std::size_t taken = 0;
      for (const boost::asio::const_buffer part : beast::buffers_range_ref(buffers)) {
        body_.append(static_cast<const char*>(part.data()), part.size());
        taken += part.size();
      }
      return taken;
    }
    void finish(beast::error_code& ec) { ec = {}; }

  private:
    value_type& body_;
  };
};

} // namespace

struct response_reader::state {
  explicit state(body_use use) {
    parser.header_limit(limits::http_head_bytes_max);
    if (use == body_use::collected)
      parser.body_limit(limits::http_response_bytes_max);
    else
      parser.body_limit(boost::none);
    parser.eager(true);
  }
  beast_http::response_parser<growing_body> parser;
};

response_reader::response_reader(body_use use) : state_(std::make_unique<state>(use)) {}

response_reader::~response_reader() = default;
response_reader::response_reader(response_reader&&) noexcept = default;
response_reader& response_reader::operator=(response_reader&&) noexcept = default;

std::size_t response_reader::put(std::string_view bytes, std::error_code& ec) {
  auto& parser = state_->parser;
  beast::error_code why;
  std::size_t used = 0;
  while (!why && !parser.is_done() && used < bytes.size()) {
    const auto rest = bytes.substr(used);
    if (!worth_parsing(parser, rest.size()))
      break;
    used += parser.put(boost::asio::const_buffer(rest.data(), rest.size()), why);
  }
  ec = why == beast_http::error::need_more ? std::error_code{} : translate(why);
  return used;
}

void response_reader::put_end(std::error_code& ec) {
  beast::error_code why;
  if (!state_->parser.got_some())
    why = beast_http::error::partial_message;
  else if (!state_->parser.is_done())
    state_->parser.put_eof(why);
  ec = translate(why);
}

bool response_reader::has_head() const {
  return state_->parser.is_header_done();
}

bool response_reader::is_done() const {
  return state_->parser.is_done();
}

response response_reader::head() const {
  const auto& message = state_->parser.get();
  response result;
  result.status = static_cast<int>(message.result_int());
  result.keep_alive = state_->parser.keep_alive();
  result.content_type.clear();
  for (const auto& field : message) {
    result.headers.emplace_back(lower(field.name_string()), to_string(field.value()));
    if (field.name() == beast_http::field::content_type)
      result.content_type = to_string(field.value());
  }
  result.body = message.body();
  return result;
}

std::string response_reader::take_body() {
  return std::exchange(state_->parser.get().body(), {});
}

std::optional<response> parse_response(std::string_view bytes, std::error_code& ec) {
  response_reader reader;
  const auto used = reader.put(bytes, ec);
  if (!ec && !reader.is_done())
    reader.put_end(ec);
  if (!ec && used < bytes.size())
    ec = errc::malformed;
  if (ec)
    return std::nullopt;
  return reader.head();
}

} // namespace muster::net::http
