#include "net/udp_port.hpp"

#include "net/lane_resident.hpp"
#include "net/udp_socket.hpp"

#include <asio/posix/basic_stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include <atomic>
#include <deque>
#include <mutex>
#include <utility>

namespace muster::net {

namespace {

using descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

/// Batches of 64 that one turn of sending may take, before others have theirs.
constexpr int sends_per_turn_max = 16;

/// What is below the mutexes is touched by any thread, the rest by the lane only.
class lane_port final : public udp_port,
                        public std::enable_shared_from_this<lane_port>,
                        private lane_resident {
public:
  lane_port(io_lane& lane, owned_descriptor fd, bool v6, const udp_options& options, filter worth,
            on_received received, on_failed failed)
    : lane_(lane.shared_from_this()), options_(options), v6_(v6), port_(udp_port_of(fd.get())),
      socket_(std::move(fd)), watch_(lane.io), timer_(lane.io), room_(lane.io),
      inbox_(options.bytes_max),
      told_(std::make_shared<const callbacks>(
        callbacks{std::move(worth), std::move(received), std::move(failed)})) {}

  void start();

  std::uint16_t port() const override { return port_; }
  udp_counters counters() const override;
  void grant(std::size_t datagrams) override { in_hands_.fetch_sub(datagrams); }
  void send(datagram_batch_ptr batch) override;
  void close() override;

private:
  struct callbacks {
    filter worth;
    on_received received;
    on_failed failed;
  };

  // -- receiving
  void await();
  void rest();
  void take_slice();
  [[nodiscard]] std::size_t drain(const callbacks& told, datagram_batch& good);
  void keep_good(const callbacks& told, std::size_t count, datagram_batch& good);
  void fail(std::error_code why);

  // -- sending
  void flush();
  [[nodiscard]] bool next_batch();
  void await_room();

  void end();
  void on_deadline() override {}
  void on_abandoned() override { end(); }

  const std::shared_ptr<io_lane> lane_;
  const udp_options options_;
  const bool v6_;
  const std::uint16_t port_;
  owned_descriptor socket_;
  descriptor watch_; ///< has the socket only while we wait for a first datagram
  asio::steady_timer timer_;
  asio::steady_timer room_;
  udp_inbox inbox_;
  bool resident_ = false;
  datagram_batch_ptr sending_; ///< taken off the queue
  std::size_t sent_of_it_ = 0;

  std::atomic<std::size_t> in_hands_{0}; ///< handed over and not granted back
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> dropped_busy_{0};
  std::atomic<std::uint64_t> dropped_kernel_{0};
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> send_failed_{0};
  std::atomic<std::uint64_t> send_dropped_{0};

  /// Held while callbacks run, so that none runs after close(); recursive, so that one may close.
  std::recursive_mutex told_mutex_;
  std::shared_ptr<const callbacks> told_; ///< null: closed

  std::mutex queue_mutex_;
  std::deque<datagram_batch_ptr> queue_;
  std::size_t queued_ = 0;  ///< datagrams, with what is left of `sending_`
  bool flushing_ = false;   ///< somebody will look at the queue
};

udp_counters lane_port::counters() const {
  constexpr auto relaxed = std::memory_order_relaxed;
  return {.received = received_.load(relaxed),
          .refused = refused_.load(relaxed),
          .dropped_busy = dropped_busy_.load(relaxed),
          .dropped_kernel = dropped_kernel_.load(relaxed),
          .sent = sent_.load(relaxed),
          .send_failed = send_failed_.load(relaxed),
          .send_dropped = send_dropped_.load(relaxed)};
}

void lane_port::start() {
  resident_ = lane_->deadlines->add(*this);
  if (resident_)
    await();
  else
    end();
}

// -- receiving --------------------------------------------------------------------------------

/// A descriptor that Asio knows wakes the thread for each datagram, waited for or not. So it knows
/// this one only while that is wanted.
void lane_port::await() {
  std::error_code ec;
  watch_.assign(socket_.get(), ec);
  if (ec)
    return rest(); // no memory in the kernel, say: look again later
  watch_.async_wait(descriptor::wait_read, [self = shared_from_this()](std::error_code failed) {
    if (failed || !self->resident_)
      return;
    self->watch_.release();
    self->take_slice();
  });
}

void lane_port::rest() {
  timer_.expires_after(limits::datagram_slice);
  timer_.async_wait([self = shared_from_this()](std::error_code ec) {
    if (!ec && self->resident_)
      self->take_slice();
  });
}

/// In the middle of a flood the next look is a slice later, however much waits: the kernel's drops
/// are the cheapest.
void lane_port::take_slice() {
  const std::lock_guard lock(told_mutex_);
  const auto told = told_;
  if (!told)
    return;
  auto good = std::make_shared<datagram_batch>();
  const auto got = drain(*told, *good);
  if (!good->empty())
    told->received(std::move(good));
  if (!resident_)
    return;
  if (got > 0)
    rest();
  else
    await();
}

std::size_t lane_port::drain(const callbacks& told, datagram_batch& good) {
  std::size_t total = 0;
  while (total < limits::datagrams_per_slice_max) {
    std::error_code ec;
    const auto count = inbox_.receive(socket_.get(), ec);
    if (count == 0) {
      if (ec != std::errc::operation_would_block && ec != std::errc::interrupted)
        fail(ec);
      break;
    }
    total += count;
    keep_good(told, count, good);
    if (count < udp_inbox::size)
      break;
  }
  if (total > 0) {
    received_.fetch_add(total, std::memory_order_relaxed);
    dropped_kernel_.store(inbox_.dropped(), std::memory_order_relaxed);
  }
  return total;
}

void lane_port::keep_good(const callbacks& told, std::size_t count, datagram_batch& good) {
  std::size_t refused = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bytes = inbox_.bytes(i);
    if (bytes.size() > options_.bytes_max) {
      ++refused;
      continue;
    }
    const auto from = inbox_.from(i);
    if (!told.worth(bytes, from)) {
      ++refused;
    } else if (in_hands_.load() >= options_.window) {
      dropped_busy_.fetch_add(1, std::memory_order_relaxed);
    } else {
      in_hands_.fetch_add(1);
      good.push_back({from, std::string(bytes)});
    }
  }
  refused_.fetch_add(refused, std::memory_order_relaxed);
}

void lane_port::fail(std::error_code why) {
  const auto told = std::exchange(told_, nullptr);
  end();
  if (told)
    told->failed(why);
}

// -- sending ----------------------------------------------------------------------------------

void lane_port::send(datagram_batch_ptr batch) {
  if (!batch || batch->empty())
    return;
  {
    const std::lock_guard lock(queue_mutex_);
    if (queued_ + batch->size() > options_.queue_max) {
      send_dropped_.fetch_add(batch->size(), std::memory_order_relaxed);
      return;
    }
    queued_ += batch->size();
    queue_.push_back(std::move(batch));
    if (std::exchange(flushing_, true))
      return;
  }
  run_on(*lane_, [self = shared_from_this()] { self->flush(); });
}

/// False when there is nothing to send; then the next send() calls flush() again.
bool lane_port::next_batch() {
  const std::lock_guard lock(queue_mutex_);
  if (sending_ && sent_of_it_ < sending_->size())
    return true;
  sending_ = nullptr;
  sent_of_it_ = 0;
  if (queue_.empty()) {
    flushing_ = false;
    return false;
  }
  sending_ = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

void lane_port::flush() {
  for (int turn = 0; turn < sends_per_turn_max; ++turn) {
    if (!resident_ || !next_batch())
      return;
    std::size_t failed = 0;
    std::error_code ec;
    const auto over = send_udp(socket_.get(), v6_,
                               std::span(*sending_).subspan(sent_of_it_), failed, ec);
    if (ec)
      return await_room();
    sent_of_it_ += over;
    sent_.fetch_add(over - failed, std::memory_order_relaxed);
    send_failed_.fetch_add(failed, std::memory_order_relaxed);
    const std::lock_guard lock(queue_mutex_);
    queued_ -= over;
  }
  run_on(*lane_, [self = shared_from_this()] { self->flush(); });
}

/// The socket is full only when we send faster than the wire takes it: a slice is soon enough.
void lane_port::await_room() {
  room_.expires_after(limits::datagram_slice);
  room_.async_wait([self = shared_from_this()](std::error_code ec) {
    if (!ec)
      self->flush();
  });
}

// -- end --------------------------------------------------------------------------------------

void lane_port::close() {
  std::shared_ptr<const callbacks> told; // what they hold is let go without the lock
  {
    const std::lock_guard lock(told_mutex_);
    told = std::exchange(told_, nullptr);
  }
  run_on(*lane_, [self = shared_from_this()] { self->end(); });
}

void lane_port::end() {
  if (std::exchange(resident_, false) && !lane_->deadlines->abandoned())
    lane_->deadlines->remove(*this);
  timer_.cancel();
  room_.cancel();
  if (watch_.is_open())
    watch_.release();
  socket_.reset();
}

} // namespace

std::shared_ptr<udp_port> udp_port::open(io_pool& pool, const udp_options& options, filter worth,
                                         on_received received, on_failed failed,
                                         std::error_code& ec) {
  bool v6 = false;
  auto fd = bind_udp(options.address, options.port, options.receive_buffer_bytes, v6, ec);
  if (!fd)
    return nullptr;
  auto& lane = pool.next_lane();
  auto made = std::make_shared<lane_port>(lane, std::move(fd), v6, options, std::move(worth),
                                          std::move(received), std::move(failed));
  run_on(lane, [made] { made->start(); });
  return {made.get(), [made](udp_port*) { made->close(); }};
}

} // namespace muster::net
