// Must hold: an acknowledged event is never lost, and is stored once, whenever the server dies.

#include "tests/system/event_source.hpp"
#include "tests/system/fleet.hpp"
#include "tests/system/store_view.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace muster::test;
using namespace std::chrono_literals;

TEST_CASE("a server killed 50 times at random moments has every acknowledged event, once") {
  constexpr int rounds = 50;
  constexpr std::size_t devices = 3;
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  server_under_test server;
  server.start();
  std::vector<std::unique_ptr<event_source>> sources;
  for (std::size_t i = 0; i < devices; ++i)
    sources.push_back(std::make_unique<event_source>(
      server.enrol_wire_device("witness-" + std::to_string(i)), seed + i));

  for (int round = 0; round < rounds; ++round) {
    if (round > 0)
      server.start();
    for (auto& source : sources)
      source->go(server.agents_port());
    // Every other time it dies in full flow, else at any moment, maybe before the first
    // acknowledgement.
    auto& watched = *sources[round / 2 % devices];
    const auto events = watched.acknowledged() + 20 + random() % 180;
    if (round % 2 == 0)
      CHECK_MESSAGE(watched.has_acknowledged(events, patience), watched.last_words());
    else
      static_cast<void>(
        watched.has_acknowledged(events, std::chrono::milliseconds{random() % 250}));
    server.kill();
  }

  server.start();
  for (auto& source : sources) {
    const auto before = source->acknowledged();
    source->go(server.agents_port());
    CHECK(source->has_acknowledged(before + 1, patience));
    source->stop();
    CAPTURE(source->last_words());
    CHECK_MESSAGE(source->complaint().empty(), source->complaint());
    CHECK(source->acknowledged() > 100);
  }
  CHECK(server.stop() == 0);
  const auto stored = read_stored_events(server.data());
  for (auto& source : sources) {
    const auto wrong =
      check_sequences(stored, source->device_id(), source->epoch(), source->acknowledged());
    CHECK_MESSAGE(wrong.empty(), wrong);
  }
}
