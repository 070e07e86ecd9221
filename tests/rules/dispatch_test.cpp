#include "actors/rules/dispatch.hpp"

#include "net/wire/agent.pb.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>

using namespace muster::rules;

TEST_CASE("a message is taken only where it is named, for every message in every state, on both kinds of connection") {
  const std::set<std::pair<peer_state, agent_says>> allowed = {
    {peer_state::anonymous, agent_says::enrol_request},
    {peer_state::proved, agent_says::hello},
    {peer_state::active, agent_says::sync_request},
    {peer_state::active, agent_says::section_chunk},
    {peer_state::active, agent_says::events_open},
    {peer_state::active, agent_says::events},
    {peer_state::active, agent_says::pong},
    {peer_state::active, agent_says::wake_test},
    {peer_state::active, agent_says::documents_request},
  };
  for (const auto over : {channel::plain, channel::encrypted}) {
    for (std::size_t s = 0; s < peer_states; ++s) {
      for (std::size_t m = 0; m < agent_messages; ++m) {
        const auto state = static_cast<peer_state>(s);
        const auto message = static_cast<agent_says>(m);
        CAPTURE(name_of(over));
        CAPTURE(name_of(state));
        CAPTURE(name_of(message));
        const bool secret = message == agent_says::enrol_request;
        const bool take = allowed.count({state, message}) != 0 &&
                          (over == channel::encrypted || !secret);
        const auto expected = state == peer_state::ending ? verdict::ignore
                              : take                      ? verdict::take
                                                          : verdict::refuse;
        CHECK(judge(state, message, over) == expected);
      }
    }
  }
}

TEST_CASE("a peer that nobody knows may say nothing where anybody listens") {
  for (std::size_t m = 0; m < agent_messages; ++m)
    CHECK(judge(peer_state::anonymous, static_cast<agent_says>(m), channel::plain) ==
          verdict::refuse);
  CHECK(why_refused(peer_state::anonymous, agent_says::enrol_request, channel::plain) ==
        "enrol_request is not allowed without encryption; use the server's TLS port");
  CHECK(why_refused(peer_state::anonymous, agent_says::hello, channel::plain) ==
        "hello is not allowed in state anonymous");
}

TEST_CASE("the table knows every message of the wire schema by its field number and name") {
  using wire_case = muster::wire::agent_message::BodyCase;
  const std::pair<wire_case, std::string> wire[] = {
    {wire_case::kEnrolRequest, "enrol_request"}, {wire_case::kHello, "hello"},
    {wire_case::kSyncRequest, "sync_request"},   {wire_case::kSectionChunk, "section_chunk"},
    {wire_case::kEventsOpen, "events_open"},     {wire_case::kEvents, "events"},
    {wire_case::kPong, "pong"},                  {wire_case::kWakeTest, "wake_test"},
    {wire_case::kDocumentsRequest, "documents_request"},
  };
  CHECK(std::size(wire) + 1 == agent_messages);
  for (const auto& [number, name] : wire)
    CHECK(name_of(message_of(number)) == name);
}

TEST_CASE("a number without a name is an unknown message") {
  for (const int number : {-1, 0, 9, 20, 59, 1000})
    CHECK(message_of(number) == agent_says::unknown);
}
