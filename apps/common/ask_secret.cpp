#include "apps/common/ask_secret.hpp"

#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace muster {

namespace {

constexpr std::size_t secret_bytes_max = 1024;
constexpr int attempts_max = 3;

/// The terminal keeps what is typed to itself as long as this lives.
class hidden_typing {
public:
  hidden_typing() : changed_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    auto quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = changed_ && ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~hidden_typing() {
    if (!changed_)
      return;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    std::fputc('\n', stderr);
  }
  hidden_typing(const hidden_typing&) = delete;
  hidden_typing& operator=(const hidden_typing&) = delete;

private:
  termios before_{};
  bool changed_;
};

std::optional<std::string> read_line() {
  std::string line;
  if (!std::getline(std::cin, line) || line.empty() || line.size() > secret_bytes_max)
    return std::nullopt;
  return line;
}

std::optional<std::string> ask_hidden(const std::string& question) {
  std::fprintf(stderr, "%s: ", question.c_str());
  const hidden_typing quiet;
  return read_line();
}

} // namespace

std::optional<std::string> ask_secret(const std::string& what, bool twice, std::string& problem) {
  if (::isatty(STDIN_FILENO) == 0) {
    auto line = read_line();
    if (!line)
      problem = "no " + what + " on standard input (a line of 1 to 1024 bytes)";
    return line;
  }
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto first = ask_hidden(what);
    if (!first)
      break;
    if (!twice || ask_hidden(what + " again") == first)
      return first;
    std::fprintf(stderr, "these are not the same\n");
  }
  problem = "no " + what + " was given";
  return std::nullopt;
}

} // namespace muster
