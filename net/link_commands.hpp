#pragma once
// What other threads want of a link, on its way to the link's own thread: a list without a lock.
//
// Any thread puts its command in front of the list by one compare-and-exchange (tcp_link::push);
// whoever finds the list empty wakes the lane, so a burst costs one wake-up. The lane takes the
// whole list by one exchange (tcp_link::drain) and turns it round. Nothing is ever taken out of the
// middle, so there is no ABA; commands of one thread keep their order.

#include "net/link.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace muster::net {

/// One wish. Belongs to whoever made it until the link has taken it, then to the list it is in.
struct link_command {
  /// The methods of net::link. What comes behind `close` is void. What the link's end finds waiting
  /// is void, too, but for `attach`, whose sink must still hear that it is over.
  enum class kind : std::uint8_t { attach, send, grant, trust, close };

  kind what = kind::send;
  std::uint32_t count = 0;         ///< grant: how many; send: bytes of `message` already encrypted
  std::string message;             ///< send: framed
  std::unique_ptr<link_sink> sink; ///< attach
  link_command* next = nullptr;    ///< owned by whoever owns the list
};

/// Owns a list of commands, oldest first. One thread at a time. Linked through the commands
/// themselves, so that moving one from list to list allocates nothing and cannot fail. Not bounded
/// here: link::try_send counts the bytes of all messages that are not yet written.
class command_queue {
public:
  command_queue() = default;
  ~command_queue() { clear(); }
  command_queue(command_queue&& other) noexcept
    : first_(std::exchange(other.first_, nullptr)), last_(std::exchange(other.last_, nullptr)) {}
  command_queue& operator=(command_queue&& other) noexcept {
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
    return *this;
  }

  /// Takes over what was pushed newest first; null is an empty list.
  [[nodiscard]] static command_queue reversed(link_command* newest) {
    command_queue result;
    while (newest != nullptr) {
      auto* older = newest->next;
      newest->next = result.first_;
      result.first_ = newest;
      if (result.last_ == nullptr)
        result.last_ = newest;
      newest = older;
    }
    return result;
  }

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  /// The oldest. Not of an empty list; the same for pop().
  [[nodiscard]] link_command& front() const noexcept { return *first_; }

  [[nodiscard]] std::unique_ptr<link_command> pop() {
    std::unique_ptr<link_command> result(first_);
    first_ = first_->next;
    if (first_ == nullptr)
      last_ = nullptr;
    result->next = nullptr;
    return result;
  }

  /// Behind all others.
  void push(std::unique_ptr<link_command> command) {
    command->next = nullptr;
    auto* raw = command.release();
    if (last_ == nullptr)
      first_ = raw;
    else
      last_->next = raw;
    last_ = raw;
  }

  /// All of `other`, behind all of these; takes no longer for a long one.
  void append(command_queue other) {
    if (other.empty())
      return;
    if (last_ == nullptr)
      first_ = other.first_;
    else
      last_->next = other.first_;
    last_ = std::exchange(other.last_, nullptr);
    other.first_ = nullptr;
  }

  void clear() {
    while (!empty())
      static_cast<void>(pop());
  }

private:
  link_command* first_ = nullptr;
  link_command* last_ = nullptr;
};

} // namespace muster::net
