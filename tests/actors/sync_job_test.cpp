// A sync through its session: what travels, what is stored, what is refused.
#include "storage/errc.hpp"
#include "tests/actors/session_world.hpp"

#include <caf/exit_reason.hpp>

using namespace muster;
using namespace muster::test;
using namespace std::chrono_literals;

namespace {

using names = std::vector<std::string>;

/// Repeats itself so well that it fits a few frames, however long it is.
std::string bomb(std::size_t bytes) {
  return storage::compress(std::string(bytes, 'x'));
}

} // namespace

TEST_CASE_FIXTURE(sync_world,
                  "the sections that differ travel, are stored, and everybody hears of it") {
  const auto machine = facts("mill");
  const auto installed = applications({"bash", "openssl"});
  const content running{wire::run_states{}.SerializeAsString()};
  decision.known[2] = running.digest;
  auto at = begin({machine.digest, installed.digest, running.digest});
  const auto& plan = at.link->sent[0].welcome().plan();
  REQUIRE(plan.wanted_size() == 2);
  CHECK(plan.wanted(0) == wire::section_facts);
  CHECK(plan.wanted(1) == wire::section_applications);
  CHECK(adopted.size() == 1);

  say(at, chunk(1, installed));
  CHECK(at.link->last() == says::kWelcome);
  CHECK(outcomes.empty());
  say(at, chunk(0, machine));
  CHECK(at.link->last() == says::kSyncDone);
  CHECK(at.link->credit == session_limits::frames_in_flight);
  CHECK(has_section(1));
  CHECK(has_section(2));
  CHECK_FALSE(has_section(3));
  CHECK(indexed() == names{"bash", "openssl"});
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0]->digests == section_digests{machine.digest, installed.digest});
  CHECK(outcomes[0]->host_name == "mill");
  CHECK(outcomes[0]->os_id == "debian");
  CHECK(outcomes[0]->statistics->uptime_s == 42);
  CHECK(children_alive() == 0);
  CHECK(alive(at.session));
  CHECK(services->syncs->bytes_held() == 0);
  CHECK(replaced == std::vector<std::uint32_t>{3}); // announced before the store was touched
}

TEST_CASE_FIXTURE(sync_world,
                  "what is stored can be read again, and is in the log when sync_done is said") {
  const auto machine = facts("mill");
  auto at = begin({machine.digest});
  say(at, chunk(0, machine));
  CHECK(db.syncs() == 0); // class fact: within a second
  pass(1s);
  CHECK(db.syncs() == 1);
  std::error_code ec;
  const auto value = db.get(storage::family::inventory, storage::keys::section(mill.bytes, 1), ec);
  REQUIRE(value);
  storage::record::section record;
  REQUIRE_FALSE(storage::records::decode(*value, record));
  std::string content;
  REQUIRE_FALSE(storage::decompress(record.compressed(), 1024, content));
  CHECK(content == machine.bytes);
  CHECK(record.bytes() == machine.bytes.size());
  CHECK(record.received_ms() == now_us / 1000);
}

TEST_CASE_FIXTURE(sync_world, "the index follows the list: what went is gone, what came is there") {
  sync_applications({"bash", "openssl", "vim"});
  CHECK(indexed() == names{"bash", "openssl", "vim"});
  sync_applications({"bash", "emacs"});
  CHECK(indexed() == names{"bash", "emacs"});
  sync_applications({});
  CHECK(indexed().empty());
}

TEST_CASE_FIXTURE(sync_world, "a section may come in many parts") {
  names many;
  for (int i = 0; i < 500; ++i)
    many.push_back("application-" + std::to_string(i * 7919));
  const auto content = applications(many);
  auto at = begin({section_digest{}, content.digest});
  const std::size_t part = content.packed.size() / 9;
  for (std::size_t i = 0; i < 9; ++i)
    say(at, chunk(1, content.digest, content.packed.substr(i * part, part), false));
  say(at, chunk(1, content.digest, content.packed.substr(9 * part), true));
  CHECK(at.link->last() == says::kSyncDone);
  CHECK(indexed().size() == 500);
  CHECK(at.link->credit == session_limits::frames_in_flight);
}

// -- sync requests --------------------------------------------------------------------------------

TEST_CASE_FIXTURE(sync_world,
                  "a kept connection syncs again; what agrees costs one message each way") {
  auto at = welcome();
  const auto machine = facts("mill");
  held[0] = machine.digest;
  say(at, sync_request({machine.digest}));
  REQUIRE(at.link->last() == says::kSyncPlan);
  CHECK(at.link->sent.back().sync_plan().wanted_size() == 0);
  CHECK(at.link->count(says::kSyncDone) == 0);
  CHECK(outcomes.size() == 2);
  CHECK(outcomes[1]->statistics->uptime_s == 43);
  const auto renamed = facts("windmill");
  say(at, sync_request({renamed.digest}));
  REQUIRE(at.link->last() == says::kSyncPlan);
  CHECK(at.link->sent.back().sync_plan().wanted_size() == 1);
  say(at, chunk(0, renamed));
  CHECK(at.link->last() == says::kSyncDone);
  CHECK(outcomes.back()->host_name == "windmill");
  CHECK(children_alive() == 0);
  CHECK(at.link->credit == session_limits::frames_in_flight);
}

