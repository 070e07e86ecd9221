#include "apps/console/terminal.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>

using namespace muster;

namespace {

constexpr int patience_ms = 20'000;

/// A process of its own in a terminal of its own, which is asked for a password.
class asked_person {
public:
  asked_person() {
    child_ = ::forkpty(&terminal_, nullptr, nullptr, nullptr);
    REQUIRE(child_ >= 0);
    if (child_ != 0)
      return;
    console::system_terminal person;
    const auto answer = person.ask("Password: ", true);
    person.out("got " + answer.value_or("nothing") + "\n");
    ::_exit(7);
  }
  ~asked_person() { ::close(terminal_); }
  asked_person(const asked_person&) = delete;
  asked_person& operator=(const asked_person&) = delete;

  void type(std::string_view text) {
    REQUIRE(::write(terminal_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  /// Reads until this is there; false when the terminal ended before.
  bool shows(std::string_view what) {
    while (seen.find(what) == std::string::npos) {
      pollfd ready{terminal_, POLLIN, 0};
      char buffer[256];
      if (::poll(&ready, 1, patience_ms) != 1)
        return false;
      const auto got = ::read(terminal_, buffer, sizeof buffer);
      if (got <= 0)
        return false;
      seen.append(buffer, static_cast<std::size_t>(got));
    }
    return true;
  }
  [[nodiscard]] bool echoes() const {
    termios state{};
    REQUIRE(::tcgetattr(terminal_, &state) == 0);
    return (state.c_lflag & ECHO) != 0;
  }
  /// As wait() tells it.
  int end() {
    int status = 0;
    REQUIRE(::waitpid(child_, &status, 0) == child_);
    return status;
  }

  std::string seen;

private:
  int terminal_ = -1;
  pid_t child_ = -1;
};

} // namespace

TEST_CASE("a password is not shown while it is typed") {
  asked_person person;
  REQUIRE(person.shows("Password: "));
  // The question stands before the echo goes: a terminal that is switched over loses what was
  // typed.
  while (person.echoes())
    ::poll(nullptr, 0, 1);
  person.type("secret\n");
  CHECK(person.shows("got secret"));
  CHECK(person.seen.find("secret") == person.seen.rfind("secret"));
  CHECK(person.echoes());
  CHECK(WEXITSTATUS(person.end()) == 7);
}

TEST_CASE("Ctrl-C at a password leaves a terminal that shows what is typed") {
  asked_person person;
  REQUIRE(person.shows("Password: "));
  while (person.echoes())
    ::poll(nullptr, 0, 1);
  person.type("sec\x03");
  const int status = person.end();
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
  CHECK(person.echoes());
}
