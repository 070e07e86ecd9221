#pragma once
// A fleet with an order: groups, policies and moving rules as policy_book would publish them, and
// devices that hold documents.

#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_diff.hpp"
#include "actors/server/convert.hpp"
#include "actors/server/section_intake.hpp"
#include "net/documents.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"
#include "storage/compress.hpp"
#include "tests/actors/fleet_world.hpp"
#include "tests/rules/settings_world.hpp"

#include <map>
#include <set>
#include <span>
#include <utility>

namespace muster::test {

/// What a device has on its disk, as an agent would: takes manifests, asks, takes parcels.
class held_documents {
public:
  struct one {
    document_entry entry;
    rules::settings_value content;
  };

  [[nodiscard]] document_hash digest() const {
    document_manifest all;
    for (const auto& [which, held] : all_)
      all.entries.push_back(held.entry);
    wire::document_manifest out;
    convert::fill(out, all);
    return net::manifest_digest_of(out);
  }
  [[nodiscard]] document_standing standing() const { return {true, digest(), true}; }

  /// Forgets what is not named, and says what is missing.
  document_wishes take(const document_manifest& manifest) {
    std::map<name, one> next;
    document_wishes out;
    for (const auto& entry : manifest.entries) {
      const auto held = all_.find({entry.kind, entry.name});
      if (held != all_.end())
        next[held->first] = {entry, held->second.content};
      if (held == all_.end() || held->second.entry.hash != entry.hash) {
        out.push_back({entry.kind, entry.name, entry.hash,
                       held == all_.end() ? document_hash{} : held->second.entry.hash});
        wanted_[{entry.kind, entry.name}] = entry;
        if (held != all_.end())
          next[held->first] = held->second; // until the new one is there
      }
    }
    all_ = std::move(next);
    return out;
  }

  /// False when it is not what it says.
  bool put(const document_parcel& parcel) {
    if (parcel.gone)
      return false;
    std::string bytes;
    std::string problem;
    if (storage::decompress(parcel.data, net::document_limits::content_bytes_max, bytes))
      return false;
    const auto entry = wanted_.find({parcel.kind, parcel.name});
    std::optional<rules::settings_value> content;
    if (parcel.base == document_hash{})
      content = rules::settings_from_bytes(bytes, problem);
    else if (const auto held = all_.find({parcel.kind, parcel.name});
             held != all_.end() && held->second.entry.hash == parcel.base)
      content = rules::apply_patch(bytes, held->second.content, problem);
    if (!content || entry == wanted_.end() || entry->second.hash != parcel.hash ||
        net::section_digest_of(rules::to_bytes(*content)) != parcel.hash)
      return false;
    all_[entry->first] = {entry->second, std::move(*content)};
    return true;
  }

  [[nodiscard]] std::size_t size() const { return all_.size(); }
  /// The values of an application's document; REQUIREd to be there.
  [[nodiscard]] const rules::settings_value&
  values(const std::string& application, document_kind kind = document_kind::settings) const {
    const auto found = all_.find({kind, application});
    REQUIRE(found != all_.end());
    return *found->second.content.find("values");
  }
  [[nodiscard]] const rules::settings_value& locks(const std::string& application) const {
    return *all_.at({document_kind::settings, application}).content.find("locks");
  }
  [[nodiscard]] bool has(const std::string& application,
                         document_kind kind = document_kind::settings) const {
    return all_.contains({kind, application});
  }

private:
  using name = std::pair<document_kind, std::string>;
  std::map<name, one> all_;
  std::map<name, document_entry> wanted_;
};

/// A plan of the fleet that tests write and publish.
struct order_world : fleet_world {
  fleet_snapshot order; ///< as it shall be published next

  rules::group_id group(const std::string& path) {
    std::string problem;
    rules::group_id at = rules::group_tree::root;
    std::string so_far;
    std::string rest = path;
    while (!rest.empty()) {
      const auto name = rest.substr(0, rest.find('/'));
      rest = name.size() == rest.size() ? "" : rest.substr(name.size() + 1);
      so_far += (so_far.empty() ? "" : "/") + name;
      if (const auto there = order.groups.find(so_far)) {
        at = *there;
        continue;
      }
      const auto made = order.groups.create(at, name, problem);
      REQUIRE_MESSAGE(made, problem);
      at = *made;
    }
    return at;
  }

