#include "net/local_port.hpp"

#include "net/limits.hpp"
#include "net/local_socket.hpp"
#include "tests/net/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

using namespace muster::net;
using namespace std::chrono_literals;

namespace {

struct local_world {
  testing::scratch_directory scratch;
  io_pool pool{1};
  std::filesystem::path path = scratch / "agent.sock";

  local_port_options options{.path = path};

  std::shared_ptr<local_port> open(local_port::on_request request) {
    std::error_code ec;
    auto port = local_port::open(pool, options, std::move(request), ec);
    REQUIRE_MESSAGE(port != nullptr, ec.message());
    return port;
  }
  owned_descriptor dial() {
    std::error_code ec;
    auto fd = connect_local(path, 10s, ec);
    REQUIRE_MESSAGE(fd, ec.message());
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    REQUIRE(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    return fd;
  }
  /// Empty when the port has closed; "?" when it does nothing of the kind for 20 s.
  static std::string next(const owned_descriptor& fd) {
    char buffer[256];
    const auto count = ::recv(fd.get(), buffer, sizeof(buffer), 0);
    return count < 0 ? errno == ECONNRESET ? "" : "?" : std::string(buffer, buffer + count);
  }
  static bool says(const owned_descriptor& fd, std::string_view text) {
    return ::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  std::optional<std::string> ask(std::string_view message) {
    problem.clear();
    return ask_local(path, message, 10s, problem);
  }
  std::string problem;
};

void echo(const local_peer&, std::string message, std::function<void(std::string)> answer) {
  answer("<" + message + ">");
}

} // namespace

TEST_CASE_FIXTURE(local_world, "a local request gets its answer, and the kernel says who asked") {
  std::promise<local_peer> told;
  const auto port = open([&](const local_peer& peer, std::string message, auto answer) {
    told.set_value(peer);
    answer("you said " + message);
  });
  CHECK(ask("hello") == "you said hello");
  const auto seen = told.get_future().get();
  CHECK(seen.user == ::getuid());
  CHECK(seen.group == ::getgid());
  CHECK(seen.process == ::getpid());
}

TEST_CASE_FIXTURE(local_world, "a local answer may come later and from another thread") {
  std::promise<std::function<void(std::string)>> asked;
  const auto port =
    open([&](const local_peer&, std::string, auto answer) { asked.set_value(std::move(answer)); });
  auto reply = std::async(std::launch::async, [&] { return ask("when?"); });
  asked.get_future().get()("now");
  CHECK(reply.get() == "now");
}

TEST_CASE_FIXTURE(local_world, "an answer that is never given closes the local connection") {
  const auto port = open([](const local_peer&, std::string, const auto&) {});
  CHECK_FALSE(ask("anybody?"));
  CHECK(problem.find("closed the connection") != std::string::npos);
}

TEST_CASE_FIXTURE(local_world, "an answer to a local client that has gone harms nobody") {
  std::promise<std::function<void(std::string)>> asked;
  auto port = open([&, first = true](const local_peer&, std::string message, auto answer) mutable {
    if (std::exchange(first, false))
      asked.set_value(std::move(answer));
    else
      answer(message);
  });
  REQUIRE(says(dial(), "bye"));
  asked.get_future().get()("too late");
  CHECK(ask("still there?") == "still there?");
}

TEST_CASE_FIXTURE(local_world,
                  "the largest local message passes, a larger one ends the connection") {
  const auto port = open([](const local_peer&, std::string message, const auto& answer) {
    answer(std::to_string(message.size()));
  });
  CHECK(ask(std::string(limits::local_message_bytes_max, 'x')) == "4096");
  CHECK_FALSE(ask(std::string(limits::local_message_bytes_max + 1, 'x')));
  CHECK(problem.find("has 1 to 4096 bytes, this one 4097") != std::string::npos);
  CHECK_FALSE(ask(""));
  const auto fd = dial();
  REQUIRE(says(fd, std::string(limits::local_message_bytes_max + 1, 'x')));
  CHECK(next(fd).empty());
}

TEST_CASE_FIXTURE(local_world, "many local clients are served at once") {
  const auto port = open(echo);
  std::vector<std::thread> clients;
  std::atomic<int> right{0};
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&, i] {
      for (int j = 0; j < 50; ++j) {
        std::string why;
        const auto text = std::to_string(i * 100 + j);
        right += ask_local(path, text, 10s, why) == "<" + text + ">" ? 1 : 0;
      }
    });
  for (auto& client : clients)
    client.join();
  CHECK(right == 400);
}

TEST_CASE_FIXTURE(local_world, "the local socket has its mode, and goes with its port") {
  options.mode = 0600;
  auto port = open(echo);
  struct stat found {};
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0600U);
  port.reset();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE_FIXTURE(local_world, "a dead process's socket is replaced, a living one's is not") {
  {
    std::error_code ec;
    const auto left_behind = listen_local(path, 0666, ec);
    REQUIRE(left_behind);
    CHECK_FALSE(local_port::open(pool, {.path = path}, echo, ec));
    CHECK(ec == std::errc::address_in_use);
  }
  REQUIRE(std::filesystem::exists(path));
  const auto port = open(echo);
  CHECK(ask("hello") == "<hello>");
}

TEST_CASE_FIXTURE(local_world, "asking where nobody listens says so") {
  CHECK_FALSE(ask("hello"));
  CHECK(problem.find(path.string()) == 0);
  CHECK(problem.find("is the program running?") != std::string::npos);
}

