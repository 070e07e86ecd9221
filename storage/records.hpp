#pragma once
// Records (storage/records.proto) to the bytes on the disk, and back.
//
// A value is: one format byte, the length of the rest as a varint, the message. The format byte
// lets an old program refuse what a newer one wrote instead of misreading it; the length finds cut
// values, which protobuf alone would take for shorter messages. (Flipped bits are found below us,
// by the checksums of RocksDB's blocks and log.)

#include "storage/errc.hpp"
#include "storage/records.pb.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace muster::storage::records {

/// First byte of every value this version writes. Readers take this and everything older.
inline constexpr std::uint8_t format = 1;

/// Version of keys and families as a whole, kept under keys::schema(). A store with a greater one
/// is not opened.
inline constexpr std::uint32_t layout_version = 1;

/// The text with every byte that is no UTF-8 replaced by '?'. protobuf refuses to read a text that
/// is none, but not to write it: whatever did not come out of a protobuf message goes through here.
[[nodiscard]] std::string clean_text(std::string_view text);
/// The same, to where there is room for as many bytes as the text has.
void copy_clean_text(char* to, std::string_view text);

/// Never fails: records are built by us and bounded by those who build them.
[[nodiscard]] std::string encode(const google::protobuf::MessageLite& record);

/// The front of a value whose message has this many bytes, with room for them. For records that are
/// written by hand (record_fields.hpp).
[[nodiscard]] std::string begin(std::size_t length);

/// errc::newer_format: by a later version. errc::corrupt: not a record at all. `out` is then
/// unspecified.
[[nodiscard]] std::error_code decode(std::string_view bytes, google::protobuf::MessageLite& out);

/// The same frame around a bare text: values that are a name or an id.
[[nodiscard]] std::string encode_text(std::string_view text);
[[nodiscard]] std::error_code decode_text(std::string_view bytes, std::string& out);

/// And around 16 raw bytes.
[[nodiscard]] std::string encode_device_id(std::span<const std::uint8_t, 16> id);
[[nodiscard]] std::error_code decode_device_id(std::string_view bytes,
                                               std::array<std::uint8_t, 16>& out);

/// And around a number.
[[nodiscard]] std::string encode_number(std::uint64_t number);
[[nodiscard]] std::error_code decode_number(std::string_view bytes, std::uint64_t& out);

} // namespace muster::storage::records
