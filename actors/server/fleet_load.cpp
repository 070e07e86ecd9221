// The fleet's order as the store has it; once, before there are actors.
#include "actors/rules/fleet_spec.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/server/fleet_store.hpp"
#include "storage/records.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <utility>

namespace muster::actors {

namespace {

using storage::family;

class fleet_loader {
public:
  explicit fleet_loader(const storage::store& db) : db_(db) {}

  std::error_code load() {
    for (const auto step : {&fleet_loader::load_marks, &fleet_loader::load_groups,
                            &fleet_loader::load_objects, &fleet_loader::load_own})
      if (const auto ec = (this->*step)())
        return ec;
    return {};
  }

  loaded_fleet take() {
    loaded_.snapshot = std::make_shared<const fleet_snapshot>(std::move(fleet_));
    return std::move(loaded_);
  }

private:
  struct stored_group {
    rules::group_id parent;
    std::string name;
    standing_group about;
  };

  /// `take` answers why a record cannot be what it says; empty: it is good.
  template <class Record, class Take>
  std::error_code read_all(family where, const storage::key_range& range, const char* what,
                           Take take) {
    Record record;
    std::error_code bad;
    const auto ec = db_.scan(where, range, false, [&](auto key, auto value) {
      bad = storage::records::decode(value, record);
      std::string problem = bad ? bad.message() : take(key, record);
      if (!problem.empty()) {
        bad = bad ? bad : make_error_code(storage::errc::corrupt);
        complain(what, shown(key), problem);
      }
      return !bad;
    });
    return ec ? ec : bad;
  }

  static void complain(std::string_view what, std::string_view name, std::string_view problem) {
    spdlog::critical("{} '{}': its record cannot be read: {}", what, name, problem);
  }
  /// By its key: what is in a damaged record says nothing.
  static std::string shown(std::string_view key) {
    if (const auto number = storage::keys::parse_group(key))
      return std::to_string(*number);
    if (const auto own = storage::keys::parse_own_settings(key))
      return own->application + " of " + device_id{own->device}.text();
    const auto object = storage::keys::parse_fleet_object(key);
    if (!object)
      return "?";
    return object->name + (object->group == 0 ? "" : " of group " + std::to_string(object->group));
  }

  std::error_code load_marks() {
    std::error_code ec;
    const auto value = db_.get(family::meta, storage::keys::setting(fleet_marks_setting), ec);
    if (!ec && value) {
      storage::record::fleet_marks record;
      ec = storage::records::decode(*value, record);
      fleet_.revision = record.revision();
      fleet_.groups.numbers_used({record.last_group()});
    }
    if (ec)
      return ec;
    const auto own = db_.get(family::meta, storage::keys::setting(own_revision_setting), ec);
    if (!ec && own)
      ec = storage::records::decode_number(*own, loaded_.own_revision);
    return ec;
  }

  /// A group may have been moved below one with a greater number: parents first is for us to see
  /// to.
  std::error_code load_groups() {
    std::map<rules::group_id, stored_group> found;
    std::map<rules::group_id, std::vector<rules::group_id>> below;
    const auto ec = read_all<storage::record::group>(
      family::meta, storage::keys::groups(), "group",
      [&](std::string_view key, const storage::record::group& record) -> std::string {
        const auto number = storage::keys::parse_group(key);
        if (!number)
          return "its key has no number";
        const rules::group_id parent{record.parent()};
        found[{*number}] = {parent,
                            record.name(),
                            {record.description(), record.revision(), record.changed_ms() * 1'000,
                             record.changed_by()}};
        below[parent].push_back({*number});
        return {};
      });
    if (ec)
      return ec;
    std::vector<rules::group_id> open{rules::group_tree::root};
    std::size_t placed = 0;
    while (!open.empty()) {
      const auto parent = open.back();
      open.pop_back();
      for (const auto group : below[parent]) {
        auto& stored = found.at(group);
        std::string problem;
        if (!fleet_.groups.restore(group, parent, stored.name, problem)) {
          complain("group", stored.name, problem);
          return storage::errc::corrupt;
        }
        fleet_.about.emplace(group, std::move(stored.about));
        open.push_back(group);
        ++placed;
      }
    }
    if (placed == found.size())
      return {};
    const auto lost = std::find_if(found.begin(), found.end(), [&](const auto& one) {
      return !fleet_.about.contains(one.first);
    });
    complain("group", lost->second.name, "the group that it is in is not there");
    return storage::errc::corrupt;
  }

