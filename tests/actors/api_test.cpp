// The pure parts of the admin API: routes, cursors, the OpenAPI document, figures, merged lists.

#include "actors/server/api/call.hpp"
#include "actors/server/api/cursor.hpp"
#include "actors/server/api/device_merge.hpp"
#include "actors/server/api/exposition.hpp"
#include "actors/server/api/host_name.hpp"
#include "actors/server/api/metric_help.hpp"
#include "actors/server/api/openapi.hpp"
#include "actors/server/api/reply.hpp"
#include "actors/server/api/routes.hpp"
#include "net/wire/admin.pb.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace muster;
using namespace muster::actors;
using nlohmann::json;

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Calls `visit` with every value under `where`.
void walk(const json& where, const std::function<void(const json&)>& visit) {
  visit(where);
  if (where.is_structured())
    for (const auto& below : where)
      walk(below, visit);
}

} // namespace

// -- routes ---------------------------------------------------------------------------------------

TEST_CASE("every route is found by its own path, with its argument") {
  for (const auto& r : api::routes()) {
    std::string path{r.path};
    const auto name = api::argument_name(r);
    if (!name.empty())
      path.replace(path.find('{'), name.size() + 2, "a b");
    const auto found = api::find_route(r.method, path);
    CAPTURE(path);
    REQUIRE(found.found == &r);
    CHECK(found.argument == (name.empty() ? "" : "a b"));
  }
}

TEST_CASE("a path that is longer, shorter or empty in the middle is none") {
  for (const std::string path : {"", "/", "/api", "/api/v1/devices//applications",
                                 "/api/v1/devices/a/applications/b", "/api/v1/devices/",
                                 "//api/v1/devices", "/api/v1/devicesx"}) {
    const auto found = api::find_route("GET", path);
    CAPTURE(path);
    CHECK(found.found == nullptr);
    CHECK(found.allow.empty());
  }
}

TEST_CASE("a route that is not open to anybody asks who it is; on this machine, figures do not") {
  for (const auto& r : api::routes()) {
    net::http::request request;
    request.method = r.method;
    request.path = r.path;
    net::http::response refusal;
    CAPTURE(r.path);
    CHECK((api::begin_call(request, false, refusal) != nullptr) == (r.who == api::access::anybody));
    CHECK((api::begin_call(request, true, refusal) != nullptr)
          == (r.who == api::access::anybody || r.what == api::operation::show_metrics));
  }
}

TEST_CASE("the scheme of a log-in is taken in any case, others are none") {
  net::http::request request;
  request.method = "GET";
  request.path = "/api/v1/whoami";
  net::http::response refusal;
  for (const std::string value : {"Bearer abc", "bearer abc", "BEARER   abc"}) {
    request.headers["authorization"] = value;
    const auto call = api::begin_call(request, false, refusal);
    REQUIRE(call);
    CHECK(call->bearer == "abc");
  }
  for (const std::string value : {"", "Bearer", "Bearer ", "Basic abc", "Bearerabc"}) {
    request.headers["authorization"] = value;
    CHECK_FALSE(api::begin_call(request, false, refusal));
    CHECK(refusal.status == 401);
  }
}

TEST_CASE("loopback is this machine and nothing that begins like it") {
  CHECK(api::is_loopback("127.0.0.1"));
  CHECK(api::is_loopback("127.9.9.9"));
  CHECK(api::is_loopback("::1"));
  CHECK_FALSE(api::is_loopback("128.0.0.1"));
  CHECK_FALSE(api::is_loopback("::2"));
  CHECK_FALSE(api::is_loopback("1270.0.0.1"));
  CHECK_FALSE(api::is_loopback(""));
}

// -- the document ---------------------------------------------------------------------------------

TEST_CASE("the OpenAPI document describes every route, and nothing else") {
  const auto document = json::parse(api::openapi_document("1.2.3"));
  CHECK(document.at("openapi") == "3.1.0");
  CHECK(document.at("info").at("version") == "1.2.3");
  std::size_t described = 0;
  for (const auto& path : document.at("paths"))
    described += path.size();
  CHECK(described == api::routes().size());
  std::set<std::string> ids;
  for (const auto& r : api::routes()) {
    const auto& route = document.at("paths").at(std::string{r.path}).at(lower(std::string{r.method}));
    CAPTURE(r.path);
    ids.insert(route.at("operationId").get<std::string>());
    CHECK(route.at("responses").contains(std::to_string(r.status)));
    CHECK(route.at("responses").contains("default"));
    CHECK(route.contains("requestBody") == !r.request.empty());
    CHECK((route.contains("security") && route.at("security").empty())
          == (r.who == api::access::anybody));
    std::set<std::string> parameters;
    for (const auto& p : route.value("parameters", json::array()))
      parameters.insert(p.at("name").get<std::string>());
    for (const auto& p : r.query)
      CHECK(parameters.contains(std::string{p.name}));
    CHECK(parameters.size() == r.query.size() + (api::argument_name(r).empty() ? 0 : 1));
  }
  CHECK(ids.size() == api::routes().size());
}

