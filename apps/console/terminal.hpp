#pragma once
// The person in front of the console, or the lack of one.

#include "apps/console/table.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace muster::console {

/// Replaceable in tests.
class terminal {
public:
  virtual ~terminal() = default;
  virtual void out(const std::string& text) = 0;
  virtual void err(const std::string& text) = 0;
  /// False once nobody reads what we write any more.
  [[nodiscard]] virtual bool is_read() const { return true; }
  /// How tables should look.
  [[nodiscard]] virtual style look() const = 0;
  /// Whether a person reads what we print.
  [[nodiscard]] virtual bool shows_to_person() const = 0;
  /// Whether somebody can be asked.
  [[nodiscard]] virtual bool can_ask() const = 0;
  /// A line; empty at the end of input. `hidden` does not show what is typed.
  [[nodiscard]] virtual std::optional<std::string> ask(const std::string& question,
                                                       bool hidden) = 0;
  /// Lets time pass; less of it when Ctrl-C comes.
  virtual void wait(std::chrono::milliseconds time) = 0;
  /// Whether a person sees what goes to err(), so that a line there may change.
  [[nodiscard]] virtual bool shows_progress() const = 0;
  /// From now on Ctrl-C is only remembered; the second one ends the program as ever.
  virtual void remember_interrupt() = 0;
  /// Whether one has come since then.
  [[nodiscard]] virtual bool interrupted() const = 0;
};

/// stdin, stdout and stderr; questions go to the controlling terminal, so that they work in a pipe.
class system_terminal final : public terminal {
public:
  system_terminal();
  void out(const std::string& text) override;
  void err(const std::string& text) override;
  [[nodiscard]] bool is_read() const override { return is_read_; }
  [[nodiscard]] style look() const override;
  [[nodiscard]] bool shows_to_person() const override { return shows_; }
  [[nodiscard]] bool can_ask() const override;
  [[nodiscard]] std::optional<std::string> ask(const std::string& question, bool hidden) override;
  void wait(std::chrono::milliseconds time) override;
  [[nodiscard]] bool shows_progress() const override;
  void remember_interrupt() override;
  [[nodiscard]] bool interrupted() const override;

private:
  bool shows_;
  bool is_read_ = true;
};

} // namespace muster::console
