#include "net/local_port.hpp"

#include "net/limits.hpp"
#include "net/local_socket.hpp"
#include "tests/net/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

using namespace muster::net;
using namespace std::chrono_literals;

namespace {

struct socket_world {
  testing::scratch_directory scratch;
  io_pool pool{1};
  std::filesystem::path path = scratch / "agent.sock";

  std::shared_ptr<local_port> open(local_port::on_request request, unsigned mode = 0666) {
    std::error_code ec;
    auto port = local_port::open(pool, {.path = path, .mode = mode}, std::move(request), ec);
    REQUIRE_MESSAGE(port != nullptr, ec.message());
    return port;
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

TEST_CASE_FIXTURE(socket_world, "a local request gets its answer, and the kernel says who asked") {
  local_peer seen;
  const auto port = open([&](const local_peer& peer, std::string message, auto answer) {
    seen = peer;
    answer("you said " + message);
  });
  CHECK(ask("hello") == "you said hello");
  CHECK(seen.user == ::getuid());
  CHECK(seen.group == ::getgid());
  CHECK(seen.process == ::getpid());
}

TEST_CASE_FIXTURE(socket_world, "a local answer may come later and from another thread") {
  std::promise<std::function<void(std::string)>> asked;
  const auto port =
    open([&](const local_peer&, std::string, auto answer) { asked.set_value(std::move(answer)); });
  auto reply = std::async(std::launch::async, [&] { return ask("when?"); });
  asked.get_future().get()("now");
  CHECK(reply.get() == "now");
}

TEST_CASE_FIXTURE(socket_world, "an answer that is never given closes the local connection") {
  const auto port = open([](const local_peer&, std::string, const auto&) {});
  CHECK_FALSE(ask("anybody?"));
  CHECK(problem.find("closed the connection") != std::string::npos);
}

TEST_CASE_FIXTURE(socket_world, "an answer to a local client that has gone harms nobody") {
  std::promise<std::function<void(std::string)>> asked;
  auto port = open([&, first = true](const local_peer&, std::string message, auto answer) mutable {
    if (std::exchange(first, false))
      asked.set_value(std::move(answer));
    else
      answer(message);
  });
  {
    std::error_code ec;
    const auto fd = connect_local(path, ec);
    REQUIRE(::send(fd.get(), "bye", 3, 0) == 3);
  }
  asked.get_future().get()("too late");
  CHECK(ask("still there?") == "still there?");
}

TEST_CASE_FIXTURE(socket_world, "the largest local message passes, a larger one ends the connection") {
  const auto port = open([](const local_peer&, std::string message, const auto& answer) {
    answer(std::to_string(message.size()));
  });
  CHECK(ask(std::string(limits::local_message_bytes_max, 'x')) == "4096");
  CHECK_FALSE(ask(std::string(limits::local_message_bytes_max + 1, 'x')));
  std::error_code ec;
  const auto fd = connect_local(path, ec);
  const std::string large(limits::local_message_bytes_max + 1, 'x');
  REQUIRE(::send(fd.get(), large.data(), large.size(), 0) == static_cast<ssize_t>(large.size()));
  char byte = 0;
  CHECK(::recv(fd.get(), &byte, 1, 0) == 0);
}

TEST_CASE_FIXTURE(socket_world, "many local clients are served at once") {
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

TEST_CASE_FIXTURE(socket_world, "the local socket has its mode, and goes with its port") {
  auto port = open(echo, 0600);
  struct stat found {};
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0600U);
  port.reset();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE_FIXTURE(socket_world, "a dead process's socket is replaced, a living one's is not") {
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

TEST_CASE_FIXTURE(socket_world, "asking where nobody listens says so") {
  CHECK_FALSE(ask("hello"));
  CHECK(problem.find(path.string()) == 0);
  CHECK(problem.find("No such file") != std::string::npos);
}

TEST_CASE_FIXTURE(socket_world, "a local port may outlive its io threads") {
  auto port = open(echo);
  pool.join();
  port.reset();
  CHECK_FALSE(std::filesystem::exists(path));
}
