#include "actors/rules/dispatch.hpp"

#include "net/wire/agent.pb.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>

using namespace muster::rules;

TEST_CASE("a message is taken only where it is named, for every message in every state") {
  const std::set<std::pair<peer_state, agent_says>> allowed = {
    {peer_state::anonymous, agent_says::enrol_request},
    {peer_state::proved, agent_says::hello},
    {peer_state::active, agent_says::sync_request},
    {peer_state::active, agent_says::section_chunk},
    {peer_state::active, agent_says::events_open},
    {peer_state::active, agent_says::events},
    {peer_state::active, agent_says::pong},
  };
  for (std::size_t s = 0; s < peer_states; ++s) {
    for (std::size_t m = 0; m < agent_messages; ++m) {
      const auto state = static_cast<peer_state>(s);
      const auto message = static_cast<agent_says>(m);
      CAPTURE(name_of(state));
      CAPTURE(name_of(message));
      const auto expected = state == peer_state::ending        ? verdict::ignore
                            : allowed.count({state, message}) ? verdict::take
                                                              : verdict::refuse;
      CHECK(judge(state, message) == expected);
    }
  }
}

TEST_CASE("the table knows every message of the wire schema by its field number and name") {
  using wire_case = muster::wire::agent_message::BodyCase;
  const std::pair<wire_case, std::string> wire[] = {
    {wire_case::kEnrolRequest, "enrol_request"}, {wire_case::kHello, "hello"},
    {wire_case::kSyncRequest, "sync_request"},   {wire_case::kSectionChunk, "section_chunk"},
    {wire_case::kEventsOpen, "events_open"},     {wire_case::kEvents, "events"},
    {wire_case::kPong, "pong"},
  };
  CHECK(std::size(wire) + 1 == agent_messages);
  for (const auto& [number, name] : wire)
    CHECK(name_of(message_of(number)) == name);
}

TEST_CASE("a number without a name is an unknown message") {
  for (const int number : {-1, 0, 8, 20, 59, 1000})
    CHECK(message_of(number) == agent_says::unknown);
}
