// Must hold: a sync in which nothing has changed costs next to nothing on the wire.

#include "tests/system/fleet.hpp"
#include "tests/system/wire_relay.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// There are more than so many connections, and all have ended. (An agent that has an event to tell
/// comes by itself.)
bool have_ended(wire_relay& wire, std::size_t before) {
  return eventually([&] {
    const auto all = wire.connections();
    return all.size() > before
           && std::all_of(all.begin(), all.end(), [](const auto& t) { return t.ended; });
  });
}

} // namespace

TEST_CASE("an idle sync over a resumed connection costs at most 1.5 KB, ticket and all") {
  server_under_test server;
  server.start();
  wire_relay wire{server.agents_port()};
  agent_under_test agent{server, "thrifty"};
  agent.start({"--server", wire.address()});
  REQUIRE(have_ended(wire, 0)); // everything handed over, and a first ticket

  // Load and memory move, services may: of several syncs one has nothing else to say.
  std::size_t least = SIZE_MAX;
  for (int i = 0; i < 4; ++i) {
    const auto before = wire.connections().size();
    const auto synced = agent.run({"sync"});
    REQUIRE_MESSAGE(synced.exit_code == 0, synced.output);
    REQUIRE(have_ended(wire, before));
    const auto last = wire.connections().back();
    least = std::min(least, last.up + last.down);
    // Each segment has 20 bytes of IPv4, 20 of TCP and (but for the first) 12 of time stamps.
    MESSAGE("up " << last.up << ", down " << last.down << " bytes of TLS; with TCP and IP about "
                  << last.up + last.down + last.segments * 52);
  }
  CHECK(least <= 1536);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}

TEST_CASE("an idle sync over a kept connection costs at most 200 bytes") {
  server_under_test server;
  server.start();
  wire_relay wire{server.agents_port()};
  agent_under_test agent{server, "constant", {"--sync-keep"}};
  agent.start({"--server", wire.address()});
  REQUIRE(agent.run({"sync"}).exit_code == 0);

  const auto weigh = [&] {
    const auto all = wire.connections();
    REQUIRE(all.size() == 1);
    return all.back().up + all.back().down;
  };
  std::size_t least = SIZE_MAX;
  for (int i = 0; i < 5; ++i) {
    const auto before = weigh();
    REQUIRE(agent.run({"sync"}).exit_code == 0);
    least = std::min(least, weigh() - before);
  }
  MESSAGE(least << " bytes of TLS");
  CHECK(least <= 200);
  CHECK(least > 0);
  CHECK(agent.stop() == 0);
  CHECK(server.stop() == 0);
}
