// Must hold: a sync in which nothing has changed costs next to nothing on the wire.

#include "tests/system/fleet.hpp"
#include "tests/system/wire_relay.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

/// All connections have ended, and there are so many.
bool have_ended(wire_relay& wire, std::size_t connections) {
  return eventually([&] {
    const auto all = wire.connections();
    return all.size() == connections
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
  REQUIRE(have_ended(wire, 1)); // everything handed over, and a first ticket

  // Load and memory move, services may: of several syncs one has nothing else to say.
  std::size_t least = SIZE_MAX;
  for (std::size_t i = 2; i <= 5; ++i) {
    const auto synced = agent.run({"sync"});
    REQUIRE_MESSAGE(synced.exit_code == 0, synced.output);
    REQUIRE(have_ended(wire, i));
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
