#include "actors/agent/limits.hpp"
#include "actors/agent/local_service.hpp"
#include "storage/memory_store.hpp"
#include "tests/agent/spool_world.hpp"

#include <unistd.h>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

class fake_port final : public net::local_port {
public:
  explicit fake_port(bool* closed) : closed_(closed) {}
  void close() override { *closed_ = true; }

private:
  bool* closed_;
};

struct local_fakes {
  storage::memory_store db;
  net::local_port::on_request ask_port;
  bool closed = false;
  bool cannot_open = false;
  int syncs = 0;
  bool sync_fails = false;
  connection_report report;
  wake_probe probe;
  bool probe_fails = false;
  int reloads = 0;
  bool can_reload = true;
};

connection_actor::behavior_type fake_connection(connection_actor::pointer, local_fakes* fakes) {
  return {
    [](atom::opened, const net::accepted_ptr&) {},
    [](atom::failed, std::error_code, const std::string&) {},
    [](atom::frame, const frame_ptr&) {},
    [](atom::closed, std::error_code) {},
    [](atom::ready) {},
    [fakes](atom::sync) -> caf::result<caf::ok_atom> {
      ++fakes->syncs;
      if (fakes->sync_fails)
        return make_error(errc::not_connected, "nobody there");
      return caf::ok_atom_v;
    },
    [](atom::wake, wake_purpose, std::uint64_t) {},
    [](atom::notice, off_reason) { return true; },
    [](atom::contact) {},
    [](atom::changed) {},
    [](atom::publish, const agent_policy&) {},
    [fakes](atom::probe) -> caf::result<wake_probe> {
      if (fakes->probe_fails)
        return make_error(errc::overloaded, "one at a time");
      return fakes->probe;
    },
    [fakes](atom::get) { return std::make_shared<const connection_report>(fakes->report); },
    [](atom::acked, std::uint32_t) {},
    [](atom::notice, std::uint32_t) {},
    [](atom::probe, std::uint32_t) {},
    [](atom::next) {},
    [](atom::tick) {},
    [](atom::status) { return std::string{"connected to server"}; },
  };
}

struct local_world : local_fakes, spool_life {
  local_world() : spool_life(db) { start(); }
  ~local_world() { ask_port = nullptr; }
  local_world(const local_world&) = delete;
  local_world& operator=(const local_world&) = delete;

  void start() {
    local_service_options options;
    options.open = [this](net::local_port::on_request request,
                          std::error_code& ec) -> std::shared_ptr<net::local_port> {
      if (cannot_open) {
        ec = std::make_error_code(std::errc::address_in_use);
        return nullptr;
      }
      ask_port = std::move(request);
      return std::make_shared<fake_port>(&closed);
    };
    options.path = "/run/agent.sock";
    options.name_of_user = [](std::uint32_t user) {
      return user == 1000 ? std::string{"alice"} : std::string{};
    };
    options.own_user = 77;
    options.agent_version = "1.0";
    options.add_figures = [](local_status& status) { status.device = "0011"; };
    options.reload = [this] {
      reloads += can_reload ? 1 : 0;
      return can_reload;
    };
    connection = host(fake_connection, this);
    service = host(local_service, std::move(options), local_service_peers{spool, connection});
  }

  local_answer request(std::uint32_t user, const std::string& text) {
    std::string got;
    ask_port({user, user, 4242}, text, [&](std::string answer) { got = std::move(answer); });
    settle();
    REQUIRE_FALSE(got.empty());
    return parse_local_answer(got);
  }

  connection_actor connection;
  local_service_actor service;
};

const std::string an_event = R"({"do":"event","text":"x","attributes":{"a":"b"}})";

} // namespace

TEST_CASE_FIXTURE(local_world, "an event of another program is on the disk when answered, with who said it") {
  CHECK(request(1000, an_event).ok);
  const auto item = next({})->events.at(0);
  CHECK(item.type == "local.event");
  CHECK(item.attributes.at("a") == "b");
  CHECK(item.attributes.at("local.user") == "alice");
  CHECK(item.attributes.at("local.uid") == "1000");
  CHECK(item.attributes.at("local.pid") == "4242");
  CHECK(request(1001, an_event).ok);
  CHECK(next({})->events.at(1).attributes.at("local.user") == "1001");
}

TEST_CASE_FIXTURE(local_world, "an event the disk refused is refused") {
  db.fail_writes(storage::errc::disk_full);
  const auto answer = request(1000, an_event);
  CHECK_FALSE(answer.ok);
  CHECK(answer.error == storage::make_error_code(storage::errc::disk_full).message());
}

