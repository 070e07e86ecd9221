#pragma once
// The description of the admin API for programs: OpenAPI 3.1, made of the route table and the
// messages' own descriptors, so that it cannot say anything else than what is served. Pure.

#include <string>
#include <string_view>

namespace muster::actors::api {

/// The document, as JSON.
[[nodiscard]] std::string openapi_document(std::string_view version);

} // namespace muster::actors::api
