// Must hold: on a full disk nothing is acknowledged that is not kept, everybody hears of it, and
// when there is room again the same process goes on.

#include "tests/small_disk.hpp"
#include "tests/system/event_source.hpp"
#include "tests/system/fleet.hpp"
#include "tests/system/store_view.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace muster::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t megabyte = 1024 * 1024;

} // namespace

TEST_CASE("a full disk: nothing is acknowledged, it is said everywhere, and it goes on when there "
          "is room") {
  const small_disk disk{"size=256m"};
  if (!disk.mounted()) {
    MESSAGE("skipped: no small disk can be mounted here (" << disk.why() << ")");
    return;
  }
  server_under_test server{{}, {}, disk.path() / "server"};
  server.start();
  const console_under_test console{server};
  const auto lost = server.enrol_wire_device("lost");
  event_source source{server.enrol_wire_device("faithful"), 1};
  source.go(server.agents_port());
  REQUIRE(source.has_acknowledged(100, patience));

  CHECK(server.get("/healthz").body.find("the disk is full") == std::string::npos);

  disk.fill_up_to(64 * megabyte); // half of the reserve
  REQUIRE_MESSAGE(server.program().expect("nothing is acknowledged until that is over").has_value(),
                  server.program().output());
  // Each try ends with the session: the agent keeps its events and comes back.
  REQUIRE(source.rests_within(patience)); // what was acknowledged before has arrived
  const auto kept = source.acknowledged();
  for (int i = 0; i < 3; ++i) {
    source.go(server.agents_port());
    CHECK(source.rests_within(patience));
    CHECK(source.acknowledged() == kept);
  }
  CHECK(eventually([&] {
    return console.run({"server", "status"}).output.find("full") != std::string::npos;
  }));
  CHECK(eventually([&] { return server.get("/healthz").status == 503; }));
  CHECK(server.get("/healthz").body.find("the disk is full") != std::string::npos);
  CHECK(eventually([&] { return figures{server}.of("store_disk_full") == 1; }));
  // What cannot be kept is not claimed. But nobody has to stay in for want of room.
  CHECK(console.run({"token", "create"}).exit_code != 0);
  CHECK_MESSAGE(console.run({"revoke", "--yes", "lost"}).exit_code == 0,
                console.run({"revoke", "--yes", "lost"}).output);
  CHECK(console.json({"device", "lost"})["device"].value("state", "") == "revoked");

  disk.make_room();
  CHECK(eventually([&] {
    source.go(server.agents_port());
    return source.has_acknowledged(kept + 50, 500ms);
  }));
  CHECK(server.program().expect("writing works again").has_value());
  CHECK(console.run({"token", "create"}).exit_code == 0);
  CHECK(eventually([&] { return figures{server}.of("store_disk_full") == 0; }));
  // And whoever looks later finds that it was so.
  CHECK(eventually([&] {
    const auto told = console.json({"events", "--device", std::string(32, '0'), "--limit", "100"}).dump();
    return told.find("server.disk_full") != std::string::npos &&
           told.find("server.disk_recovered") != std::string::npos;
  }));
  source.stop();
  CHECK_MESSAGE(source.complaint().empty(), source.complaint());
  CHECK(server.stop() == 0);
  const auto wrong = check_sequences(read_stored_events(server.data()), source.device_id(),
                                     source.epoch(), source.acknowledged());
  CHECK_MESSAGE(wrong.empty(), wrong);
}