TEST_CASE_FIXTURE(local_world, "a user has a burst, then a rate, and does not take those of others") {
  for (std::uint32_t i = 0; i < limits::local_events_burst; ++i)
    CHECK(request(1000, an_event).ok);
  const auto refused = request(1000, an_event);
  CHECK_FALSE(refused.ok);
  CHECK(refused.error == "too many events: 10 a second per user");
  CHECK(request(1001, an_event).ok);
  pass(1s);
  int taken = 0;
  for (int i = 0; i < 20; ++i)
    taken += request(1000, an_event).ok ? 1 : 0;
  CHECK(taken == 10);
  // Other questions cost nothing.
  CHECK(request(1000, R"({"do":"status"})").ok);
  for (std::uint32_t i = 0; i < 4 * limits::local_events_burst; ++i)
    REQUIRE(request(0, an_event).ok);
}

TEST_CASE_FIXTURE(local_world, "many users do not make it grow, nor forget who is at their limit now") {
  for (std::uint32_t i = 0; i < limits::local_events_burst; ++i)
    request(5000, an_event);
  pass(10ms);
  for (std::uint32_t user = 10'000; user < 10'000 + limits::local_users_max - 1; ++user)
    CHECK(request(user, an_event).ok);
  CHECK_FALSE(request(5000, an_event).ok);
  pass(10ms);
  CHECK(request(20'000, an_event).ok); // instead of the one who was silent longest
  CHECK_FALSE(request(5000, an_event).ok);
}

TEST_CASE_FIXTURE(local_world, "the status tells version, connection and what waits") {
  raise("1");
  raise("2");
  report.state = "connected to server";
  report.server = "server:13000";
  report.connected = true;
  report.last_sync_us = 42;
  report.last_error = "silent";
  report.datagram_generation = 3;
  const auto answer = request(1000, R"({"do":"status"})");
  CHECK(answer.ok);
  CHECK(answer.status.version == "1.0");
  CHECK(answer.status.connection == "connected to server");
  CHECK(answer.status.events_waiting == 2);
  CHECK(answer.status.server == "server:13000");
  CHECK(answer.status.connected);
  CHECK(answer.status.last_sync_us == 42);
  CHECK(answer.status.last_error == "silent");
  CHECK(answer.status.wake_keys);
  CHECK(answer.status.device == "0011"); // what the connection does not know
}

TEST_CASE_FIXTURE(local_world, "a test of wakes and a new start are ordered by root and the agent's own user") {
  const std::string test = R"({"do":"wake-test"})";
  const std::string reload = R"({"do":"reload"})";
  CHECK_FALSE(request(1000, test).ok);
  CHECK_FALSE(request(1000, reload).ok);
  CHECK(reloads == 0);
  probe = {true, true, 12, {}};
  const auto answer = request(0, test);
  REQUIRE(answer.ok);
  CHECK(answer.wake.arrived);
  CHECK(answer.wake.took_ms == 12);
  probe_fails = true;
  CHECK(request(77, test).error == "one at a time");
  CHECK(request(77, reload).ok);
  CHECK(reloads == 1);
  can_reload = false;
  CHECK_FALSE(request(0, reload).ok);
}

TEST_CASE_FIXTURE(local_world, "only root and the agent's own user may order a sync") {
  const std::string sync = R"({"do":"sync"})";
  CHECK_FALSE(request(1000, sync).ok);
  CHECK(syncs == 0);
  CHECK(request(0, sync).ok);
  CHECK(request(77, sync).ok);
  CHECK(syncs == 2);
  sync_fails = true;
  CHECK(request(0, sync).error == "nobody there");
}

TEST_CASE_FIXTURE(local_world, "nonsense is refused with a sentence") {
  CHECK(request(1000, "nonsense").error == "a request is one JSON object");
  CHECK(count() == 0);
}

TEST_CASE_FIXTURE(local_world, "requests in progress are bounded, and each is answered") {
  int answers = 0;
  int busy = 0;
  for (std::size_t i = 0; i < limits::local_requests_max + 10; ++i)
    ask_port({0, 0, 1}, an_event, [&](const std::string& answer) {
      ++answers;
      busy += parse_local_answer(answer).error == "the agent is busy; try again" ? 1 : 0;
    });
  settle();
  CHECK(answers == static_cast<int>(limits::local_requests_max) + 10);
  CHECK(busy <= 10);
  CHECK(count() + static_cast<std::uint64_t>(busy) == limits::local_requests_max + 10);
}

TEST_CASE_FIXTURE(local_world, "its end closes the socket; without a socket it lives on") {
  stop(service);
  CHECK_FALSE(alive(service));
  CHECK(closed);
  cannot_open = true;
  start();
  CHECK(alive(service));
}

TEST_CASE("the name of a user is the one in the machine's own list") {
  CHECK(name_of_local_user(0) == "root");
  CHECK(name_of_local_user(4'000'000'000).empty());
}
