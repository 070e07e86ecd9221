#include "net/tcp_link.hpp"

#include "net/errc.hpp"

#include <muster/assert.hpp>

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace muster::net {

namespace {

/// What commands_ holds when nothing is obeyed any more.
link_command sealed;

void send_at_once(int fd) {
  const int on = 1;
  // It only tunes: a socket that refuses it still works.
  static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
}

} // namespace

tcp_link::tcp_link(io_lane& lane, tcp_socket socket, const asio::ip::tcp::endpoint& peer,
                   engine_ptr engine, const tcp_link_options& options)
  : lane_(lane.shared_from_this()), socket_(std::move(socket)), engine_(std::move(engine)),
    splitter_(options.splitter()),
    handshake_(std::make_unique<handshake>(handshake{{}, peer, options.handshake_max})),
    totals_(options.totals),
    first_message_max_ms_(static_cast<std::uint32_t>(options.first_message_max.count())) {
  send_at_once(socket_.native_handle());
}

std::shared_ptr<tcp_link> tcp_link::make(io_lane& lane, tcp_socket socket,
                                         const asio::ip::tcp::endpoint& peer, engine_ptr engine,
                                         const tcp_link_options& options) {
  if (lane.deadlines->abandoned())
    return nullptr;
  // Not make_shared, whose constructor would have to be public.
  std::shared_ptr<tcp_link> result(
    new tcp_link(lane, std::move(socket), peer, std::move(engine), options));
  MUSTER_ASSERT(lane.deadlines->add(*result), "a lane that is not abandoned takes residents");
  return result;
}

tcp_link::~tcp_link() {
  MUSTER_ASSERT(state_ == state::ended, "a link lives until it has ended");
  auto* newest = commands_.load(std::memory_order_acquire);
  if (newest != &sealed)
    static_cast<void>(command_queue::reversed(newest));
}

void tcp_link::open(on_opened opened) {
  handshake_->opened = std::move(opened);
  set_deadline_in(handshake_->handshake_max);
  lane_->cipher.clear();
  if (const auto ec = engine_->start(lane_->cipher))
    return fail_handshake(ec);
  send_cipher();
  settle();
}

void tcp_link::abort_handshake() {
  run_on(*lane_, [self = shared_from_this()] {
    if (self->state_ == state::handshaking)
      self->end(std::make_error_code(std::errc::operation_canceled));
  });
}

link_ptr tcp_link::handle() {
  return {static_cast<link*>(this), [self = shared_from_this()](link*) { self->close(); }};
}

link_bytes tcp_link::bytes() const noexcept {
  return {bytes_in_.load(std::memory_order_relaxed), bytes_out_.load(std::memory_order_relaxed)};
}

link_bytes bytes_of(const link& l) {
  const auto* ours = dynamic_cast<const tcp_link*>(&l);
  return ours != nullptr ? ours->bytes() : link_bytes{};
}

// -- commands -----------------------------------------------------------------

void tcp_link::attach(std::unique_ptr<link_sink> sink) {
  MUSTER_ASSERT(sink != nullptr, "a link needs somebody to tell");
  auto command = std::make_unique<link_command>();
  command->what = link_command::kind::attach;
  command->sink = std::move(sink);
  // When the link has ended already, nobody but us will ever use the sink.
  if (!push(std::move(command)))
    command->sink->on_closed(why_);
}

bool tcp_link::try_send(std::string message) {
  if (close_asked_.load(std::memory_order_relaxed))
    return false;
  splitter_->wrap(message);
  if (message.size() > limits::outbound_bytes_max)
    return false;
  const auto size = static_cast<std::uint32_t>(message.size());
  if (outbound_bytes_.fetch_add(size, std::memory_order_relaxed) + size >
      limits::outbound_bytes_max) {
    outbound_bytes_.fetch_sub(size, std::memory_order_relaxed);
    return false;
  }
  auto command = std::make_unique<link_command>();
  command->message = std::move(message);
  return push(std::move(command));
}

void tcp_link::grant(std::size_t n) {
  auto command = std::make_unique<link_command>();
  command->what = link_command::kind::grant;
  command->count =
    static_cast<std::uint32_t>(std::min<std::size_t>(n, std::numeric_limits<std::uint32_t>::max()));
  push(std::move(command));
}

void tcp_link::trust() {
  auto command = std::make_unique<link_command>();
  command->what = link_command::kind::trust;
  push(std::move(command));
}

void tcp_link::close() {
  if (close_asked_.exchange(true, std::memory_order_relaxed))
    return;
  auto command = std::make_unique<link_command>();
  command->what = link_command::kind::close;
  push(std::move(command));
}

/// Whoever pushes onto the empty list posts the one drain that will take everything pushed until
/// it runs.
bool tcp_link::push(std::unique_ptr<link_command>&& command) {
  auto* newest = commands_.load(std::memory_order_acquire);
  do {
    if (newest == &sealed)
      return false;
    command->next = newest;
  } while (!commands_.compare_exchange_weak(newest, command.get(), std::memory_order_acq_rel,
                                            std::memory_order_acquire));
  static_cast<void>(command.release());
  if (newest == nullptr)
    run_on(*lane_, [self = shared_from_this()] { self->drain(); });
  return true;
}

void tcp_link::drain() {
  if (told_) // sealed: what was queued has been dropped
    return;
  auto commands = command_queue::reversed(commands_.exchange(nullptr, std::memory_order_acq_rel));
  command_queue messages;
  bool stay = true;
  while (stay && !commands.empty())
    stay = obey(commands.pop(), messages);
  send_messages(std::move(messages));
  if (!stay)
    close_because({});
  deliver_held();
  settle();
}

bool tcp_link::obey(std::unique_ptr<link_command> command, command_queue& messages) {
  switch (command->what) {
  case link_command::kind::attach:
    MUSTER_ASSERT(!sink_, "a link is attached once");
    sink_ = std::move(command->sink);
    break;
  case link_command::kind::send:
    messages.push(std::move(command));
    break;
  case link_command::kind::grant:
    MUSTER_ASSERT(sink_, "attach a sink before granting credit");
    credit_ += std::min(command->count, std::numeric_limits<std::uint32_t>::max() - credit_);
    break;
  case link_command::kind::trust:
    splitter_->trust();
    break;
  case link_command::kind::close:
    return false;
  }
  return true;
}

void tcp_link::settle() {
  if (state_ == state::ended)
    return;
  if (write_errno_ != 0) {
    // What the peer said before it stopped listening may tell why: read it, if anybody cares.
    const bool may_learn = wants_to_read() || (state_ == state::open && held_);
    if (!may_learn)
      return end({write_errno_, std::generic_category()});
  }
  arm_read();
}

// -- ending -------------------------------------------------------------------

void tcp_link::close_because(std::error_code why) {
  if (state_ != state::open)
    return;
  state_ = state::closing;
  why_ = why;
  held_.reset();
  set_deadline_in(limits::flush_max);
  if (!backlog_)
    say_goodbye();
}

void tcp_link::fail_handshake(std::error_code why) {
  tell(why);
  linger();
}

/// Everything is said. Closing now would reset the connection if the peer has sent something that
/// we did not read, and a reset can overtake our last words.
void tcp_link::linger() {
  if (state_ == state::ended)
    return;
  if (write_errno_ != 0 || backlog_ || peer_ended_ || engine_->peer_closed())
    return end({});
  state_ = state::lingering;
  ::shutdown(socket_.native_handle(), SHUT_WR);
  set_deadline_in(limits::linger_max);
  arm_read();
}

void tcp_link::end(std::error_code why) {
  if (state_ == state::ended)
    return;
  if (state_ == state::closing && why_)
    why = why_;
  if (why && state_ == state::open && totals_)
    totals_->cut.fetch_add(1, std::memory_order_relaxed);
  lane_->deadlines->remove(*this);
  release();
  tell(why);
}

void tcp_link::release() {
  state_ = state::ended;
  std::error_code ignored;
  socket_.close(ignored);
  backlog_.reset();
  held_.reset();
  if (totals_)
    totals_->open.fetch_sub(1, std::memory_order_relaxed);
}

void tcp_link::tell(std::error_code why) {
  if (std::exchange(told_, true))
    return;
  why_ = why;
  auto rest = command_queue::reversed(commands_.exchange(&sealed, std::memory_order_acq_rel));
  while (!rest.empty()) {
    auto command = rest.pop();
    if (command->what == link_command::kind::attach)
      sink_ = std::move(command->sink);
  }
  if (const auto over = std::move(handshake_); over && over->opened)
    over->opened(why, {});
  if (auto sink = std::move(sink_))
    sink->on_closed(why);
}

void tcp_link::on_deadline() {
  const auto keep = shared_from_this(); // who is told may drop the last reference
  switch (state_) {
  case state::handshaking:
    return end(errc::timed_out);
  case state::open:
    // While we do not read, the silence is ours.
    if (first_message_due_ && credit_ == 0)
      return set_deadline_in(std::chrono::milliseconds(first_message_max_ms_));
    close_because(errc::timed_out);
    return settle();
  case state::closing:
    return end(errc::timed_out);
  case state::lingering:
    return end({});
  case state::ended:
    return;
  }
}

void tcp_link::on_abandoned() {
  const auto keep = shared_from_this();
  release();
  tell(std::make_error_code(std::errc::operation_canceled));
}

void tcp_link::set_deadline_in(std::chrono::milliseconds time) {
  lane_->deadlines->set_deadline(*this, std::chrono::steady_clock::now() + time);
}

void tcp_link::count_in(std::size_t bytes) noexcept {
  bytes_in_.fetch_add(bytes, std::memory_order_relaxed);
  if (totals_)
    totals_->bytes_in.fetch_add(bytes, std::memory_order_relaxed);
}

void tcp_link::count_out(std::size_t bytes) noexcept {
  bytes_out_.fetch_add(bytes, std::memory_order_relaxed);
  if (totals_)
    totals_->bytes_out.fetch_add(bytes, std::memory_order_relaxed);
}

} // namespace muster::net
