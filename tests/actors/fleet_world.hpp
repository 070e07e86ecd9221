#pragma once
// A fleet without sockets: the real directory, enroller, event book, readers and writer on a store
// in memory; sessions are played by the test.

#include "actors/rules/shard.hpp"
#include "actors/server/directory.hpp"
#include "actors/server/enroller.hpp"
#include "actors/server/event_book.hpp"
#include "net/enrolment_proof.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/store_reader_actor.hpp"
#include "storage/store_writer_actor.hpp"
#include "tests/actor_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace muster::test {

using namespace muster::actors;
using namespace std::chrono_literals;
using storage::family;
using storage::memory_store;

/// What a played session was told, and what it says.
struct played_session {
  std::vector<std::uint64_t> syncs; ///< numbers of calls it was told
  std::vector<bool> keeps;
  std::vector<manifest_ptr> manifests;
  std::vector<session_end> endings;
  int probes = 0;
  /// Empty: the question stays open until fleet_world::answer().
  std::optional<bool> alive = true;
  std::vector<caf::typed_response_promise<bool>> open;
  session_actor handle;
};
using played_session_ptr = std::shared_ptr<played_session>;

inline session_actor::behavior_type play_session(session_actor::pointer self,
                                                 played_session_ptr role) {
  return {
    [](atom::frame, const frame_ptr&) {},
    [](atom::closed, std::error_code) {},
    [role](atom::ending, session_end why) { role->endings.push_back(why); },
    [role](atom::sync, std::uint64_t calls) { role->syncs.push_back(calls); },
    [role](atom::keep, bool on) { role->keeps.push_back(on); },
    [role](atom::publish, const manifest_ptr& manifest) { role->manifests.push_back(manifest); },
    [self, role](atom::probe) -> caf::result<bool> {
      ++role->probes;
      if (role->alive)
        return *role->alive;
      role->open.push_back(self->make_response_promise<bool>());
      return role->open.back();
    },
    [](atom::synced) {},
    [](atom::left, std::uint32_t) {},
    [role](atom::tick, std::uint32_t alive) {
      for (auto& one : std::exchange(role->open, {}))
        one.deliver(alive != 0);
    },
    [](atom::status) { return std::string{"played"}; },
  };
}

/// A waker without a socket: its orders stay open until fleet_world::wake_ends().
struct played_waker {
  std::vector<wake_order> orders;
  std::vector<device_id> there;
  std::vector<std::uint64_t> heard;
  wake_result result;
  std::vector<caf::typed_response_promise<wake_result>> open;
};

inline waker_actor::behavior_type play_waker(waker_actor::pointer self, played_waker* role) {
  return {
    [self, role](atom::wake, const wake_order& order) -> caf::result<wake_result> {
      role->orders.push_back(order);
      role->open.push_back(self->make_response_promise<wake_result>());
      return role->open.back();
    },
    [role](atom::contact, const device_id& device) { role->there.push_back(device); },
    [role](atom::heard, std::uint64_t counter) { role->heard.push_back(counter); },
    [](atom::ready, const udp_port_actor&) {},
    [](atom::datagrams, const made_wakes_ptr&) {},
    [role](atom::tick) {
      for (auto& one : std::exchange(role->open, {}))
        one.deliver(role->result);
    },
    [](atom::metrics) { return metrics_text{}; },
    [](atom::status) { return std::string{"played"}; },
  };
}

/// Writes down how calls go.
inline call_watcher_actor::behavior_type play_watcher(call_watcher_actor::pointer,
                                                      std::vector<call_progress>* turns) {
  return {[turns](atom::progress, const call_progress& turn) { turns->push_back(turn); }};
}

/// A client computer: its key and what it says of itself.
struct played_agent {
  net::key_pair key = net::key_pair::generate();
  machine_fingerprint fingerprint = random_id<machine_fingerprint>();
  boot_id boot = random_id<boot_id>();
  std::uint16_t wake_port = 15000;
  std::uint64_t counter = 0;
  std::string host_name = "mill";
  device_id device;
  net::sha256_digest certificate_sha256{};

  template <class Id>
  static Id random_id() {
    Id out;
    net::random_bytes(out.bytes);
    return out;
  }

  [[nodiscard]] std::shared_ptr<enrolment> request(const std::string& token) const {
    auto out = std::make_shared<enrolment>();
    out->token = token;
    out->csr = net::make_csr(key);
    net::random_bytes(out->exporter);
    out->proof = key.sign(net::enrolment_proof_message(out->exporter));
    out->host_name = host_name;
    out->agent_version = "1.0";
    out->fingerprint = fingerprint;
    out->address = "192.0.2.7";
    return out;
  }
};

