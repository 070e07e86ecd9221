#include "actors/agent/document_shelf.hpp"

#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_diff.hpp"
#include "net/documents.hpp"
#include "net/wire/agent.pb.h"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace muster::actors {

namespace {

using storage::family;

/// What compression may add to what cannot be compressed.
constexpr std::size_t packed_bytes_max = net::document_limits::content_bytes_max + 64 * 1024;

std::string bytes_of(const document_hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

bool read_hash(std::string_view from, document_hash& to) {
  if (from.size() != to.size())
    return false;
  std::memcpy(to.data(), from.data(), to.size());
  return true;
}

bool is_known(std::uint32_t kind) {
  return kind == static_cast<std::uint32_t>(document_kind::settings) ||
         kind == static_cast<std::uint32_t>(document_kind::own_settings);
}

std::string key_of(document_kind kind, const std::string& name) {
  return storage::keys::document({static_cast<std::uint8_t>(kind), name});
}

/// Empty, or why these bytes are not the document of that hash.
std::string problem_with_content(std::string_view content, const document_hash& hash) {
  if (net::section_digest_of(content) != hash)
    return "it is not what its hash says";
  std::string problem;
  if (!rules::settings_from_bytes(content, problem))
    return problem;
  return {};
}

/// What a patch makes of the version that is held.
std::optional<std::string> patched(const held_document& base, std::string_view patch,
                                   std::string& problem) {
  const auto before = rules::settings_from_bytes(base.content, problem);
  const auto after = before ? rules::apply_patch(patch, *before, problem) : std::nullopt;
  return after ? std::optional{rules::to_bytes(*after)} : std::nullopt;
}

} // namespace

bool document_shelf::restore(std::string_view key, std::string_view value) {
  const auto parsed = storage::keys::parse_document(key);
  storage::record::held_document record;
  if (!parsed || storage::records::decode(value, record))
    return false;
  held_document out;
  if (!is_known(record.kind()) || record.kind() != parsed->kind || record.name() != parsed->name ||
      !read_hash(record.hash(), out.hash) || held_.size() >= net::document_limits::entries_max ||
      !problem_with_content(record.content(), out.hash).empty())
    return false;
  out.kind = static_cast<document_kind>(record.kind());
  out.name = record.name();
  out.revision = record.revision();
  out.content = record.content();
  place(std::move(out));
  return true;
}

document_shelf::change document_shelf::compare(const document_manifest& manifest) {
  change out;
  wanted_.clear();
  for (const auto& entry : manifest.entries) {
    wanted_[{entry.kind, entry.name}] = entry;
    const auto* held = find(entry.kind, entry.name);
    if (held == nullptr || held->hash != entry.hash) {
      out.wishes.push_back(
        {entry.kind, entry.name, entry.hash, held == nullptr ? document_hash{} : held->hash});
    } else if (held->revision != entry.revision) {
      auto revised = *held;
      revised.revision = entry.revision;
      out.on_disk.push_back(put(revised));
      out.revised.push_back(std::move(revised));
    }
  }
  for (const auto& [where, held] : held_) {
    if (wanted_.contains(where))
      continue;
    out.on_disk.push_back(storage::erase(family::inventory, key_of(where.kind, where.name)));
    out.forgotten.push_back({held.kind, held.name, held.revision, held.hash});
  }
  return out;
}

void document_shelf::settle(const change& done) {
  for (const auto& revised : done.revised)
    place(revised);
  for (const auto& gone : done.forgotten)
    held_.erase({gone.kind, gone.name});
}

std::optional<held_document> document_shelf::open(const document_parcel& parcel,
                                                  std::string& problem) const {
  problem.clear();
  const auto wanted = wanted_.find({parcel.kind, parcel.name});
  if (wanted == wanted_.end() || wanted->second.hash != parcel.hash || parcel.gone)
    return std::nullopt;
  const bool whole = parcel.base == document_hash{};
  const auto* held = find(parcel.kind, parcel.name);
  if (!whole && (held == nullptr || held->hash != parcel.base)) {
    problem = "it is a patch of a version that is not here";
    return std::nullopt;
  }
  std::string unpacked;
  if (const auto ec = storage::decompress(
        parcel.data, whole ? rules::settings_limits::bytes_max : rules::patch_bytes_max, unpacked)) {
    problem = "it cannot be unpacked: " + ec.message();
    return std::nullopt;
  }
  auto content = whole ? std::optional{std::move(unpacked)} : patched(*held, unpacked, problem);
  if (content)
    problem = problem_with_content(*content, parcel.hash);
  if (!problem.empty())
    return std::nullopt;
  return held_document{parcel.kind, parcel.name, wanted->second.revision, parcel.hash,
                       std::move(*content)};
}

storage::change document_shelf::put(const held_document& what) {
  storage::record::held_document record;
  record.set_kind(static_cast<std::uint32_t>(what.kind));
  record.set_name(what.name);
  record.set_revision(what.revision);
  record.set_hash(bytes_of(what.hash));
  record.set_content(what.content);
  return storage::put(family::inventory, key_of(what.kind, what.name),
                      storage::records::encode(record));
}

void document_shelf::place(held_document what) {
  const place_of where{what.kind, what.name};
  held_[where] = std::move(what);
}

const held_document* document_shelf::find(document_kind kind, const std::string& name) const {
  const auto found = held_.find({kind, name});
  return found == held_.end() ? nullptr : &found->second;
}

document_hash document_shelf::digest() const {
  wire::document_manifest all;
  for (const auto& [where, held] : held_) {
    auto& entry = *all.add_entries();
    entry.set_kind(static_cast<wire::document_kind>(held.kind));
    entry.set_name(held.name);
    entry.set_revision(held.revision);
    entry.set_hash(bytes_of(held.hash));
  }
  return net::manifest_digest_of(all);
}

std::vector<std::string> document_shelf::applications() const {
  std::vector<std::string> out;
  for (const auto& [where, held] : held_)
    out.push_back(where.name);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// -- from the wire --------------------------------------------------------------------------------

std::optional<document_manifest> manifest_from(const wire::document_manifest& wire,
                                               std::string& problem) {
  problem = net::problem_with(wire);
  if (!problem.empty())
    return std::nullopt;
  document_manifest out;
  out.digest = net::manifest_digest_of(wire);
  for (const auto& entry : wire.entries()) {
    if (!is_known(static_cast<std::uint32_t>(entry.kind())))
      continue;
    auto& to = out.entries.emplace_back();
    to.kind = static_cast<document_kind>(entry.kind());
    to.name = entry.name();
    to.revision = entry.revision();
    if (!read_hash(entry.hash(), to.hash)) // problem_with has seen to it
      return std::nullopt;
  }
  return out;
}

parcel_maker::verdict parcel_maker::add(const wire::document_part& part, std::string& problem) {
  document_hash hash{};
  document_hash base{};
  if (!read_hash(part.hash(), hash) || (!part.base().empty() && !read_hash(part.base(), base))) {
    problem = "a document's hash must have 16 bytes";
    return verdict::broken;
  }
  const auto is_it = [&](const auto& what) {
    return static_cast<int>(what.kind) == static_cast<int>(part.kind()) &&
           what.name == part.name() && what.hash == hash;
  };
  if (open_) {
    if (!is_it(present_) || present_.base != base) {
      problem = "the parts of two documents are mixed";
      return verdict::broken;
    }
  } else {
    const auto wish = std::find_if(asked_.begin(), asked_.end(), is_it);
    if (wish == asked_.end())
      return verdict::ignored;
    if (base != document_hash{} && base != wish->have) {
      problem = "a patch of a version that this device does not hold";
      return verdict::broken;
    }
    present_ = {wish->kind, wish->name, hash, base, {}, false};
    asked_.erase(wish);
    open_ = true;
  }
  if (part.data().size() > packed_bytes_max - present_.data.size()) {
    problem = "a document is larger than any can be";
    return verdict::broken;
  }
  present_.data += part.data();
  present_.gone = present_.gone || part.gone();
  if (!part.last())
    return verdict::more;
  open_ = false;
  return verdict::whole;
}

document_parcel parcel_maker::take() {
  return std::exchange(present_, {});
}

} // namespace muster::actors
