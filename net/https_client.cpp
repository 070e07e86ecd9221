#include "net/https_client.hpp"

#include "net/client_socket.hpp"
#include "net/errc.hpp"
#include "net/tls_engine.hpp"

#include <array>
#include <utility>

namespace muster::net {

namespace {

using std::chrono::steady_clock;

constexpr std::uint16_t https_port = 443;
/// Interim answers (1xx) before the real one.
constexpr int interim_answers_max = 8;

/// What a read from the server brought.
enum class arrival { bytes, end, failure };

class client final : public https_client {
public:
  client(endpoint_name to, client_tls_context_ptr tls, const https_client_options& options)
    : to_(std::move(to)), tls_(std::move(tls)), options_(options) {}
  ~client() override { leave(); }

  [[nodiscard]] bool reach(std::string& problem);
  std::optional<http::response> exchange(const http::request& r, std::chrono::milliseconds timeout,
                                         std::string& problem) override;
  bool follow(const http::request& r, const http::event_stream_reader::on_event& on_event,
              std::string& problem, std::optional<http::response>* instead) override;

private:
  [[nodiscard]] std::error_code shake_hands(client_deadline until);
  [[nodiscard]] bool is_usable();
  [[nodiscard]] bool ask(const http::request& r, client_deadline until, std::string& problem);
  [[nodiscard]] arrival receive(client_deadline until, std::error_code& ec);
  [[nodiscard]] bool read_head(http::response_reader& reader, http::body_use use,
                               client_deadline until, std::string& problem);
  [[nodiscard]] bool read_more(http::response_reader& reader, client_deadline until,
                               std::string& problem);
  [[nodiscard]] bool take(http::response_reader& reader, std::string& problem);
  [[nodiscard]] std::optional<http::response>
  read_rest(http::response_reader& reader, client_deadline until, std::string& problem);
  [[nodiscard]] bool listen(http::response_reader& reader,
                            const http::event_stream_reader::on_event& on_event,
                            std::string& problem);
  bool fail(std::string& problem, std::string_view what, std::error_code ec);
  void leave();
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string host() const;

