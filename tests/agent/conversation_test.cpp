// Must hold: what servers of this version of the protocol say is understood by every later agent,
// also when it comes from a later server. (What agents say: tests/system/conversation_test.cpp.)
#include "tests/agent/connection_world.hpp"
#include "tests/conversation/conversation.hpp"

using namespace muster;
using namespace muster::test;

namespace {

/// The agent of today in the recorded one's place: the server's words are the recorded ones, and
/// each word of the old agent must be said by the new one before the server goes on.
struct retold_world : connection_world {
  void tell_again(const conversation& said) {
    auto options = defaults();
    options.batch_bytes_max = 64 * 1024;
    options.keep = true;
    REQUIRE(said.front().kind == "hello");
    wire::agent_message hello;
    REQUIRE(hello.ParseFromString(said.front().bytes));
    if (hello.hello().events_waiting())
      raise_as_many(said);
    start(options);
    auto& link = connect();
    std::map<std::string, std::size_t> due;
    for (const auto& one : said) {
      CAPTURE(one.kind);
      if (!one.up) {
        link.deliver_bytes(in_our_epoch(one, link));
        settle();
        continue;
      }
      const auto number = ++due[one.kind];
      if (said_of_kind(link, one.kind) < number) { // it has to have a reason
        if (one.kind == "events_open")
          raise_as_many(said);
        if (one.kind == "events")
          raise_as_many({one});
      }
      CHECK(said_of_kind(link, one.kind) >= number);
    }
  }

  /// As many events as in the first batch of these.
  void raise_as_many(const conversation& said) {
    for (const auto& one : said) {
      if (one.kind != "events")
        continue;
      wire::agent_message message;
      REQUIRE(message.ParseFromString(one.bytes));
      old_epoch = message.events().epoch();
      for (const auto& event : message.events().items())
        raise(event.text());
      return;
    }
  }

  std::string in_our_epoch(const utterance& one, const fake_link& link) const {
    const auto batches = batches_of(link);
    if (batches.empty() || old_epoch == 0)
      return one.bytes;
    const auto bytes_of = [](std::uint64_t number) {
      return std::string(reinterpret_cast<const char*>(&number), sizeof(number)); // as fixed64
    };
    return with_replaced(one.bytes, bytes_of(old_epoch), bytes_of(batches.front().epoch()));
  }

  static std::size_t said_of_kind(const fake_link& link, const std::string& kind) {
    return static_cast<std::size_t>(
      std::count_if(link.said.begin(), link.said.end(), [&](const auto& message) {
        return kind_of(true, message.SerializeAsString()) == kind;
      }));
  }

  void expect_understood(const conversation& said) {
    const auto report = ask<connection_report_ptr>(agent, atom::get_v);
    CHECK(report->syncs == 1 + count_of(said, "sync_plan"));
    CHECK(report->keep);
    CHECK(kept_keys.empty());
    CHECK(ask<std::uint64_t>(spool, atom::count_v) == 0); // all acknowledged
    CHECK(links.back()->closed);
    CHECK(links.size() == 1);
    CHECK(report->last_error.find("goodbye") != std::string::npos);
  }

  std::uint64_t old_epoch = 0;
};

} // namespace

TEST_CASE_FIXTURE(retold_world, "what a server of this version once said is understood") {
  const auto said = recorded_conversation(1);
  tell_again(said);
  expect_understood(said);
}

TEST_CASE_FIXTURE(retold_world,
                  "a newer server, with fields in every message that nobody knows, is understood") {
  const auto said = as_if_newer(recorded_conversation(1));
  tell_again(said);
  expect_understood(said);
}

TEST_CASE_FIXTURE(retold_world, "a newer server's refusal, and its busy, are understood and obeyed") {
  start();
  auto& link = connect();
  wire::server_message message;
  std::string expected;
  SUBCASE("refused") {
    message.mutable_refused()->set_reason(static_cast<wire::refusal>(99)); // one we do not know
    message.mutable_refused()->set_text("your certificate is of the wrong colour");
    expected = "of the wrong colour";
  }
  SUBCASE("busy") {
    message.mutable_busy()->set_retry_after_ms(60'000);
    expected = "busy";
  }
  const auto kind = kind_of(false, message.SerializeAsString());
  link.deliver_bytes(as_if_newer({{false, kind, message.SerializeAsString()}}).front().bytes);
  settle();
  CHECK(link.closed);
  CHECK(ask<connection_report_ptr>(agent, atom::get_v)->last_error.find(expected) !=
        std::string::npos);
  pass(std::chrono::seconds{50});
  CHECK_FALSE(dialling());
}
