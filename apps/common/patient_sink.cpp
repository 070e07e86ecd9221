#include "apps/common/patient_sink.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <string>
#include <utility>

namespace muster::logging {

namespace {

std::atomic<std::uint64_t> dropped_lines{0};

bool is_socket(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

} // namespace

patient_sink::patient_sink(int descriptor)
  : descriptor_(descriptor), is_socket_(is_socket(descriptor)) {}

std::uint64_t patient_sink::dropped() noexcept {
  return dropped_lines.load();
}

void patient_sink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t text;
  formatter_->format(message, text);
  std::string lines;
  if (in_a_line_)
    lines += " ...\n";
  if (untold_ > 0)
    lines += "(" + std::to_string(untold_) + " lines of this log were lost: nobody read them)\n";
  lines.append(text.data(), text.size());
  if (write_line(lines)) {
    untold_ = 0;
    return;
  }
  ++untold_;
  ++dropped_lines;
}

/// A pipe that can be written to has room for so much, so such a write does not wait.
bool patient_sink::write_line(std::string_view line) {
  while (!line.empty()) {
    const auto written = has_room() ? write(line.substr(0, PIPE_BUF)) : 0;
    if (written == 0)
      return false;
    line.remove_prefix(written);
    in_a_line_ = !line.empty();
  }
  return true;
}

bool patient_sink::has_room() const {
  pollfd asked{descriptor_, POLLOUT, 0};
  while (true) {
    const int ready = ::poll(&asked, 1, 0);
    if (ready < 0 && errno == EINTR)
      continue;
    return ready == 1 && (asked.revents & POLLOUT) != 0;
  }
}

std::size_t patient_sink::write(std::string_view text) const {
  while (true) {
    const auto n = is_socket_
                     ? ::send(descriptor_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                     : ::write(descriptor_, text.data(), text.size());
    if (n < 0 && errno == EINTR)
      continue;
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
}

} // namespace muster::logging
