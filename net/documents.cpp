#include "net/documents.hpp"

#include "net/wire/agent.pb.h"

#include <cstdint>
#include <tuple>

namespace muster::net {

section_digest_bytes manifest_digest_of(const wire::document_manifest& manifest) {
  std::string all;
  for (const auto& entry : manifest.entries()) {
    all += static_cast<char>(entry.kind());
    all += static_cast<char>(entry.name().size());
    all += entry.name();
    for (int shift = 56; shift >= 0; shift -= 8)
      all += static_cast<char>(entry.revision() >> shift & 0xff);
    all += entry.hash();
  }
  return section_digest_of(all);
}

std::string problem_with(const wire::document_manifest& manifest) {
  if (static_cast<std::size_t>(manifest.entries_size()) > document_limits::entries_max)
    return "more than 256 documents";
  const wire::document_entry* before = nullptr;
  for (const auto& entry : manifest.entries()) {
    if (entry.kind() < 1 || entry.kind() > UINT8_MAX)
      return "a document has no kind";
    if (entry.name().empty() || entry.name().size() > document_limits::name_bytes_max)
      return "a document's name must have 1 to 64 bytes";
    if (entry.hash().size() != section_digest_bytes{}.size())
      return "a document's hash must have 16 bytes";
    if (before && std::tuple{before->kind(), std::string_view{before->name()}} >=
                    std::tuple{entry.kind(), std::string_view{entry.name()}})
      return "the documents are not in order, each once";
    before = &entry;
  }
  return {};
}

} // namespace muster::net
