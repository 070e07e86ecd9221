#pragma once
// Where a device keeps its keys for datagrams, so that wakes are understood, and notices believed,
// right after its start.

#include "net/datagram_keys.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::net {

/// Whose keys they are: of no worth to another device, or at another server.
struct datagram_key_owner {
  id_bytes device_id{};
  id_bytes server_id{};
  bool operator==(const datagram_key_owner&) const = default;
};

/// The file's text: lines of a name and hexadecimal values, and a check over all of them. Pure.
[[nodiscard]] std::string
datagram_keys_text(const datagram_key_owner& owner, const std::vector<device_datagram_keys>& keys);

/// The keys, at most two, the newest first. Empty when the text is anything but what
/// datagram_keys_text() makes for this owner. Pure.
[[nodiscard]] std::optional<std::vector<device_datagram_keys>>
parse_datagram_keys(std::string_view text, const datagram_key_owner& owner);

/// Replaces `datagram.keys` (0600) in the identity directory, atomically. False with a sentence in
/// `problem`.
[[nodiscard]] bool save_datagram_keys(const std::filesystem::path& directory,
                                      const datagram_key_owner& owner,
                                      const std::vector<device_datagram_keys>& keys,
                                      std::string& problem);

/// None when there is no file, or none of this owner: the next session brings them. Then and only
/// then, when there is a file that cannot be used, `problem` says so.
[[nodiscard]] std::vector<device_datagram_keys>
load_datagram_keys(const std::filesystem::path& directory, const datagram_key_owner& owner,
                   std::string& problem);

/// The device is another one from now on, or belongs to another server. False with a sentence.
[[nodiscard]] bool forget_datagram_keys(const std::filesystem::path& directory,
                                        std::string& problem);

} // namespace muster::net