/// Outlives the actors.
struct fleet_stage {
  std::unique_ptr<memory_store> db = std::make_unique<memory_store>();
  std::vector<std::unique_ptr<memory_store>> old_dbs; ///< whoever is slow to end may look at them
  std::int64_t now_us = 1'700'000'000'000'000;
  std::shared_ptr<const net::certificate_authority> authority =
    std::make_shared<const net::certificate_authority>(
      net::certificate_authority::make({1, 2, 3}, 1'700'000'000));
  played_waker wakes;
  std::vector<call_progress> turns; ///< of all calls
};

struct fleet_world : fleet_stage, actor_world {
  store_writer_actor writer;
  std::vector<store_reader_actor> readers;
  event_book_actor book;
  std::vector<directory_actor> directories;
  enroller_actor enrols;
  waker_actor waker;
  call_watcher_actor watcher;
  std::size_t shards = 2;
  retention_rules retention = event_book_options{}.retention;

  fleet_world() { start(); }

  wall_clock clock() {
    return [this] { return now_us; };
  }

  void start() {
    writer =
      host(storage::store_writer, storage::store_writer_options{.db = db.get(), .clock = clock()});
    readers = {host(storage::store_reader, static_cast<const storage::store*>(db.get()))};
    book =
      host(event_book,
           event_book_options{
             .writer = writer, .reader = readers.front(), .now = clock(), .retention = retention});
    waker = host(play_waker, &wakes);
    watcher = host(play_watcher, &turns);
    std::error_code ec;
    auto loaded = load_directory(*db, shards, ec);
    REQUIRE_FALSE(ec);
    directories.clear();
    for (auto& shard : loaded)
      directories.push_back(host(directory, directory_options{.loaded = shard,
                                                              .writer = writer,
                                                              .readers = readers,
                                                              .event_book = book,
                                                              .waker = waker,
                                                              .now = clock(),
                                                              .server_started_us = now_us}));
    auto tokens = load_tokens(*db, ec);
    REQUIRE_FALSE(ec);
    enrols = host(enroller, enroller_options{.tokens = tokens,
                                             .writer = writer,
                                             .readers = readers,
                                             .directories = directories,
                                             .event_book = book,
                                             .authority = authority,
                                             .now = clock()});
  }

  void kill_all() {
    for (const auto& one : directories)
      kill(one);
    kill(enrols);
    kill(waker);
    wakes.open.clear();
    kill(book);
    kill(writer);
    for (const auto& one : readers)
      kill(one);
    settle();
  }

  /// The power goes; what comes back has what was synced.
  void lose_power() {
    kill_all();
    auto left = db->after_power_loss();
    old_dbs.push_back(std::exchange(db, std::move(left)));
    start();
  }

  template <class Handle>
  void kill(const Handle& whom) {
    caf::anon_send_exit(whom, caf::exit_reason::kill);
  }

  /// Both clocks.
  void pass_time(caf::timespan how_long) {
    now_us += std::chrono::duration_cast<std::chrono::microseconds>(how_long).count();
    pass(how_long);
  }

  [[nodiscard]] const directory_actor& directory_of(const device_id& device) const {
    return directories[rules::shard_of(device, directories.size())];
  }

  // -- tokens and enrolment -----------------------------------------------------------------------

  static audit_entry_ptr audit(std::string action, std::string subject = "") {
    return std::make_shared<const audit_entry>(
      audit_entry{"anna", "198.51.100.1", std::move(action), std::move(subject), ""});
  }

  token_info make_token(std::uint32_t uses_max = 0, std::int64_t lifetime_s = 86400) {
    token_order order{"test", lifetime_s, uses_max, audit("token.create")};
    return ask<token_infos>(enrols, atom::create_v, order)->front();
  }

  enrolment_result try_enrol(const std::shared_ptr<enrolment>& request) {
    return *ask<enrolment_result_ptr>(enrols, atom::enrol_v, enrolment_ptr{request});
  }

  played_agent enrolled(std::string host_name = "mill", std::uint8_t machine = 0) {
    played_agent agent;
    agent.host_name = std::move(host_name);
    if (machine != 0)
      agent.fingerprint.bytes.fill(machine);
    const auto result = try_enrol(agent.request(make_token().secret));
    REQUIRE(result.reason == refusal::none);
    agent.device = result.device;
    agent.certificate_sha256 = net::sha256(result.certificate);
    return agent;
  }

  // -- sessions -----------------------------------------------------------------------------------

  played_session_ptr session(std::optional<bool> alive = true) {
    auto out = std::make_shared<played_session>();
    out->alive = alive;
    out->handle = host(play_session, out);
    roles_.push_back(out);
    return out;
  }

  /// The session says at last whether it is alive.
  void answer(const played_session_ptr& who, bool alive) {
    self->send(who->handle, atom::tick_v, std::uint32_t{alive});
    settle();
  }

  static std::shared_ptr<hello_facts> hello_of(const played_agent& agent,
                                               const played_session_ptr& from) {
    auto out = std::make_shared<hello_facts>();
    out->device = agent.device;
    out->certificate_sha256 = agent.certificate_sha256;
    out->boot = agent.boot;
    out->fingerprint = agent.fingerprint;
    out->counter = agent.counter;
    out->address = "192.0.2.7";
    out->agent_version = "1.1";
    out->wake_port = agent.wake_port;
    out->session = from->handle;
    return out;
  }

  auto begin_hello(played_agent& agent, const played_session_ptr& from) {
    ++agent.counter;
    return begin_ask(directory_of(agent.device), atom::admit_v,
                     hello_facts_ptr{hello_of(agent, from)});
  }

  admission hello(played_agent& agent, const played_session_ptr& from) {
    auto pending = begin_hello(agent, from);
    settle();
    auto answer = take<admission_ptr>(pending);
    REQUIRE(answer);
    return **answer;
  }

  void leave(const played_agent& agent, const played_session_ptr& who) {
    self->send(directory_of(agent.device), atom::left_v, agent.device, who->handle.address());
    settle();
  }

  // -- calls and notices --------------------------------------------------------------------------

  std::uint64_t calls = 0;

  std::uint64_t call(const device_id& device, call_kind kind = call_kind::sync) {
    self->send(directory_of(device), atom::call_v, device_call{++calls, device, kind, watcher});
    settle();
    return calls;
  }

  /// The last turn of a call; there must have been one.
  [[nodiscard]] call_progress turn(std::uint64_t of) const {
    const auto found = std::find_if(turns.rbegin(), turns.rend(),
                                    [&](const call_progress& one) { return one.call == of; });
    REQUIRE(found != turns.rend());
    return *found;
  }
  /// The steps of a call, in their order.
  [[nodiscard]] std::vector<call_step> steps(std::uint64_t of) const {
    std::vector<call_step> out;
    for (const auto& one : turns)
      if (one.call == of)
        out.push_back(one.step);
    return out;
  }

  /// All wakes that are open end like this.
  void wake_ends(wake_result how) {
    wakes.result = std::move(how);
    self->send(waker, atom::tick_v);
    settle();
  }

  /// A sync that began when the session knew of calls up to this number.
  void sync(const played_agent& agent, std::uint64_t calls_before) {
    sync_outcome outcome;
    outcome.calls_before = calls_before;
    sync(agent, std::move(outcome));
  }

  notice_facts notice_of(played_agent& agent, off_reason why = off_reason::shutdown) {
    return {agent.device, agent.boot, ++agent.counter, why};
  }
  bool notice(const notice_facts& facts) {
    return ask<bool>(directory_of(facts.device), atom::notice_v, facts);
  }

  void sync(const played_agent& agent, sync_outcome outcome) {
    outcome.device = agent.device;
    outcome.finished_us = now_us;
    self->send(directory_of(agent.device), atom::synced_v,
               std::make_shared<const sync_outcome>(std::move(outcome)));
    settle();
  }

  // -- looking ------------------------------------------------------------------------------------

  std::optional<device_row> row(const device_id& device) {
    const auto page = ask<device_page_ptr>(directory_of(device), atom::find_v, device);
    return page->rows.empty() ? std::nullopt : std::optional(page->rows.front());
  }

  template <class Record>
  std::optional<Record> stored(family f, const std::string& key) {
    std::error_code ec;
    const auto value = db->get(f, key, ec);
    REQUIRE_FALSE(ec);
    Record out;
    if (!value)
      return std::nullopt;
    REQUIRE_FALSE(storage::records::decode(*value, out));
    return out;
  }

  std::optional<storage::record::device_report> report(const device_id& device) {
    return stored<storage::record::device_report>(family::devices,
                                                  storage::keys::device_report(device.bytes));
  }

  struct stored_event {
    device_id device;
    std::string type, text;
    std::int64_t received_us = 0;
    std::int64_t time_ms = 0;
  };
  /// Events in the store, in the order of their receive time.
  std::vector<stored_event> events() {
    std::vector<stored_event> out;
    REQUIRE_FALSE(db->scan(family::events, {}, false, [&](auto, auto value) {
      storage::record::event_block block;
      REQUIRE_FALSE(storage::records::decode(value, block));
      for (const auto& one : block.events())
        out.push_back({*device_id::from_bytes(block.device()), one.type(), one.text(),
                       block.received_us(), one.time_ms()});
      return true;
    }));
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.received_us < b.received_us; });
    return out;
  }
  /// How many events of this type there are of this device.
  std::size_t events_of(const device_id& device, std::string_view type) {
    const auto all = events();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& one) {
      return one.device == device && one.type == type;
    }));
  }

  std::vector<std::string> audited() {
    std::vector<std::string> out;
    REQUIRE_FALSE(db->scan(family::audit, {}, false, [&](auto, auto value) {
      storage::record::audit entry;
      REQUIRE_FALSE(storage::records::decode(value, entry));
      out.push_back(entry.action() + " " + entry.subject());
      return true;
    }));
    return out;
  }

private:
  std::vector<played_session_ptr> roles_;
};

} // namespace muster::test
