#pragma once
// A policy book on the real writer and a store in memory, in front of shards that write down what
// they are told.

#include "actors/errc.hpp"
#include "actors/rules/fleet_spec.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_json.hpp"
#include "actors/rules/shard.hpp"
#include "actors/server/policy_book.hpp"
#include "actors/server/policy_book_limits.hpp"
#include "storage/audit_query.hpp"
#include "storage/fleet_history_query.hpp"
#include "storage/memory_store.hpp"
#include "storage/records.hpp"
#include "storage/store_writer_actor.hpp"
#include "tests/actor_world.hpp"

#include <caf/event_based_actor.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace muster::test {

using namespace muster::actors;
using storage::family;
using storage::memory_store;

/// What a shard was told, in its order.
struct told_shard {
  struct word {
    fleet_snapshot_ptr fleet; ///< null: documents of one device
    device_id device;
    own_documents_ptr own;
  };
  std::vector<word> words;
  std::set<device_id> devices; ///< that it knows

  [[nodiscard]] std::size_t fleets() const {
    return static_cast<std::size_t>(std::count_if(
      words.begin(), words.end(), [](const word& one) { return one.fleet != nullptr; }));
  }
};
using told_shards = std::shared_ptr<std::vector<told_shard>>;

inline caf::behavior play_told_shard(caf::event_based_actor*, const told_shards& all,
                                     std::size_t number) {
  return {
    [=](atom::publish, const fleet_snapshot_ptr& fleet) {
      (*all)[number].words.push_back({fleet, {}, nullptr});
    },
    [=](atom::publish, const device_id& device, const own_documents_ptr& own) {
      (*all)[number].words.push_back({nullptr, device, own});
    },
    [=](atom::find, const device_id& device) {
      auto out = std::make_shared<device_page>();
      if ((*all)[number].devices.contains(device))
        out->rows.emplace_back().device = device;
      return device_page_ptr{std::move(out)};
    },
  };
}

/// Outlives the actors.
struct policy_book_stage {
  std::unique_ptr<memory_store> db = std::make_unique<memory_store>();
  std::vector<std::unique_ptr<memory_store>> old_dbs;
  std::int64_t now_us = 1'700'000'000'123'456;
  told_shards shards = std::make_shared<std::vector<told_shard>>(2);
};

struct policy_book_world : policy_book_stage, actor_world {
  store_writer_actor writer;
  policy_book_actor book;
  std::vector<directory_actor> directories;

  policy_book_world() { start(); }

  void start() {
    std::error_code ec;
    policy_book_options options;
    options.loaded = load_fleet(*db, ec);
    REQUIRE_FALSE(ec);
    writer =
      host(storage::store_writer,
           storage::store_writer_options{.db = db.get(), .clock = [this] { return now_us; }});
    directories.clear();
    for (std::size_t i = 0; i < shards->size(); ++i)
      directories.push_back(caf::actor_cast<directory_actor>(host(play_told_shard, shards, i)));
    options.writer = writer;
    options.directories = directories;
    options.now = [this] { return now_us; };
    book = host(policy_book, std::move(options));
  }

  void kill_all() {
    for (const auto& one : directories)
      caf::anon_send_exit(one, caf::exit_reason::kill);
    caf::anon_send_exit(book, caf::exit_reason::kill);
    settle();
    caf::anon_send_exit(writer, caf::exit_reason::kill);
    settle();
    for (auto& shard : *shards)
      shard.words.clear();
  }
  void restart() {
    kill_all();
    start();
  }
  /// What comes back has what was synced.
  void lose_power() {
    kill_all();
    auto left = db->after_power_loss();
    old_dbs.push_back(std::exchange(db, std::move(left)));
    start();
  }

  // -- orders
  // ---------------------------------------------------------------------------------------

  static audit_entry anna() { return {"anna", "198.51.100.1", "", "", ""}; }

  static fleet_order_ptr order(std::string text, bool prune = false, bool dry_run = false) {
    auto out = std::make_shared<fleet_order>();
    out->files.push_back({"fleet.yaml", std::move(text)});
    out->prune = prune;
    out->dry_run = dry_run;
    out->who = anna();
    return out;
  }
  fleet_answer apply(std::string text, bool prune = false, bool dry_run = false) {
    return *ask<fleet_answer_ptr>(book, atom::apply_v, order(std::move(text), prune, dry_run));
  }
  /// It must go well.
  fleet_answer made(std::string text, bool prune = false) {
    auto out = apply(std::move(text), prune);
    REQUIRE_MESSAGE(out.plan.problems.empty(), out.plan.problems.front());
    return out;
  }
  fleet_answer move(std::string path, std::string new_path) {
    auto out = std::make_shared<group_order>();
    out->path = std::move(path);
    out->new_path = std::move(new_path);
    out->who = anna();
    return *ask<fleet_answer_ptr>(book, atom::apply_v, group_order_ptr{out});
  }

  static std::string group(const std::string& path, const std::string& description = "") {
    return "---\napiVersion: muster/v1\nkind: Group\nmetadata: {name: " + path + "}\n" +
           (description.empty() ? "" : "spec: {description: " + description + "}\n");
  }
  static std::string policy(const std::string& path, const std::string& application,
                            const std::string& settings, const std::string& more = "") {
    return "---\napiVersion: muster/v1\nkind: Policy\nmetadata: {name: " + application +
           ", group: " + (path.empty() ? "/" : path) + "}\nspec:\n  settings: " + settings + "\n" +
           more;
  }
  static std::string rule(const std::string& name, const std::string& target,
                          const std::string& more = "") {
    return "---\napiVersion: muster/v1\nkind: Rule\nmetadata: {name: " + name +
           "}\nspec:\n  moveTo: " + target + "\n" + more;
  }
  static std::string task(const std::string& name, const std::string& target) {
    return "---\napiVersion: muster/v1\nkind: Task\nmetadata: {name: " + name +
           "}\nspec:\n  target: " + target + "\n  action: {refresh: true}\n  schedule: now\n";
  }

