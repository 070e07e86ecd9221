// What every store promises (storage/store.hpp), asked of the one in memory and of both kinds of
// the one on disk.

#include "storage/errc.hpp"
#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "storage/rocks_store.hpp"
#include "tests/temp_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

using namespace muster;
using namespace muster::storage;

namespace {

struct memory_kind {
  memory_store subject;
  store& get() { return subject; }
};

template <rocks_options::size Profile>
struct rocks_kind {
  test::temp_directory directory;
  std::error_code ec;
  std::string problem;
  std::unique_ptr<store> subject =
    open_rocks_store({.directory = directory.path() / "db", .profile = Profile}, ec, problem);
  store& get() {
    REQUIRE_MESSAGE(subject != nullptr, problem);
    return *subject;
  }
};

using server_kind = rocks_kind<rocks_options::size::server>;
using spool_kind = rocks_kind<rocks_options::size::spool>;

using row = std::pair<std::string, std::string>;
using rows = std::vector<row>;

constexpr family all_families[] = {family::meta,  family::devices, family::inventory,
                                   family::index, family::events,  family::audit};

std::error_code write(store& subject, change_batch batch) {
  return subject.write({&batch, 1});
}

std::optional<std::string> read(const store& subject, family f, std::string_view key) {
  std::error_code ec;
  auto out = subject.get(f, key, ec);
  CHECK_FALSE(ec);
  return out;
}

rows list(const store& subject, family f, const key_range& range = {}, bool reverse = false,
          std::size_t limit = SIZE_MAX) {
  rows out;
  const auto ec = subject.scan(f, range, reverse, [&](auto key, auto value) {
    out.emplace_back(key, value);
    return out.size() < limit;
  });
  CHECK_FALSE(ec);
  return out;
}

/// Everything but the mark a store on disk makes for itself.
std::size_t count(const store& subject, family f) {
  auto all = list(subject, f);
  std::erase_if(all,
                [&](const row& one) { return f == family::meta && one.first == keys::schema(); });
  return all.size();
}

} // namespace

TYPE_TO_STRING(memory_kind);
TYPE_TO_STRING(server_kind);
TYPE_TO_STRING(spool_kind);
#define EVERY_KIND memory_kind, server_kind, spool_kind

TEST_CASE_TEMPLATE("what is written is read, in its own family only", Kind, EVERY_KIND) {
  Kind kind;
  auto& subject = kind.get();
  for (const auto f : all_families) {
    const auto value = std::to_string(static_cast<int>(f));
    REQUIRE_FALSE(write(subject, {put(f, "key", value), put(f, "empty", ""),
                                  put(f, std::string("\0\xff", 2), "binary")}));
  }
  for (const auto f : all_families) {
    CHECK(read(subject, f, "key") == std::to_string(static_cast<int>(f)));
    CHECK(read(subject, f, "empty") == "");
    CHECK(read(subject, f, std::string("\0\xff", 2)) == "binary");
    CHECK_FALSE(read(subject, f, "ke"));
    CHECK(count(subject, f) == 3);
  }
}

TEST_CASE_TEMPLATE("the changes of all batches happen in order", Kind, EVERY_KIND) {
  Kind kind;
  auto& subject = kind.get();
  const std::vector<change_batch> batches{
    {put(family::meta, "u1", "first"), put(family::meta, "u2", "x"), put(family::meta, "u3", "x")},
    {erase(family::meta, "u2"), put(family::meta, "u1", "second"),
     erase(family::meta, "never there")},
    {erase_range(family::meta, "u3", "u4"), put(family::meta, "u4", "after")},
  };
  REQUIRE_FALSE(subject.write_sync(batches));
  CHECK(list(subject, family::meta, {"u", "v"}) == rows{{"u1", "second"}, {"u4", "after"}});
}

TEST_CASE_TEMPLATE("a range is erased up to its end and no further", Kind, EVERY_KIND) {
  Kind kind;
  auto& subject = kind.get();
  for (const auto f : all_families) {
    REQUIRE_FALSE(write(subject, {put(f, "a", ""), put(f, "b", ""), put(f, "b1", ""),
                                  put(f, "c", ""), put(f, "\xff\xff", "")}));
  }
  REQUIRE_FALSE(write(subject, {erase_range(family::events, "b", "c")}));
  CHECK(list(subject, family::events) == rows{{"a", ""}, {"c", ""}, {"\xff\xff", ""}});
  REQUIRE_FALSE(write(subject, {erase_range(family::events, "c", "a")})); // upside down: nothing
  REQUIRE_FALSE(write(subject, {erase_range(family::events, "c", "c")}));
  CHECK(list(subject, family::events).size() == 3);
  REQUIRE_FALSE(write(subject, {erase_range(family::events, "b", "")})); // open end
  CHECK(list(subject, family::events) == rows{{"a", ""}});
  CHECK(count(subject, family::audit) == 5);
  CHECK(count(subject, family::index) == 5);
}

