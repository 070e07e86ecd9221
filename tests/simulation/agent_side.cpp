#include "tests/simulation/agent_side.hpp"

#include "actors/agent/connection.hpp"
#include "actors/agent/convert.hpp"
#include "actors/agent/event_spool.hpp"
#include "storage/store_reader_actor.hpp"
#include "storage/store_writer_actor.hpp"
#include "tests/simulation/server_side.hpp"

#include <caf/exit_reason.hpp>

namespace muster::simulation {

namespace {

collector_actor::behavior_type fake_collector(collector_actor::pointer,
                                              std::shared_ptr<machine> of) {
  return {
    [of](atom::collect) { return snapshot_of(*of); },
    [](atom::watch) {},
    [](atom::tick) {},
    [](atom::status) { return std::string{}; },
  };
}

/// Hands events to the spool and writes down what it is told.
caf::behavior raiser(caf::event_based_actor* self, event_spool_actor spool,
                     std::shared_ptr<std::map<std::string, fate>> notes) {
  return {[=](const std::string& text, int how) {
    auto event = std::make_shared<raised_event>();
    event->severity = static_cast<severity>(how);
    event->type = "simulation.event";
    event->text = text;
    (*notes)[text] = fate::unknown;
    self->request(spool, caf::infinite, atom::raise_v, raised_event_ptr{std::move(event)})
      .then([=](caf::ok_atom) { (*notes)[text] = fate::accepted; },
            [=](const caf::error&) { (*notes)[text] = fate::refused; });
  }};
}

} // namespace

machine_snapshot_ptr snapshot_of(const machine& from) {
  auto out = std::make_shared<machine_snapshot>();
  wire::device_facts facts;
  facts.set_host_name(from.host);
  facts.set_os_id("debian");
  wire::applications applications;
  for (const auto& one : from.applications) {
    auto& item = *applications.add_items();
    item.set_name(one);
    item.set_version("1.0");
    item.set_architecture("amd64");
    item.set_manager("dpkg");
  }
  wire::run_states states;
  for (std::uint32_t i = 0; i < from.services; ++i) {
    auto& item = *states.add_items();
    item.set_name("service-" + std::to_string(i));
    item.set_kind(wire::run_kind_unit);
    item.set_state("active");
  }
  set_content(*out, wire::section_facts, canonical_form(facts));
  set_content(*out, wire::section_applications, canonical_form(applications));
  set_content(*out, wire::section_run_states, canonical_form(states));
  return out;
}

agent_side::agent_side(test::actor_world& world, agent_options options)
  : world_(world), options_(std::move(options)) {
  const auto fill = static_cast<std::uint8_t>(options_.number + 1);
  device_.bytes.fill(fill);
  device_.bytes[15] = static_cast<std::uint8_t>(options_.number); // both shards have some
  fingerprint_.bytes.fill(fill);
  machine_->host = name();
  machine_->applications = {"base", "only-on-" + name()};
  stores_.push_back(std::make_unique<storage::memory_store>());
}

agent_side::~agent_side() {
  kill(false);
}

net::sha256_digest agent_side::certificate() const {
  net::sha256_digest out{};
  out.fill(device_.bytes[0]);
  return out;
}

void agent_side::start() {
  auto& sys = world_.sys;
  const auto keep = [&](auto handle) {
    world_.adopt(handle);
    actors_.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  };
  ++life_;
  boot_.bytes[1] = static_cast<std::uint8_t>(options_.number);
  const auto writer = keep(sys.spawn(
    storage::store_writer, storage::store_writer_options{.db = &db(), .clock = options_.clock}));
  const auto reader = keep(sys.spawn(storage::store_reader, &db()));
  event_spool_options spooling;
  spooling.draw_epoch = [next = options_.seed * 1000 + life_ * 10]() mutable { return ++next; };
  spooling.now_us = options_.clock;
  spool_ = keep(sys.spawn(event_spool, std::move(spooling), event_spool_peers{writer, reader}));
  const auto collector = keep(sys.spawn(fake_collector, machine_));
  connection_options way;
  way.device = device_;
  way.boot = boot_;
  way.fingerprint = fingerprint_;
  way.server = "server";
  way.keep = options_.keep;
  way.backoff = {std::chrono::seconds{1}, std::chrono::seconds{20}};
  way.refused_pause = std::chrono::seconds{30};
  way.batch_bytes_max = 400; // many small batches
  way.seed = options_.seed + life_;
  way.now_us = options_.clock;
  connection_peers peers;
  peers.way = {options_.connect, [] {}, [](std::int64_t) {}};
  peers.collector = collector;
  peers.spool = spool_;
  peers.writer = writer;
  peers.reader = reader;
  connection_ = keep(sys.spawn(connection, std::move(way), std::move(peers)));
  raiser_ = keep(sys.spawn(raiser, spool_, events_));
  running_ = true;
}

void agent_side::kill(bool power_loss) {
  if (!std::exchange(running_, false))
    return;
  for (const auto& one : actors_)
    caf::anon_send_exit(one, caf::exit_reason::kill);
  actors_.clear();
  spool_ = nullptr;
  connection_ = nullptr;
  raiser_ = nullptr;
  stores_.push_back(survivor(db(), power_loss));
  if (power_loss)
    ++boot_.bytes[0];
}

void agent_side::raise() {
  const auto text = name() + " event " + std::to_string(++raised_);
  world_.self->send(raiser_, text, static_cast<int>(1 + raised_ % 4));
}

void agent_side::ask_sync() {
  caf::anon_send(connection_, atom::sync_v);
}

std::uint64_t agent_side::waiting() {
  return world_.ask<std::uint64_t>(spool_, atom::count_v);
}

std::string agent_side::status() {
  return world_.ask<std::string>(connection_, atom::status_v) +
         "; spool: " + world_.ask<std::string>(spool_, atom::status_v);
}

} // namespace muster::simulation
