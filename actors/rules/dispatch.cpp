#include "actors/rules/dispatch.hpp"

#include <array>

namespace muster::rules {

namespace {

struct permission {
  peer_state state;
  agent_says message;
  channel least; ///< plain: on any connection
};

// The whole of what an agent may say. A new message is a new line here, or it is refused. Whatever
// carries a key or a secret, or earns one, needs a connection that nobody else can read.
constexpr permission permissions[] = {
  {peer_state::anonymous, agent_says::enrol_request, channel::encrypted},
  {peer_state::proved, agent_says::hello, channel::plain},
  {peer_state::active, agent_says::sync_request, channel::plain},
  {peer_state::active, agent_says::section_chunk, channel::plain},
  {peer_state::active, agent_says::events_open, channel::plain},
  {peer_state::active, agent_says::events, channel::plain},
  {peer_state::active, agent_says::pong, channel::plain},
  {peer_state::active, agent_says::wake_test, channel::plain},
  {peer_state::active, agent_says::documents_request, channel::plain},
};

constexpr std::array<std::string_view, agent_messages> message_names = {
  "unknown message", "enrol_request", "hello",  "sync_request",
  "section_chunk",   "events_open",   "events", "pong", "wake_test", "documents_request",
};

// Of wire agent_message; the others have the numbers of their fields.
constexpr int documents_request_field = 30;

constexpr std::array<std::string_view, peer_states> state_names = {
  "anonymous", "enrolling", "proved", "admitting", "active", "ending",
};

} // namespace

verdict judge(peer_state state, agent_says message, channel over) noexcept {
  if (state == peer_state::ending)
    return verdict::ignore;
  for (const auto& p : permissions) {
    if (p.state == state && p.message == message && over >= p.least)
      return verdict::take;
  }
  return verdict::refuse;
}

std::string why_refused(peer_state state, agent_says message, channel over) {
  auto text = std::string{name_of(message)} + " is not allowed ";
  if (over == channel::plain && judge(state, message, channel::encrypted) == verdict::take)
    return text + "without encryption; use the server's TLS port";
  return text + "in state " + std::string{name_of(state)};
}

agent_says message_of(int field_number) noexcept {
  if (field_number == documents_request_field)
    return agent_says::documents_request;
  if (field_number < 1 || field_number > static_cast<int>(agent_says::wake_test))
    return agent_says::unknown;
  return static_cast<agent_says>(field_number);
}

std::string_view name_of(agent_says message) noexcept {
  return message_names[static_cast<std::size_t>(message)];
}

std::string_view name_of(channel over) noexcept {
  return over == channel::plain ? "plain" : "encrypted";
}

std::string_view name_of(peer_state state) noexcept {
  return state_names[static_cast<std::size_t>(state)];
}

} // namespace muster::rules
