#pragma once
// What each device shall hold, made from the fleet's order: manifests, documents, and the parcels
// they travel in.

#include "actors/messages.hpp"
#include "actors/rules/policy_merge.hpp"
#include "actors/server/byte_cache.hpp"
#include "actors/server/fleet_limits.hpp"
#include "actors/server/fleet_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace muster::actors {

using fleet_snapshot_ptr = std::shared_ptr<const fleet_snapshot>; // as in protocol.hpp

/// What decides which policies and profiles are a device's. Views; the caller keeps what they see.
struct document_audience {
  rules::group_id group; ///< as it was assigned; one that is no more counts as `unassigned`
  std::string_view os_id;
  std::string_view os_name;
  std::string_view tags; ///< sorted, divided by a space
};

/// The documents that are one device's alone, and their names in its manifest.
struct device_documents {
  std::vector<own_document> all; ///< as administrators wrote them
  std::vector<document_entry> entries; ///< of the same, in the same order
};
using device_documents_ptr = std::shared_ptr<const device_documents>;

/// Null for nothing.
[[nodiscard]] device_documents_ptr device_documents_of(const own_documents& said);

/// The group a device is in: what the tree does not have (any more) is `unassigned`.
[[nodiscard]] rules::group_id standing_group_of(const fleet_snapshot& fleet, std::uint32_t number);

/// `common` and what is the device's alone. Beyond document_limits::entries_max entries are left out.
[[nodiscard]] manifest_ptr manifest_with(const manifest_ptr& common, const device_documents_ptr& own);

/// Devices of one audience shall hold the same, so a manifest is made once for each group, OS and set
/// of tags, and documents once for each way of policies and active profiles, whatever the number of
/// devices. All shards share one depot: they are dealt by device, so each would make nearly all of it
/// again. Thread-safe; the lock is held for the making of one manifest at most.
///
/// Bounds: fleet_limits::audiences_max manifests known by name, document_ways_max hashes, and
/// documents_bytes_max and parcels_bytes_max of bytes; what falls out is made again when it is asked
/// for, but for documents from before, which then travel whole instead of as a patch.
class document_depot {
public:
  explicit document_depot(std::size_t documents_bytes_max = fleet_limits::documents_bytes_max)
    : documents_(documents_bytes_max) {}

  /// From now on this is the fleet's order. Each shard says so; the first one counts.
  void follow(const fleet_snapshot_ptr& fleet);

  /// What devices of this audience have in common. Null until the first follow().
  [[nodiscard]] manifest_ptr manifest_of(const document_audience& audience);

  /// The answer to a wish of such a device: `gone` when it is not what the device shall hold now, or has
  /// a secret in it (rules/settings_secrets.hpp) while others can read along.
  [[nodiscard]] document_parcel parcel_of(const document_wish& wish,
                                          const document_audience& audience,
                                          const device_documents_ptr& own, bool encrypted);

  /// Documents made since the start, so that whoever asks for many can do it in slices.
  [[nodiscard]] std::size_t made() const;
  /// Nobody will ask for many manifests soon: lets go what only their making needs.
  void rest();

private:
  using text_ptr = std::shared_ptr<const std::string>;
  struct hash_hash {
    std::size_t operator()(const document_hash& hash) const noexcept;
  };
  struct parcel_key {
    document_hash base;
    document_hash hash;
    friend bool operator==(const parcel_key&, const parcel_key&) = default;
  };
  struct parcel_hash {
    std::size_t operator()(const parcel_key& key) const noexcept;
  };
  /// The policies of one application from the root down to a group.
  struct way {
    std::string application;
    std::vector<rules::policy_ptr> policies;
    std::uint64_t revision = 0; ///< the newest of theirs
  };
  using ways_ptr = std::shared_ptr<const std::vector<way>>;
  /// An audience with all that profiles look at.
  struct audience_traits {
    std::string group;
    std::vector<std::string_view> tags;
    document_audience audience;
    [[nodiscard]] rules::device_traits device() const; ///< views into this
  };
  /// What is known of a document without its bytes.
  struct document_mark {
    document_hash hash{};
    bool secret = false;
  };
  /// A policy and its active profiles; a way is known by those of its policies.
  struct step {
    const rules::policy* policy;
    rules::profile_set active;
  };

  [[nodiscard]] audience_traits traits_of(rules::group_id group,
                                          const document_audience& audience) const;
  [[nodiscard]] ways_ptr ways_of(rules::group_id group);
  [[nodiscard]] manifest_ptr find_manifest(const document_audience& audience);
  [[nodiscard]] manifest_ptr make_manifest(const document_audience& audience);
  [[nodiscard]] document_mark mark_of(const way& of, const rules::device_traits& device);
  [[nodiscard]] text_ptr settings_of(const document_wish& wish, const document_audience& audience,
                                     bool encrypted);
  [[nodiscard]] text_ptr own_of(const document_wish& wish, const device_documents_ptr& own,
                                bool encrypted);
  [[nodiscard]] rules::settings_document make_settings(const way& of,
                                                       const rules::device_traits& device);
  [[nodiscard]] text_ptr whole_of(const document_hash& hash, const std::string& bytes);
  [[nodiscard]] text_ptr patch_of(const parcel_key& key, const std::string& bytes);
  [[nodiscard]] manifest_ptr shared(manifest_ptr fresh);

  mutable std::mutex mutex_;
  fleet_snapshot_ptr fleet_;
  std::unordered_map<rules::group_id, ways_ptr> ways_;
  std::unordered_map<std::string, manifest_ptr> manifests_; ///< by audience
  /// Different audiences mostly hold the same; by digest.
  std::unordered_map<document_hash, std::weak_ptr<const document_manifest>, hash_hash> different_;
  rules::policy_composer composer_{fleet_limits::composed_max};
  std::unordered_map<std::string, document_mark> marks_; ///< by the steps of a way, their bytes
  byte_cache<document_hash, hash_hash> documents_;
  byte_cache<parcel_key, parcel_hash> parcels_{fleet_limits::parcels_bytes_max};
  std::size_t made_ = 0;
};
using document_depot_ptr = std::shared_ptr<document_depot>;

} // namespace muster::actors
