// Finds the ends of HTTP requests in a stream, with Beast's parser and nothing kept of what it
// sees: the request itself is parsed once it is complete (http.cpp).

#include "net/errc.hpp"
#include "net/http_beast.hpp"
#include "net/limits.hpp"
#include "net/splitter.hpp"

#include <muster/assert.hpp>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace muster::net {

namespace {

/// Follows the structure of one request.
class request_tracker final : public beast_http::basic_parser<true> {
public:
  explicit request_tracker(std::size_t body_bytes_max) {
    header_limit(limits::http_head_bytes_max);
    body_limit(body_bytes_max);
    eager(true);
  }

  /// The client waits for a word before it sends the body. Asked once.
  bool takes_continue() { return is_header_done() && std::exchange(expects_continue_, false); }

private:
  using text = beast::string_view;
  using error = beast::error_code;
  using field = beast_http::field;

  void on_request_impl(beast_http::verb, text, text, int version, error&) override {
    version_ = version;
  }
  void on_response_impl(int, text, int, error&) override {}
  void on_field_impl(field name, text, text value, error&) override {
    if (name == field::expect && version_ == 11 && beast::iequals(value, "100-continue"))
      expects_continue_ = true;
  }
  void on_header_impl(error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error&) override {}
  std::size_t on_body_impl(text body, error&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, text, error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, text body, error&) override { return body.size(); }
  void on_finish_impl(error&) override {}

  int version_ = 0;
  bool expects_continue_ = false;
};

/// The last word to a client whose request cannot be taken.
std::string refusal(const char* status) {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}

class request_splitter final : public splitter {
public:
  bool next(std::string_view& in, std::string& out, std::error_code& ec) override {
    ec.clear();
    if (!begun_) {
      // RFC 9112, 2.2: an empty line in front of a request is to be ignored.
      while (in.starts_with('\r') || in.starts_with('\n'))
        in.remove_prefix(1);
      if (in.empty())
        return false;
      begun_ = std::make_unique<request_in_the_making>(body_bytes_max_);
    }
    auto& begun = *begun_;
    // A request that comes in one piece is parsed where it is.
    const auto before = begun.bytes.size();
    if (before != 0)
      begun.bytes += in;
    const std::string_view whole = before != 0 ? std::string_view(begun.bytes) : in;
    if (!advance(begun, whole, ec)) {
      if (!ec && before == 0)
        begun.bytes = in;
      in = {};
      if (ec)
        begun_.reset();
      return false;
    }
    MUSTER_ASSERT(begun.parsed > before, "a request that was incomplete ends in new bytes");
    out.assign(whole.substr(0, begun.parsed));
    in.remove_prefix(begun.parsed - before);
    begun_.reset();
    return true;
  }

  void trust() override { body_bytes_max_ = limits::http_body_bytes_max; }
  bool in_message() const override { return begun_ != nullptr; }
  void wrap(std::string&) const override {}
  std::string take_reply() override { return std::exchange(reply_, {}); }

private:
  struct request_in_the_making {
    explicit request_in_the_making(std::size_t body_bytes_max) : tracker(body_bytes_max) {}
    request_tracker tracker;
    std::string bytes;
    std::size_t parsed = 0;
  };

  /// True when the request in `whole` is complete; it is `parsed` bytes long.
  bool advance(request_in_the_making& begun, std::string_view whole, std::error_code& ec) {
    beast::error_code why;
    while (!begun.tracker.is_done() && begun.parsed < whole.size() && !why) {
      const auto rest = whole.substr(begun.parsed);
      if (!worth_parsing(begun.tracker, rest.size()))
        break;
      begun.parsed += begun.tracker.put(boost::asio::const_buffer(rest.data(), rest.size()), why);
    }
    if (begun.tracker.is_done())
      return true;
    // Chunks have headers, which no limit of Beast's counts.
    if (whole.size() > limits::http_head_bytes_max + 2 * body_bytes_max_)
      why = beast_http::error::body_limit;
    if (why && why != beast_http::error::need_more)
      refuse(why, ec);
    else if (begun.tracker.takes_continue())
      reply_ = "HTTP/1.1 100 Continue\r\n\r\n";
    return false;
  }

  void refuse(const beast::error_code& why, std::error_code& ec) {
    ec = errc::frame_too_large;
    if (why == beast_http::error::body_limit) {
      reply_ = refusal("413 Content Too Large");
    } else if (why == beast_http::error::header_limit) {
      reply_ = refusal("431 Request Header Fields Too Large");
    } else {
      ec = errc::malformed;
      reply_ = refusal("400 Bad Request");
    }
  }

  std::unique_ptr<request_in_the_making> begun_;
  std::string reply_;
  std::size_t body_bytes_max_ = limits::http_body_bytes_anonymous_max;
};

} // namespace

std::unique_ptr<splitter> make_request_splitter() {
  return std::make_unique<request_splitter>();
}

} // namespace muster::net
