#include "net/local_port.hpp"

#include "net/limits.hpp"
#include "net/local_socket.hpp"

#include <asio/posix/stream_descriptor.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace muster::net {

namespace {

using descriptor = asio::posix::stream_descriptor;

/// One message, or why there is none. `too_long`: it was cut by the kernel and is void.
struct received {
  std::optional<std::string> message;
  bool too_long = false;
  bool again = false;
};

received receive_message(int fd) {
  std::string buffer(limits::local_message_bytes_max, '\0');
  const auto n = ::recv(fd, buffer.data(), buffer.size(), MSG_TRUNC | MSG_DONTWAIT);
  received out;
  if (n < 0) {
    out.again = errno == EAGAIN || errno == EINTR;
  } else if (static_cast<std::size_t>(n) > buffer.size()) {
    out.too_long = true;
  } else if (n > 0) { // an empty message is the end, as an orderly close is
    buffer.resize(static_cast<std::size_t>(n));
    out.message = std::move(buffer);
  }
  return out;
}

std::optional<local_peer> peer_of(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return std::nullopt;
  return local_peer{who.uid, who.gid, who.pid};
}

/// The listening socket and its connections. Everything runs on the lane's thread; kept alive by
/// the operations that wait.
class local_listener : public std::enable_shared_from_this<local_listener> {
public:
  local_listener(io_lane& lane, owned_descriptor fd, std::size_t connections_max,
                 local_port::on_request request)
    : lane_(lane),
      socket_(lane.io, fd.release()),
      connections_max_(connections_max),
      request_(std::move(request)) {}

  void accept_more() {
    socket_.async_wait(descriptor::wait_read,
                       [self = shared_from_this()](std::error_code ec) { self->on_ready(ec); });
  }

  void close() {
    request_ = nullptr; // may hold actors, who may hold the port
    std::error_code ignored;
    socket_.close(ignored);
  }

private:
  class connection;

  void on_ready(std::error_code ec);

  io_lane& lane_;
  descriptor socket_;
  std::size_t connections_max_;
  std::size_t connections_ = 0;
  local_port::on_request request_; ///< empty: closed
};

/// One client: a request, its answer, the next request.
class local_listener::connection : public std::enable_shared_from_this<connection> {
public:
  connection(std::shared_ptr<local_listener> owner, owned_descriptor fd, const local_peer& peer)
    : owner_(std::move(owner)), socket_(owner_->lane_.io, fd.release()), peer_(peer) {
    ++owner_->connections_;
  }
  ~connection() { --owner_->connections_; }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  void wait_for_request() {
    socket_.async_wait(descriptor::wait_read,
                       [self = shared_from_this()](std::error_code ec) { self->on_ready(ec); });
  }

private:
  /// Held by whoever owes the answer. However it goes, and on whatever thread, the connection is
  /// touched on its lane only.
  struct debt {
    std::shared_ptr<io_lane> lane;
    std::shared_ptr<connection> creditor;
    ~debt() { run_on(*lane, [held = std::move(creditor)] {}); }
  };

  void on_ready(std::error_code ec) {
    if (ec || !owner_->request_)
      return;
    auto got = receive_message(socket_.native_handle());
    if (got.again)
      return wait_for_request();
    if (!got.message)
      return; // the end, or more than a message may have: nothing is answered
    // The answer may come at any time from any thread, or never.
    auto owed = std::make_shared<debt>(owner_->lane_.shared_from_this(), shared_from_this());
    owner_->request_(peer_, std::move(*got.message),
                     [owed = std::move(owed)](std::string answer) {
                       run_on(*owed->lane, [self = owed->creditor, answer = std::move(answer)] {
                         self->send(answer);
                       });
                     });
  }

  void send(const std::string& answer) {
    const auto n = ::send(socket_.native_handle(), answer.data(), answer.size(),
                          MSG_NOSIGNAL | MSG_DONTWAIT);
    // A client that does not read its answers gets no more of them.
    if (n == static_cast<ssize_t>(answer.size()))
      wait_for_request();
  }

  std::shared_ptr<local_listener> owner_;
  descriptor socket_;
  local_peer peer_;
};

void local_listener::on_ready(std::error_code ec) {
  if (ec || !request_)
    return;
  owned_descriptor fd{
    ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  // One too many is accepted and closed: it must not stay at the head of the queue.
  if (fd && connections_ < connections_max_) {
    if (const auto peer = peer_of(fd.get()))
      std::make_shared<connection>(shared_from_this(), std::move(fd), *peer)->wait_for_request();
  }
  accept_more();
}

class local_port_handle final : public local_port {
public:
  local_port_handle(std::shared_ptr<io_lane> lane, std::shared_ptr<local_listener> listener,
                    std::filesystem::path path)
    : lane_(std::move(lane)),
      listener_(std::move(listener)),
      path_(std::move(path)),
      file_(file_number(path_)) {}

  ~local_port_handle() override { close(); }

  void close() override {
    // Not a successor's file.
    if (file_ != 0 && file_number(path_) == file_)
      ::unlink(path_.c_str());
    file_ = 0;
    if (listener_)
      run_on(*lane_, [listener = std::exchange(listener_, nullptr)] { listener->close(); });
  }

private:
  std::shared_ptr<io_lane> lane_;
  std::shared_ptr<local_listener> listener_;
  std::filesystem::path path_;
  std::size_t file_;
};

std::string sentence(const std::filesystem::path& path, std::string_view what,
                     const std::string& why) {
  return path.string() + ": " + std::string{what} + ": " + why;
}

} // namespace

std::shared_ptr<local_port> local_port::open(io_pool& pool, const local_port_options& options,
                                             on_request request, std::error_code& ec) {
  auto fd = listen_local(options.path, options.mode, ec);
  if (!fd)
    return nullptr;
  auto& lane = pool.next_lane();
  auto listener = std::make_shared<local_listener>(lane, std::move(fd), options.connections_max,
                                                   std::move(request));
  run_on(lane, [listener] { listener->accept_more(); });
  return std::make_shared<local_port_handle>(lane.shared_from_this(), std::move(listener),
                                             options.path);
}

std::optional<std::string> ask_local(const std::filesystem::path& path, std::string_view message,
                                     std::chrono::milliseconds timeout, std::string& problem) {
  if (message.empty() || message.size() > limits::local_message_bytes_max) {
    problem = "a request must have 1 to " + std::to_string(limits::local_message_bytes_max) + " bytes";
    return std::nullopt;
  }
  std::error_code ec;
  const auto fd = connect_local(path, ec);
  if (!fd) {
    problem = sentence(path, "cannot be reached", ec.message());
    return std::nullopt;
  }
  if (::send(fd.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) {
    problem = sentence(path, "cannot be written to", std::system_category().message(errno));
    return std::nullopt;
  }
  pollfd readable{fd.get(), POLLIN, 0};
  int ready = 0;
  do
    ready = ::poll(&readable, 1, static_cast<int>(timeout.count()));
  while (ready < 0 && errno == EINTR);
  if (ready <= 0) {
    problem = sentence(path, "does not answer", "no answer within "
                                                  + std::to_string(timeout.count()) + " ms");
    return std::nullopt;
  }
  auto got = receive_message(fd.get());
  if (!got.message)
    problem = sentence(path, "does not answer", "it closed the connection");
  return std::move(got.message);
}

} // namespace muster::net
