#include "actors/server/api/openapi.hpp"

#include "actors/server/api/call.hpp"
#include "actors/server/api/routes.hpp"
#include "actors/server/api/schema.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace muster::actors::api {

namespace {

using nlohmann::json;

std::string operation_id(const route& r) {
  std::string out{r.method};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return static_cast<char>(c - 'A' + 'a'); });
  for (const char c : r.path)
    out.push_back((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_');
  return out;
}

json schema_of(const parameter& p) {
  switch (p.kind) {
    case parameter_kind::number:
      return {{"type", "integer"}, {"minimum", 1}, {"maximum", page_rows_max},
              {"default", page_rows_default}};
    case parameter_kind::device: return {{"type", "string"}, {"pattern", "^[0-9a-f]{32}$"}};
    case parameter_kind::severity:
      return {{"type", "string"}, {"enum", {"info", "warning", "critical", "failure"}}};
    case parameter_kind::step:
      return {{"type", "string"},
              {"enum", {"waiting", "asked", "waking", "queued", "done", "failed"}}};
    case parameter_kind::fleet_kind:
      return {{"type", "string"}, {"enum", {"Group", "Policy", "Rule", "Task"}}};
    case parameter_kind::moment: return {{"type", "integer"}, {"format", "int64"}, {"minimum", 0}};
    case parameter_kind::text:
      return {{"type", "string"}, {"maxLength", query_text_bytes_max}};
    case parameter_kind::cursor: return {{"type", "string"}};
  }
  return json::object();
}

json parameters_of(const route& r) {
  json out = json::array();
  if (const auto name = argument_name(r); !name.empty())
    out.push_back({{"name", name}, {"in", "path"}, {"required", true},
                   {"schema", {{"type", "string"}}}});
  for (const auto& p : r.query)
    out.push_back({{"name", p.name}, {"in", "query"}, {"required", p.required},
                   {"description", p.description}, {"schema", schema_of(p)}});
  return out;
}

json reference(std::string_view message, json& schemas) {
  describe_message(message, schemas);
  return {{"$ref", "#/components/schemas/" + std::string{message}}};
}

json responses_of(const route& r, json& schemas) {
  json good{{"description", r.summary}};
  if (r.status != 204) {
    // An event stream's items are the message; the stream itself is text.
    json content = json::object();
    if (!r.reply.empty() && r.media == "application/json")
      content["schema"] = reference(r.reply, schemas);
    else if (!r.reply.empty())
      content = {{"schema", {{"type", "string"}}},
                 {"x-item-schema", reference(r.reply, schemas)}};
    good["content"] = {{r.media, content}};
  }
  return {{std::to_string(r.status), good},
          {"default", {{"$ref", "#/components/responses/problem"}}}};
}

json describe(const route& r, json& schemas) {
  json out{{"operationId", operation_id(r)},
           {"summary", r.summary},
           {"responses", responses_of(r, schemas)}};
  if (auto parameters = parameters_of(r); !parameters.empty())
    out["parameters"] = std::move(parameters);
  if (!r.request.empty())
    out["requestBody"] = {
      {"required", true},
      {"content", {{"application/json", {{"schema", reference(r.request, schemas)}}}}}};
  if (r.who == access::anybody)
    out["security"] = json::array();
  else if (r.who == access::user_or_loopback)
    out["security"] = json::array({json::object(), {{"bearer", json::array()}}});
  return out;
}

json problem_schema() {
  return {{"type", "object"},
          {"properties",
           {{"type", {{"type", "string"}}},
            {"title", {{"type", "string"}}},
            {"status", {{"type", "integer"}}},
            {"detail", {{"type", "string"}}},
            {"problems",
             {{"type", "array"},
              {"items", {{"type", "string"}}},
              {"description", "With 422: what is wrong, a line each, as FILE:LINE: WHAT where it "
                              "stands in a file"}}}}}};
}

} // namespace

std::string openapi_document(std::string_view version) {
  json schemas{{"problem", problem_schema()}};
  json paths = json::object();
  for (const auto& r : routes()) {
    std::string method{r.method};
    std::transform(method.begin(), method.end(), method.begin(),
                   [](char c) { return static_cast<char>(c - 'A' + 'a'); });
    paths[std::string{r.path}][method] = describe(r, schemas);
  }
  const json problem_content{
    {"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/problem"}}}}}};
  const json document{
    {"openapi", "3.1.0"},
    {"info",
     {{"title", "Muster admin API"},
      {"version", version},
      {"description",
       "JSON by the protobuf mapping: 64-bit numbers are strings, times are microseconds since "
       "1970 (UTC), 0 means never. Ids are 32 lower case hexadecimal digits."}}},
    {"security", json::array({{{"bearer", json::array()}}})},
    {"paths", std::move(paths)},
    {"components",
     {{"securitySchemes", {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}}}},
      {"responses",
       {{"problem", {{"description", "What went wrong (RFC 9457)"},
                     {"content", problem_content}}}}},
      {"schemas", std::move(schemas)}}}};
  return document.dump();
}

} // namespace muster::actors::api
