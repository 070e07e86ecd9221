#include "apps/console/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace muster::console {

namespace {

constexpr std::size_t answer_bytes_max = 4096;
constexpr std::size_t width_min = 20;

/// The controlling terminal, open for reading and writing; closed with us.
class controlling_terminal {
public:
  controlling_terminal() : fd_(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) {}
  ~controlling_terminal() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  controlling_terminal(const controlling_terminal&) = delete;
  controlling_terminal& operator=(const controlling_terminal&) = delete;
  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

/// Does not show what is typed until it goes. Ctrl-C in between must not leave a dumb terminal
/// behind: signals wait so long.
class no_echo {
public:
  no_echo(int fd, bool hidden) : fd_(fd) {
    active_ = hidden && ::tcgetattr(fd, &before_) == 0;
    if (!active_)
      return;
    auto silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    ::tcsetattr(fd, TCSAFLUSH, &silent);
  }
  ~no_echo() {
    if (active_)
      ::tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  no_echo(const no_echo&) = delete;
  no_echo& operator=(const no_echo&) = delete;

private:
  int fd_;
  bool active_ = false;
  termios before_{};
};

void write_all(int fd, std::string_view text, bool& good) {
  while (good && !text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written > 0)
      text.remove_prefix(static_cast<std::size_t>(written));
    else if (written < 0 && errno != EINTR)
      good = false;
  }
}

std::optional<std::string> read_line(int fd) {
  std::string line;
  char c = 0;
  while (line.size() < answer_bytes_max) {
    const auto got = ::read(fd, &c, 1);
    if (got < 0 && errno == EINTR)
      continue;
    // With signals off, Ctrl-C comes as a character.
    if (got <= 0 || c == '\x03')
      return got > 0 || line.empty() ? std::nullopt : std::optional{line};
    if (c == '\n')
      return line;
    line += c;
  }
  return line;
}

std::size_t terminal_width() {
  if (const char* text = std::getenv("COLUMNS"); text != nullptr) {
    const std::string_view digits{text};
    std::size_t width = 0;
    const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), width);
    if (ec == std::errc{} && end == digits.data() + digits.size() && width >= width_min)
      return width;
  }
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
      size.ws_col >= width_min)
    return size.ws_col;
  return 0;
}

} // namespace

system_terminal::system_terminal() : shows_(::isatty(STDOUT_FILENO) == 1) {
  // A reader like `head` that goes away must not look like a crash.
  std::signal(SIGPIPE, SIG_IGN);
}

void system_terminal::out(const std::string& text) {
  write_all(STDOUT_FILENO, text, is_read_);
}

void system_terminal::err(const std::string& text) {
  bool ignored = true;
  write_all(STDERR_FILENO, text, ignored);
}

style system_terminal::look() const {
  const char* kind = std::getenv("TERM");
  const char* no_colour = std::getenv("NO_COLOR");
  style s;
  s.width = terminal_width();
  s.colour = shows_ && (no_colour == nullptr || *no_colour == '\0') &&
             (kind == nullptr || std::string_view{kind} != "dumb");
  return s;
}

bool system_terminal::can_ask() const {
  return ::isatty(STDIN_FILENO) == 1 && controlling_terminal{}.get() >= 0;
}

std::optional<std::string> system_terminal::ask(const std::string& question, bool hidden) {
  const controlling_terminal tty;
  bool good = tty.get() >= 0;
  write_all(tty.get(), question, good);
  if (!good)
    return std::nullopt;
  std::optional<std::string> answer;
  {
    const no_echo silence{tty.get(), hidden};
    answer = read_line(tty.get());
  }
  if (hidden)
    write_all(tty.get(), "\n", good);
  return answer;
}

void system_terminal::wait(int seconds) {
  // Ends early at a signal, which ends the program anyway.
  ::poll(nullptr, 0, seconds * 1000);
}

} // namespace muster::console
