#pragma once
// What the tests of session, sync_job and event_stream share: the real three, a real writer and
// reader on a store in memory; the fleet, the root and the link are fakes that write down what they
// are told.

#include "actors/server/session.hpp"
#include "actors/server/session_limits.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/store_reader_actor.hpp"
#include "storage/store_writer_actor.hpp"
#include "tests/actor_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace muster::test {

using namespace muster::actors;
using says = wire::server_message::BodyCase;

/// A connection as a session sees it. `throws` lets whoever uses it die in that handler.
class fake_link final : public net::link {
public:
  void attach(std::unique_ptr<net::link_sink> sink) override { sink_ = std::move(sink); }
  bool try_send(std::string message) override {
    if (throws)
      throw std::runtime_error("the test breaks this handler");
    if (closed || full)
      return false;
    sent.emplace_back();
    REQUIRE(sent.back().ParseFromString(message));
    return true;
  }
  void grant(std::size_t n) override {
    if (throws)
      throw std::runtime_error("the test breaks this handler");
    credit += n;
  }
  void trust() override { trusted = true; }
  void close() override {
    closed = true;
    if (!lingers)
      end();
  }

  /// The peer says something, credit or not: sessions must bear it.
  void deliver(std::string bytes) {
    credit -= std::min<std::size_t>(credit, 1);
    if (sink_)
      sink_->on_message(std::move(bytes));
  }
  /// The connection is gone.
  void end() {
    closed = true;
    if (const auto sink = std::move(sink_))
      sink->on_closed({});
  }

  [[nodiscard]] std::size_t count(says what) const {
    return static_cast<std::size_t>(std::count_if(
      sent.begin(), sent.end(), [&](const auto& one) { return one.body_case() == what; }));
  }
  [[nodiscard]] says last() const { return sent.empty() ? says{} : sent.back().body_case(); }

  std::vector<wire::server_message> sent;
  std::size_t credit = 0;
  bool trusted = false;
  bool closed = false;
  bool lingers = false; ///< close() does not end it: the wire is slow
  bool full = false;
  bool throws = false;

private:
  std::unique_ptr<net::link_sink> sink_;
};

/// What the fakes were told, and what they answer. Outlives the actors.
struct fleet_notes {
  admission decision;
  section_digests held{}; ///< answer of `find`
  bool is_known = true;
  bool silent = false; ///< admissions and enrolments wait for ever
  std::vector<hello_facts_ptr> hellos;
  std::vector<device_id> left, contacts, failed;
  /// To a test of wakes; empty: the wake has not ended yet.
  std::optional<wake_result> wake_answer = wake_result{false, 1, {}};
  std::vector<sync_outcome_ptr> outcomes;
  std::vector<document_standing> standings; ///< compared
  std::vector<document_wishes_ptr> wishes;
  std::vector<document_parcel> parcels;     ///< what wishes are answered with
  std::vector<std::uint32_t> replaced; ///< sections announced to be
  store_writer_actor writer_of_directory;
  enrolment_result enrolled;
  std::vector<enrolment_ptr> enrolments;
  std::vector<stored_events_ptr> published;
  std::vector<caf::actor> adopted;

  storage::memory_store db;
  bool slow = false; ///< what the writer is asked waits until hurry()
  std::int64_t now_us = 1'700'000'000'000'000;
  bool clock_breaks = false;
  bool encrypted = true; ///< connections are
};

directory_actor::behavior_type fake_directory(directory_actor::pointer self, fleet_notes* notes);
enroller_actor::behavior_type fake_enroller(enroller_actor::pointer self, fleet_notes* notes);
event_book_actor::behavior_type fake_book(event_book_actor::pointer self, fleet_notes* notes);
server_root_actor::behavior_type fake_root(server_root_actor::pointer self, fleet_notes* notes);

/// In front of the real writer, in its order: while `slow`, what is asked waits; a tick lets it go.
/// (On one thread the real one is always done before the next asks.)
class slow_writer_state {
public:
  static inline const char* name = "slow_writer";
  explicit slow_writer_state(store_writer_actor::pointer self) : self_(self) {}
  store_writer_actor::behavior_type make_behavior(store_writer_actor writer, const bool* slow);

private:
  template <class Result, class... Args>
  caf::result<Result> pass_on(Args... args);

