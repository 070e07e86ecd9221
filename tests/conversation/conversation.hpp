#pragma once
// What an agent and a server once said to each other, message by message: to be read, written, and
// said again as somebody newer would.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace muster::test {

/// One message, without its frame.
struct utterance {
  bool up = true;   ///< the agent's
  std::string kind; ///< as the schema calls it: "hello"
  std::string bytes;

  bool operator==(const utterance&) const = default;
};

/// In the order in which they passed.
using conversation = std::vector<utterance>;

/// What was recorded of this version of the protocol.
[[nodiscard]] conversation recorded_conversation(int version);

/// REQUIREs that the file is there and that every message is of the kind it says.
[[nodiscard]] conversation read_conversation(const std::filesystem::path& file);
/// `remark` is for people, one line. Every message is written as text too, in a comment.
void write_conversation(const std::filesystem::path& file, const conversation& said,
                        const std::string& remark);

/// The kind of a message; empty: none that we know.
[[nodiscard]] std::string kind_of(bool up, std::string_view bytes);

/// How often something of this kind was said.
[[nodiscard]] std::size_t count_of(const conversation& said, std::string_view kind);

/// A section as it went up in these parts; REQUIREs that it did. `number` is wire::section's.
[[nodiscard]] std::string section_of(const conversation& said, int number);

/// The same said by a later version on both sides: a greater protocol number in the hello, and in
/// every message, in every message inside of it and in the sections, fields that nobody knows, of
/// every wire type and of small and great numbers.
[[nodiscard]] conversation as_if_newer(const conversation& said);

/// `bytes` with each occurrence of `old` replaced by something of the same length.
[[nodiscard]] std::string with_replaced(std::string bytes, std::string_view old,
                                        std::string_view fresh);

} // namespace muster::test
