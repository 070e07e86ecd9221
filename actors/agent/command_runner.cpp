#include "actors/agent/command_runner.hpp"

#include "actors/agent/settings_file_disk.hpp"

#include <spdlog/fmt/fmt.h>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace muster::actors {

namespace {

using std::chrono::milliseconds;

/// Where the kernel has no descriptors of processes (before 5.3), the end of one is looked for.
constexpr int look_again_ms = 20;

/// glibc 2.36 declares its own for C only.
int open_pidfd(pid_t pid, unsigned flags) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, flags));
}

/// What a child is to find; freed with this.
class child_setup {
public:
  explicit child_setup(int output) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&files_, output, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    ::posix_spawn_file_actions_addchdir_np(&files_, "/");
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                               POSIX_SPAWN_SETSIGDEF);
  }
  ~child_setup() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  child_setup(const child_setup&) = delete;
  child_setup& operator=(const child_setup&) = delete;

  int spawn(const rules::command_line& command, pid_t& child) {
    std::vector<char*> words;
    for (const auto& word : command)
      words.push_back(const_cast<char*>(word.c_str())); // the call has no const, and keeps its word
    words.push_back(nullptr);
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char language[] = "LC_ALL=C.UTF-8";
    std::array<char*, 3> environment{path, language, nullptr};
    return ::posix_spawn(&child, words.front(), &files_, &attributes_, words.data(),
                         environment.data());
  }

private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

descriptor timer_of(milliseconds time) {
  descriptor out{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
  itimerspec when{};
  when.it_value.tv_sec = time.count() / 1000;
  when.it_value.tv_nsec = time.count() % 1000 * 1'000'000 + 1;
  if (out)
    ::timerfd_settime(out.number(), 0, &when, nullptr);
  return out;
}

/// Takes what there is. False: there will be no more.
bool drain(int from, std::size_t output_max, command_result& out) {
  char part[4096];
  for (;;) {
    const auto got = ::read(from, part, sizeof part);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return errno == EAGAIN;
    if (got == 0)
      return false;
    const auto room = output_max - out.output.size();
    const auto taken = std::min(static_cast<std::size_t>(got), room);
    out.output.append(part, taken);
    out.cut = out.cut || taken < static_cast<std::size_t>(got);
  }
}

} // namespace

class command_runner::worker {
public:
  worker() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_)
      throw std::system_error(errno, std::generic_category(), "eventfd");
    thread_ = std::thread{[this] { work(); }};
  }
  ~worker() {
    {
      const std::lock_guard guard{mutex_};
      ending_ = true;
    }
    ::eventfd_write(wake_.number(), 1);
    thread_.join();
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  void add(command_order order, std::function<void(command_result)> done) {
    {
      const std::lock_guard guard{mutex_};
      waiting_.emplace_back(std::move(order), std::move(done));
    }
    ::eventfd_write(wake_.number(), 1);
  }

private:
  using job = std::pair<command_order, std::function<void(command_result)>>;

  void work() {
    for (;;) {
      pollfd news{wake_.number(), POLLIN, 0};
      ::poll(&news, 1, -1);
      eventfd_t ignored = 0;
      ::eventfd_read(wake_.number(), &ignored);
      while (auto next = take()) {
        auto result = run(next->first);
        if (has_ended())
          return;
        next->second(std::move(result));
      }
      if (has_ended())
        return;
    }
  }

  std::optional<job> take() {
    const std::lock_guard guard{mutex_};
    if (ending_ || waiting_.empty())
      return std::nullopt;
    auto out = std::move(waiting_.front());
    waiting_.pop_front();
    return out;
  }

  bool has_ended() {
    const std::lock_guard guard{mutex_};
    return ending_;
  }

  command_result run(const command_order& order) {
    command_result out;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
      out.problem = fmt::format("no pipe for {}: {}", order.command.front(), std::strerror(errno));
      return out;
    }
    const descriptor output{ends[0]};
    pid_t child = -1;
    int failed = 0;
    {
      const descriptor input{ends[1]};
      // A child that writes must not be told to come back later.
      ::fcntl(input.number(), F_SETFL, 0);
      failed = child_setup{input.number()}.spawn(order.command, child);
    }
    if (failed != 0) {
      out.problem = fmt::format("{} cannot be started: {}", order.command.front(),
                                std::strerror(failed));
      return out;
    }
    wait_for(child, order, output.number(), out);
    return out;
  }

  /// Until it has ended, or has to.
  void wait_for(pid_t child, const command_order& order, int output, command_result& out) {
    const descriptor process{open_pidfd(child, 0)};
    const auto timer = timer_of(order.time_max);
    int status = 0;
    bool hears = true;
    while (::waitpid(child, &status, WNOHANG) == 0) {
      std::array<pollfd, 4> news{{{process.number(), POLLIN, 0},
                                  {hears ? output : -1, POLLIN, 0},
                                  {timer.number(), POLLIN, 0},
                                  {wake_.number(), POLLIN, 0}}};
      ::poll(news.data(), news.size(), process ? -1 : look_again_ms);
      if (news[1].revents != 0)
        hears = drain(output, order.output_max, out);
      if (news[3].revents != 0) {
        eventfd_t ignored = 0;
        ::eventfd_read(wake_.number(), &ignored); // the next order, or the end
      }
      const bool late = news[2].revents != 0;
      if (!late && !has_ended())
        continue;
      ::kill(-child, SIGKILL);
      ::waitpid(child, &status, 0);
      out.problem = late ? fmt::format("{} took longer than {} s and was killed",
                                       order.command.front(), order.time_max.count() / 1000)
                         : "the agent is stopping";
      break;
    }
    drain(output, order.output_max, out); // whoever it left behind may hold the other end: not waited for
    out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  descriptor wake_;
  std::mutex mutex_;
  std::deque<job> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

command_runner::command_runner() = default;
command_runner::~command_runner() = default;

void command_runner::run(command_order order, std::function<void(command_result)> done) {
  if (!worker_)
    worker_ = std::make_unique<worker>();
  worker_->add(std::move(order), std::move(done));
}

} // namespace muster::actors
