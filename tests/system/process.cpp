#include "tests/system/process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace muster::test {

namespace {

using clock = std::chrono::steady_clock;

int milliseconds_until(clock::time_point deadline) {
  const auto left
    = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (auto& s : strings)
    out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

} // namespace

temporary_directory::temporary_directory() {
  auto name = (std::filesystem::temp_directory_path() / "muster-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("no temporary directory");
  path_ = name;
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path temporary_directory::write(const std::string& name,
                                                 const std::string& text) const {
  const auto file = path_ / name;
  std::ofstream{file} << text;
  return file;
}

process::process(std::vector<std::string> command, std::vector<std::string> environment) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  for (char** e = environ; *e != nullptr; ++e)
    environment.emplace_back(*e);
  auto arguments = pointers(command);
  auto variables = pointers(environment);
  const auto parent = ::getpid();
  id_ = ::fork();
  if (id_ == 0) {
    // A test that crashes takes its programs with it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
      ::_exit(126);
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::execve(arguments[0], arguments.data(), variables.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  pipe_ = ends[0];
  if (id_ < 0)
    throw std::runtime_error("no process");
}

process::~process() {
  if (!exit_code_) {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  ::close(pipe_);
}

bool process::read_some(std::chrono::milliseconds time) {
  pollfd readable{pipe_, POLLIN, 0};
  if (::poll(&readable, 1, static_cast<int>(time.count())) <= 0)
    return true;
  char bytes[4096];
  const auto n = ::read(pipe_, bytes, sizeof bytes);
  if (n <= 0)
    return n < 0 && errno == EINTR;
  output_.append(bytes, static_cast<std::size_t>(n));
  return true;
}

std::optional<std::string> process::expect(const std::string& pattern,
                                           std::chrono::milliseconds time) {
  const std::regex wanted{pattern};
  const auto deadline = clock::now() + time;
  bool more = true;
  while (true) {
    std::smatch match;
    if (std::regex_search(output_, match, wanted))
      return match.size() > 1 ? match[1].str() : match[0].str();
    const auto left = milliseconds_until(deadline);
    if (!more || left == 0)
      return std::nullopt;
    more = read_some(std::chrono::milliseconds{left});
  }
}

void process::signal(int number) {
  if (!exit_code_)
    ::kill(id_, number);
}

std::optional<int> process::wait(std::chrono::milliseconds time) {
  if (exit_code_)
    return exit_code_;
  const auto deadline = clock::now() + time;
  // A pidfd becomes readable at the end; the output is drained meanwhile so that nobody blocks.
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, id_, 0));
  while (true) {
    pollfd either[2] = {{handle, POLLIN, 0}, {pipe_, POLLIN, 0}};
    const int ready = ::poll(either, 2, milliseconds_until(deadline));
    if (ready == 0)
      break;
    bool open = true;
    if ((either[1].revents & (POLLIN | POLLHUP)) != 0)
      open = read_some(std::chrono::milliseconds{0});
    if ((either[0].revents & POLLIN) != 0 || !open) {
      int status = 0;
      ::waitpid(id_, &status, 0);
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      auto before = output_.size();
      do {
        before = output_.size();
      } while (read_some(std::chrono::milliseconds{0}) && output_.size() != before);
      break;
    }
  }
  ::close(handle);
  return exit_code_;
}

finished run(std::vector<std::string> command, std::vector<std::string> environment,
             std::chrono::milliseconds time) {
  process child{std::move(command), std::move(environment)};
  const auto code = child.wait(time);
  return {code.value_or(-1), child.output()};
}

} // namespace muster::test