  std::error_code load_objects() {
    const auto ec = read_all<storage::record::fleet_object>(
      family::meta, storage::keys::fleet_objects(), "policy, rule or task",
      [&](std::string_view key, const storage::record::fleet_object& record) {
        return take_object(key, record);
      });
    if (ec)
      return ec;
    std::sort(fleet_.rules.begin(), fleet_.rules.end(), is_tried_before);
    if (make_moving(fleet_))
      return {};
    const auto& lost = fleet_.rules[fleet_.moving.size()].object;
    complain("rule", lost.name, "the group that it moves to is not there");
    return storage::errc::corrupt;
  }

  std::string take_object(std::string_view key, const storage::record::fleet_object& record) {
    const auto parsed = storage::keys::parse_fleet_object(key);
    if (!parsed || parsed->kind != record.kind() || parsed->group != record.group() ||
        parsed->name != record.name())
      return "it is not what its key says";
    if (record.kind() == 0 || record.kind() >= rules::fleet_kinds)
      return "it is of a kind that this version does not know";
    const auto kind = static_cast<rules::fleet_kind>(record.kind());
    const bool is_policy = kind == rules::fleet_kind::policy;
    const rules::group_id group{record.group()};
    if (is_policy && !fleet_.groups.has(group))
      return "the group that it is in is not there";
    std::string problem;
    const auto spec = rules::settings_from_bytes(record.spec(), problem);
    if (!spec)
      return problem;
    auto object = rules::fleet_object_from(kind, is_policy ? fleet_.groups.path(group) : "",
                                           record.name(), *spec, problem);
    if (!object)
      return problem;
    loaded_.spec_bytes += record.spec().size();
    const auto changed_us = record.changed_ms() * 1'000;
    if (is_policy) {
      auto policy =
        std::make_shared<const rules::policy>(std::move(std::get<rules::policy>(object->spec)));
      fleet_.policies[group][record.name()] = {std::move(policy), record.revision(), changed_us,
                                               record.changed_by()};
    } else {
      auto& list = kind == rules::fleet_kind::rule ? fleet_.rules : fleet_.tasks;
      list.push_back({std::move(*object), record.revision(), changed_us, record.changed_by()});
    }
    return {};
  }

  /// Those of one device come together, by application.
  std::error_code load_own() {
    std::shared_ptr<own_documents> documents;
    std::optional<device_id> of;
    const auto finish = [&] {
      if (of && documents)
        loaded_.own.emplace(*of, std::exchange(documents, nullptr));
    };
    std::error_code failed;
    const auto ec = read_all<storage::record::own_settings>(
      family::devices, storage::keys::own_settings(), "own settings",
      [&](std::string_view key, const storage::record::own_settings& record) -> std::string {
        auto parsed = storage::keys::parse_own_settings(key);
        if (!parsed)
          return "its key names no device";
        const device_id device{parsed->device};
        if (of != device) {
          finish();
          of = device;
          documents = std::make_shared<own_documents>();
          const auto known =
            db_.get(family::devices, storage::keys::device(parsed->device), failed);
          if (failed)
            return failed.message();
          if (!known) {
            loaded_.strays.push_back(device);
            documents = nullptr;
          }
        }
        std::string problem;
        auto values = rules::settings_from_bytes(record.values(), problem);
        if (!values || !values->is_map())
          return values ? "it is no map" : problem;
        if (documents)
          documents->all.push_back(
            {std::move(parsed->application), record.revision(), std::move(*values)});
        return {};
      });
    finish();
    return failed ? failed : ec;
  }

  const storage::store& db_;
  fleet_snapshot fleet_;
  loaded_fleet loaded_;
};

} // namespace

loaded_fleet load_fleet(const storage::store& db, std::error_code& ec) {
  fleet_loader loader{db};
  ec = loader.load();
  return ec ? loaded_fleet{} : loader.take();
}

} // namespace muster::actors
