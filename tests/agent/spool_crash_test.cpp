// What a power loss at any moment leaves of a spool.
#include "storage/memory_store.hpp"
#include "tests/agent/spool_world.hpp"

#include <algorithm>
#include <functional>

using namespace muster;
using namespace muster::test;
using strings = std::vector<std::string>;

namespace {

/// What must hold if the power goes now.
struct moment {
  std::unique_ptr<storage::memory_store> left; ///< by the disk
  strings promised;                            ///< answered, not acknowledged by the server
  strings raised;                              ///< every text ever tried
};

/// A life whose every sync is a moment of possible death.
struct dangerous_life {
  storage::memory_store db;
  std::vector<moment> moments;
  strings promised;
  strings raised;

  dangerous_life() {
    db.on_sync([this] { note(); });
  }
  void note() { moments.push_back({db.after_power_loss(), promised, raised}); }

  void raise(spool_life& life, const std::string& text, severity how = severity::info) {
    raised.push_back(text);
    life.raise(text, how);
    promised.push_back(text);
    note();
  }
};

strings without_gaps(const std::vector<named_event>& events) { return texts_of(events); }

bool is_subsequence(const strings& small, const strings& large) {
  auto at = large.begin();
  for (const auto& one : small) {
    at = std::find(at, large.end(), one);
    if (at == large.end())
      return false;
    ++at;
  }
  return true;
}

/// Nothing promised is missing, nothing is there twice, order is kept, numbers are gapless.
void check(const moment& now) {
  spool_life after{*now.left};
  const auto events = after.all();
  const auto texts = without_gaps(events);
  CHECK(is_subsequence(now.promised, texts));
  CHECK(is_subsequence(texts, now.raised));
  CHECK(check_gapless(events) == 0);
  after.raise("afterwards");
  CHECK(without_gaps(after.all()).back() == "afterwards");
  CHECK(check_gapless(after.all()) == 0);
}

} // namespace

TEST_CASE("a power loss at any commit loses nothing that was answered and doubles nothing") {
  dangerous_life d;
  for (int start = 0; start < 3; ++start) {
    spool_life life{d.db};
    for (int i = 0; i < 6; ++i)
      d.raise(life, std::to_string(start) + "." + std::to_string(i));
    if (start == 1) {
      // The server has everything up to here; erased now or sent again later.
      const auto events = life.all();
      const auto& upto = events[events.size() - 3];
      life.acknowledge({upto.epoch, upto.item.sequence});
      d.promised.assign(d.promised.end() - 2, d.promised.end());
      d.note();
    }
  }
  CHECK(d.moments.size() > 30);
  for (const auto& now : d.moments)
    check(now);
}

TEST_CASE("a power loss around a renumbering leaves all old names or all new ones") {
  dangerous_life d;
  spool_life first{d.db};
  for (int i = 0; i < 4; ++i)
    d.raise(first, "a" + std::to_string(i));
  spool_life second{d.db};
  for (int i = 0; i < 4; ++i)
    d.raise(second, "b" + std::to_string(i));
  const auto before = second.all();
  const auto begin = d.moments.size();
  second.ask<caf::ok_atom>(second.spool, atom::renumber_v,
                           event_position{before[0].epoch, before[1].item.sequence});
  d.promised.erase(d.promised.begin(), d.promised.begin() + 2);
  d.note();
  const auto renamed = second.all();
  CHECK(without_gaps(renamed) == strings{"a2", "a3", "b0", "b1", "b2", "b3"});
  for (std::size_t i = 0; i < renamed.size(); ++i) {
    CHECK(renamed[i].epoch == renamed[0].epoch);
    CHECK(renamed[i].item.sequence == i + 1);
  }
  CHECK(renamed[0].epoch != before[0].epoch);
  CHECK(renamed[0].epoch != before[5].epoch);
  d.raise(second, "b4");
  CHECK(second.all().back().epoch == renamed[0].epoch);
  CHECK(second.all().back().item.sequence == 7);
  for (auto i = begin; i < d.moments.size(); ++i) {
    spool_life after{*d.moments[i].left};
    const auto found = after.all();
    const auto as = [&](const std::vector<named_event>& whole) {
      return found.size() <= whole.size() && !found.empty() && found[0].epoch == whole[0].epoch;
    };
    CHECK((as(before) || as(second.all())));
    check(d.moments[i]);
  }
}

TEST_CASE("a renumbering that the disk refuses changes nothing") {
  storage::memory_store db;
  spool_life life{db};
  life.raise("1");
  life.raise("2");
  const auto before = life.all();
  db.fail_next_writes(1, storage::errc::io_error);
  CHECK_FALSE(life.try_ask<caf::ok_atom>(life.spool, atom::renumber_v, event_position{}));
  const auto after = life.all();
  REQUIRE(after.size() == 2);
  CHECK(after[0].epoch == before[0].epoch);
  life.ask<caf::ok_atom>(life.spool, atom::renumber_v, event_position{});
  CHECK(life.all()[0].epoch != before[0].epoch);
}

TEST_CASE("a process that was put back keeps what it raised since, whatever the server holds") {
  storage::memory_store db;
  spool_life life{db};
  for (int i = 1; i <= 3; ++i)
    life.raise(std::to_string(i));
  // The server holds more of this epoch than was ever raised here: those were others.
  const auto epoch = life.next({})->epoch;
  life.ask<caf::ok_atom>(life.spool, atom::renumber_v, event_position{epoch, 80});
  CHECK(texts_of(life.all({epoch, 80})) == strings{"1", "2", "3"});
  CHECK(life.all()[0].epoch != epoch);
  // The same when nobody says so and only the position tells.
  const auto again = life.all()[0].epoch;
  life.acknowledge({again, 99});
  CHECK(texts_of(life.all({again, 99})) == strings{"1", "2", "3"});
  CHECK(life.all()[0].epoch != again);
}

TEST_CASE("new names survive a restart, and a second renumbering") {
  storage::memory_store db;
  {
    spool_life life{db};
    life.raise("1");
    life.raise("2");
    life.ask<caf::ok_atom>(life.spool, atom::renumber_v, event_position{});
    life.raise("3");
  }
  spool_life life{db};
  life.raise("4");
  auto events = life.all();
  REQUIRE(events.size() == 4);
  CHECK(events[2].epoch == events[0].epoch);
  CHECK(events[2].item.sequence == 3);
  CHECK(events[3].epoch != events[0].epoch);
  life.ask<caf::ok_atom>(life.spool, atom::renumber_v,
                         event_position{events[0].epoch, 2});
  spool_life last{db};
  events = last.all();
  CHECK(texts_of(events) == strings{"3", "4"});
  CHECK(events[0].epoch == events[1].epoch);
  CHECK(events[0].item.sequence == 1);
  CHECK(events[1].item.sequence == 2);
}
