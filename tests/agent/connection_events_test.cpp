// How events get to the server, whatever happens on the way.
#include "tests/agent/connection_world.hpp"

#include <algorithm>
#include <map>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;
using strings = std::vector<std::string>;

namespace {

/// Does to events what the server does: stores a batch only if it continues where the device's
/// position is, answers with the position when it does not.
struct server_of_events {
  event_position position;
  strings stored;
  std::size_t handled = 0; ///< of the present link
  int messages_left = -1;  ///< answers so many, then cuts; below zero: never

  void greet(connection_world& world, fake_link& link) {
    handled = 0;
    serve(world, link);
  }

  void serve(connection_world& world, fake_link& link) {
    while (handled < link.said.size() && !link.closed) {
      const auto message = link.said[handled++];
      if (messages_left == 0)
        return cut(world, link);
      messages_left -= messages_left > 0 ? 1 : 0;
      answer(world, link, message);
    }
  }

  void cut(connection_world& world, fake_link& link) {
    link.end(std::make_error_code(std::errc::connection_reset));
    world.settle();
  }

  void answer(connection_world& world, fake_link& link, const wire::agent_message& message) {
    if (message.has_hello()) {
      world.welcome(link, {wire::section_facts});
      if (message.hello().events_waiting())
        world.tell_position(link, position);
    } else if (message.has_section_chunk()) {
      if (message.section_chunk().last())
        world.sync_done(link);
    } else if (message.has_events_open()) {
      world.tell_position(link, position);
    } else if (message.has_events()) {
      take(world, link, message.events());
    }
  }

  void take(connection_world& world, fake_link& link, const wire::events& batch) {
    if (event_position{batch.after().epoch(), batch.after().sequence()} != position)
      return world.tell_position(link, position);
    store(batch);
    if (messages_left == 0) // stored, but the word of it is lost
      return cut(world, link);
    messages_left -= messages_left > 0 ? 1 : 0;
    world.tell_ack(link, position);
  }

  void store(const wire::events& batch) {
    for (const auto& item : batch.items())
      stored.push_back(item.text());
    position = end_of(batch);
  }
};

strings numbered(int first, int last) {
  strings out;
  for (int i = first; i <= last; ++i)
    out.push_back(std::to_string(i));
  return out;
}

} // namespace

TEST_CASE_FIXTURE(connection_world, "an event makes a connection, is sent, acknowledged and forgotten") {
  start();
  welcome(connect());
  raise("1");
  REQUIRE(dialling());
  auto& link = connect();
  CHECK(link.said[0].hello().events_waiting());
  welcome(link);
  tell_position(link, {});
  const auto batches = batches_of(link);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].items(0).text() == "1");
  CHECK(batches[0].after().epoch() == 0);
  CHECK(batches[0].clock_ms() == now_us / 1000);
  CHECK_FALSE(link.closed);
  CHECK(count() == 1);
  tell_ack(link, end_of(batches[0]));
  CHECK(count() == 0);
  CHECK(link.closed);
}

TEST_CASE_FIXTURE(connection_world, "events raised on an open connection go at once") {
  auto options = defaults();
  options.keep = true;
  start(options);
  auto& link = connect();
  server_of_events server;
  server.greet(*this, link);
  for (int i = 1; i <= 3; ++i) {
    raise(std::to_string(i));
    server.serve(*this, link);
  }
  CHECK(server.stored == numbered(1, 3));
  CHECK(count() == 0);
  CHECK_FALSE(link.closed);
  const auto opened = std::count_if(link.said.begin(), link.said.end(),
                                    [](const auto& one) { return one.has_events_open(); });
  CHECK(opened == 1);
}

TEST_CASE_FIXTURE(connection_world, "events in short succession share a connection, which then ends") {
  auto options = defaults();
  options.linger = 2s;
  start(options);
  auto& link = connect();
  server_of_events server;
  server.greet(*this, link);
  CHECK(link.closed); // a sync alone does not linger
  raise("1");
  auto& second = connect();
  server.greet(*this, second);
  for (int i = 2; i <= 5; ++i) {
    CHECK_FALSE(second.closed);
    pass(1s);
    raise(std::to_string(i));
    server.serve(*this, second);
  }
  CHECK(server.stored == numbered(1, 5));
  CHECK_FALSE(second.closed);
  pass(7s);
  CHECK(second.closed);
  CHECK_FALSE(dialling());
}

TEST_CASE_FIXTURE(connection_world, "no more batches are in flight than the window; one word frees all before it") {
  for (int i = 1; i <= 60; ++i)
    raise(std::to_string(i));
  start();
  auto& link = connect();
  welcome(link);
  tell_position(link, {});
  auto batches = batches_of(link);
  REQUIRE(batches.size() == 4);
  for (std::size_t i = 1; i < batches.size(); ++i) {
    CHECK(batches[i].after().epoch() == batches[i - 1].epoch());
    CHECK(batches[i].after().sequence() == end_of(batches[i - 1]).sequence);
  }
  tell_ack(link, end_of(batches[2]));
  CHECK(batches_of(link).size() == 7);
  // In the middle of a batch: what is before is forgotten, the batch stays in flight.
  const auto left = count();
  batches = batches_of(link);
  REQUIRE(batches[3].items_size() > 1);
  tell_ack(link, {batches[3].epoch(), batches[3].items(0).sequence()});
  CHECK(count() == left - 1);
  CHECK(batches_of(link).size() == 7);
}

