#include "actors/server/server_root.hpp"
#include "tests/actor_world.hpp"

#include "actors/errc.hpp"

#include <caf/exit_reason.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace muster;
using namespace muster::actors;
using namespace std::chrono_literals;

namespace {

/// What happened, in order: "stop sessions", "start agents".
using diary = std::vector<std::string>;

/// A child that writes down its end. `stubborn` ones ignore the polite request.
caf::behavior child(caf::event_based_actor* self, diary* notes, std::string label, bool stubborn) {
  self->set_exit_handler([=](const caf::exit_msg& stop) {
    notes->push_back("stop " + label);
    if (!stubborn)
      self->quit(stop.reason);
  });
  return {[](int) {}};
}

class port_state {
public:
  static inline const char* name = "fake_port";
  explicit port_state(port_actor::pointer self) : self_(self) {}
  port_actor::behavior_type make_behavior(diary* notes) {
    notes->push_back("start port");
    self_->set_exit_handler([this, notes](const caf::exit_msg& stop) {
      notes->push_back("stop port");
      self_->quit(stop.reason);
    });
    return {
      [](atom::opened, const net::accepted_ptr&) {},
      [this](atom::failed, std::error_code why) { self_->quit(make_error(why)); },
      [](atom::bound) { return std::uint16_t{4711}; },
      [](atom::metrics) { return std::make_shared<const std::string>("muster_port 1\n"); },
      [](atom::status) { return std::string{}; },
    };
  }

private:
  port_actor::pointer self_;
};

port_actor::behavior_type fake_port(port_actor::stateful_pointer<port_state> self, diary* notes) {
  return self->state.make_behavior(notes);
}

class fake_link final : public net::link {
public:
  void attach(std::unique_ptr<net::link_sink>) override {}
  bool try_send(std::string) override { return true; }
  void grant(std::size_t) override {}
  void trust() override {}
  void close() override { closed = true; }
  bool closed = false;
};

struct notes_first {
  diary notes;
  std::vector<raised_event> raised;
};

struct root_world : notes_first, test::actor_world {
  caf::actor resident(const char* label, bool stubborn = false) {
    auto handle = sys.spawn(child, &notes, std::string{label}, stubborn);
    adopt(handle);
    return handle;
  }

  server_root_actor start(std::vector<std::pair<stage, caf::actor>> residents = {}) {
    server_root_options options;
    options.residents = std::move(residents);
    options.ports.push_back({"agents", door::agents_tls, [this](server_root_actor::pointer parent) {
                               port = parent->spawn(fake_port, &notes);
                               adopt(port);
                               return port;
                             }});
    options.open_session = [this](server_root_actor::pointer parent, const net::accepted_ptr&) {
      sessions.push_back(caf::actor_cast<caf::actor>(
        parent->spawn(child, &notes, std::string{"session"}, false)));
      adopt(sessions.back());
      return sessions.back();
    };
    options.open_console = options.open_session;
    options.raise = [this](raised_event event) { raised.push_back(std::move(event)); };
    root = host(server_root, std::move(options));
    self->monitor(root);
    return root;
  }

  void connect() {
    auto connection = std::make_shared<net::accepted>();
    connection->connection = link;
    self->send(root, atom::opened_v, door::agents_tls, net::accepted_ptr{connection});
    settle();
  }

  /// The reason the root ended with; empty while it lives.
  std::optional<caf::error> root_ended() {
    std::optional<caf::error> out;
    settle();
    self->receive([&](caf::down_msg& down) { out = down.reason; },
                  caf::after(std::chrono::seconds{0}) >> [] {});
    return out;
  }

  census_ptr count() { return ask<census_ptr>(root, atom::census_v); }

  std::shared_ptr<fake_link> link = std::make_shared<fake_link>();
  port_actor port;
  std::vector<caf::actor> sessions;
  server_root_actor root;
};

} // namespace

TEST_CASE_FIXTURE(root_world, "a stop goes from the ports to the writer, one stage after the other") {
  start({{stage::writer, resident("writer")},
         {stage::readers, resident("reader")},
         {stage::fleet, resident("directory")}});
  connect();
  self->send(root, atom::adopt_v, stage::work, resident("sync job"));
  settle();
  stop(root);
  CHECK(notes == diary{"start port", "stop port", "stop session", "stop sync job", "stop directory",
                       "stop reader", "stop writer"});
  CHECK(root_ended() == caf::error{caf::exit_reason::user_shutdown});
}

TEST_CASE_FIXTURE(root_world, "what does not stop in its stage's time is killed, and the stop goes on") {
  start({{stage::writer, resident("writer")}, {stage::fleet, resident("directory", true)}});
  stop(root);
  CHECK_FALSE(root_ended());
  pass(rule_of(stage::fleet).grace);
  CHECK(notes.back() == "stop writer");
  CHECK(root_ended());
}

TEST_CASE_FIXTURE(root_world, "asking twice to stop asks the children once") {
  start({{stage::writer, resident("writer", true)}});
  stop(root);
  stop(root);
  CHECK(std::count(notes.begin(), notes.end(), "stop writer") == 1);
  pass(rule_of(stage::writer).grace);
  CHECK(root_ended());
}

