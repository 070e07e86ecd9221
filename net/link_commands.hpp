#pragma once
// What other threads want of a link, on its way to the link's own thread: a list without a lock.

#include "net/link.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace muster::net {

struct link_command {
  enum class kind : std::uint8_t { attach, send, grant, trust, close };

  kind what = kind::send;
  std::uint32_t count = 0;         ///< grant: how many; send: bytes of `message` already encrypted
  std::string message;             ///< send: framed
  std::unique_ptr<link_sink> sink; ///< attach
  link_command* next = nullptr;    ///< owned by whoever owns the list
};

/// Owns a list of commands, oldest first. One thread at a time.
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

  /// Takes over what was pushed newest first.
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
  [[nodiscard]] link_command& front() const noexcept { return *first_; }

  [[nodiscard]] std::unique_ptr<link_command> pop() {
    std::unique_ptr<link_command> result(first_);
    first_ = first_->next;
    if (first_ == nullptr)
      last_ = nullptr;
    result->next = nullptr;
    return result;
  }

  void push(std::unique_ptr<link_command> command) {
    command->next = nullptr;
    auto* raw = command.release();
    if (last_ == nullptr)
      first_ = raw;
    else
      last_->next = raw;
    last_ = raw;
  }

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
