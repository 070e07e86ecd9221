// Must hold: wherever the wire is cut in the middle of a sync, both sides end up agreeing. They
// agree when the next sync has nothing to say: digests differ otherwise, and sections travel.

#include "tests/system/fleet.hpp"
#include "tests/system/wire_relay.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// More than an idle sync takes, less than any section of a real machine's applications.
constexpr std::size_t idle_bytes_max = 2'500;

/// A new device on a wire of its own, so that its first sync has everything to say.
struct cut_device {
  cut where;
  std::unique_ptr<wire_relay> wire;
  std::unique_ptr<agent_under_test> agent;
};

std::string describe(const cut& c) {
  static constexpr const char* kinds[] = {"closed", "reset", "server blind", "agent blind"};
  return std::string{kinds[static_cast<std::size_t>(c.kind)]} + " after "
         + std::to_string(c.records) + " records and " + std::to_string(c.bytes) + " bytes "
         + (c.direction == flow::up ? "up" : "down");
}

cut_device start_device(server_under_test& server, const cut& where, std::size_t number) {
  cut_device out{where, std::make_unique<wire_relay>(server.agents_port()),
                 std::make_unique<agent_under_test>(server, "cut-" + std::to_string(number))};
  out.wire->cut_next(where);
  out.agent->start({"--server", out.wire->address()});
  return out;
}

/// Asked again until it succeeds: after a cut the agent is told of the failure, as it should be.
bool syncs(const agent_under_test& agent, std::chrono::milliseconds time) {
  return eventually([&] { return agent.run({"sync"}).exit_code == 0; }, time);
}

std::size_t last_bytes(wire_relay& wire) {
  const auto all = wire.connections();
  return all.empty() ? SIZE_MAX : all.back().up + all.back().down;
}

/// Answers whether the cut came before the sync's own end: the last records are not always as many.
bool expect_agreement(cut_device& device) {
  const auto where = describe(device.where);
  CAPTURE(where);
  const auto first = device.wire->first_end(2 * patience); // half of it may be the agent's own
  REQUIRE(first.has_value());
  CHECK(syncs(*device.agent, 2 * patience)); // the server may have told it not to come so soon
  // A service may change state between two syncs; not in each of several.
  CHECK(eventually([&] {
    return device.agent->run({"sync"}).exit_code == 0
           && last_bytes(*device.wire) <= idle_bytes_max;
  }));
  CHECK(device.agent->stop() == 0);
  return first->was_cut;
}

/// A first sync as it is when nobody cuts it.
traffic whole_sync(server_under_test& server) {
  wire_relay wire{server.agents_port()};
  agent_under_test agent{server, "whole"};
  agent.start({"--server", wire.address()});
  const auto first = wire.first_end(patience);
  REQUIRE(first.has_value());
  CHECK(agent.stop() == 0);
  return *first;
}

/// Behind each record and in the middle of each.
std::vector<cut> cuts_along(cut_kind kind, const traffic& sync) {
  constexpr std::size_t into = 5; // the header; the shortest record has 6 bytes
  std::vector<cut> out;
  for (const auto direction : {flow::up, flow::down})
    for (std::size_t i = 0; i < (direction == flow::up ? sync.up_records : sync.down_records); ++i) {
      out.push_back({kind, direction, i, into});
      out.push_back({kind, direction, i + 1, 0});
    }
  return out;
}

/// `side_by_side` devices at a time: one that is blind has to find out by its own patience.
void cut_everywhere(server_under_test& server, const std::vector<cut>& cuts,
                    std::size_t side_by_side) {
  std::size_t cut_early = 0;
  for (std::size_t i = 0; i < cuts.size(); i += side_by_side) {
    std::vector<cut_device> devices;
    for (std::size_t j = i; j < std::min(i + side_by_side, cuts.size()); ++j)
      devices.push_back(start_device(server, cuts[j], j));
    for (auto& device : devices)
      cut_early += expect_agreement(device) ? 1 : 0;
  }
  // Those behind the last record that there was cut nothing; how many that are depends on how the
  // messages were put together.
  CHECK(cut_early + std::max<std::size_t>(4, cuts.size() / 4) >= cuts.size());
}

/// Keeps every `n`th.
std::vector<cut> thinned(const std::vector<cut>& cuts, std::size_t n) {
  std::vector<cut> out;
  for (std::size_t i = 0; i < cuts.size(); i += n)
    out.push_back(cuts[i]);
  return out;
}

} // namespace

TEST_CASE("a sync cut by a reset at any record is made up for") {
  server_under_test server;
  server.start();
  const auto sync = whole_sync(server);
  REQUIRE(sync.up > 10'000); // the applications of a real machine
  cut_everywhere(server, cuts_along(cut_kind::reset, sync), 4);
  CHECK(server.stop() == 0);
}

TEST_CASE("a sync whose wire is closed in an orderly way too early is made up for") {
  server_under_test server;
  server.start();
  cut_everywhere(server, thinned(cuts_along(cut_kind::closed, whole_sync(server)), 2), 4);
  CHECK(server.stop() == 0);
}

TEST_CASE("a sync that the server believes to be going on is made up for") {
  server_under_test server;
  server.start();
  cut_everywhere(server, thinned(cuts_along(cut_kind::server_blind, whole_sync(server)), 2), 4);
  CHECK(server.stop() == 0);
}

TEST_CASE("a sync that the agent believes to be going on is made up for") {
  server_under_test server;
  server.start();
  const auto cuts = thinned(cuts_along(cut_kind::agent_blind, whole_sync(server)), 4);
  cut_everywhere(server, cuts, cuts.size());
  CHECK(server.stop() == 0);
}
