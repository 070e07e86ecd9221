#pragma once
// The messages of net/wire/admin.proto by name, and what they look like as JSON. Pure.

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string_view>

namespace google::protobuf {
class Message;
} // namespace google::protobuf

namespace muster::actors::api {

/// An empty message of this name ("device_list"). Only for names of the route table.
[[nodiscard]] std::unique_ptr<google::protobuf::Message> make_message(std::string_view name);

/// Adds the JSON schema of this message, and of all it is made of, to `schemas` by their names.
void describe_message(std::string_view name, nlohmann::json& schemas);

} // namespace muster::actors::api