TEST_CASE_FIXTURE(connection_world, "a word about another position voids what is in flight; late answers change nothing") {
  for (int i = 1; i <= 60; ++i)
    raise(std::to_string(i));
  start();
  auto& link = connect();
  welcome(link);
  tell_position(link, {});
  const auto before = batches_of(link);
  REQUIRE(before.size() == 4);
  // A half-open predecessor's commit was the first.
  const auto theirs = end_of(before[1]);
  tell_position(link, theirs);
  auto after = batches_of(link);
  REQUIRE(after.size() == 8);
  CHECK(after[4].after().sequence() == theirs.sequence);
  // The acknowledgement of what was void by then.
  const auto left = count();
  tell_ack(link, end_of(before[0]));
  CHECK(count() == left);
  CHECK(batches_of(link).size() == 8);
  tell_ack(link, {theirs.epoch + 1, 1});
  CHECK(batches_of(link).size() == 8);
  tell_ack(link, end_of(after[4]));
  CHECK(batches_of(link).size() == 9);
}

TEST_CASE_FIXTURE(connection_world, "cut at any step, every event arrives once and in order") {
  start();
  auto& first = connect();
  server_of_events server;
  server.greet(*this, first);
  int raised = 0;
  for (int step = 0; step < 40; ++step) {
    for (int i = 0; i < 7; ++i)
      raise(std::to_string(++raised));
    server.messages_left = step;
    for (int tries = 0; tries < 10 && server.stored.size() < static_cast<std::size_t>(raised);
         ++tries) {
      if (!dialling())
        pass(65s);
      if (dialling()) {
        auto& link = connect();
        server.greet(*this, link);
        server.serve(*this, link);
      } else {
        server.serve(*this, *links.back());
      }
      server.messages_left = -1; // only the first one is cut
    }
    REQUIRE(server.stored.size() == static_cast<std::size_t>(raised));
  }
  CHECK(server.stored == numbered(1, raised));
}

TEST_CASE_FIXTURE(connection_world, "events wait for the server's answer to a slow commit of the old stream") {
  raise("1");
  raise("2");
  start();
  auto& old = connect();
  welcome(old);
  tell_position(old, {});
  const auto late = batches_of(old).at(0);
  old.end(std::make_error_code(std::errc::connection_reset)); // the commit is still on its way
  auto& link = connect_again();
  welcome(link);
  server_of_events server;
  tell_position(link, server.position);
  const auto again = batches_of(link).at(0);
  server.store(late); // now it gets there
  server.take(*this, link, again);
  CHECK(server.stored == strings{"1", "2"});
  CHECK(count() == 0);
  CHECK(link.closed);
}

TEST_CASE_FIXTURE(connection_world, "a device that went back names its events anew before it sends any") {
  raise("1");
  raise("2");
  const auto old_epoch = next({})->epoch;
  start();
  auto& link = connect();
  const event_position theirs{4711, 9};
  SUBCASE("told in the welcome") { welcome(link, {}, true); }
  SUBCASE("the disk refuses at first") {
    db.fail_next_writes(1, storage::errc::disk_full);
    welcome(link, {}, true);
    tell_position(link, theirs);
    CHECK(batches_of(link).empty());
    CHECK(link.closed);
    welcome(connect_again()); // it is not told again
  }
  auto& now = *links.back();
  tell_position(now, theirs);
  const auto batches = batches_of(now);
  REQUIRE(batches.size() == 1);
  CHECK(batches[0].epoch() != old_epoch);
  CHECK(batches[0].items(0).sequence() == 1);
  CHECK(batches[0].after().epoch() == 4711);
  tell_ack(now, end_of(batches[0]));
  CHECK(count() == 0);
  CHECK(now.closed);
}

TEST_CASE_FIXTURE(connection_world, "a spool that cannot be read costs a pause, not an event") {
  raise("1");
  start();
  auto& link = connect();
  welcome(link);
  db.fail_reads(storage::errc::io_error);
  tell_position(link, {});
  CHECK(link.closed);
  db.fail_reads({});
  server_of_events server;
  server.greet(*this, connect_again());
  CHECK(server.stored == strings{"1"});
}

TEST_CASE_FIXTURE(connection_world, "events of several starts go epoch by epoch") {
  raise("1");
  caf::anon_send_exit(spool, caf::exit_reason::kill);
  settle();
  start_spool();
  raise("2");
  start();
  server_of_events server;
  auto& link = connect();
  server.greet(*this, link);
  CHECK(server.stored == strings{"1", "2"});
  const auto batches = batches_of(link);
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].epoch() != batches[1].epoch());
  CHECK(batches[1].after().epoch() == batches[0].epoch());
  CHECK(link.closed);
}
