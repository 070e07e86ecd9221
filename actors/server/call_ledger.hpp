#pragma once
// How far one call is with each of its devices. Pure.

#include "actors/call_messages.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace muster::actors {

/// Made for a million devices: a row has 32 bytes, its place in the order of ids 4, and its name
/// its length and a byte. Rows stand, and are called, in the order in which they were added: by
/// name. Used by one call_board.
class call_ledger {
public:
  /// Steps are kept in milliseconds behind `created_us`.
  explicit call_ledger(std::int64_t created_us) : created_us_(created_us) {}

  /// Before seal(). A device that comes twice (its name changed while the directory was read) is
  /// there once.
  void add(const device_id& device, std::string_view name);
  /// No more devices come; from now on they can be called.
  void seal();
  [[nodiscard]] bool sealed() const noexcept { return sealed_; }

  /// The next device, whose turn it is now; empty when all have had theirs.
  [[nodiscard]] std::optional<device_id> begin_next(std::int64_t now_us);
  /// How many have not had their turn.
  [[nodiscard]] std::size_t waiting() const noexcept { return rows_.size() - begun_; }
  /// How many have, and are neither queued nor at their end.
  [[nodiscard]] std::size_t outstanding() const noexcept;
  /// Whether every device is queued or at its end.
  [[nodiscard]] bool settled() const noexcept { return sealed_ && waiting() + outstanding() == 0; }

  /// A turn of one device. False when it is none of ours, has not been called, or is at its end:
  /// done and failed are final. Nothing goes back to waiting.
  bool take(const call_progress& what);
  /// Those who have not been heard of since `silent_since_us` have failed, with this text. Looks at
  /// all rows.
  std::size_t give_up(std::int64_t silent_since_us, std::int64_t now_us, std::string_view text);

  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] const std::array<std::uint64_t, 6>& by_step() const noexcept { return by_step_; }
  /// Up to `query.limit` rows from `query.offset` on; `next` is where to go on, or 0.
  [[nodiscard]] std::vector<call_row> rows(const call_query& query, std::uint32_t& next) const;
  /// What all of this takes, as good as it can be known.
  [[nodiscard]] std::size_t bytes() const noexcept;

private:
  struct row {
    std::array<std::uint8_t, 16> device{};
    std::uint32_t at_ms = 0;   ///< of the last step, or when its turn came; behind the creation
    std::uint32_t until_s = 0; ///< behind the creation; 0: unknown
    std::uint32_t name = 0;    ///< where it begins in names_: its length, then itself
    std::uint16_t text = 0;    ///< index of texts_
    call_step step = call_step::waiting;
    call_way way = call_way::none;
  };
  static_assert(sizeof(row) == 32);

  void drop_doubles();
  [[nodiscard]] std::optional<std::size_t> find(const device_id& device) const;
  void move(row& of, call_step step);
  [[nodiscard]] std::uint16_t text_number(std::string_view text);
  [[nodiscard]] std::uint32_t ms_of(std::int64_t when_us) const;
  [[nodiscard]] call_row shown(const row& r) const;

  std::int64_t created_us_;
  bool sealed_ = false;
  std::vector<row> rows_;
  std::vector<std::uint32_t> by_id_;
  std::size_t begun_ = 0; ///< rows in front of it have had their turn
  std::string names_;
  std::vector<std::string> texts_{{}};
  std::unordered_map<std::string, std::uint16_t> text_numbers_{{{}, std::uint16_t{0}}};
  std::array<std::uint64_t, 6> by_step_{};
};

} // namespace muster::actors
