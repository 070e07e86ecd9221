#pragma once
// Everything of a device that has to do with datagrams, put together: the ear for wakes, the voice
// for notices, the file of their keys.

#include "actors/agent/connection_options.hpp"
#include "actors/agent/notice_sender.hpp"
#include "actors/agent/wake_listener.hpp"
#include "actors/protocol.hpp"
#include "net/datagram_key_file.hpp"
#include "net/io_pool.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace muster::actors {

struct device_datagrams_options {
  net::io_pool* pool = nullptr;            ///< outlives this
  std::filesystem::path identity_directory;
  net::datagram_key_owner owner;
  std::array<std::uint8_t, 32> server_key{}; ///< of wakes
  std::string wake_address = "::";         ///< numeric
  std::uint16_t wake_port = 15000;         ///< 0: do not listen
  std::uint16_t notice_port = 13000;       ///< of the server
};

/// Made before the actors, gone after them. A port that cannot be had, or keys that cannot be read,
/// are one warning: the device reports without being called.
class device_datagrams {
public:
  explicit device_datagrams(device_datagrams_options options);

  /// As of the start, from the disk; for connection_options.
  [[nodiscard]] const std::vector<net::device_datagram_keys>& keys() const noexcept {
    return keys_;
  }
  /// For connection_peers. Must not be used after this object's end.
  [[nodiscard]] datagram_ways ways();
  /// To whom wakes are told from now on; null: to nobody.
  void tell(connection_actor whom);
  [[nodiscard]] wake_figures figures() const;
  /// Datagrams that came in place of a notice's acknowledgement, and were none.
  [[nodiscard]] std::uint64_t acknowledgements_refused() const noexcept {
    return sender_.refused();
  }
  /// Why nobody listens, when nobody does; empty: it was not wanted, or all is well.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
  struct audience {
    std::mutex mutex;
    connection_actor whom;
  };
  void listen();
  void keep(const std::vector<net::device_datagram_keys>& keys);

  device_datagrams_options options_;
  std::vector<net::device_datagram_keys> keys_;
  std::shared_ptr<audience> audience_ = std::make_shared<audience>();
  std::unique_ptr<wake_listener> listener_;
  notice_sender sender_;
  std::string problem_;
};

} // namespace muster::actors