TEST_CASE("every reference of the document leads somewhere") {
  const auto document = json::parse(api::openapi_document("1"));
  std::size_t references = 0;
  walk(document, [&](const json& value) {
    if (!value.is_object() || !value.contains("$ref") || !value["$ref"].is_string())
      return;
    ++references;
    const auto target = value["$ref"].get<std::string>();
    CAPTURE(target);
    REQUIRE(target.starts_with("#/"));
    CHECK(document.contains(json::json_pointer(target.substr(1))));
  });
  CHECK(references > 20);
}

TEST_CASE("what is answered is what the document says: names, and numbers as text") {
  const auto document = json::parse(api::openapi_document("1"));
  const auto& schemas = document.at("components").at("schemas");
  admin::device device;
  device.mutable_statistics();
  const auto shown = json::parse(api::to_json(device));
  const auto& described = schemas.at("device").at("properties");
  for (const auto& [name, value] : shown.items()) {
    CAPTURE(name);
    REQUIRE(described.contains(name));
    if (described[name].contains("type"))
      CHECK(described[name]["type"]
            == (value.is_number_integer() ? "integer" : value.type_name()));
  }
  CHECK(described.size() == shown.size());
  CHECK(described.at("enrolledUs").at("type") == "string");
  CHECK(schemas.at("wire.statistics").at("properties").at("loadMilli").at("type") == "integer");
  CHECK(schemas.at("event").at("properties").at("attributes").at("additionalProperties").at("type")
        == "string");
}

// -- cursors --------------------------------------------------------------------------------------

TEST_CASE("a cursor brings back its fields, to its own question alone") {
  const std::vector<std::vector<std::string>> samples{
    {}, {""}, {"a"}, {"a", "", std::string("\0\xff", 2)}, {std::string(3000, 'x'), "y"}};
  for (const auto& fields : samples) {
    const auto text = api::encode_cursor("question", fields);
    CHECK(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
          == std::string::npos);
    CHECK(api::decode_cursor("question", text) == fields);
    CHECK_FALSE(api::decode_cursor("another", text));
  }
}

