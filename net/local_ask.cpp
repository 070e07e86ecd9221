// The client side of a local port.

#include "net/local_port.hpp"
#include "net/local_socket.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace muster::net {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::optional<std::string> failed(std::string& problem, const std::filesystem::path& path,
                                  std::string_view what) {
  problem = path.string();
  problem.append(": ").append(what);
  return std::nullopt;
}

std::string reason(std::error_code ec) {
  if (ec == std::errc::no_such_file_or_directory || ec == std::errc::connection_refused)
    return "nobody answers there; is the program running?";
  if (ec == std::errc::permission_denied)
    return "you may not use it; try again as root";
  if (ec == std::errc::timed_out)
    return "too many are waiting there already";
  return "cannot be reached: " + ec.message();
}

} // namespace

std::optional<std::string> ask_local(const std::filesystem::path& path, std::string_view message,
                                     milliseconds timeout, std::string& problem) {
  problem.clear();
  const auto until = steady_clock::now() + timeout;
  if (message.empty() || message.size() > limits::local_message_bytes_max)
    return failed(problem, path,
                  "a request has 1 to " + std::to_string(limits::local_message_bytes_max) +
                    " bytes, this one " + std::to_string(message.size()));
  std::error_code ec;
  const auto fd = connect_local(path, timeout, ec);
  if (!fd)
    return failed(problem, path, reason(ec));
  if (::send(fd.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0)
    return failed(problem, path,
                  "does not take the request: " + std::generic_category().message(errno));
  while (true) {
    auto packet = receive_local(fd.get(), limits::local_answer_bytes_max);
    switch (packet.what) {
    case local_packet::kind::message:
      return std::move(packet.message);
    case local_packet::kind::end:
      return failed(problem, path, "closed the connection without an answer; it may be busy");
    case local_packet::kind::too_long:
      return failed(problem, path, "answers with more than we take");
    case local_packet::kind::nothing_yet:
      break;
    }
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
    if (left.count() <= 0)
      return failed(problem, path, "no answer within " + std::to_string(timeout.count()) + " ms");
    pollfd waiting{fd.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(std::min<milliseconds::rep>(left.count(), 60'000))) <
          0 &&
        errno != EINTR)
      return failed(problem, path, std::generic_category().message(errno));
  }
}

} // namespace muster::net
