#pragma once
// The keys under which session tickets are sealed: current and previous, kept in a file of their
// own so that resumption survives a restart, replaced every 24 h with one period of overlap.

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

namespace muster::net {

/// Thread-safe. The file is 0600, written atomically; as precious as the CA key, in no backup.
class ticket_keys {
public:
  struct key {
    key() = default;
    key(const key&) = default;
    key& operator=(const key&) = default;
    ~key();                                ///< leaves nothing of the secret in memory
    std::array<std::uint8_t, 16> name{};   ///< random; goes in front of each ticket
    std::array<std::uint8_t, 32> secret{}; ///< AES-256-GCM
    std::int64_t made_at_s = 0;
  };
  struct pair {
    key current; ///< seals, and opens
    std::optional<key>
      previous; ///< only opens; who comes with it leaves with a ticket of `current`
  };

  static constexpr std::chrono::hours period{24};

  /// Reads `file`, or makes it. A key older than two periods is never used again. Keys that others
  /// may have read (wrong mode or owner) or that are damaged are replaced at once: all it costs is
  /// one full handshake per client. Null with an error when the file cannot be read or written.
  [[nodiscard]] static std::shared_ptr<ticket_keys>
  load_or_make(const std::filesystem::path& file, std::int64_t now_s, std::error_code& ec);

  /// Keys that live as long as the process: tests, benchmarks, a server without a disk.
  [[nodiscard]] static std::shared_ptr<ticket_keys> in_memory(std::int64_t now_s);

  /// Makes a new current key when the present one is older than `period` (or from the future: the
  /// clock went back), and forgets a previous one older than two. Call now and then, at least once
  /// an hour. When the file cannot be written the keys stay as they were.
  [[nodiscard]] std::error_code rotate_if_due(std::int64_t now_s);

  /// Never null. Take it once per use, not once per process.
  [[nodiscard]] std::shared_ptr<const pair> keys() const;

private:
  ticket_keys(std::filesystem::path file, std::shared_ptr<const pair> keys)
    : file_(std::move(file)), pair_(std::move(keys)) {}

  std::filesystem::path file_; ///< empty: in memory only
  std::mutex rotation_;
  mutable std::mutex mutex_;
  std::shared_ptr<const pair> pair_;
};

} // namespace muster::net
