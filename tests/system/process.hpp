#pragma once
// Real programs under test: started with a pipe on their output, waited for by condition, and
// never left behind.

#include <chrono>
#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <sys/types.h>

namespace muster::test {

/// How long a test waits for what has to come. Far more than it takes: what is too slow on a machine
/// with other work to do is not wrong. Nobody waits so long for what must not come.
inline constexpr std::chrono::seconds patience{60};

/// A directory below the system's temporary one, removed with everything in it at the end.
class temporary_directory {
public:
  temporary_directory();
  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Writes `text` to a file inside and answers its path.
  std::filesystem::path write(const std::string& name, const std::string& text) const;

private:
  std::filesystem::path path_;
};

/// One child process. Output and error output go to one pipe and are remembered. The destructor
/// kills what still runs. Used from one thread.
class process {
public:
  /// The program's path, then its arguments. Extra environment as "NAME=value".
  explicit process(std::vector<std::string> command, std::vector<std::string> environment = {});
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  /// Reads output until a line matches, for at most `time`; answers the match's first group (or the
  /// whole match). Empty: it never came; output() then says what did.
  [[nodiscard]] std::optional<std::string> expect(const std::string& pattern,
                                                  std::chrono::milliseconds time = patience);
  void signal(int number);
  /// Waits for the end; the exit code, or 128 + the signal's number. Empty: it still runs.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds time = patience);
  [[nodiscard]] const std::string& output() const noexcept { return output_; }
  [[nodiscard]] pid_t id() const noexcept { return id_; }

private:
  /// Reads what is there, waiting at most `time` for something. False at the end of the output.
  bool read_some(std::chrono::milliseconds time);

  pid_t id_ = -1;
  int pipe_ = -1;
  std::string output_;
  std::optional<int> exit_code_;
};

struct finished {
  int exit_code = -1;
  std::string output;
};

/// Runs a program to its end.
[[nodiscard]] finished run(std::vector<std::string> command,
                           std::vector<std::string> environment = {},
                           std::chrono::milliseconds time = 2 * patience);

} // namespace muster::test