TEST_CASE("a cursor that was cut, changed or lengthened is refused") {
  const std::array<std::string, 2> fields{"web-17", "d0000000000000000000000000000001"};
  const auto text = api::encode_cursor("q", fields);
  for (std::size_t length = 0; length < text.size(); ++length)
    CHECK_FALSE(api::decode_cursor("q", text.substr(0, length)));
  for (std::size_t at = 0; at < text.size(); ++at)
    for (const char c : {'A', 'z', '_', '=', ' '}) {
      auto other = text;
      if (std::exchange(other[at], c) != c)
        CHECK_FALSE(api::decode_cursor("q", other));
    }
  CHECK_FALSE(api::decode_cursor("q", text + "A"));
  CHECK_FALSE(api::decode_cursor("q", std::string(100'000, 'A')));
}

// -- figures --------------------------------------------------------------------------------------

TEST_CASE("figures of many actors become one exposition, each family together and told once") {
  const auto text = api::exposition("muster_a{x=\"1\"} 1\n"
                                    "# TYPE muster_b_total counter\nmuster_b_total 5\n"
                                    "# HELP muster_a What a is.\n# TYPE muster_a gauge\n"
                                    "muster_a{x=\"2\"} 2\n"
                                    "muster_a{x=\"1\"} 9\n"
                                    "muster_c_total 7\n"
                                    "# TYPE muster_h histogram\n"
                                    "muster_h_bucket{le=\"+Inf\"} 3\nmuster_h_sum 1.5\n"
                                    "muster_h_count 3\n"
                                    "# TYPE muster_nothing gauge\n");
  CHECK(text
        == "# HELP muster_a What a is.\n# TYPE muster_a gauge\n"
           "muster_a{x=\"1\"} 1\nmuster_a{x=\"2\"} 2\n"
           "# TYPE muster_b_total counter\nmuster_b_total 5\n"
           "# TYPE muster_c_total counter\nmuster_c_total 7\n"
           "# TYPE muster_h histogram\n"
           "muster_h_bucket{le=\"+Inf\"} 3\nmuster_h_sum 1.5\nmuster_h_count 3\n");
}

TEST_CASE("a figure is explained by whoever counts it, or by the table") {
  CHECK(api::exposition("muster_store_free_bytes 5\n# HELP muster_devices Mine.\nmuster_devices 1\n")
        == "# HELP muster_store_free_bytes Bytes free on the store's volume.\n"
           "# TYPE muster_store_free_bytes gauge\nmuster_store_free_bytes 5\n"
           "# HELP muster_devices Mine.\n# TYPE muster_devices gauge\nmuster_devices 1\n");
  CHECK(api::help_of("muster_agents_sent_bytes_total") == api::help_of("muster_console_sent_bytes_total"));
  CHECK_FALSE(api::help_of("muster_agents_sent_bytes_total").empty());
  CHECK_FALSE(api::help_of("muster_agents_plain_sent_bytes_total").empty());
  CHECK(api::help_of("muster__sent_bytes_total").empty());
  CHECK(api::help_of("").empty());
}

TEST_CASE("lines that are no samples are left out of an exposition") {
  CHECK(api::exposition("").empty());
  CHECK(api::exposition("\n\n#\n# comment\nname\n1name 2\nname{ 2\nname two\n{x} 1\nok 1e3\n")
        == "# TYPE ok gauge\nok 1e3\n");
}

TEST_CASE("a figure is found by its whole name") {
  CHECK(api::figure("a 1\nab 2\nb{x=\"1\"} 3\n", "ab") == 2.0);
  CHECK_FALSE(api::figure("a 1\n", "b"));
  CHECK_FALSE(api::figure("b{x=\"1\"} 3\n", "b"));
}

// -- lists of shards ------------------------------------------------------------------------------

TEST_CASE("pages of shards merge to what one shard would have said") {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<device_row> all;
    for (std::uint8_t i = 0; i < 20; ++i) {
      device_row row;
      row.device.bytes[0] = i;
      row.name = std::string(1, static_cast<char>('a' + random() % 6));
      row.fingerprint.bytes[0] = i + 1;
      all.push_back(std::move(row));
    }
    const auto by_name = [](const device_row& a, const device_row& b) {
      return std::tie(a.name, a.device) < std::tie(b.name, b.device);
    };
    std::sort(all.begin(), all.end(), by_name);
    const std::size_t limit = 1 + random() % 25;
    std::vector<std::shared_ptr<device_page>> pages{
      std::make_shared<device_page>(), std::make_shared<device_page>(),
      std::make_shared<device_page>()};
    for (const auto& row : all) {
      auto& page = *pages[random() % 3];
      ++page.matching;
      if (page.rows.size() < limit)
        page.rows.push_back(row);
    }
    const auto merged = api::merge_devices({pages.begin(), pages.end()}, limit, true);
    CHECK(merged.matching == 20);
    CHECK(merged.rows.size() == std::min<std::size_t>(limit, 20));
    CHECK(merged.more == (limit < 20));
    for (std::size_t i = 0; i < merged.rows.size(); ++i)
      CHECK(merged.rows[i].device == all[i].device);
  }
}

// -- names and problems ---------------------------------------------------------------------------

TEST_CASE("agents are told the name by which the console came, with the agents' port") {
  CHECK(api::host_of("muster.example:13299") == "muster.example");
  CHECK(api::host_of("muster.example") == "muster.example");
  CHECK(api::host_of("[2001:db8::1]:13299") == "[2001:db8::1]");
  CHECK(api::host_of("[broken").empty());
  CHECK(api::host_of("").empty());
}

TEST_CASE("a name that only this machine knows is not what clients are told") {
  CHECK(api::host_for_clients("muster.example:13299") == "muster.example");
  for (const char* local : {"localhost:13299", "127.0.0.1:13299", "[::1]:13299"}) {
    const auto told = api::host_for_clients(local);
    CHECK_FALSE(told.empty());
    CHECK(told != api::host_of(local));
  }
  CHECK(api::agents_address("muster.example", 13000) == "muster.example:13000");
  CHECK(api::agents_address("muster.example:443", 13000) == "muster.example:443");
  CHECK(api::agents_address("2001:db8::1", 13000) == "[2001:db8::1]:13000");
  CHECK(api::agents_address("[2001:db8::1]", 13000) == "[2001:db8::1]:13000");
  CHECK(api::agents_address("[2001:db8::1]:443", 13000) == "[2001:db8::1]:443");
  CHECK(api::agents_address("muster.example", 0) == "muster.example");
  CHECK(api::agents_address("", 13000).empty());
}

TEST_CASE("a problem document survives any text, and a message that is no text is a problem") {
  const auto r = api::problem(400, std::string("bad \xff\xfe \"quoted\"\n"));
  CHECK(json::parse(r.body).at("detail").get<std::string>().find("\"quoted\"") != std::string::npos);
  admin::whoami broken;
  broken.set_user("\xff\xfe");
  const auto reply = api::reply(200, broken);
  CHECK((reply.status == 200 || reply.status == 500));
  CHECK(json::accept(reply.body));
}
