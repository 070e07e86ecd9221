#include "tests/net/socket_world.hpp"

#include <muster/assert.hpp>

#include <poll.h>

#include <utility>

namespace muster::net::testing {

class recording_sink final : public link_sink {
public:
  explicit recording_sink(std::shared_ptr<link_log> log) : log_(std::move(log)) {}

  void on_message(std::string bytes) override {
    const std::lock_guard lock(log_->mutex_);
    log_->messages_.push_back(std::move(bytes));
    ++log_->told_;
    log_->changed_.notify_all();
  }
  void on_closed(std::error_code why) override {
    const std::lock_guard lock(log_->mutex_);
    MUSTER_ASSERT(!log_->end_, "a link ends once");
    log_->end_ = why;
    log_->changed_.notify_all();
  }

private:
  std::shared_ptr<link_log> log_;
};

std::optional<std::string> link_log::message() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return !messages_.empty() || end_; });
  if (messages_.empty())
    return std::nullopt;
  auto out = std::move(messages_.front());
  messages_.pop_front();
  return out;
}

std::optional<std::error_code> link_log::end() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return end_.has_value(); });
  return end_;
}

std::size_t link_log::messages_told() const {
  const std::lock_guard lock(mutex_);
  return told_;
}

bool link_log::has_ended() const {
  const std::lock_guard lock(mutex_);
  return end_.has_value();
}

bool comes_true(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

live_link socket_world::open_port::next(std::size_t credit) const {
  auto out = accepted->take().value_or(live_link{});
  if (out) {
    out.connection->attach(std::make_unique<recording_sink>(out.log));
    out.connection->grant(credit);
  }
  return out;
}

socket_world::open_port socket_world::open(listener_options options) {
  if (options.address == "::")
    options.address = "127.0.0.1";
  if (!options.tls && !options.plain)
    options.tls = context(server_options());
  open_port out;
  std::error_code ec;
  out.listener = tcp_listener::open(
    pool, options,
    [queue = out.accepted](accepted_ptr link) {
      live_link one;
      one.connection = link->connection;
      one.peer = link->peer;
      queue->put(std::move(one));
    },
    [](std::error_code) { MUSTER_ASSERT(false, "a test's listening socket does not fail"); }, ec);
  MUSTER_ASSERT(out.listener != nullptr, "a test can listen on the loopback");
  return out;
}

live_link socket_world::dial(const endpoint_name& to, const client_tls_options& as,
                             const tls_session_ptr& resume, std::size_t credit) {
  connect_options options;
  options.to = to;
  options.tls = context(as);
  options.resume = resume;
  return dial(std::move(options), credit);
}

live_link socket_world::dial(connect_options options, std::size_t credit) {
  const auto answer = std::make_shared<handover<live_link>>();
  connect(pool, std::move(options), [answer](accepted_ptr link, std::error_code ec, std::string detail) {
    live_link one;
    if (link) {
      one.connection = link->connection;
      one.peer = link->peer;
    }
    one.failure = ec;
    one.detail = std::move(detail);
    answer->put(std::move(one));
  });
  auto out = answer->take().value_or(live_link{});
  if (out) {
    out.connection->attach(std::make_unique<recording_sink>(out.log));
    out.connection->grant(credit);
  }
  return out;
}

} // namespace muster::net::testing