  // -- own settings
  // ---------------------------------------------------------------------------------

  device_id enrol(std::uint8_t number) {
    device_id device;
    device.bytes.fill(number);
    (*shards)[rules::shard_of(device, shards->size())].devices.insert(device);
    const storage::change_batch batch{
      storage::put(family::devices, storage::keys::device(device.bytes),
                   storage::records::encode(storage::record::device{}))};
    REQUIRE_FALSE(db->write_sync({&batch, 1}));
    return device;
  }

  static rules::settings_path path(std::string_view text) {
    std::string problem;
    auto out = rules::settings_path::parse(text, problem);
    REQUIRE_MESSAGE(out, problem);
    return std::move(*out);
  }
  static rules::settings_value json(std::string_view text) {
    std::string problem;
    auto out = rules::settings_from_json(text, problem);
    REQUIRE_MESSAGE(out, problem);
    return std::move(*out);
  }

  using paths = std::vector<std::string>;
  static own_settings_order_ptr own_order(const device_id& device, std::string application,
                                          const std::map<std::string, std::string>& set,
                                          const paths& unset = {}) {
    auto out = std::make_shared<own_settings_order>();
    out->device = device;
    out->application = std::move(application);
    for (const auto& [name, value] : set)
      out->set.emplace_back(path(name), json(value));
    for (const auto& name : unset)
      out->unset.push_back(path(name));
    out->who = anna();
    return out;
  }
  fleet_answer own(const device_id& device, std::string application,
                   const std::map<std::string, std::string>& set, const paths& unset = {}) {
    return *ask<fleet_answer_ptr>(book, atom::apply_v,
                                  own_order(device, std::move(application), set, unset));
  }
  /// What the device's shard was told last; null: nothing.
  [[nodiscard]] own_documents_ptr told_own(const device_id& device) const {
    const auto& words = (*shards)[rules::shard_of(device, shards->size())].words;
    const auto last = std::find_if(words.rbegin(), words.rend(), [&](const auto& one) {
      return one.own && one.device == device;
    });
    return last == words.rend() ? nullptr : last->own;
  }

  // -- looking
  // --------------------------------------------------------------------------------------

  fleet_snapshot_ptr fleet() { return ask<fleet_snapshot_ptr>(book, atom::get_v); }

  /// Everything that a snapshot says, but for pointers.
  static std::string described(const fleet_snapshot& fleet) {
    std::string out = "revision " + std::to_string(fleet.revision) + "\n";
    const auto mark = [&](std::uint64_t revision, std::int64_t changed_us, const std::string& by) {
      out += " " + std::to_string(revision) + " " + std::to_string(changed_us) + " " + by + "\n";
    };
    for (const auto id : fleet.groups.subtree(rules::group_tree::root)) {
      out += std::to_string(id.number) + " /" + fleet.groups.path(id) + "\n";
      if (const auto about = fleet.about.find(id); about != fleet.about.end())
        mark(about->second.revision, about->second.changed_us, about->second.changed_by);
      if (const auto here = fleet.policies.find(id); here != fleet.policies.end())
        for (const auto& [application, standing] : here->second)
          mark(standing.revision, standing.changed_us, application + standing.changed_by);
    }
    for (const auto* list : {&fleet.rules, &fleet.tasks})
      for (const auto& standing : *list)
        mark(standing.revision, standing.changed_us,
             standing.object.name + standing.object.file + standing.changed_by);
    for (const auto& one : fleet.moving)
      out += one.name + " to " + std::to_string(one.target.number) + "\n";
    return out + rules::export_fleet(objects_of(fleet));
  }
  std::string described() { return described(*fleet()); }

  const standing_policy* standing(const fleet_snapshot& fleet, std::string_view group,
                                  const std::string& application) {
    const auto id = fleet.groups.find(group);
    REQUIRE(id);
    const auto here = fleet.policies.find(*id);
    if (here == fleet.policies.end() || !here->second.contains(application))
      return nullptr;
    return &here->second.at(application);
  }

  /// Revisions and whether it was removed then, newest first.
  std::vector<std::pair<std::uint64_t, bool>> history(const rules::fleet_key& of) {
    const auto key = history_key(*fleet(), of);
    REQUIRE(key);
    storage::fleet_history_page page;
    REQUIRE_FALSE(storage::find_fleet_history(*db, {.of = *key}, page));
    std::vector<std::pair<std::uint64_t, bool>> out;
    for (const auto& entry : page.entries)
      out.emplace_back(entry.revision(), entry.removed());
    return out;
  }

  /// "action subject: detail", oldest first.
  std::vector<std::string> audited() {
    storage::audit_page page;
    REQUIRE_FALSE(storage::find_audits(*db, {.limit = 1000}, page));
    std::vector<std::string> out;
    for (const auto& entry : page.entries) {
      CHECK(entry.actor() == "anna");
      out.insert(out.begin(), entry.action() + " " + entry.subject() + ": " + entry.detail());
    }
    return out;
  }

  std::string metric(const std::string& name) {
    const auto text = *ask<metrics_text>(book, atom::metrics_v);
    const auto at = text.find("\nmuster_fleet_" + name + " ");
    REQUIRE(at != std::string::npos);
    const auto begin = text.find(' ', at) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
};

} // namespace muster::test