TEST_CASE_FIXTURE(local_world, "a local port may outlive its io threads") {
  auto port = open(echo);
  pool.join();
  port.reset();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE_FIXTURE(local_world, "one connection may ask again and again, one thing at a time") {
  std::mutex mutex;
  std::vector<std::function<void(std::string)>> owed;
  std::promise<void> two_asked;
  const auto port = open([&](const local_peer&, const std::string& message, auto answer) {
    if (message != "later")
      return answer(message);
    const std::lock_guard lock(mutex);
    owed.push_back(std::move(answer));
    if (owed.size() == 1)
      two_asked.set_value();
  });
  const auto fd = dial();
  for (const auto* text : {"a", "b", "c"}) {
    REQUIRE(says(fd, text));
    CHECK(next(fd) == text);
  }
  // The second request is not looked at before the first has its answer.
  REQUIRE(says(fd, "later"));
  REQUIRE(says(fd, "d"));
  two_asked.get_future().get();
  std::function<void(std::string)> answer;
  {
    const std::lock_guard lock(mutex);
    answer = owed.front();
    owed.clear();
  }
  answer("first");
  answer("twice"); // counts for nothing
  CHECK(next(fd) == "first");
  CHECK(next(fd) == "d");
}

TEST_CASE_FIXTURE(local_world, "answers may be long; too long or empty ones end the connection") {
  const auto port = open([](const local_peer&, const std::string& message, const auto& answer) {
    answer(std::string(std::stoul(message), 'a'));
  });
  const auto longest = ask(std::to_string(limits::local_answer_bytes_max));
  REQUIRE_MESSAGE(longest.has_value(), problem);
  CHECK(longest->size() == limits::local_answer_bytes_max);
  CHECK_FALSE(ask(std::to_string(limits::local_answer_bytes_max + 1)));
  CHECK_FALSE(ask("0"));
  CHECK(problem.find("closed the connection") != std::string::npos);
}

TEST_CASE_FIXTURE(local_world, "a local connection that asks nothing is closed") {
  options.idle_max = 50ms;
  const auto port = open(echo);
  const auto silent = dial();
  const auto talker = dial();
  REQUIRE(says(talker, "x"));
  CHECK(next(talker) == "<x>");
  CHECK(next(silent).empty());
  CHECK(next(talker).empty());
}

TEST_CASE_FIXTURE(local_world, "more local clients than allowed wait for their turn") {
  options.connections_max = 2;
  options.connections_per_user_max = 0;
  const auto port = open(echo);
  std::vector<owned_descriptor> clients;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(dial());
    REQUIRE(says(clients.back(), std::to_string(i)));
  }
  for (int i = 0; i < 6; ++i) {
    CHECK(next(clients[static_cast<std::size_t>(i)]) == "<" + std::to_string(i) + ">");
    clients[static_cast<std::size_t>(i)].reset(); // makes room for another
  }
}

TEST_CASE_FIXTURE(local_world, "nothing is asked of who has closed a local port") {
  std::shared_ptr<local_port> port;
  std::promise<void> go;
  auto gone = go.get_future();
  std::atomic<int> asked{0};
  const std::string captured(100, 'c'); // by value below: must outlive the closing
  port = open([&, captured](const local_peer&, const std::string&, const auto& answer) {
    gone.get();
    ++asked;
    port->close();
    answer(captured);
  });
  const auto first = dial();
  const auto second = dial();
  REQUIRE(says(first, "x"));
  REQUIRE(says(second, "x"));
  go.set_value();
  CHECK(next(second).empty());
  CHECK(asked == 1);
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE_FIXTURE(local_world, "a file that is no socket is never replaced") {
  testing::put_content(path, "precious");
  std::error_code ec;
  CHECK_FALSE(local_port::open(pool, options, echo, ec));
  CHECK(ec == std::errc::file_exists);
  CHECK(testing::content_of(path) == "precious");
  options.path = scratch / "missing" / "agent.sock";
  CHECK_FALSE(local_port::open(pool, options, echo, ec));
  CHECK(ec == std::errc::no_such_file_or_directory);
  options.path = scratch / std::string(200, 'n');
  CHECK_FALSE(local_port::open(pool, options, echo, ec));
  CHECK(ec == std::errc::filename_too_long);
}

TEST_CASE_FIXTURE(local_world, "a port does not remove its successor's socket") {
  auto old = open(echo);
  std::filesystem::remove(path);
  const auto fresh = open(echo);
  old.reset();
  CHECK(ask("hello") == "<hello>");
}

TEST_CASE_FIXTURE(local_world, "answers and connections that outlive the io threads harm nobody") {
  std::promise<std::function<void(std::string)>> asked;
  auto port =
    open([&](const local_peer&, std::string, auto answer) { asked.set_value(std::move(answer)); });
  const auto idle = dial();
  const auto fd = dial();
  REQUIRE(says(fd, "x"));
  auto answer = asked.get_future().get();
  pool.join();
  CHECK(next(idle).empty());
  CHECK(next(fd).empty());
  answer("too late");
}

TEST_CASE_FIXTURE(local_world, "a local client waits only so long") {
  std::function<void(std::string)> kept;
  const auto port = open([&](const local_peer&, std::string, auto answer) { kept = answer; });
  CHECK_FALSE(ask_local(path, "x", 50ms, problem));
  CHECK(problem.find("no answer within 50 ms") != std::string::npos);
  pool.join();
}