  store_writer_actor::pointer self_;
  store_writer_actor writer_;
  const bool* slow_ = nullptr;
  std::deque<std::function<void()>> waiting_;
};

store_writer_actor::behavior_type
slow_writer(store_writer_actor::stateful_pointer<slow_writer_state> self, store_writer_actor writer,
            const bool* slow);

inline const device_id mill = [] {
  device_id out;
  out.bytes.fill(7);
  return out;
}();

/// A section's content with its digest.
struct content {
  explicit content(std::string from)
    : bytes(std::move(from)), digest(net::section_digest_of(bytes)),
      packed(storage::compress(bytes)) {}
  std::string bytes;
  section_digest digest;
  std::string packed;
};

content facts(const std::string& host);
content applications(const std::vector<std::string>& names);

struct session_world : fleet_notes, actor_world {
  session_world();

  // -- connections --------------------------------------------------------------------------------
  struct connection {
    std::shared_ptr<fake_link> link = std::make_shared<fake_link>();
    session_actor session;
  };
  connection connect(bool proved = true);
  /// Connected, and welcome with nothing to sync.
  connection welcome();
  /// Lets go what waits for the writer, and settles.
  void hurry();
  /// Delivers and settles.
  void say(connection& at, const wire::agent_message& message);

  // -- messages -----------------------------------------------------------------------------------
  static wire::agent_message hello(const section_digests& digests = {},
                                   bool events_waiting = false);
  static wire::agent_message enrol_request();
  static wire::agent_message sync_request(const section_digests& digests = {});
  static wire::agent_message chunk(std::size_t section, const content& of);
  static wire::agent_message chunk(std::size_t section, const section_digest& digest,
                                   std::string data, bool last);
  static wire::agent_message events(event_position after, std::uint64_t epoch, std::uint64_t first,
                                    std::uint64_t last);

  // -- looking ------------------------------------------------------------------------------------
  /// The connection has ended with this text and no other last word.
  void check_refused(const connection& at, wire::refusal why, const std::string& text);
  void check_busy(const connection& at);
  [[nodiscard]] std::size_t children_alive();
  /// Sequences in the store, in the order of their receive time.
  [[nodiscard]] std::vector<std::uint64_t> stored_sequences() const;
  /// Applications in the index, as names.
  [[nodiscard]] std::vector<std::string> indexed() const;
  [[nodiscard]] bool has_section(std::uint16_t number) const;

  std::shared_ptr<session_services> services;
  server_root_actor root;
  store_writer_actor writer;
};

/// For tests of syncs.
struct sync_world : session_world {
  /// A hello that has these sections, which the server wants.
  connection begin(const section_digests& digests) {
    auto at = connect();
    say(at, hello(digests));
    REQUIRE(at.link->last() == says::kWelcome);
    return at;
  }
  connection begin_facts() { return begin({facts("mill").digest}); }
  /// A whole sync of a list of applications.
  void sync_applications(const std::vector<std::string>& list) {
    const auto content = applications(list);
    auto at = begin({section_digest{}, content.digest});
    say(at, chunk(1, content));
    REQUIRE(at.link->last() == says::kSyncDone);
    at.link->end();
    settle();
  }
};

/// For tests of event streams.
struct stream_world : session_world {
  using numbers = std::vector<std::uint64_t>;
  static constexpr std::uint64_t epoch = 5;

  static wire::agent_message open() {
    wire::agent_message out;
    out.mutable_events_open();
    return out;
  }
  /// Welcome, and told its position.
  connection begin() {
    auto at = welcome();
    say(at, open());
    REQUIRE(at.link->last() == says::kEventsPosition);
    return at;
  }
  static event_position position(const connection& at) {
    const auto& told = at.link->sent.back().events_position();
    return {told.epoch(), told.sequence()};
  }
  /// Sequences acknowledged, in order.
  static numbers acked(const connection& at) {
    numbers out;
    for (const auto& one : at.link->sent) {
      if (one.has_events_ack())
        out.push_back(one.events_ack().sequence());
    }
    return out;
  }
  void deliver(connection& at, const wire::agent_message& message) {
    at.link->deliver(message.SerializeAsString());
  }
};

} // namespace muster::test