  const endpoint_name to_;
  const client_tls_context_ptr tls_;
  const https_client_options options_;
  owned_descriptor fd_;
  std::optional<tls_engine> engine_;
  std::string plain_;        ///< decrypted and not yet taken
  std::error_code not_sent_; ///< why a request did not go out whole
};

std::string client::name() const {
  return to_.host + " port " + std::to_string(to_.port);
}

/// As it stands in a URL.
std::string client::host() const {
  const bool v6 = to_.host.find(':') != std::string::npos;
  const auto host = v6 ? '[' + to_.host + ']' : to_.host;
  return to_.port == https_port ? host : host + ':' + std::to_string(to_.port);
}

bool client::fail(std::string& problem, std::string_view what, std::error_code ec) {
  problem = name();
  problem.append(": ").append(what);
  if (ec)
    problem += " (" + ec.message() + ")";
  leave();
  return false;
}

void client::leave() {
  if (engine_ && fd_) {
    std::string goodbye;
    engine_->shutdown(goodbye);
    static_cast<void>(write_until(fd_.get(), goodbye, steady_clock::time_point{}));
  }
  engine_.reset();
  fd_.reset();
  plain_.clear();
}

// -- connecting -----------------------------------------------------------------

bool client::reach(std::string& problem) {
  leave();
  std::string tried;
  const auto addresses = addresses_of(to_, tried);
  for (const auto& address : addresses) {
    std::error_code ec;
    fd_ = connect_until(address, steady_clock::now() + options_.connect_max, ec);
    if (!ec) {
      ec = shake_hands(steady_clock::now() + options_.handshake_max);
      if (!ec)
        return true;
    }
    tried += (tried.empty() ? "" : "; ") + address.text() + ": " + ec.message();
    leave();
  }
  problem = "cannot connect to " + name() + " (" + tried + ")";
  return false;
}

std::error_code client::shake_hands(client_deadline until) {
  engine_.emplace(*tls_, nullptr);
  std::string out;
  if (const auto ec = engine_->start(out))
    return ec;
  if (const auto ec = write_until(fd_.get(), out, until))
    return ec;
  while (!engine_->open()) {
    std::error_code ec;
    const auto what = receive(until, ec);
    if (what != arrival::bytes)
      return ec ? ec : make_error_code(errc::truncated);
  }
  return {};
}

/// Between two requests there is nothing to read but tickets; an end means that the server was
/// tired of waiting.
bool client::is_usable() {
  if (!fd_ || !engine_)
    return false;
  std::error_code ec;
  while (true) {
    const auto what = receive(steady_clock::time_point{}, ec);
    if (what == arrival::failure && ec == errc::timed_out)
      return plain_.empty();
    if (what != arrival::bytes)
      return false;
  }
}

/// One read. bytes: some came, which may be none of ours (tickets).
arrival client::receive(client_deadline until, std::error_code& ec) {
  std::array<char, 16 * 1024> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
  const auto count = read_until(fd_.get(), buffer, until, ec);
  if (ec)
    return arrival::failure;
  if (count == 0) {
    ec = errc::truncated; // nobody said goodbye
    return arrival::failure;
  }
  std::string out;
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(buffer.data()), count);
  ec = engine_->receive(bytes, plain_, out);
  if (!out.empty())
    if (const auto lost = write_until(fd_.get(), out, until); lost && !ec)
      ec = lost;
  if (ec)
    return arrival::failure;
  return engine_->peer_closed() ? arrival::end : arrival::bytes;
}

// -- one request ------------------------------------------------------------------

bool client::ask(const http::request& r, client_deadline until, std::string& problem) {
  if (!is_usable() && !reach(problem))
    return false;
  std::string out;
  if (const auto ec = engine_->send(http::serialize(r, host()), out))
    return fail(problem, "cannot send the request", ec);
  // A server that refuses a long request answers and closes before it has all of it: what it said
  // is worth reading.
  not_sent_ = write_until(fd_.get(), out, until);
  if (not_sent_ == errc::timed_out)
    return fail(problem, "does not take the request", not_sent_);
  return true;
}

/// Gives the reader what is there.
bool client::take(http::response_reader& reader, std::string& problem) {
  std::error_code ec;
  plain_.erase(0, reader.put(plain_, ec));
  return !ec || fail(problem, "answers with something that is no HTTP", ec);
}

/// False when there will be no more: with an empty `problem` when the answer is complete.
bool client::read_more(http::response_reader& reader, client_deadline until, std::string& problem) {
  std::error_code ec;
  const auto what = receive(until, ec);
  if (what == arrival::failure && ec == errc::timed_out)
    return fail(problem, "does not answer in time", {});
  if (what == arrival::failure)
    return fail(problem, "the connection broke before the answer was complete",
                not_sent_ ? not_sent_ : ec);
  if (!take(reader, problem))
    return false;
  if (what == arrival::bytes || reader.is_done())
    return true;
  reader.put_end(ec);
  if (ec)
    return fail(problem, "closed the connection before the answer was complete", not_sent_);
  return false;
}

bool client::read_head(http::response_reader& reader, http::body_use use, client_deadline until,
                       std::string& problem) {
  problem.clear();
  for (int interim = 0; interim <= interim_answers_max; ++interim) {
    if (!plain_.empty() && !take(reader, problem))
      return false;
    while (!reader.has_head())
      if (!read_more(reader, until, problem) && !problem.empty())
        return false;
    if (reader.head().status >= 200)
      return true;
    reader = http::response_reader(use);
  }
  return fail(problem, "answers with something that is no HTTP", {});
}

std::optional<http::response> client::read_rest(http::response_reader& reader,
                                                client_deadline until, std::string& problem) {
  std::string body = reader.take_body();
  while (!reader.is_done() && read_more(reader, until, problem)) {
    body += reader.take_body();
    if (body.size() > limits::http_response_bytes_max) {
      fail(problem, "answers with more than we take", {});
      return std::nullopt;
    }
  }
  if (!problem.empty())
    return std::nullopt;
  body += reader.take_body();
  auto out = reader.head();
  out.body = std::move(body);
  return out;
}

std::optional<http::response>
client::exchange(const http::request& r, std::chrono::milliseconds timeout, std::string& problem) {
  problem.clear();
  const auto until = steady_clock::now() + timeout;
  http::response_reader reader;
  if (!ask(r, until, problem) || !read_head(reader, http::body_use::collected, until, problem))
    return std::nullopt;
  auto out = read_rest(reader, until, problem);
  if (!out || !out->keep_alive || !r.keep_alive || !plain_.empty() || not_sent_)
    leave();
  return out;
}

// -- an event stream ----------------------------------------------------------------

bool client::follow(const http::request& r, const http::event_stream_reader::on_event& on_event,
                    std::string& problem, std::optional<http::response>* instead) {
  problem.clear();
  if (instead != nullptr)
    instead->reset();
  const auto until = steady_clock::now() + options_.silence_max;
  http::response_reader reader(http::body_use::streamed);
  if (!ask(r, until, problem) || !read_head(reader, http::body_use::streamed, until, problem))
    return false;
  const auto head = reader.head();
  if (head.status == 200 && head.content_type.starts_with("text/event-stream")) {
    const bool ended_well = listen(reader, on_event, problem);
    leave();
    return ended_well;
  }
  auto answer = read_rest(reader, until, problem);
  if (answer) {
    problem =
      name() + ": answers with status " + std::to_string(answer->status) + " instead of events";
    if (instead != nullptr)
      *instead = std::move(answer);
  }
  leave();
  return false;
}

bool client::listen(http::response_reader& reader,
                    const http::event_stream_reader::on_event& on_event, std::string& problem) {
  http::event_stream_reader events;
  while (true) {
    std::error_code ec;
    if (!events.put(reader.take_body(), on_event, ec))
      return !ec || fail(problem, "sends an event larger than we take", ec);
    if (reader.is_done())
      return true;
    const auto until = steady_clock::now() + options_.silence_max;
    if (!read_more(reader, until, problem))
      return problem.empty() && (events.put(reader.take_body(), on_event, ec) || !ec);
  }
}

} // namespace

std::unique_ptr<https_client> https_client::connect(const endpoint_name& to,
                                                    client_tls_context_ptr tls,
                                                    std::string& problem,
                                                    const https_client_options& options) {
  problem.clear();
  auto out = std::make_unique<client>(to, std::move(tls), options);
  if (!out->reach(problem))
    return nullptr;
  return out;
}

} // namespace muster::net
