// What a program does with signals and limits of its own process: in a child, which may be ended.

#include "apps/common/descriptors.hpp"
#include "apps/common/signals.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <thread>

using namespace muster;

namespace {

/// What wait() says of a child that did this and then returned.
int in_child(const std::function<int()>& what) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0)
    ::_exit(what());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

} // namespace

TEST_CASE("a signal to stop is told, one to hang up is not") {
  const int status = in_child([] {
    stop_signals signals;
    std::raise(SIGHUP);
    std::raise(SIGPIPE);
    std::raise(SIGTERM);
    return signals.wait();
  });
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == SIGTERM);
}

TEST_CASE("a second signal ends a program that takes its time to stop") {
  const int status = in_child([] {
    stop_signals signals;
    std::raise(SIGINT);
    static_cast<void>(signals.wait());
    std::raise(SIGINT);
    return 7;
  });
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
}

TEST_CASE("a program can end its own wait, from any thread, also before it waits") {
  const int status = in_child([] {
    stop_signals signals;
    std::thread other{[&] { signals.stop(); }};
    const int number = signals.wait();
    other.join();
    signals.stop();
    return number == 0 && signals.wait() == 0 ? 7 : 1;
  });
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("descriptors are taken up to the hard limit, and one line says when these are too few") {
  const int status = in_child([] {
    const rlimit limit{64, 128};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
      return 1;
    std::string problem;
    if (!descriptors_for(128, problem) || !problem.empty())
      return 2;
    if (descriptors_for(129, problem))
      return 3;
    return problem.find("129 are needed, the limit is 128") != std::string::npos &&
               problem.find("LimitNOFILE") != std::string::npos
             ? 7
             : 4;
  });
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}
