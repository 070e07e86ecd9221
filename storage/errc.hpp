#pragma once
// What can go wrong between us and the disk, as values of std::error_code.

#include <system_error>

namespace muster::storage {

enum class errc {
  success = 0,
  disk_full,      ///< nothing was written; goes on when there is room
  sync_failed,    ///< final for this process
  io_error,       ///< read or write failed
  corrupt,        ///< a checksum or a record does not fit
  newer_format,   ///< written by a newer version of Muster
  locked,         ///< another process has the store open
  not_permitted,  ///< directory cannot be read or written
  position_moved, ///< compare-and-append: the device's position is another one
  overloaded,     ///< a bounded queue refused
  too_large,      ///< decompressed data would exceed the bound
};

const std::error_category& storage_category() noexcept;

inline std::error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), storage_category()};
}

} // namespace muster::storage

template <>
struct std::is_error_code_enum<muster::storage::errc> : std::true_type {};
