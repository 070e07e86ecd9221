#pragma once
// How a command ends early. Inside the console a command is a straight line of steps; the first
// that does not work ends it with one line and a code. Thrown by commands, caught by run().

#include "apps/common/exit_codes.hpp"

#include <exception>
#include <string>
#include <utility>

namespace muster::console {

class failure : public std::exception {
public:
  failure(exit_code code, std::string text, bool may_pass = false)
    : code_(code), text_(std::move(text)), may_pass_(may_pass) {}
  [[nodiscard]] exit_code code() const noexcept { return code_; }
  /// A sentence without a full stop, naming what and, where there is one, the remedy.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Whether the same may work in a moment: no connection, a server that is busy or stopping.
  [[nodiscard]] bool may_pass() const noexcept { return may_pass_; }
  const char* what() const noexcept override { return text_.c_str(); }

private:
  exit_code code_;
  std::string text_;
  bool may_pass_;
};

/// What was read is not what is there by now: read again, and the same may work.
class conflict final : public failure {
public:
  using failure::failure;
};

} // namespace muster::console
