#pragma once
// The agent's connection with its real spool, on fakes for everything around: links, the way to the
// server, the machine.

#include "actors/agent/connection.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"
#include "storage/memory_store.hpp"
#include "tests/agent/settings_machine.hpp"
#include "tests/agent/spool_world.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace muster::test {

/// The agent's end of a connection whose other end is the test.
class fake_link final : public net::link {
public:
  void attach(std::unique_ptr<net::link_sink> sink) override { sink_ = std::move(sink); }
  bool try_send(std::string message) override {
    if (full || closed)
      return false;
    wire::agent_message parsed;
    REQUIRE(parsed.ParseFromString(message));
    said.push_back(std::move(parsed));
    return true;
  }
  void grant(std::size_t n) override { granted += n; }
  void trust() override { trusted = true; }
  void close() override {
    closed = true;
    if (ends)
      end({});
  }

  /// The server says something.
  void deliver(const wire::server_message& message) {
    if (sink_)
      sink_->on_message(message.SerializeAsString());
  }
  void deliver_bytes(std::string bytes) {
    if (sink_)
      sink_->on_message(std::move(bytes));
  }
  /// The connection is gone.
  void end(std::error_code why) {
    closed = true;
    if (const auto sink = std::exchange(sink_, nullptr))
      sink->on_closed(why);
  }
  void forget() { sink_.reset(); }

  std::vector<wire::agent_message> said;
  std::size_t granted = 0;
  bool trusted = false;
  bool closed = false;
  bool full = false;
  bool ends = true; ///< tells its end when closed

private:
  std::unique_ptr<net::link_sink> sink_;
};

/// What the actors under test hold by pointer.
struct connection_fakes {
  storage::memory_store db;
  std::vector<net::on_connected> dials;
  std::vector<std::shared_ptr<fake_link>> links;
  bool has_key_way = false;
  std::vector<net::on_connected> key_dials; ///< by the way on which keys are given
  std::vector<server_terms> terms;          ///< as told, in order
  int forgotten = 0;
  std::int64_t told_time_s = 0;
  int looks = 0;
  bool look_fails = false;
  bool hold_looks = false;
  std::vector<caf::typed_response_promise<machine_snapshot_ptr>> held;
  std::uint16_t wake_port = 15000;
  std::vector<std::uint64_t> wakes_taken; ///< what the listener was told
  std::vector<std::vector<net::device_datagram_keys>> kept_keys;
  std::string source = "192.0.2.9";       ///< ours, towards the server
  /// A notice as it was sent, and how to answer it.
  struct sent_notice {
    std::string address, bytes;
    std::function<bool(std::string_view)> is_answer;
    std::function<void()> answered;
  };
  std::vector<sent_notice> notices;
  std::array<std::string, sections> machine{"facts", "applications", "states"};
  settings_machine machine_of_settings;

  [[nodiscard]] machine_snapshot_ptr snapshot() const {
    auto out = std::make_shared<machine_snapshot>();
    for (std::size_t i = 0; i < sections; ++i) {
      out->content[i] = machine[i];
      if (!machine[i].empty())
        out->digests[i] = net::section_digest_of(machine[i]);
    }
    out->statistics.uptime_s = 42;
    return out;
  }
};

inline collector_actor::behavior_type fake_collector(collector_actor::pointer self,
                                                     connection_fakes* fakes) {
  return {
    [=](atom::collect) -> caf::result<machine_snapshot_ptr> {
      ++fakes->looks;
      if (fakes->look_fails)
        return make_error(errc::internal, "blind");
      if (!fakes->hold_looks)
        return fakes->snapshot();
      fakes->held.push_back(self->make_response_promise<machine_snapshot_ptr>());
      return fakes->held.back();
    },
    [](atom::watch) {},
    // What was held is answered now: only an actor itself may.
    [=](atom::tick) {
      for (auto& promise : std::exchange(fakes->held, {}))
        promise.deliver(fakes->snapshot());
    },
    [](atom::status) { return std::string{"fake"}; },
  };
}

struct connection_world : connection_fakes, spool_life {
  connection_world() : spool_life(db) { collector = host(fake_collector, this); }
  ~connection_world() {
    for (const auto& link : links)
      link->forget();
    dials.clear();
    key_dials.clear();
    held.clear();
    notices.clear();
  }
  connection_world(const connection_world&) = delete;
  connection_world& operator=(const connection_world&) = delete;

