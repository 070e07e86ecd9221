// Documents: between the wire and what actors say.
#include "actors/server/convert.hpp"

#include "net/documents.hpp"
#include "net/limits.hpp"
#include "net/wire/agent.pb.h"

#include <algorithm>
#include <cstring>

namespace muster::actors::convert {

namespace {

std::string bytes(const document_hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

bool read_hash(const std::string& from, document_hash& to) {
  if (from.size() != to.size())
    return false;
  std::memcpy(to.data(), from.data(), to.size());
  return true;
}

std::string problem_with(const wire::document_wish& wish, document_wish& out) {
  if (wish.name().empty() || wish.name().size() > net::document_limits::name_bytes_max)
    return "the name of a document must have 1 to 64 bytes";
  if (wish.kind() != wire::document_settings && wish.kind() != wire::document_own_settings)
    return "a kind of document that is none";
  out.kind = static_cast<document_kind>(wish.kind());
  out.name = wish.name();
  if (!read_hash(wish.hash(), out.hash) || (!wish.have().empty() && !read_hash(wish.have(), out.have)))
    return "a document's hash must have 16 bytes";
  return {};
}

} // namespace

void fill(wire::document_manifest& out, const document_manifest& from) {
  for (const auto& entry : from.entries) {
    auto& to = *out.add_entries();
    to.set_kind(static_cast<wire::document_kind>(entry.kind));
    to.set_name(entry.name);
    to.set_revision(entry.revision);
    to.set_hash(bytes(entry.hash));
  }
}

std::string manifest(const document_manifest& from) {
  wire::server_message out;
  fill(*out.mutable_document_manifest(), from);
  return out.SerializeAsString();
}

std::optional<document_standing> standing(const std::string& documents, bool encrypted,
                                          std::string& problem) {
  document_standing out;
  out.encrypted = encrypted;
  out.takes_any = !documents.empty();
  if (out.takes_any && !read_hash(documents, out.digest)) {
    problem = "the digest of the documents must have 16 bytes";
    return std::nullopt;
  }
  return out;
}

std::optional<document_wishes> document_wishes_of(const wire::documents_request& from,
                                                  std::string& problem) {
  if (from.wishes().empty() ||
      static_cast<std::size_t>(from.wishes_size()) > net::document_limits::entries_max) {
    problem = "a request must name 1 to 256 documents";
    return std::nullopt;
  }
  document_wishes out;
  for (const auto& wish : from.wishes()) {
    problem = problem_with(wish, out.emplace_back());
    if (!problem.empty())
      return std::nullopt;
  }
  return out;
}

std::vector<std::string> document_parts(const std::vector<document_parcel>& from) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto& parcel = from[i];
    std::size_t at = 0;
    do {
      const auto size = std::min(net::limits::chunk_bytes_max, parcel.data.size() - at);
      wire::server_message message;
      auto& part = *message.mutable_document_part();
      part.set_kind(static_cast<wire::document_kind>(parcel.kind));
      part.set_name(parcel.name);
      part.set_hash(bytes(parcel.hash));
      if (parcel.base != document_hash{})
        part.set_base(bytes(parcel.base));
      part.set_data(parcel.data.substr(at, size));
      at += size;
      part.set_gone(parcel.gone);
      part.set_last(at == parcel.data.size());
      part.set_end(part.last() && i + 1 == from.size());
      out.push_back(message.SerializeAsString());
    } while (at < parcel.data.size());
  }
  return out;
}

} // namespace muster::actors::convert
