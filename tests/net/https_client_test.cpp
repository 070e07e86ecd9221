#include "net/https_client.hpp"

#include "net/client_socket.hpp"
#include "tests/net/socket_world.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <thread>
#include <utility>

using namespace muster::net;
using namespace muster::net::testing;
using namespace std::chrono_literals;

namespace {

/// What a server does with a request: answer, keep, close.
using serve = std::function<void(const link_ptr&, const http::request&)>;

/// Keeps its link alive: here nobody else does.
class serving_sink final : public link_sink {
public:
  serving_sink(link_ptr connection, serve with)
    : connection_(std::move(connection)), with_(std::move(with)) {}
  void on_message(std::string bytes) override {
    std::error_code ec;
    const auto request = http::parse_request(bytes, ec);
    REQUIRE(request.has_value());
    with_(connection_, *request);
    if (connection_)
      connection_->grant(1);
  }
  void on_closed(std::error_code) override { connection_.reset(); }

private:
  link_ptr connection_;
  serve with_;
};

void answer(const link_ptr& connection, const http::response& r) {
  REQUIRE(connection->try_send(http::serialize(r)));
  if (!r.keep_alive)
    connection->close();
}

struct https_world : tls_world {
  io_pool pool{1};
  std::shared_ptr<tcp_listener> listener;
  std::atomic<int> connections{0};
  std::string problem;
  endpoint_name here{"127.0.0.1", 0};

  ~https_world() {
    listener.reset();
    pool.join();
  }

  void open(serve with) {
    listener_options options;
    options.address = "127.0.0.1";
    options.splitter = make_request_splitter;
    auto tls = server_options();
    tls.alpn = alpn_http;
    tls.ask_for_client_certificate = false;
    options.tls = context(tls);
    std::error_code ec;
    listener = tcp_listener::open(
      pool, options,
      [this, with](accepted_ptr link) {
        ++connections;
        link->connection->trust();
        link->connection->attach(std::make_unique<serving_sink>(link->connection, with));
        link->connection->grant(1);
      },
      [](std::error_code) {}, ec);
    REQUIRE_FALSE(ec);
    here.port = listener->port();
  }
  client_tls_options console_options() {
    auto out = stranger_options();
    out.alpn = alpn_http;
    out.server.server_id = server_id;
    return out;
  }
  std::unique_ptr<https_client> dial(const https_client_options& options = {}) {
    return https_client::connect(here, context(console_options()), problem, options);
  }
  std::unique_ptr<https_client> dialled(const https_client_options& options = {}) {
    auto out = dial(options);
    REQUIRE_MESSAGE(out != nullptr, problem);
    return out;
  }
};

http::request get(std::string path) {
  http::request out;
  out.method = "GET";
  out.path = std::move(path);
  return out;
}

} // namespace

