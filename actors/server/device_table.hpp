#pragma once
// One compact record in memory for each device of a shard, found by id and in order of name. Pure
// but for the handle of the device's session.
//
// What an unconnected device costs, in bytes (bench/directory measures it):
//
//   device_entry                        376   static_assert below
//   place in the table by id         11 - 21  8-byte places, at most 3/4 full, doubling
//   place in the order by name        4 -  8  4-byte slots, doubling; 4 when loaded at start
//   machine_census                   11 - 21  8-byte marks, at most 3/4 full, doubling
//   name or address beyond 15 bytes  0 - 96   a heap block each
//                                   ---------
//                                   402 - 522
//
// Shared texts (OS, version, agent version, tags, token) are kept once for all (text_pool).

#include "actors/protocol.hpp"
#include "actors/server/text_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster::actors {

/// What the directory knows of a device. Times are 0 for never.
struct device_entry {
  device_id device;
  net::sha256_digest certificate_sha256{};
  machine_fingerprint fingerprint;
  boot_id boot; ///< of the last hello that was admitted
  boot_id boot_before; ///< the one that this replaced
  section_digests digests{};
  device_statistics statistics;
  std::uint64_t counter = 0; ///< of the last hello that was admitted, or of a notice since
  std::int64_t certificate_expires_s = 0;
  std::int64_t enrolled_ms = 0;
  std::int64_t last_contact_ms = 0;
  std::int64_t last_sync_ms = 0;
  std::int64_t last_information_ms = 0;
  session_actor session; ///< null: not connected
  std::string name;      ///< change by device_table::rename
  std::string address;
  text_id os_id = text_id::empty; ///< these by device_table::set_text
  text_id os_name = text_id::empty;
  text_id os_version = text_id::empty;
  text_id agent_version = text_id::empty;
  text_id tags = text_id::empty;   ///< device_tags.hpp
  text_id token = text_id::empty;  ///< name of the token that it enrolled with
  std::uint32_t group = 0;         ///< as it was assigned; 0 or one that is gone: `unassigned`
  std::uint32_t went_back = 0;     ///< times
  std::uint32_t sync_period_s = 0; ///< of its own settings; 0: it goes by ours
  std::uint16_t wake_port = 0;     ///< 0: it listens for no wakes
  std::uint16_t failed_services = 0; ///< or more
  std::int64_t off_ms = 0;         ///< when it told us that it goes
  /// Of the digest of the documents that the device was told to hold, or said that it holds, on the
  /// present connection; 0: it takes none. By this is found who must be told something new.
  std::uint64_t documents_told = 0;
  std::uint16_t settings_not_applied = 0; ///< applications; or more
  std::uint8_t sync_failures = 0;    ///< in a row, or more
  std::uint8_t notice_ahead = 0;     ///< how far `counter`, a notice's, is above the last hello's
  off_reason off : 3 = off_reason::none;
  bool revoked : 1 = false;
  bool boot_returned : 1 = false; ///< rules/admission.hpp
  bool unwritten : 1 = false;     ///< has changes of the trace class
  bool seen : 1 = false;          ///< since the server started
  bool keep : 1 = false;          ///< an administrator wants its connection kept; stored
  bool keep_to_store : 1 = false; ///< what records say of that; differs while one is on its way
  bool settled : 1 = false;       ///< what it claims about itself moves it no more
  bool encrypted : 1 = false;     ///< nobody reads along on the present connection
};
static_assert(sizeof(device_entry) <= 376, "see the arithmetic above");

/// Entries stay where they are until erased. Use by one thread at a time.
class device_table {
public:
  device_table() = default;
  device_table(const device_table&) = delete;
  device_table& operator=(const device_table&) = delete;

  [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }
  /// Null when there is no such device.
  [[nodiscard]] device_entry* find(const device_id& device) noexcept;
  [[nodiscard]] const device_entry* find(const device_id& device) const noexcept;

  /// The device must not be there yet.
  device_entry& add(const device_id& device, std::string name);
  void rename(device_entry& entry, std::string name);
  void set_text(text_id& field, std::string_view text);
  [[nodiscard]] std::string_view text(text_id id) const { return texts_.text(id); }
  void erase(device_entry& entry);

  /// The order is by name (bytewise), then id. Rank of the first entry behind this place; size()
  /// when there is none. O(log n).
  [[nodiscard]] std::size_t rank_behind(std::string_view name, const device_id& device) const;
  [[nodiscard]] const device_entry& at_rank(std::size_t rank) const { return entry(order_[rank]); }

  /// Filling at start: many add_unordered(), then order_all() once, before anything else.
  void reserve(std::size_t devices);
  device_entry& add_unordered(const device_id& device, std::string name);
  void order_all();

private:
  using slot = std::uint32_t;
  static constexpr slot none = UINT32_MAX;
  /// Carries the hash, so that looking on touches no entry but the one that is meant.
  struct place {
    slot at = none;
    std::uint32_t hash = 0;
  };
  static constexpr std::size_t chunk_entries = 128;

  [[nodiscard]] device_entry& entry(slot at) const {
    return chunks_[at / chunk_entries][at % chunk_entries];
  }
  [[nodiscard]] std::size_t place_of(const device_id& device) const noexcept;
  [[nodiscard]] std::size_t free_place_for(std::uint32_t hash) const noexcept;
  [[nodiscard]] std::size_t rank_of(const device_entry& of) const;
  slot take_slot();
  void grow(std::size_t places);

  std::vector<std::unique_ptr<device_entry[]>> chunks_;
  std::vector<slot> free_;
  slot used_ = 0;             ///< slots ever used
  std::vector<place> places_; ///< by id: open addressing, a power of two
  std::vector<slot> order_;   ///< by name and id
  text_pool texts_;
};

} // namespace muster::actors