TEST_CASE_FIXTURE(sync_world, "a second sync request while one is in progress is refused") {
  auto at = begin_facts();
  say(at, sync_request());
  check_refused(at, wire::refusal_protocol, "a sync is already in progress");
  CHECK(children_alive() == 0);
}

TEST_CASE_FIXTURE(sync_world, "a device that is forgotten meanwhile cannot sync") {
  auto at = welcome();
  is_known = false;
  say(at, sync_request({facts("mill").digest}));
  check_refused(at, wire::refusal_limit, "the device is no longer known");
}

// -- what is refused ------------------------------------------------------------------------------

TEST_CASE("whatever an agent gets wrong in a sync ends its connection with a sentence") {
  const auto machine = facts("mill");
  const auto installed = applications({"bash"});
  const auto long_name = applications({std::string(1025, 'n')});
  const auto nameless = applications({""});
  const content damaged{"\xff\xff"};
  const content long_host = facts(std::string(256, 'h'));
  auto wrong_digest = machine.digest;
  wrong_digest[0] ^= 1;
  using world = session_world;
  struct expectation {
    const char* name;
    std::vector<wire::agent_message> said;
    std::string text;
    wire::refusal reason = wire::refusal_protocol;
  };
  const std::string huge(256 * 1024 + 1, '\0');
  const std::vector<expectation> table = {
    {"not asked for", {world::chunk(2, machine)}, "a section that was not asked for"},
    {"no such section", {world::chunk(7, machine)}, "a section that was not asked for"},
    {"section zero",
     {world::chunk(static_cast<std::size_t>(-1), machine)},
     "a section that was not asked for"},
    {"twice",
     {world::chunk(0, machine), world::chunk(0, machine)},
     "a section that was not asked for"},
    {"mixed sections",
     {world::chunk(0, machine.digest, machine.packed.substr(0, 3), false),
      world::chunk(1, installed)},
     "the parts of two sections are mixed"},
    {"mixed digests",
     {world::chunk(0, machine.digest, machine.packed.substr(0, 3), false),
      world::chunk(0, wrong_digest, machine.packed.substr(3), true)},
     "the parts of two sections are mixed"},
    {"short digest",
     {[&] {
       auto out = world::chunk(0, machine);
       out.mutable_section_chunk()->set_digest("short");
       return out;
     }()},
     "a section digest must have 16 bytes"},
    {"wrong digest",
     {world::chunk(0, wrong_digest, machine.packed, true)},
     "the section's digest does not fit its content"},
    {"no zstd",
     {world::chunk(0, machine.digest, "not compressed at all", true)},
     "a section is damaged"},
    {"cut",
     {world::chunk(0, machine.digest, machine.packed.substr(0, 9), true)},
     "a section is damaged"},
    {"more behind the end",
     {world::chunk(0, machine.digest, machine.packed + "more", true)},
     "a section is damaged"},
    {"empty part",
     {world::chunk(0, machine.digest, "", false)},
     "a section comes in too many parts",
     wire::refusal_limit},
    {"huge part",
     {world::chunk(0, machine.digest, huge, true)},
     "a part of a section is longer than 256 KB"},
    {"bomb",
     {world::chunk(0, machine.digest, bomb(256 * 1024 + 1), true)},
     "a section is larger than it may be",
     wire::refusal_limit},
    {"larger bomb",
     {world::chunk(1, machine.digest, bomb(100'000'000), true)},
     "a section is larger than it may be",
     wire::refusal_limit},
    {"no message", {world::chunk(0, damaged)}, "the device facts cannot be read"},
    {"no list", {world::chunk(1, damaged)}, "the list of applications cannot be read"},
    {"long name", {world::chunk(1, long_name)}, "a text of an application is longer than 1 KB"},
    {"no name", {world::chunk(1, nameless)}, "an application has no name"},
    {"long host", {world::chunk(0, long_host)}, "the host name is longer than 255 bytes"},
  };
  for (const auto& one : table) {
    CAPTURE(one.name);
    sync_world test;
    auto at = test.begin({machine.digest, installed.digest});
    for (const auto& message : one.said)
      at.link->deliver(message.SerializeAsString());
    test.settle();
    test.check_refused(at, one.reason, one.text);
    CHECK(test.children_alive() == 0);
    CHECK(test.outcomes.empty());
    CHECK(test.indexed().empty());
    CHECK(test.services->syncs->bytes_held() == 0);
  }
}

TEST_CASE_FIXTURE(sync_world, "a flood of tiny parts is cut off") {
  auto at = begin_facts();
  std::uint32_t parts = 0;
  // A frame of zstd's that goes on and on: raw blocks of one byte.
  std::string head("\x28\xb5\x2f\xfd\x00\x58", 6);
  say(at, chunk(0, facts("mill").digest, head, false));
  while (!at.link->closed && ++parts < 1000)
    say(at, chunk(0, facts("mill").digest, std::string("\x08\x00\x00z", 4), false));
  CHECK(parts == session_limits::section_parts_max);
  check_refused(at, wire::refusal_limit, "a section comes in too many parts");
}