  connection_options defaults() {
    connection_options out;
    out.device.bytes.fill(1);
    out.boot.bytes.fill(2);
    out.fingerprint.bytes.fill(3);
    out.agent_version = "1.0";
    out.server = "server:13000";
    out.backoff = {std::chrono::seconds{1}, std::chrono::seconds{60}};
    out.batch_bytes_max = 200;
    out.linger = std::chrono::seconds{0};
    out.seed = 7;
    out.now_us = [this] { return now_us; };
    out.tell_terms = [this](const server_terms& now) { terms.push_back(now); };
    return out;
  }

  void start() { start(defaults()); }
  void start(connection_options options) {
    connection_peers peers;
    peers.way.connect = [this](net::on_connected done) { dials.push_back(std::move(done)); };
    peers.way.forget_session = [this] { ++forgotten; };
    peers.way.learn_time = [this](std::int64_t now_s) { told_time_s = now_s; };
    if (has_key_way)
      peers.key_way.connect = [this](net::on_connected done) { key_dials.push_back(std::move(done)); };
    peers.collector = collector;
    peers.spool = spool;
    peers.writer = writer;
    peers.reader = reader;
    peers.datagrams = ways();
    peers.keeper = keeper;
    agent = host(connection, std::move(options), std::move(peers));
  }

  datagram_ways ways() {
    datagram_ways out;
    out.wake_port = [this] { return wake_port; };
    out.took_wakes = [this](std::uint64_t counter) { wakes_taken.push_back(counter); };
    out.keep_keys = [this](const auto& keys) { kept_keys.push_back(keys); };
    out.send_notice = [this](const std::string& address, std::string bytes, auto is_answer,
                             auto answered) {
      notices.push_back({address, std::move(bytes), std::move(is_answer), std::move(answered)});
    };
    out.source_towards = [this](const std::string&) { return source; };
    return out;
  }

  /// Lets the attempt that is under way succeed.
  fake_link& connect() { return connect(dials); }
  fake_link& connect(std::vector<net::on_connected>& attempts) {
    REQUIRE_FALSE(attempts.empty());
    const auto link = std::make_shared<fake_link>();
    links.push_back(link);
    const auto done = std::exchange(attempts.back(), nullptr);
    attempts.pop_back();
    net::accepted made{link, {}};
    made.peer.address = "192.0.2.1";
    done(std::make_shared<const net::accepted>(std::move(made)), {}, {});
    settle();
    return *link;
  }
  void fail_dial(std::error_code ec, const std::string& text) { fail_dial(dials, ec, text); }
  void fail_dial(std::vector<net::on_connected>& attempts, std::error_code ec,
                 const std::string& text) {
    REQUIRE_FALSE(attempts.empty());
    const auto done = attempts.back();
    attempts.pop_back();
    done(nullptr, ec, text);
    settle();
  }
  [[nodiscard]] bool dialling() const { return !dials.empty(); }

  /// Until it tries again: the longest back-off and a tick.
  fake_link& connect_again() {
    for (int seconds = 0; seconds < 70 && !dialling(); ++seconds)
      pass(std::chrono::seconds{1});
    return connect();
  }

  void tell(fake_link& link, const wire::server_message& message) {
    link.deliver(message);
    settle();
  }
  void welcome(fake_link& link, const std::vector<wire::section>& wanted = {},
               bool went_back = false) {
    wire::server_message message;
    auto& out = *message.mutable_welcome();
    out.set_server_time_ms(1'700'000'000'000);
    out.set_went_back(went_back);
    out.set_sync_period_s(900);
    out.set_sync_jitter_percent(10);
    for (const auto section : wanted)
      out.mutable_plan()->add_wanted(section);
    tell(link, message);
  }
  void answer_looks() {
    self->send(collector, atom::tick_v);
    settle();
  }
  void sync_done(fake_link& link) {
    wire::server_message message;
    message.mutable_sync_done();
    tell(link, message);
  }
  void tell_position(fake_link& link, const event_position& position) {
    wire::server_message message;
    message.mutable_events_position()->set_epoch(position.epoch);
    message.mutable_events_position()->set_sequence(position.sequence);
    tell(link, message);
  }
  void tell_ack(fake_link& link, const event_position& position) {
    wire::server_message message;
    message.mutable_events_ack()->set_epoch(position.epoch);
    message.mutable_events_ack()->set_sequence(position.sequence);
    tell(link, message);
  }
  std::string status() { return ask<std::string>(agent, atom::status_v); }

  collector_actor collector;
  settings_keeper_actor keeper; ///< none, unless the test begins one
  connection_actor agent;
};

inline event_position end_of(const wire::events& batch) {
  return {batch.epoch(), batch.items(batch.items_size() - 1).sequence()};
}

inline std::vector<wire::events> batches_of(const fake_link& link) {
  std::vector<wire::events> out;
  for (const auto& message : link.said)
    if (message.has_events())
      out.push_back(message.events());
  return out;
}

} // namespace muster::test
