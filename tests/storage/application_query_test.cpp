// Applications of the fleet, both ways.

#include "storage/application_query.hpp"
#include "storage/records.hpp"
#include "tests/storage/store_kinds.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

using namespace muster;
using namespace muster::storage;
using test::memory_kind;
using test::rocks_kind;

namespace {

keys::device_bytes device_number(std::uint8_t number) {
  keys::device_bytes out{};
  out.back() = number;
  return out;
}

using row = std::tuple<std::string, std::string, std::string, std::string>;

/// Installs, and remembers who has what.
struct fleet {
  store& db;
  std::map<row, std::set<keys::device_bytes>> all = {};

  void install(std::uint8_t device, const row& what) {
    const auto& [name, version, architecture, manager] = what;
    const change_batch batch{put(
      family::index,
      keys::application({name, version, architecture, manager, device_number(device)}), {})};
    REQUIRE_FALSE(db.write({&batch, 1}));
    all[what].insert(device_number(device));
  }

  void name(std::uint8_t device, const std::string& host_name) {
    record::device record;
    record.set_host_name(host_name);
    const change_batch batch{
      put(family::devices, keys::device(device_number(device)), records::encode(record))};
    REQUIRE_FALSE(db.write({&batch, 1}));
  }
};

std::vector<std::pair<row, std::uint64_t>> all_counts(const store& db, application_query query) {
  std::vector<std::pair<row, std::uint64_t>> out;
  for (int pages = 0; pages < 10'000; ++pages) {
    application_page page;
    REQUIRE_FALSE(count_applications(db, query, page));
    REQUIRE(page.applications.size() <= query.limit);
    for (const auto& a : page.applications)
      out.emplace_back(row{a.name, a.version, a.architecture, a.manager}, a.devices);
    if (!page.more)
      return out;
    REQUIRE_FALSE(page.applications.empty());
    query.after = page.applications.back();
  }
  FAIL("the pages do not end");
  return out;
}

std::vector<std::pair<row, keys::device_bytes>> all_owners(const store& db, owner_query query) {
  std::vector<std::pair<row, keys::device_bytes>> out;
  for (int pages = 0; pages < 10'000; ++pages) {
    owner_page page;
    REQUIRE_FALSE(find_owners(db, query, page));
    REQUIRE(page.owners.size() <= query.limit);
    for (const auto& o : page.owners)
      out.emplace_back(row{query.name, o.version, o.architecture, o.manager}, o.device);
    if (!page.more)
      return out;
    REQUIRE_FALSE(page.owners.empty());
    query.after = page.owners.back();
  }
  FAIL("the pages do not end");
  return out;
}

} // namespace

TEST_CASE_TEMPLATE("applications are counted by version, in pages of any size", Kind, memory_kind,
                   rocks_kind) {
  Kind kind;
  fleet f{kind.get()};
  std::mt19937 random(7);
  const std::vector<std::string> names{"bash", "libssl3", "openssl", "openssl-tool", "zz"};
  for (int i = 0; i < 500; ++i)
    f.install(static_cast<std::uint8_t>(random() % 40),
              {names[random() % names.size()], random() % 3 == 0 ? "1.0" : "1.0-2",
               random() % 2 == 0 ? "amd64" : "all", "dpkg"});
  for (const std::string prefix : {"", "open", "openssl", "openssl-", "q"}) {
    for (const std::size_t limit : {1U, 3U, 1000U}) {
      std::vector<std::pair<row, std::uint64_t>> expected;
      for (const auto& [what, owners] : f.all)
        if (std::get<0>(what).starts_with(prefix))
          expected.emplace_back(what, owners.size());
      CAPTURE(prefix);
      CAPTURE(limit);
      CHECK(all_counts(kind.get(), {.prefix = prefix, .limit = limit}) == expected);
      CHECK(all_counts(kind.get(), {.prefix = prefix, .limit = limit, .entries_max = 1})
            == expected);
    }
  }
}

