#pragma once
// Short names for the two namespaces of Boost.Beast; only for the files that use its parser.

#include <cstddef>

namespace boost::beast::http {}

namespace muster::net {

namespace beast = boost::beast;
namespace beast_http = boost::beast::http;

/// Whether so many bytes can bring the parser on. Fewer than five never end a chunked body, and
/// behind the header of its last chunk Beast (1.74) ends the process when it is asked about them.
template <class Parser>
[[nodiscard]] bool worth_parsing(const Parser& parser, std::size_t bytes) {
  constexpr std::size_t last_chunk_bytes_min = 5;
  return bytes >= last_chunk_bytes_min || !parser.is_header_done() || !parser.chunked();
}

} // namespace muster::net
