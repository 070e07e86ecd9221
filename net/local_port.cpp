#include "net/local_port.hpp"

#include "net/lane_resident.hpp"
#include "net/local_socket.hpp"

#include <asio/posix/basic_stream_descriptor.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <set>
#include <utility>

namespace muster::net {

namespace {

using descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

constexpr int accepts_per_wakeup_max = 16;
constexpr std::chrono::milliseconds exhaustion_pause{100};

std::optional<local_peer> peer_of(int fd) {
  ucred who{};
  socklen_t size = sizeof(who);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return std::nullopt;
  return local_peer{who.uid, who.gid, who.pid};
}

class local_connection;

/// The listening socket and its connections, on one lane. What is below the mutex is touched by
/// any thread.
class local_listener final : public local_port,
                             public std::enable_shared_from_this<local_listener>,
                             private lane_resident {
public:
  local_listener(io_lane& lane, owned_descriptor fd, local_port_options options, on_request request)
    : lane_(lane.shared_from_this()), options_(std::move(options)), socket_(lane.io, fd.release()),
      file_(file_number(options_.path)),
      request_(std::make_shared<const on_request>(std::move(request))) {}

  void start();
  void close() override;

  // -- for connections, on the lane ----------------------------------------------
  void tell(const local_peer& peer, std::string message, std::function<void(std::string)> answer);
  void forget(const std::shared_ptr<local_connection>& who);
  [[nodiscard]] io_lane& lane() const { return *lane_; }
  [[nodiscard]] std::chrono::milliseconds idle_max() const { return options_.idle_max; }

private:
  void arm();
  void accept_some();
  [[nodiscard]] bool is_full() const { return connections_.size() >= options_.connections_max; }
  void admit(owned_descriptor fd);
  void end();
  void remove_file();
  void on_deadline() override { arm(); } // a descriptor may be free by now
  void on_abandoned() override;

  const std::shared_ptr<io_lane> lane_;
  const local_port_options options_;
  descriptor socket_;
  std::set<std::shared_ptr<local_connection>> connections_;
  bool resident_ = false;
  bool armed_ = false;

  /// Held while a request is told, so that none is after close(); recursive, so that whoever is
  /// told may close.
  std::recursive_mutex mutex_;
  std::size_t file_;                          ///< zero: removed
  std::shared_ptr<const on_request> request_; ///< null: closed
};

/// One client: a request, its answer, the next request.
class local_connection final : public std::enable_shared_from_this<local_connection>,
                               private lane_resident {
public:
  local_connection(std::shared_ptr<local_listener> owner, owned_descriptor fd,
                   const local_peer& peer)
    : lane_(owner->lane().shared_from_this()), owner_(std::move(owner)),
      socket_(lane_->io, fd.release()), peer_(peer) {}

  /// False when there is no lane to live on any more.
  [[nodiscard]] bool start() {
    if (!lane_->deadlines->add(*this))
      return false;
    expect_request();
    return true;
  }
  [[nodiscard]] const local_peer& peer() const { return peer_; }
  void end();

private:
  /// Held by whoever owes the answer. However it goes, and on whatever thread, the connection is
  /// touched on its lane only.
  class debt {
  public:
    debt(std::shared_ptr<io_lane> lane, std::shared_ptr<local_connection> creditor)
      : lane_(std::move(lane)), creditor_(std::move(creditor)) {}
    ~debt() {
      run_on(*lane_, [creditor = std::move(creditor_), paid = paid_.load()] {
        if (!paid)
          creditor->end();
      });
    }
    debt(const debt&) = delete;
    debt& operator=(const debt&) = delete;
    void pay(std::string answer) {
      if (paid_.exchange(true))
        return;
      run_on(*lane_,
             [creditor = creditor_, answer = std::move(answer)] { creditor->send(answer); });
    }

  private:
    const std::shared_ptr<io_lane> lane_;
    std::shared_ptr<local_connection> creditor_;
    std::atomic<bool> paid_{false};
  };

  void expect_request();
  void on_readable();
  void send(const std::string& answer);
  void on_deadline() override { end(); }
  void on_abandoned() override;

  const std::shared_ptr<io_lane> lane_;
  std::shared_ptr<local_listener> owner_; ///< null: ended
  descriptor socket_;
  const local_peer peer_;
};

// -- a connection ---------------------------------------------------------------

void local_connection::expect_request() {
  lane_->deadlines->set_deadline(*this, std::chrono::steady_clock::now() + owner_->idle_max());
  socket_.async_wait(descriptor::wait_read, [self = shared_from_this()](std::error_code ec) {
    if (!ec && self->owner_)
      self->on_readable();
  });
}

void local_connection::on_readable() {
  auto packet = receive_local(socket_.native_handle(), limits::local_message_bytes_max);
  switch (packet.what) {
  case local_packet::kind::nothing_yet:
    return expect_request();
  case local_packet::kind::end:
  case local_packet::kind::too_long:
    return end();
  case local_packet::kind::message:
    break;
  }
  lane_->deadlines->clear_deadline(*this);
  const auto owner = owner_; // who is told may close the port
  owner->tell(peer_, std::move(packet.message),
              [owed = std::make_shared<debt>(lane_, shared_from_this())](std::string answer) {
                owed->pay(std::move(answer));
              });
}

void local_connection::send(const std::string& answer) {
  if (!owner_)
    return;
  const bool fits = !answer.empty() && answer.size() <= limits::local_answer_bytes_max;
  // A client that does not read its answers gets no more of them.
  if (fits && ::send(socket_.native_handle(), answer.data(), answer.size(),
                     MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(answer.size()))
    expect_request();
  else
    end();
}

void local_connection::end() {
  const auto keep = shared_from_this();
  if (const auto owner = std::exchange(owner_, nullptr)) {
    lane_->deadlines->remove(*this);
    std::error_code ignored;
    socket_.close(ignored);
    owner->forget(keep);
  }
}

void local_connection::on_abandoned() {
  const auto keep = shared_from_this();
  const auto owner = std::exchange(owner_, nullptr);
  std::error_code ignored;
  socket_.close(ignored);
  owner->forget(keep);
}

// -- the port -------------------------------------------------------------------

void local_listener::start() {
  resident_ = lane_->deadlines->add(*this);
  if (resident_)
    arm();
}

void local_listener::arm() {
  if (std::exchange(armed_, true))
    return;
  socket_.async_wait(descriptor::wait_read, [self = shared_from_this()](std::error_code ec) {
    self->armed_ = false;
    if (!ec && self->resident_)
      self->accept_some();
  });
}

/// When it is full, who ends next calls us again.
void local_listener::accept_some() {
  for (int i = 0; i < accepts_per_wakeup_max && !is_full(); ++i) {
    owned_descriptor fd(
      ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd) {
      admit(std::move(fd));
      continue;
    }
    switch (accept_failure_of(errno)) {
    case accept_failure::nothing_there:
      return arm();
    case accept_failure::peer_gone:
      continue;
    case accept_failure::exhausted:
      return lane_->deadlines->set_deadline(*this,
                                            std::chrono::steady_clock::now() + exhaustion_pause);
    case accept_failure::socket_broken:
      return; // it is we who broke it
    }
  }
  if (!is_full())
    arm();
}

void local_listener::admit(owned_descriptor fd) {
  const auto peer = peer_of(fd.get());
  if (!peer)
    return;
  const auto same_user =
    std::count_if(connections_.begin(), connections_.end(),
                  [&](const auto& other) { return other->peer().user == peer->user; });
  if (peer->user != 0 && options_.connections_per_user_max != 0 &&
      static_cast<std::size_t>(same_user) >= options_.connections_per_user_max)
    return;
  const auto fresh = std::make_shared<local_connection>(shared_from_this(), std::move(fd), *peer);
  if (fresh->start())
    connections_.insert(fresh);
}

void local_listener::tell(const local_peer& peer, std::string message,
                          std::function<void(std::string)> answer) {
  const std::lock_guard lock(mutex_);
  if (const auto request = request_)
    (*request)(peer, std::move(message), std::move(answer));
}

void local_listener::forget(const std::shared_ptr<local_connection>& who) {
  const bool was_full = is_full();
  connections_.erase(who);
  if (was_full && resident_)
    arm();
}

void local_listener::close() {
  std::shared_ptr<const on_request> request; // what it holds is let go without the lock
  {
    const std::lock_guard lock(mutex_);
    request = std::exchange(request_, nullptr);
    remove_file();
  }
  run_on(*lane_, [self = shared_from_this()] { self->end(); });
}

/// Not a successor's.
void local_listener::remove_file() {
  if (file_ != 0 && file_number(options_.path) == file_)
    ::unlink(options_.path.c_str());
  file_ = 0;
}

void local_listener::end() {
  if (!std::exchange(resident_, false))
    return;
  lane_->deadlines->remove(*this);
  std::error_code ignored;
  socket_.close(ignored);
  while (!connections_.empty())
    (*connections_.begin())->end();
}

void local_listener::on_abandoned() {
  resident_ = false;
  std::error_code ignored;
  socket_.close(ignored);
  const std::lock_guard lock(mutex_);
  remove_file();
}

} // namespace

std::shared_ptr<local_port> local_port::open(io_pool& pool, const local_port_options& options,
                                             on_request request, std::error_code& ec) {
  auto fd = listen_local(options.path, options.mode, ec);
  if (!fd)
    return nullptr;
  auto& lane = pool.next_lane();
  auto made = std::make_shared<local_listener>(lane, std::move(fd), options, std::move(request));
  run_on(lane, [made] { made->start(); });
  return {made.get(), [made](local_port*) { made->close(); }};
}

} // namespace muster::net
