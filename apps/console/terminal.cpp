#include "apps/console/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
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

volatile std::sig_atomic_t caught_signal = 0;

void on_signal(int number) {
  caught_signal = number;
}

/// Does not show what is typed until it goes. Whoever presses Ctrl-C in between must not be left
/// with a terminal that shows nothing: the signal ends the read, the terminal is as it was, and
/// only then does the signal what it does.
class no_echo {
public:
  explicit no_echo(int fd) : fd_(fd), active_(::tcgetattr(fd, &before_) == 0) {
    if (!active_)
      return;
    caught_signal = 0;
    struct sigaction action {};
    action.sa_handler = on_signal; // and no SA_RESTART
    for (std::size_t index = 0; index < signals.size(); ++index)
      ::sigaction(signals[index], &action, &actions_before_[index]);
    auto silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd, TCSAFLUSH, &silent);
  }
  ~no_echo() {
    if (!active_)
      return;
    ::tcsetattr(fd_, TCSAFLUSH, &before_);
    for (std::size_t index = 0; index < signals.size(); ++index)
      ::sigaction(signals[index], &actions_before_[index], nullptr);
    if (caught_signal != 0)
      std::raise(caught_signal);
  }
  no_echo(const no_echo&) = delete;
  no_echo& operator=(const no_echo&) = delete;

private:
  static constexpr std::array signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  int fd_;
  termios before_{};
  bool active_;
  std::array<struct sigaction, signals.size()> actions_before_{};
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
    if (got < 0 && errno == EINTR && caught_signal == 0)
      continue;
    if (got <= 0)
      return line.empty() || got < 0 ? std::nullopt : std::optional{line};
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
  if (!hidden)
    return read_line(tty.get());
  const no_echo silence{tty.get()};
  auto answer = read_line(tty.get());
  write_all(tty.get(), "\n", good);
  return answer;
}

void system_terminal::wait(std::chrono::milliseconds time) {
  ::poll(nullptr, 0, static_cast<int>(time.count()));
}

bool system_terminal::shows_progress() const {
  return ::isatty(STDERR_FILENO) == 1;
}

void system_terminal::remember_interrupt() {
  caught_signal = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  // Reads and writes go on; poll() ends all the same.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigaction(SIGINT, &action, nullptr);
}

bool system_terminal::interrupted() const {
  return caught_signal != 0;
}

} // namespace muster::console