  rules::policy& policy(const std::string& path, const std::string& application,
                        std::string_view values, std::vector<std::string> locks = {}) {
    auto made = std::make_shared<rules::policy>();
    made->name = application;
    made->group = path;
    made->values = json(values);
    for (const auto& lock : locks)
      made->locks.push_back(test::path(lock));
    order.policies[group(path)][application] = {made, ++order.revision, 0, "anna"};
    return *made;
  }

  static rules::policy_profile profile(const std::string& name, std::string_view when,
                                       std::string_view values) {
    std::string problem;
    auto condition = rules::profile_condition(when, problem);
    REQUIRE_MESSAGE(condition, problem);
    return {name, 1, std::move(*condition), json(values), {}, {}};
  }

  rules::moving_rule& rule(const std::string& name,
                           const std::vector<std::pair<rules::moving_trait, std::string>>& when,
                           const std::string& target) {
    rules::moving_rule made;
    made.name = name;
    for (const auto& [trait, text] : when) {
      std::string problem;
      const std::vector<std::string> alternatives{text};
      auto condition = rules::moving_condition::parse(trait, alternatives, problem);
      REQUIRE_MESSAGE(condition, problem);
      made.conditions.push_back(std::move(*condition));
    }
    made.target = group(target);
    order.moving.push_back(std::move(made));
    return order.moving.back();
  }

  fleet_snapshot_ptr publish_only() {
    ++order.revision;
    auto made = std::make_shared<const fleet_snapshot>(order);
    for (const auto& shard : directories)
      self->send(shard, atom::publish_v, fleet_snapshot_ptr{made});
    return made;
  }
  void publish() {
    publish_only();
    settle();
  }

  void publish_own(const device_id& device, std::vector<own_document> all) {
    auto said = std::make_shared<const own_documents>(own_documents{std::move(all)});
    self->send(directory_of(device), atom::publish_v, device, own_documents_ptr{said});
    settle();
  }

  // -- where devices belong -----------------------------------------------------------------------

  static std::shared_ptr<assignment_order> placed(std::optional<rules::group_id> group,
                                                  std::vector<std::string> added = {},
                                                  std::vector<std::string> removed = {}) {
    auto out = std::make_shared<assignment_order>();
    out->group = group;
    out->tags_added = std::move(added);
    out->tags_removed = std::move(removed);
    out->who = {"anna", "198.51.100.1", {}, {}, {}};
    return out;
  }
  auto try_assign(const device_id& device, const std::shared_ptr<assignment_order>& what) {
    return try_ask<bool>(directory_of(device), atom::assign_v, device, assignment_order_ptr{what});
  }
  void assign(const device_id& device, const std::shared_ptr<assignment_order>& what) {
    const auto done = try_assign(device, what);
    REQUIRE_MESSAGE(done, text_of(done.error()));
    REQUIRE(*done);
  }
  std::string why_not(const device_id& device, const std::shared_ptr<assignment_order>& what) {
    const auto done = try_assign(device, what);
    REQUIRE_FALSE(done);
    return text_of(done.error());
  }
  std::string path_of(const device_id& device) { return row(device)->group_path; }

  std::optional<storage::record::device_assignment> stored_assignment(const device_id& device) {
    return stored<storage::record::device_assignment>(family::devices,
                                                      storage::keys::assignment(device.bytes));
  }

  /// A device that enrols with a token of this name and group.
  played_agent enrol_with(const std::string& token, rules::group_id into = {},
                          std::string host_name = "mill") {
    token_order with{token, 86400, 0, audit("token.create"), into.number};
    played_agent agent;
    agent.host_name = std::move(host_name);
    const auto secret = ask<token_infos>(enrols, atom::create_v, with)->front().secret;
    const auto result = try_enrol(agent.request(secret));
    REQUIRE(result.reason == refusal::none);
    agent.device = result.device;
    agent.certificate_sha256 = net::sha256(result.certificate);
    return agent;
  }

  std::vector<std::string> matching(const std::string& target) {
    device_page all;
    for (const auto& shard : directories) {
      auto query = std::make_shared<device_query>();
      query->target = target;
      query->limit = 1000;
      const auto page = ask<device_page_ptr>(shard, atom::list_v, device_query_ptr{query});
      all.rows.insert(all.rows.end(), page->rows.begin(), page->rows.end());
    }
    std::vector<std::string> out;
    for (const auto& row : all.rows)
      out.push_back(row.name);
    std::sort(out.begin(), out.end());
    return out;
  }

