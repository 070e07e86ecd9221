#pragma once
// What the server wants on this device, as far as it is here: documents, what is still to be fetched,
// and whether what came is what was asked for. Bytes only: no disk, no actors.

#include "actors/messages.hpp"
#include "storage/store.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::wire {
class document_manifest;
class document_part;
} // namespace muster::wire

namespace muster::actors {

/// A document that is on this device's disk.
struct held_document {
  document_kind kind = document_kind::settings;
  std::string name;
  std::uint64_t revision = 0;
  document_hash hash{};
  std::string content; ///< canonical form
};

/// Holds what is on the disk, and knows what the last manifest wanted. Whoever owns it writes first
/// and tells it afterwards, so that its digest never names what a power failure could take away.
/// Bounds: net::document_limits::entries_max documents of settings_limits::bytes_max each.
class document_shelf {
public:
  /// What a manifest asks for.
  struct change {
    storage::change_batch on_disk;      ///< empty: nothing to be written
    std::vector<held_document> revised; ///< the same content has another revision
    std::vector<document_entry> forgotten;
    document_wishes wishes;             ///< in the order of the manifest
  };

  /// At the start: a record of the disk. False when it is none; then it is not held, and will be
  /// fetched again.
  bool restore(std::string_view key, std::string_view value);

  /// Nothing changes but what is wanted from now on; `settle` makes the rest true.
  [[nodiscard]] change compare(const document_manifest& manifest);
  void settle(const change& done);

  /// What a parcel gives. Empty with a clause in `problem` when it is a patch of what is not held, is
  /// damaged, too large, or gives something else than its hash says. Empty without a clause when
  /// nobody wants it (any more), or it is not to be had.
  [[nodiscard]] std::optional<held_document> open(const document_parcel& parcel,
                                                  std::string& problem) const;
  [[nodiscard]] static storage::change put(const held_document& what);
  void place(held_document what);

  /// Null when it is not held.
  [[nodiscard]] const held_document* find(document_kind kind, const std::string& name) const;
  /// Of all that is held.
  [[nodiscard]] document_hash digest() const;
  [[nodiscard]] std::vector<std::string> applications() const; ///< sorted, each once
  [[nodiscard]] std::size_t size() const noexcept { return held_.size(); }

private:
  struct place_of {
    document_kind kind = document_kind::settings;
    std::string name;
    friend auto operator<=>(const place_of&, const place_of&) = default;
  };
  std::map<place_of, held_document> held_;
  std::map<place_of, document_entry> wanted_;
};

/// The wire's manifest as actors hand it on. Kinds that this version does not know are left out.
/// Empty with a clause in `problem` when it breaks a rule (net/documents.hpp).
[[nodiscard]] std::optional<document_manifest> manifest_from(const wire::document_manifest& wire,
                                                             std::string& problem);

/// Puts the parts of the answer to one request together. Bounds: one document at a time, of at most
/// document_limits::content_bytes_max and some.
class parcel_maker {
public:
  /// `asked` are the wishes of the request that is being answered.
  explicit parcel_maker(document_wishes asked = {}) : asked_(std::move(asked)) {}

  enum class verdict : std::uint8_t {
    ignored, ///< nobody asked for it
    more,    ///< the document goes on
    whole,   ///< take() has it
    broken   ///< `problem` says why
  };
  [[nodiscard]] verdict add(const wire::document_part& part, std::string& problem);
  [[nodiscard]] document_parcel take();
  /// Whether a document has begun and not ended.
  [[nodiscard]] bool open() const noexcept { return open_; }
  /// What nothing has come for yet.
  [[nodiscard]] const document_wishes& missing() const noexcept { return asked_; }

private:
  document_wishes asked_;
  document_parcel present_;
  bool open_ = false;
};

} // namespace muster::actors