TEST_CASE_FIXTURE(https_world, "a request gets its answer, again and again on one connection") {
  open([](const link_ptr& connection, const http::request& r) {
    http::response out;
    out.status = r.method == "POST" ? 201 : 200;
    out.body = r.method + ' ' + r.path + ' ' + r.query_value("q").value_or("-") + ' ' +
               r.header("host") + ' ' + r.body;
    out.headers.emplace_back("X-Word", r.header("x-word"));
    answer(connection, out);
  });
  const auto client = dialled();
  for (int i = 0; i < 20; ++i) {
    auto request = get("/devices/" + std::to_string(i));
    request.query.emplace("q", "a b&c");
    request.headers["x-word"] = "word";
    const auto found = client->exchange(request, 10s, problem);
    REQUIRE_MESSAGE(found.has_value(), problem);
    CHECK(found->status == 200);
    CHECK(found->body == "GET /devices/" + std::to_string(i) +
                           " a b&c 127.0.0.1:" + std::to_string(here.port) + " ");
  }
  auto request = get("/devices");
  request.method = "POST";
  request.body = std::string(200'000, 'b');
  const auto made = client->exchange(request, 10s, problem);
  REQUIRE_MESSAGE(made.has_value(), problem);
  CHECK(made->status == 201);
  CHECK(made->body.ends_with(request.body));
  CHECK(connections == 1);
}

TEST_CASE_FIXTURE(https_world, "a long answer arrives whole") {
  const std::string body(3'000'000, 'x');
  open([&](const link_ptr& connection, const http::request&) {
    http::response out;
    out.body = body;
    answer(connection, out);
  });
  const auto found = dialled()->exchange(get("/"), 20s, problem);
  REQUIRE_MESSAGE(found.has_value(), problem);
  CHECK(found->body == body);
}

TEST_CASE_FIXTURE(https_world, "a server that closes after each answer is connected to again") {
  open([](const link_ptr& connection, const http::request& r) {
    http::response out;
    out.body = r.path;
    out.keep_alive = false;
    answer(connection, out);
  });
  const auto client = dialled();
  for (const auto* path : {"/a", "/b", "/c"}) {
    const auto found = client->exchange(get(path), 10s, problem);
    REQUIRE_MESSAGE(found.has_value(), problem);
    CHECK(found->body == path);
    CHECK_FALSE(found->keep_alive);
  }
  CHECK(connections == 3);
}

TEST_CASE_FIXTURE(https_world, "a connection that the server gave up meanwhile is made anew") {
  link_ptr last;
  open([&](const link_ptr& connection, const http::request&) {
    last = connection;
    answer(connection, {});
  });
  const auto client = dialled();
  REQUIRE(client->exchange(get("/"), 10s, problem).has_value());
  std::exchange(last, nullptr)->close();
  REQUIRE(comes_true([&] { return listener->counters().open == 0; }));
  const auto found = client->exchange(get("/"), 10s, problem);
  REQUIRE_MESSAGE(found.has_value(), problem);
  CHECK(connections == 2);
}

TEST_CASE_FIXTURE(https_world, "a server that closes instead of answering is named") {
  open([](const link_ptr& connection, const http::request&) { connection->close(); });
  const auto client = dialled();
  CHECK_FALSE(client->exchange(get("/"), 10s, problem));
  CHECK(problem.starts_with("127.0.0.1 port " + std::to_string(here.port)));
  CHECK(problem.find("closed the connection before the answer was complete") != std::string::npos);
  CHECK(connections == 1); // a request is never sent twice
}

TEST_CASE_FIXTURE(https_world, "half an answer is none") {
  open([](const link_ptr& connection, const http::request&) {
    REQUIRE(connection->try_send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
    connection->close();
  });
  CHECK_FALSE(dialled()->exchange(get("/"), 10s, problem));
  CHECK(problem.find("before the answer was complete") != std::string::npos);
}

TEST_CASE_FIXTURE(https_world, "an answer that is no HTTP is refused") {
  open([](const link_ptr& connection, const http::request&) {
    REQUIRE(connection->try_send("SSH-2.0-something\r\n\r\n"));
  });
  CHECK_FALSE(dialled()->exchange(get("/"), 10s, problem));
  CHECK(problem.find("no HTTP") != std::string::npos);
}

TEST_CASE_FIXTURE(https_world, "interim answers are passed over, but not for ever") {
  open([](const link_ptr& connection, const http::request& r) {
    const int count = r.path == "/few" ? 3 : 100;
    std::string out;
    for (int i = 0; i < count; ++i)
      out += "HTTP/1.1 103 Early Hints\r\n\r\n";
    REQUIRE(connection->try_send(out + http::serialize(http::response{})));
  });
  CHECK(dialled()->exchange(get("/few"), 10s, problem)->status == 200);
  CHECK_FALSE(dialled()->exchange(get("/many"), 10s, problem));
  CHECK_FALSE(problem.empty());
}

TEST_CASE_FIXTURE(https_world, "a server that does not answer is waited for only so long") {
  link_ptr kept;
  open([&](const link_ptr& connection, const http::request&) { kept = connection; });
  const auto client = dialled();
  CHECK_FALSE(client->exchange(get("/"), 50ms, problem));
  CHECK(problem.find("does not answer in time") != std::string::npos);
  listener.reset();
  pool.join();
}

TEST_CASE_FIXTURE(https_world, "a server of another authority, or another server, is refused") {
  open([](const link_ptr& connection, const http::request&) { answer(connection, {}); });
  auto wrong = console_options();
  wrong.server.authority_pin = sha256_digest{};
  CHECK(https_client::connect(here, context(wrong), problem) == nullptr);
  CHECK(problem.find("cannot connect to 127.0.0.1 port " + std::to_string(here.port)) == 0);
  CHECK(problem.find("not the pinned one") != std::string::npos);
  wrong = console_options();
  wrong.server.server_id = id_of(9);
  CHECK(https_client::connect(here, context(wrong), problem) == nullptr);
  CHECK(problem.find("names somebody else") != std::string::npos);
  wrong = console_options();
  wrong.alpn = alpn_agent;
  CHECK(https_client::connect(here, context(wrong), problem) == nullptr);
  CHECK_FALSE(problem.empty());
  CHECK(connections == 0);
}

TEST_CASE_FIXTURE(https_world, "nobody there: every address that was tried is named") {
  open([](const link_ptr&, const http::request&) {});
  listener.reset();
  REQUIRE(comes_true([&] {
    std::error_code ec;
    std::string why;
    const auto to = addresses_of(here, why);
    return !connect_until(to.front(), std::chrono::steady_clock::now() + 1s, ec);
  }));
  CHECK(dial() == nullptr);
  CHECK(problem.find("127.0.0.1: Connection refused") != std::string::npos);
  here.host = "no-such-host.invalid";
  CHECK(dial() == nullptr);
  CHECK(problem.find("cannot connect to no-such-host.invalid port") == 0);
}

TEST_CASE_FIXTURE(https_world, "a host that accepts and never shakes hands is given up") {
  // A listening socket whose backlog takes the connection, and nobody behind it.
  const owned_descriptor silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(::bind(silent.get(), generic, size) == 0);
  REQUIRE(::listen(silent.get(), 1) == 0);
  REQUIRE(::getsockname(silent.get(), generic, &size) == 0);
  here.port = ntohs(address.sin_port);
  CHECK(dial({.handshake_max = 50ms}) == nullptr);
  CHECK(problem.find("took too long") != std::string::npos);
}

TEST_CASE_FIXTURE(https_world, "events are followed until the server ends them") {
  open([](const link_ptr& connection, const http::request& r) {
    REQUIRE(r.header("accept") == "text/event-stream");
    REQUIRE(connection->try_send(http::event_stream_head()));
    for (int i = 0; i < 100; ++i) {
      REQUIRE(connection->try_send(http::event_stream_comment()));
      REQUIRE(connection->try_send(
        http::event_stream_item("event", std::to_string(i), "line\nof " + std::to_string(i))));
    }
    connection->close();
  });
  auto request = get("/events");
  request.headers["accept"] = "text/event-stream";
  int count = 0;
  CHECK_MESSAGE(dialled()->follow(
                  request,
                  [&](std::string_view event, std::string_view id, std::string_view data) {
                    CHECK(event == "event");
                    CHECK(id == std::to_string(count));
                    CHECK(data == "line\nof " + std::to_string(count));
                    ++count;
                    return true;
                  },
                  problem),
                problem);
  CHECK(count == 100);
}

TEST_CASE_FIXTURE(https_world, "who follows may stop, and ask for something else afterwards") {
  open([](const link_ptr& connection, const http::request& r) {
    if (r.path != "/events")
      return answer(connection, {});
    REQUIRE(connection->try_send(http::event_stream_head() + http::event_stream_item("", "", "x") +
                                 http::event_stream_item("", "", "y")));
  });
  const auto client = dialled();
  int count = 0;
  CHECK(client->follow(
    get("/events"),
    [&](auto, auto, auto) {
      ++count;
      return false;
    },
    problem));
  CHECK(count == 1);
  CHECK(client->exchange(get("/"), 10s, problem).has_value());
}

TEST_CASE_FIXTURE(https_world, "an event stream may be longer than any answer") {
  const std::string big(256 * 1024, 'd');
  constexpr int items = 80; // 20 MB
  std::thread writer;       // may wait for room in the queue, which an io thread may not
  open([&](const link_ptr& connection, const http::request&) {
    writer = std::thread([connection, &big] {
      REQUIRE(connection->try_send(http::event_stream_head()));
      for (int sent = 0; sent < items;)
        if (connection->try_send(http::event_stream_item("", "", big)))
          ++sent;
        else
          std::this_thread::yield();
      connection->close();
    });
  });
  int count = 0;
  CHECK_MESSAGE(dialled()->follow(
                  get("/"),
                  [&](auto, auto, std::string_view data) {
                    count += data.size() == big.size() ? 1 : 0;
                    return true;
                  },
                  problem),
                problem);
  CHECK(count == items);
  writer.join();
}

TEST_CASE_FIXTURE(https_world, "a refusal instead of events is handed over") {
  open([](const link_ptr& connection, const http::request&) {
    http::response out;
    out.status = 401;
    out.content_type = "application/problem+json";
    out.body = "{}";
    answer(connection, out);
  });
  std::optional<http::response> instead;
  CHECK_FALSE(dialled()->follow(
    get("/"), [](auto, auto, auto) { return true; }, problem, &instead));
  CHECK(problem.find("status 401") != std::string::npos);
  REQUIRE(instead.has_value());
  CHECK(instead->status == 401);
  CHECK(instead->body == "{}");
}

TEST_CASE_FIXTURE(https_world, "a stream that falls silent is given up") {
  link_ptr kept;
  open([&](const link_ptr& connection, const http::request&) {
    kept = connection;
    REQUIRE(connection->try_send(http::event_stream_head() + http::event_stream_item("", "", "x")));
  });
  int count = 0;
  CHECK_FALSE(dialled({.silence_max = 100ms})
                ->follow(
                  get("/"),
                  [&](auto, auto, auto) {
                    ++count;
                    return true;
                  },
                  problem));
  CHECK(count == 1);
  CHECK(problem.find("does not answer in time") != std::string::npos);
  listener.reset();
  pool.join();
}
