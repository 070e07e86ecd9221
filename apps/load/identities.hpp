#pragma once
// What played agents became at their enrolment, kept in a file so that the same fleet can come
// back: to a server that was started anew, say.

#include "net/certificate.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace muster::load {

struct played_identity {
  net::key_pair key;
  net::certificate leaf; ///< names the device
  net::id_bytes server_id{};
  std::array<std::uint8_t, 32> wake_key{}; ///< of the server
};

/// A line per agent: its number, then key (PEM), certificate (DER), server id and its key for
/// wakes in hexadecimal.
/// Thread-safe. The keys are worth nothing outside a test server; the file is 0600 all the same.
class identity_file {
public:
  /// Reads what is there; a file that is not there yet is empty. False with a sentence in
  /// `problem` when it cannot be read or a line is none of ours.
  [[nodiscard]] bool load(const std::filesystem::path& file, std::string& problem);
  /// Writes everything. False with a sentence in `problem`.
  [[nodiscard]] bool save(const std::filesystem::path& file, std::string& problem) const;

  [[nodiscard]] std::optional<played_identity> find(std::uint32_t number) const;
  void put(std::uint32_t number, played_identity identity);

private:
  mutable std::mutex mutex_;
  std::map<std::uint32_t, played_identity> all_;
};

} // namespace muster::load
