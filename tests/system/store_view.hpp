#pragma once
// What a server that does not run has on its disk, read with the store itself.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace muster::test {

/// Epoch and sequence of every stored event, sorted, by device id (16 bytes).
using events_by_device =
  std::map<std::string, std::vector<std::pair<std::uint64_t, std::uint64_t>>>;

/// REQUIREs that the store can be opened. `data` is the server's data directory.
[[nodiscard]] events_by_device read_stored_events(const std::filesystem::path& data);

/// Whether the sequences of `epoch` are exactly 1, 2, 3 ... up to `at_least` or beyond. Empty, or
/// what is wrong in words.
[[nodiscard]] std::string check_sequences(const events_by_device& events, const std::string& device,
                                          std::uint64_t epoch, std::uint64_t at_least);

} // namespace muster::test
