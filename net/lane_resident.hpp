#pragma once
// Everything that lives on one io thread, and the one timer that watches their deadlines: ten
// thousand connections in handshake cost one timer, and an idle lane none.

#include "net/io_pool.hpp"

#include <asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>

namespace muster::net {

/// Something that must not outlive its lane's work: a link, a listener, an attempt to connect.
/// Belongs to the lane's thread. Being a resident costs two pointers and a deadline, no allocation.
class lane_resident {
public:
  using time_point = std::chrono::steady_clock::time_point;

  lane_resident() = default;
  lane_resident(const lane_resident&) = delete;
  lane_resident& operator=(const lane_resident&) = delete;

protected:
  /// Must have been removed from its lane.
  virtual ~lane_resident();

  /// The deadline has passed (by at most link_sweep::period); it is not set any more.
  virtual void on_deadline() = 0;
  /// The pool has been joined: let go of sockets and of everybody who is told, tell them that it
  /// is over. Called once; afterwards the lane runs nothing of ours any more.
  virtual void on_abandoned() = 0;

private:
  friend class link_sweep;
  lane_resident* previous_ = nullptr;
  lane_resident* next_ = nullptr;
  time_point deadline_ = time_point::max();
};

/// The residents of one lane. Those with a deadline are in a list of their own, which is walked
/// every `period` while it is not empty.
class link_sweep {
public:
  static constexpr std::chrono::milliseconds period{250};

  explicit link_sweep(io_lane& lane);
  ~link_sweep();

  /// False, and nothing is added, when the pool has been joined.
  [[nodiscard]] bool add(lane_resident& who);
  void remove(lane_resident& who);

  /// Replaces the deadline. For a resident of this lane only.
  void set_deadline(lane_resident& who, lane_resident::time_point at);
  void clear_deadline(lane_resident& who);
  [[nodiscard]] static bool has_deadline(const lane_resident& who) {
    return who.deadline_ != lane_resident::time_point::max();
  }

  /// Ends everybody; nobody is added any more. Called when the lane's thread is gone.
  void abandon();
  [[nodiscard]] bool abandoned() const noexcept { return abandoned_; }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
  struct list {
    lane_resident* first = nullptr;
    void push(lane_resident& who);
    void take(lane_resident& who);
  };

  list& list_of(const lane_resident& who) { return has_deadline(who) ? timed_ : settled_; }
  void arm();
  void sweep();

  list timed_;
  list settled_;
  lane_resident* cursor_ = nullptr; ///< next one in a running sweep; kept right by remove()
  std::size_t size_ = 0;
  bool armed_ = false;
  bool abandoned_ = false;
  asio::steady_timer timer_;
};

} // namespace muster::net