  std::vector<storage::record::audit> audit_of(const std::string& action) {
    std::vector<storage::record::audit> out;
    REQUIRE_FALSE(db->scan(family::audit, {}, false, [&](auto, auto value) {
      storage::record::audit entry;
      REQUIRE_FALSE(storage::records::decode(value, entry));
      if (entry.action() == action)
        out.push_back(entry);
      return true;
    }));
    return out;
  }

  // -- what devices say ---------------------------------------------------------------------------

  struct machine {
    std::string host_name = "mill";
    std::string os_id = "debian";
    std::vector<std::string> applications;
    std::vector<std::string> addresses;
  };

  /// Sections as a sync stores them.
  void store_sections(const device_id& device, const machine& what) {
    wire::device_facts facts;
    facts.set_host_name(what.host_name);
    facts.set_os_id(what.os_id);
    for (const auto& address : what.addresses)
      facts.add_addresses()->set_ip(address);
    wire::applications list;
    for (const auto& name : what.applications)
      list.add_items()->set_name(name);
    store_section(device, 0, facts.SerializeAsString());
    store_section(device, 1, list.SerializeAsString());
  }
  void store_section(const device_id& device, std::size_t index, std::string content) {
    section_arrival arrival;
    arrival.device = device;
    arrival.section = index;
    arrival.digest = net::section_digest_of(content);
    arrival.content = std::move(content);
    section_intake made;
    REQUIRE_FALSE(take_in(*db, arrival, made));
    REQUIRE_MESSAGE(made.problem.empty(), made.problem);
    REQUIRE_FALSE(db->write(std::span<const storage::change_batch>(&made.changes, 1)));
  }
  /// A whole sync that brings facts and applications.
  void first_sync(const played_agent& agent, const machine& what) {
    store_sections(agent.device, what);
    sync_outcome outcome;
    outcome.digests = {section_digest{1}, section_digest{2}};
    outcome.host_name = what.host_name;
    outcome.os_id = what.os_id;
    outcome.addresses = what.addresses;
    outcome.applications = what.applications;
    sync(agent, std::move(outcome));
  }
  /// One in which only facts have changed.
  void facts_sync(const played_agent& agent, const std::string& host_name,
                  const std::string& os_id = "debian", std::vector<std::string> addresses = {}) {
    sync_outcome outcome;
    outcome.digests = {section_digest{3}};
    outcome.host_name = host_name;
    outcome.os_id = os_id;
    outcome.addresses = std::move(addresses);
    sync(agent, std::move(outcome));
  }

  // -- documents ----------------------------------------------------------------------------------

  /// A hello of an agent that holds these.
  admission greet(played_agent& agent, const played_session_ptr& from, const held_documents& held,
                  const std::string& address = "192.0.2.7") {
    ++agent.counter;
    auto facts = hello_of(agent, from);
    facts->documents = held.standing();
    facts->address = address;
    auto pending = begin_ask(directory_of(agent.device), atom::admit_v, hello_facts_ptr{facts});
    settle();
    auto answer = take<admission_ptr>(pending);
    REQUIRE(answer);
    REQUIRE((**answer).reason == refusal::none);
    return **answer;
  }
  std::vector<document_parcel> fetch(const device_id& device, document_wishes wishes) {
    return *ask<document_parcels_ptr>(
      directory_of(device), atom::fetch_v, device,
      std::make_shared<const document_wishes>(std::move(wishes)));
  }
  /// Takes all of it; answers how many bytes have travelled.
  std::size_t take_in_documents(const device_id& device, held_documents& held,
                                const document_manifest& manifest) {
    std::size_t bytes = 0;
    for (auto wishes = held.take(manifest); !wishes.empty(); wishes = held.take(manifest)) {
      const auto parcels = fetch(device, wishes);
      REQUIRE_FALSE(parcels.empty());
      for (const auto& parcel : parcels) {
        REQUIRE(held.put(parcel));
        bytes += parcel.data.size();
      }
    }
    REQUIRE(held.digest() == manifest.digest);
    return bytes;
  }
};

} // namespace muster::test
