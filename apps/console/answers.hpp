#pragma once
// The API's JSON as messages of net/wire/admin.proto, and lists page by page.

#include "apps/console/api.hpp"

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace muster::console {

/// Unknown fields are skipped, so that an old console understands a newer server. Throws failure
/// when it is not JSON of this message.
void read_answer(std::string_view json, google::protobuf::Message& into);

template <class Message>
[[nodiscard]] Message answer_as(std::string_view json) {
  Message m;
  read_answer(json, m);
  return m;
}

/// A request body.
[[nodiscard]] std::string body_of(const google::protobuf::Message& message);

/// How much of a list is wanted.
struct extent {
  std::uint64_t limit = 100;
  bool all = false;
};

inline constexpr std::uint64_t page_items_max = 1000;
/// More pages than any list has; a server that never says "last" must not keep us for ever.
inline constexpr std::size_t pages_max = 100'000;

/// Several pages as one document.
struct pages {
  std::string json; ///< the API's own when it was one page
  bool more = false;
};

/// Reads pages until there are no more or `wanted` is reached, into a message whose only list
/// (maps are none) they are and which has a `next_cursor`.
[[nodiscard]] pages read_pages(api& server, const std::string& path, query q, extent wanted,
                               google::protobuf::Message& into);

} // namespace muster::console
