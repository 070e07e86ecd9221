#include "storage/errc.hpp"

#include <string>

namespace muster::storage {

namespace {

class category final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "storage"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<errc>(value)) {
    case errc::success:
      return "success";
    case errc::disk_full:
      return "the disk is full";
    case errc::sync_failed:
      return "the disk could not confirm that data is safe (fsync failed)";
    case errc::io_error:
      return "the disk could not be read or written";
    case errc::corrupt:
      return "stored data is damaged";
    case errc::newer_format:
      return "stored data was written by a newer version of Muster";
    case errc::locked:
      return "the store is in use by another process";
    case errc::not_permitted:
      return "no permission to read or write the store";
    case errc::position_moved:
      return "the device's position in its events is another one";
    case errc::overloaded:
      return "too much is waiting to be stored";
    case errc::too_large:
      return "larger than allowed when decompressed";
    }
    return "unknown storage error " + std::to_string(value);
  }
};

} // namespace

const std::error_category& storage_category() noexcept {
  static const category instance;
  return instance;
}

} // namespace muster::storage
