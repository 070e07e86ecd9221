#pragma once
// How requests and answers of the local socket are read and written: shallow, bounded JSON objects.
// For the sources of local_request and local_status only.

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace muster::actors::local_json {

using json = nlohmann::json;

/// Two levels (an object, and objects in it) are all there is: an array of arrays of arrays would
/// cost more than it has bytes. Empty when it is no JSON object of this depth.
[[nodiscard]] json object_of(std::string_view text);

/// Texts that are no UTF-8 cannot be said in JSON; their bad bytes are replaced.
[[nodiscard]] std::string dump(const json& value);

/// A member of its kind; else empty, false, 0.
[[nodiscard]] std::string text_in(const json& in, const char* key);
[[nodiscard]] bool flag_in(const json& in, const char* key);
[[nodiscard]] std::int64_t number_in(const json& in, const char* key);
[[nodiscard]] std::uint64_t count_in(const json& in, const char* key);

} // namespace muster::actors::local_json