TEST_CASE_FIXTURE(root_world, "a port that died is started again after a pause") {
  start();
  self->send(port, atom::failed_v, std::make_error_code(std::errc::io_error));
  settle();
  CHECK(ask<std::uint16_t>(root, atom::bound_v, door::agents_tls) == 0);
  CHECK(raised.empty());
  pass(restart_pause);
  CHECK(notes == diary{"start port", "start port"});
  CHECK(ask<std::uint16_t>(root, atom::bound_v, door::agents_tls) == 4711);
  CHECK(count()->restarts.at("agents") == 1);
  REQUIRE(raised.size() == 1);
  CHECK(raised[0].type == "server.port_restarted");
  CHECK(raised[0].severity == severity::warning);
  CHECK(raised[0].text.find(std::make_error_code(std::errc::io_error).message())
        != std::string::npos);
  CHECK(raised[0].attributes
        == std::map<std::string, std::string>{{"port", "agents"}, {"restarts", "1"}});
}

TEST_CASE_FIXTURE(root_world, "a port that dies again and again stops the server, with its error") {
  start({{stage::writer, resident("writer")}});
  const auto why = std::make_error_code(std::errc::address_in_use);
  for (std::size_t i = 0; i < restarts_max; ++i) {
    self->send(port, atom::failed_v, why);
    settle();
    pass(restart_pause);
    REQUIRE_FALSE(root_ended());
  }
  self->send(port, atom::failed_v, why);
  const auto reason = root_ended();
  REQUIRE(reason);
  CHECK(*reason == make_error(why));
  CHECK(notes.back() == "stop writer");
}

TEST_CASE_FIXTURE(root_world, "deaths that lie far apart are forgiven") {
  start();
  for (std::size_t i = 0; i < 3 * restarts_max; ++i) {
    self->send(port, atom::failed_v, std::make_error_code(std::errc::io_error));
    settle();
    pass(restart_window);
    REQUIRE_FALSE(root_ended());
  }
}

TEST_CASE_FIXTURE(root_world, "a session that dies is forgotten, and nobody else notices") {
  start();
  connect();
  connect();
  CHECK(count()->by_stage.at("sessions") == 2);
  caf::anon_send_exit(sessions[0], caf::exit_reason::unhandled_exception);
  settle();
  CHECK(count()->by_stage.at("sessions") == 1);
  CHECK(alive(sessions[1]));
  CHECK_FALSE(root_ended());
}

TEST_CASE_FIXTURE(root_world, "losing a sync job is forgotten; losing the writer stops the server") {
  const auto writer = resident("writer");
  const auto job = resident("sync job");
  start({{stage::writer, writer}});
  self->send(root, atom::adopt_v, stage::work, job);
  settle();
  caf::anon_send_exit(job, caf::exit_reason::kill);
  CHECK_FALSE(root_ended());
  caf::anon_send_exit(writer, caf::exit_reason::kill);
  const auto reason = root_ended();
  REQUIRE(reason);
  CHECK(*reason == caf::error{caf::exit_reason::kill});
  CHECK(notes.back() == "stop port");
}

TEST_CASE_FIXTURE(root_world, "who comes while the server stops is sent away") {
  start({{stage::fleet, resident("directory", true)}, {stage::writer, resident("writer")}});
  stop(root); // waits for the directory
  connect();
  CHECK(link->closed);
  CHECK(sessions.empty());
  const auto late = resident("late job");
  self->send(root, atom::adopt_v, stage::work, late);
  settle();
  CHECK_FALSE(alive(late));
  pass(rule_of(stage::fleet).grace);
  CHECK(root_ended());
}

TEST_CASE_FIXTURE(root_world, "the same child adopted twice is counted once") {
  start();
  const auto job = resident("sync job");
  self->send(root, atom::adopt_v, stage::work, job);
  self->send(root, atom::adopt_v, stage::work, job);
  settle();
  CHECK(count()->by_stage.at("work") == 1);
}

TEST_CASE_FIXTURE(root_world, "the server's metrics are the shares of the root, the ports and others") {
  server_root_options options;
  options.ports.push_back({"agents", door::agents_tls, [this](server_root_actor::pointer parent) {
                             port = parent->spawn(fake_port, &notes);
                             adopt(port);
                             return port;
                           }});
  using deliver = std::function<void(metrics_text)>;
  options.measured.push_back([](server_root_actor::pointer, const deliver& tell) {
    tell(std::make_shared<const std::string>("muster_events 7\n"));
  });
  options.measured.push_back([](server_root_actor::pointer, const deliver& tell) { tell({}); });
  root = host(server_root, std::move(options));
  const auto text = ask<metrics_text>(root, atom::metrics_v);
  CHECK(text->find("muster_actors{stage=\"ports\"} 1\n") != std::string::npos);
  CHECK(text->find("muster_port 1\n") != std::string::npos);
  CHECK(text->find("muster_events 7\n") != std::string::npos);
}
