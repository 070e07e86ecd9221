#include "net/lane_resident.hpp"

#include <muster/assert.hpp>

#include <system_error>
#include <utility>

namespace muster::net {

lane_resident::~lane_resident() {
  MUSTER_ASSERT(previous_ == nullptr && next_ == nullptr, "a resident must leave its lane first");
}

void link_sweep::list::push(lane_resident& who) {
  who.previous_ = nullptr;
  who.next_ = first;
  if (first != nullptr)
    first->previous_ = &who;
  first = &who;
}

void link_sweep::list::take(lane_resident& who) {
  if (who.previous_ != nullptr)
    who.previous_->next_ = who.next_;
  else
    first = who.next_;
  if (who.next_ != nullptr)
    who.next_->previous_ = who.previous_;
  who.previous_ = nullptr;
  who.next_ = nullptr;
}

link_sweep::link_sweep(io_lane& lane) : timer_(lane.io) {}

link_sweep::~link_sweep() = default;

bool link_sweep::add(lane_resident& who) {
  if (abandoned_)
    return false;
  list_of(who).push(who);
  ++size_;
  return true;
}

void link_sweep::remove(lane_resident& who) {
  if (cursor_ == &who)
    cursor_ = who.next_;
  list_of(who).take(who);
  who.deadline_ = lane_resident::time_point::max();
  --size_;
}

void link_sweep::set_deadline(lane_resident& who, lane_resident::time_point at) {
  MUSTER_ASSERT(at != lane_resident::time_point::max(), "clear_deadline() is for that");
  if (!has_deadline(who)) {
    settled_.take(who);
    timed_.push(who);
  }
  who.deadline_ = at;
  arm();
}

void link_sweep::clear_deadline(lane_resident& who) {
  if (!has_deadline(who))
    return;
  if (cursor_ == &who)
    cursor_ = who.next_;
  timed_.take(who);
  who.deadline_ = lane_resident::time_point::max();
  settled_.push(who);
}

void link_sweep::abandon() {
  abandoned_ = true;
  // A resident may remove itself or others while it is told, but nobody can come.
  while (auto* who = timed_.first != nullptr ? timed_.first : settled_.first) {
    remove(*who);
    who->on_abandoned();
  }
}

void link_sweep::arm() {
  if (armed_ || abandoned_)
    return;
  armed_ = true;
  timer_.expires_after(period);
  timer_.async_wait([this](std::error_code ec) {
    armed_ = false;
    if (!ec)
      sweep();
  });
}

void link_sweep::sweep() {
  const auto now = std::chrono::steady_clock::now();
  for (cursor_ = timed_.first; cursor_ != nullptr;) {
    auto& who = *std::exchange(cursor_, cursor_->next_);
    if (who.deadline_ > now)
      continue;
    clear_deadline(who);
    who.on_deadline();
  }
  if (timed_.first != nullptr)
    arm();
}

} // namespace muster::net
