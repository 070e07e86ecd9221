#include "actors/server/api/schema.hpp"

#include "net/wire/admin.pb.h"

#include <muster/assert.hpp>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <nlohmann/json.hpp>

#include <string>

namespace muster::actors::api {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using nlohmann::json;

const Descriptor& descriptor_of(std::string_view name) {
  const auto* found = admin::login_request::descriptor()->file()->FindMessageTypeByName(
    std::string{name});
  MUSTER_ASSERT(found != nullptr, "the route table names messages of admin.proto");
  return *found;
}

/// "device" of our own file, "wire.statistics" of others'.
std::string name_of(const Descriptor& d) {
  std::string out = d.full_name();
  for (const std::string_view prefix : {"muster.admin.", "muster."}) {
    if (out.starts_with(prefix))
      return out.substr(prefix.size());
  }
  return out;
}

void describe(const Descriptor& d, json& schemas);

json describe_enum(const google::protobuf::EnumDescriptor& e) {
  json names = json::array();
  for (int i = 0; i < e.value_count(); ++i)
    names.push_back(e.value(i)->name());
  return {{"type", "string"}, {"enum", names}};
}

/// One value, as the protobuf mapping writes it.
json describe_value(const FieldDescriptor& f, json& schemas) {
  switch (f.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT64:
      return {{"type", "string"}, {"pattern", "^-?[0-9]+$"}, {"format", f.cpp_type_name()}};
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_UINT32:
      return {{"type", "integer"}, {"format", f.cpp_type_name()}};
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT: return {{"type", "number"}};
    case FieldDescriptor::CPPTYPE_BOOL: return {{"type", "boolean"}};
    case FieldDescriptor::CPPTYPE_ENUM: return describe_enum(*f.enum_type());
    case FieldDescriptor::CPPTYPE_STRING:
      if (f.type() == FieldDescriptor::TYPE_BYTES)
        return {{"type", "string"}, {"contentEncoding", "base64"}};
      return {{"type", "string"}};
    case FieldDescriptor::CPPTYPE_MESSAGE:
      describe(*f.message_type(), schemas);
      return {{"$ref", "#/components/schemas/" + name_of(*f.message_type())}};
  }
  return json::object();
}

json describe_field(const FieldDescriptor& f, json& schemas) {
  if (f.is_map())
    return {{"type", "object"},
            {"additionalProperties", describe_value(*f.message_type()->map_value(), schemas)}};
  if (f.is_repeated())
    return {{"type", "array"}, {"items", describe_value(f, schemas)}};
  return describe_value(f, schemas);
}

void describe(const Descriptor& d, json& schemas) {
  const auto name = name_of(d);
  if (schemas.contains(name))
    return;
  schemas[name] = json::object(); // before its fields, which may be of its own kind
  json properties = json::object();
  for (int i = 0; i < d.field_count(); ++i)
    properties[d.field(i)->json_name()] = describe_field(*d.field(i), schemas);
  schemas[name] = {{"type", "object"}, {"properties", std::move(properties)}};
}

} // namespace

std::unique_ptr<google::protobuf::Message> make_message(std::string_view name) {
  const auto* prototype =
    google::protobuf::MessageFactory::generated_factory()->GetPrototype(&descriptor_of(name));
  return std::unique_ptr<google::protobuf::Message>(prototype->New());
}

void describe_message(std::string_view name, nlohmann::json& schemas) {
  describe(descriptor_of(name), schemas);
}

} // namespace muster::actors::api
