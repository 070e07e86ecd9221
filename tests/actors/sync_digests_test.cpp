// What the directory believes of the store while sections are replaced; with the real directory.
#include "actors/server/directory.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "tests/actors/session_world.hpp"

#include <span>

using namespace muster;
using namespace muster::test;

namespace {

struct digests_world : session_world {
  digests_world() {
    storage::record::device record;
    record.set_id(mill.raw());
    record.set_certificate_sha256(std::string(32, '\x09')); // what connect() shows
    record.set_key_sha256(std::string(32, '\x09'));
    record.set_certificate_expires_s(now_us / 1'000'000 + 86'400);
    record.set_fingerprint(std::string(16, 'f'));
    record.set_host_name("mill");
    const storage::change_batch batch{storage::put(storage::family::devices,
                                                   storage::keys::device(mill.bytes),
                                                   storage::records::encode(record))};
    REQUIRE_FALSE(db.write_sync(std::span<const storage::change_batch>(&batch, 1)));
    services->directories = {start_directory(db)};
  }

  directory_actor start_directory(const storage::memory_store& from) {
    std::error_code ec;
    auto loaded = load_directory(from, 1, ec);
    REQUIRE_FALSE(ec);
    directory_options options;
    options.loaded = std::move(loaded.front());
    options.writer = services->writer;
    options.readers = services->readers;
    options.event_book = services->event_book;
    options.now = [this] { return now_us; };
    return host(directory, std::move(options));
  }

  section_digests known(const directory_actor& to) {
    const auto page = ask<device_page_ptr>(to, atom::find_v, mill);
    REQUIRE(page->rows.size() == 1);
    return page->rows.front().digests;
  }

  connection greet(const section_digests& digests) {
    auto message = hello(digests);
    message.mutable_hello()->set_counter(++counter);
    auto at = connect();
    say(at, message);
    REQUIRE(at.link->last() == says::kWelcome);
    return at;
  }

  /// The machine is as `first`; while it hands over `second`, the connection breaks.
  void break_off(const content& first, const content& second) {
    auto at = greet({first.digest});
    say(at, chunk(0, first));
    REQUIRE(at.link->last() == says::kSyncDone);
    REQUIRE(known(services->directories[0])[0] == first.digest);
    at.link->end();
    settle();
    auto broken = greet({second.digest, applications({"bash"}).digest});
    say(broken, chunk(0, second)); // stored; the applications never come
    broken.link->end();
    settle();
  }

  std::uint64_t counter = 0;
};

} // namespace

TEST_CASE_FIXTURE(digests_world,
                  "a machine that is again as before a sync that broke off is asked again") {
  const auto before = facts("mill");
  break_off(before, facts("windmill"));
  CHECK(known(services->directories[0])[0] == section_digest{});
  auto at = greet({before.digest});
  REQUIRE(at.link->sent[0].welcome().plan().wanted_size() == 1);
  say(at, chunk(0, before));
  CHECK(at.link->last() == says::kSyncDone);
  CHECK(known(services->directories[0])[0] == before.digest);
}

TEST_CASE_FIXTURE(digests_world,
                  "a server that dies in the middle of a sync believes no digest from before") {
  break_off(facts("mill"), facts("windmill"));
  CHECK(known(start_directory(db))[0] == section_digest{});
}

TEST_CASE_FIXTURE(digests_world,
                  "the old digest is gone from the disk before the section is touched") {
  const auto before = facts("mill");
  const auto after = facts("windmill");
  auto at = greet({before.digest});
  say(at, chunk(0, before));
  at.link->end();
  settle();
  const auto section = [&] {
    std::error_code ec;
    return db.get(storage::family::inventory, storage::keys::section(mill.bytes, 1), ec);
  };
  const auto old = section();
  REQUIRE(old);
  auto again = greet({after.digest});
  again.link->deliver(chunk(0, after).SerializeAsString());
  while (section() == old)
    REQUIRE(sched.try_run_once());
  std::error_code ec;
  const auto loaded = load_directory(db, 1, ec); // what a start would find at this moment
  REQUIRE_FALSE(ec);
  const auto* const entry = loaded.front().devices->find(mill);
  REQUIRE(entry != nullptr);
  CHECK(entry->digests[0] == section_digest{});
  settle();
  CHECK(again.link->last() == says::kSyncDone);
  CHECK(known(services->directories[0])[0] == after.digest);
}