TEST_CASE("an exact name is not a prefix") {
  memory_kind kind;
  fleet f{kind.get()};
  f.install(1, {"openssl", "3", "amd64", "dpkg"});
  f.install(1, {"openssl-tool", "3", "amd64", "dpkg"});
  CHECK(all_counts(kind.get(), {.name = "openssl"}).size() == 1);
  CHECK(all_counts(kind.get(), {.name = "open"}).empty());
}

TEST_CASE("the bound on entries ends a page between two rows, never inside one") {
  memory_kind kind;
  fleet f{kind.get()};
  for (std::uint8_t device = 0; device < 10; ++device) {
    f.install(device, {"a", "1", "all", "dpkg"});
    f.install(device, {"b", "1", "all", "dpkg"});
  }
  application_page page;
  REQUIRE_FALSE(count_applications(kind.get(), {.entries_max = 3}, page));
  REQUIRE(page.applications.size() == 1);
  CHECK(page.applications.front().devices == 10);
  CHECK(page.more);
}

TEST_CASE_TEMPLATE("owners of a name and of a version, in pages of any size, with their names",
                   Kind, memory_kind, rocks_kind) {
  Kind kind;
  fleet f{kind.get()};
  for (std::uint8_t device = 0; device < 30; ++device) {
    f.name(device, "host-" + std::to_string(device));
    f.install(device, {"openssl", device % 3 == 0 ? "3.0" : "3.1", "amd64", "dpkg"});
    f.install(device, {"openssl-tool", "9", "amd64", "dpkg"});
  }
  std::vector<std::pair<row, keys::device_bytes>> expected;
  for (const auto& [what, owners] : f.all)
    for (const auto& device : owners)
      if (std::get<0>(what) == "openssl")
        expected.emplace_back(what, device);
  for (const std::size_t limit : {1U, 7U, 30U, 1000U})
    CHECK(all_owners(kind.get(), {.name = "openssl", .limit = limit}) == expected);
  CHECK(all_owners(kind.get(), {.name = "openssl", .version = "3.0", .limit = 4}).size() == 10);
  CHECK(all_owners(kind.get(), {.name = "openssl", .version = "3"}).empty());

  owner_page page;
  REQUIRE_FALSE(find_owners(kind.get(), {.name = "openssl", .version = "3.0"}, page));
  REQUIRE_FALSE(page.owners.empty());
  CHECK(page.owners.front().device_name == "host-0");
}

TEST_CASE("an owner is called what it calls itself now, and by its first name until it reports") {
  memory_kind kind;
  fleet f{kind.get()};
  f.install(1, {"a", "1", "all", "dpkg"});
  f.install(2, {"a", "1", "all", "dpkg"});
  f.name(1, "old-1");
  f.name(2, "old-2");
  record::device_report report;
  report.set_host_name("new-1");
  const change_batch batch{put(family::devices, keys::device_report(device_number(1)),
                               records::encode(report))};
  REQUIRE_FALSE(kind.get().write({&batch, 1}));
  owner_page page;
  REQUIRE_FALSE(find_owners(kind.get(), {.name = "a"}, page));
  REQUIRE(page.owners.size() == 2);
  CHECK(page.owners[0].device_name == "new-1");
  CHECK(page.owners[1].device_name == "old-2");
}

TEST_CASE("an owner without a record has no name") {
  memory_kind kind;
  fleet f{kind.get()};
  f.install(1, {"a", "1", "all", "dpkg"});
  owner_page page;
  REQUIRE_FALSE(find_owners(kind.get(), {.name = "a"}, page));
  REQUIRE(page.owners.size() == 1);
  CHECK(page.owners.front().device_name.empty());
}

TEST_CASE("a store that cannot read says so to both questions") {
  memory_kind kind;
  kind.subject.fail_reads(errc::io_error);
  application_page page;
  owner_page owners;
  CHECK(count_applications(kind.get(), {}, page) == errc::io_error);
  CHECK(find_owners(kind.get(), {.name = "a"}, owners) == errc::io_error);
}
