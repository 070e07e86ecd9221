#pragma once
// An administrator in front of the admin API: logged in, on one connection.

#include "net/section_digest.hpp"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "tests/actors/console_world.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/message.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace muster::test {

/// Two groups, and policies of one application in two places.
inline constexpr std::string_view fleet_of_europe = R"(apiVersion: muster/v1
kind: Group
metadata: {name: eu}
spec: {description: Europe}
---
apiVersion: muster/v1
kind: Group
metadata: {name: eu/berlin}
---
apiVersion: muster/v1
kind: Policy
metadata: {name: sshd}
spec:
  settings: {PermitRootLogin: false, Port: 22}
  locks: [PermitRootLogin]
---
apiVersion: muster/v1
kind: Policy
metadata: {name: sshd, group: eu}
spec:
  settings: {Port: 2222}
  profiles:
    - {name: laptops, when: "tag:laptop", settings: {Port: 2200}}
)";

struct administrator_world : console_world {
  client c{*this};
  std::string bearer = token();

  net::http::response post(const std::string& path, const json& body, const std::string& who) {
    pass(std::chrono::seconds{1}); // so that audit entries have an order
    return c.call("POST", "/api/v1/" + path, who, body.dump());
  }
  json post(const std::string& path, const json& body, int status = 200) {
    const auto answer = post(path, body, bearer);
    CAPTURE(path);
    CAPTURE(answer.body);
    REQUIRE(answer.status == status);
    return answer.body.empty() ? json{} : json::parse(answer.body);
  }
  json get(const std::string& path, int status = 200) {
    return c.get("/api/v1/" + path, bearer, status);
  }

  /// A section of the device as a sync would have stored it.
  void put_section(const actors::device_id& device, std::uint16_t number,
                   const google::protobuf::Message& content) {
    const auto bytes = content.SerializeAsString();
    const auto digest = net::section_digest_of(bytes);
    storage::record::section section;
    section.set_digest(std::string(digest.begin(), digest.end()));
    section.set_received_ms(1'234);
    section.set_bytes(bytes.size());
    section.set_compressed(storage::compress(bytes));
    const storage::change_batch batch{storage::put(storage::family::inventory,
                                                   storage::keys::section(device.bytes, number),
                                                   storage::records::encode(section))};
    REQUIRE_FALSE(db.write({&batch, 1}));
  }
};

} // namespace muster::test
