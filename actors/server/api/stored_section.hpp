#pragma once
// Sections of devices as the store has them.

#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "storage/store.hpp"

#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <system_error>

namespace muster::actors::api {

/// The numbers of the wire.
inline constexpr std::uint16_t facts_section = 1;
inline constexpr std::uint16_t applications_section = 2;
inline constexpr std::uint16_t run_states_section = 3;
inline constexpr std::uint16_t settings_states_section = 4;

/// False without an error: the server has none.
[[nodiscard]] bool get_section(const storage::store& from, storage::keys::device_view device,
                               std::uint16_t number, storage::record::section& out,
                               std::error_code& ec);

[[nodiscard]] std::error_code unpack(const storage::record::section& section, std::uint16_t number,
                                     google::protobuf::Message& out);

/// Hexadecimal.
[[nodiscard]] std::string digest_of(const storage::record::section& section);

} // namespace muster::actors::api