TEST_CASE_TEMPLATE("scans obey bounds, direction and the visitor", Kind, EVERY_KIND) {
  Kind kind;
  auto& subject = kind.get();
  change_batch batch;
  for (const auto* key : {"a", "ab", "b", "c", "d"})
    batch.push_back(put(family::devices, key, key));
  batch.push_back(put(family::meta, "z", ""));
  batch.push_back(put(family::inventory, "", "empty key"));
  REQUIRE_FALSE(write(subject, batch));

  const auto keys_of = [&](const key_range& range, bool reverse, std::size_t limit = SIZE_MAX) {
    std::string out;
    for (const auto& [key, value] : list(subject, family::devices, range, reverse, limit))
      out += key + ' ';
    return out;
  };
  CHECK(keys_of({}, false) == "a ab b c d ");
  CHECK(keys_of({}, true) == "d c b ab a ");
  CHECK(keys_of({"ab", "d"}, false) == "ab b c ");
  CHECK(keys_of({"ab", "d"}, true) == "c b ab ");
  CHECK(keys_of({"aa", ""}, true) == "d c b ab ");
  CHECK(keys_of({"", "b"}, true) == "ab a ");
  CHECK(keys_of({"x", ""}, false) == "");
  CHECK(keys_of({"x", ""}, true) == "");
  CHECK(keys_of({"c", "a"}, false) == "");
  CHECK(keys_of({"c", "a"}, true) == "");
  CHECK(keys_of({"c", "c"}, false) == "");
  CHECK(keys_of({}, false, 2) == "a ab ");
  CHECK(keys_of({}, true, 1) == "d ");
  CHECK(list(subject, family::inventory) == rows{{"", "empty key"}});
}

TEST_CASE_TEMPLATE("a visitor may read the store it is shown", Kind, EVERY_KIND) {
  Kind kind;
  auto& subject = kind.get();
  REQUIRE_FALSE(write(subject, {put(family::index, "a", ""), put(family::events, "a", "found")}));
  std::string found;
  const auto ec = subject.scan(family::index, {}, false, [&](auto key, auto) {
    found = read(subject, family::events, key).value_or("");
    return true;
  });
  CHECK_FALSE(ec);
  CHECK(found == "found");
}

TEST_CASE_TEMPLATE("any history of changes leaves what a map would", Kind, EVERY_KIND) {
  Kind kind;
  auto& subject = kind.get();
  std::map<std::string, std::string> model;
  std::mt19937 random(42);
  const auto any_key = [&] {
    return std::string(1 + random() % 2, static_cast<char>('a' + random() % 8));
  };
  for (int round = 0; round < 300; ++round) {
    change_batch batch;
    for (auto changes = random() % 5; changes > 0; --changes) {
      const auto key = any_key();
      switch (random() % 3) {
      case 0:
        batch.push_back(erase(family::audit, key));
        model.erase(key);
        break;
      case 1: {
        auto end = any_key();
        batch.push_back(erase_range(family::audit, key, end));
        if (key < end)
          model.erase(model.lower_bound(key), model.lower_bound(end));
        break;
      }
      default:
        batch.push_back(put(family::audit, key, std::to_string(round)));
        model[key] = std::to_string(round);
      }
    }
    const auto ec = round % 7 == 0 ? subject.write_sync({&batch, 1}) : subject.write({&batch, 1});
    REQUIRE_FALSE(ec);
    if (round % 10 == 0)
      CHECK(list(subject, family::audit) == rows(model.begin(), model.end()));
  }
  CHECK(list(subject, family::audit) == rows(model.begin(), model.end()));
  CHECK(list(subject, family::audit, {}, true) == rows(model.rbegin(), model.rend()));
}

TEST_CASE_TEMPLATE("readers see whole batches while the writer works", Kind, EVERY_KIND) {
  Kind kind;
  auto& subject = kind.get();
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  REQUIRE_FALSE(write(subject, {put(family::index, "a", "0"), put(family::index, "b", "0")}));
  std::thread reader([&] {
    while (!done) {
      std::vector<std::string> values;
      const auto ec = subject.scan(family::index, {}, false, [&](auto, auto value) {
        values.emplace_back(value);
        return true;
      });
      if (ec || values.size() != 2 || values[0] != values[1])
        ++torn;
    }
  });
  for (int i = 1; i <= 500; ++i) {
    const auto value = std::to_string(i);
    const change_batch batch{put(family::index, "a", value), put(family::index, "b", value)};
    if (subject.write({&batch, 1}))
      ++torn;
  }
  done = true;
  reader.join();
  CHECK(torn == 0);
}

TEST_CASE_TEMPLATE("empty writes and syncs are fine", Kind, EVERY_KIND) {
  Kind kind;
  auto& subject = kind.get();
  CHECK_FALSE(subject.write({}));
  CHECK_FALSE(subject.write_sync({}));
  CHECK_FALSE(subject.sync());
  CHECK_FALSE(write(subject, {}));
  CHECK(subject.measure().free_bytes > 0);
}

TEST_CASE_TEMPLATE("space grows with what is stored", Kind, EVERY_KIND) {
  Kind kind;
  auto& subject = kind.get();
  const auto before = subject.measure().used_bytes;
  REQUIRE_FALSE(write(subject, {put(family::inventory, "s", std::string(100'000, 'x'))}));
  CHECK(subject.measure().used_bytes >= before + 100'000);
}

TEST_CASE_TEMPLATE("the size of a range is of the order of what is in it", Kind, EVERY_KIND) {
  Kind kind;
  auto& subject = kind.get();
  std::mt19937_64 random(7); // what repeats itself would be compressed
  const auto fill = [&](char first) {
    change_batch batch;
    for (int i = 0; i < 2'000; ++i) {
      std::string value(500, '\0');
      for (auto& c : value)
        c = static_cast<char>(random());
      batch.push_back(put(family::events, std::string(1, first) + std::to_string(i), value));
    }
    REQUIRE_FALSE(write(subject, std::move(batch)));
  };
  fill('a');
  fill('c');
  // What RocksDB still holds in memory it only guesses, by the height of a skip list.
  const auto about = [](std::uint64_t bytes) { return bytes > 100'000 && bytes < 10'000'000; };
  CHECK(about(subject.measure(family::events, {"a", "b"})));
  CHECK(about(subject.measure(family::events, {"b", ""})));
  CHECK(subject.measure(family::events, {"b", "c"}) < 100'000);
  CHECK(subject.measure(family::events, {"d", "c"}) == 0);
  CHECK(subject.measure(family::audit, {}) < 100'000);
}
