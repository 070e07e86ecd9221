#pragma once
// Who may say what, and when: the server's default-deny table for messages from agents.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::rules {

/// What the server knows of the peer of a connection.
enum class peer_state : std::uint8_t {
  anonymous, ///< showed no certificate
  enrolling, ///< anonymous, and its one enrolment request is being decided
  proved,    ///< showed a certificate of ours; no hello yet
  admitting, ///< its hello is being decided
  active,    ///< admitted
  ending,    ///< has been told why; waiting for the wire to go
};
inline constexpr std::size_t peer_states = 6;

/// Every message an agent can send, and `unknown` for what this version has no name for.
enum class agent_says : std::uint8_t {
  unknown = 0,
  enrol_request = 1,
  hello = 2,
  sync_request = 3,
  section_chunk = 4,
  events_open = 5,
  events = 6,
  pong = 7,
  wake_test = 8,
  documents_request = 9,
};
inline constexpr std::size_t agent_messages = 10;

/// Who else can read what is said on a connection.
enum class channel : std::uint8_t {
  plain,     ///< anybody (TCP 14000)
  encrypted, ///< nobody
};

enum class verdict : std::uint8_t {
  take,   ///< handle it
  refuse, ///< say so and close
  ignore, ///< the connection is ending; drop it in silence
};

/// What to do with a message in a state, on such a connection. Everything the table does not name
/// is refused; and what it does not name for a plain connection is refused there.
[[nodiscard]] verdict judge(peer_state state, agent_says message, channel over) noexcept;

/// What to tell a peer whose message was refused.
[[nodiscard]] std::string why_refused(peer_state state, agent_says message, channel over);

/// The message of a wire field number; unknown for any other number.
[[nodiscard]] agent_says message_of(int field_number) noexcept;

/// For refusals and logs: "hello", "anonymous".
[[nodiscard]] std::string_view name_of(agent_says message) noexcept;
[[nodiscard]] std::string_view name_of(peer_state state) noexcept;
[[nodiscard]] std::string_view name_of(channel over) noexcept;

} // namespace muster::rules
