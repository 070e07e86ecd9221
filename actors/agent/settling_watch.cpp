#include "actors/agent/settling_watch.hpp"

#include <utility>

namespace muster::actors {

settling_watch::settling_watch(net::io_lane& lane, std::chrono::milliseconds quiet,
                               std::chrono::milliseconds latest, std::function<void()> changed)
  : quiet_for_(quiet), latest_after_(latest), changed_(std::move(changed)), news_(lane.io),
    quiet_(lane.io), latest_(lane.io) {}

void settling_watch::end() {
  ended_ = true;
  std::error_code ignored;
  news_.close(ignored);
  quiet_.cancel();
  latest_.cancel();
}

void settling_watch::wait() {
  news_.async_wait(asio::posix::stream_descriptor::wait_read, mine(&settling_watch::on_readable));
}

void settling_watch::on_readable() {
  const bool touched = read_news();
  if (ended_)
    return;
  if (touched)
    touch();
  wait();
}

void settling_watch::touch() {
  quiet_.expires_after(quiet_for_);
  quiet_.async_wait(mine(&settling_watch::say));
  if (std::exchange(due_, true))
    return;
  latest_.expires_after(latest_after_);
  latest_.async_wait(mine(&settling_watch::say));
}

void settling_watch::say() {
  if (!std::exchange(due_, false))
    return;
  quiet_.cancel();
  latest_.cancel();
  changed_();
}

void begin_watch(net::io_lane& lane, const std::shared_ptr<settling_watch>& watch) {
  net::run_on(lane, [watch] { watch->begin(); });
}

void end_watch(net::io_lane& lane, std::shared_ptr<settling_watch> watch) {
  watch->hush();
  net::run_on(lane, [one = std::move(watch)] { one->end(); });
}

} // namespace muster::actors
