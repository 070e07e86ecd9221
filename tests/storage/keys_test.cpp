// Keys: what is built can be taken apart, order is the order of what they mean, nothing else
// parses.

#include "storage/keys.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <vector>

using namespace muster::storage;

namespace {

keys::device_bytes device_of(std::uint8_t fill) {
  keys::device_bytes out;
  out.fill(fill);
  return out;
}

keys::hash_bytes hash_of(std::uint8_t fill) {
  keys::hash_bytes out;
  out.fill(fill);
  return out;
}

bool within(const key_range& range, const std::string& key) {
  return key >= range.lower && (range.upper.empty() || key < range.upper);
}

const std::vector<std::string> nasty_texts{
  "",
  "a",
  "ab",
  std::string("\0", 1),
  std::string("a\0", 2),
  std::string("a\0b", 3),
  std::string("\0\0", 2),
  std::string("\0\xff", 2),
  std::string("\0\x01", 2),
  "\xff",
  "\xff\xff",
  "a\xff",
  "a\x01",
  "linux-image-6.1.0-18-amd64",
  "2:1.0~rc1-1+deb12u1",
};

/// One key of every kind with the question whether it parses as that kind.
struct kind {
  std::string name;
  std::string key;
  std::function<bool(std::string_view)> parses;
};

std::vector<std::pair<family, kind>> all_kinds() {
  const auto device = device_of(0x5a);
  const auto hash = hash_of(0xa5);
  const auto day = 20'000 * keys::bucket_us + 17;
  return {
    {family::meta, {"schema", keys::schema(), [](auto key) { return key == keys::schema(); }}},
    {family::meta, {"user", keys::user("root"), [](auto key) { return !!keys::parse_user(key); }}},
    {family::meta, {"token", keys::token("t1"), [](auto key) { return !!keys::parse_token(key); }}},
    {family::meta,
     {"setting", keys::setting("x"), [](auto key) { return !!keys::parse_setting(key); }}},
    {family::devices,
     {"device", keys::device(device), [](auto key) { return !!keys::parse_device(key); }}},
    {family::devices,
     {"device report", keys::device_report(device),
      [](auto key) { return !!keys::parse_device_report(key); }}},
    {family::devices,
     {"removal", keys::removal(device), [](auto key) { return !!keys::parse_removal(key); }}},
    {family::devices,
     {"key hash", keys::key_hash(hash), [](auto key) { return !!keys::parse_key_hash(key); }}},
    {family::devices,
     {"position", keys::position(device), [](auto key) { return !!keys::parse_position(key); }}},
    {family::inventory,
     {"section", keys::section(device, 2), [](auto key) { return !!keys::parse_section(key); }}},
    {family::index,
     {"application", keys::application({"bash", "5.2", "amd64", "dpkg", device}),
      [](auto key) { return !!keys::parse_application(key); }}},
    {family::index,
     {"device event", keys::device_event(device, 2, day, 3),
      [](auto key) { return !!keys::parse_device_event(key); }}},
    {family::events,
     {"event", keys::event(4, day, 1), [](auto key) { return !!keys::parse_event(key); }}},
    {family::events,
     {"spooled", keys::spooled(77), [](auto key) { return !!keys::parse_spooled(key); }}},
    {family::audit,
     {"audit", keys::audit(day, 5), [](auto key) { return !!keys::parse_audit(key); }}},
  };
}

/// Keys of these kinds end with a free text: shorter ones are keys too.
bool open_ended(const std::string& name) {
  return name == "user" || name == "token" || name == "setting";
}

} // namespace

TEST_CASE("every key parses as its own kind and as no other of its family") {
  const auto kinds = all_kinds();
  for (const auto& [where, one] : kinds) {
    CAPTURE(one.name);
    CHECK(one.parses(one.key));
    for (const auto& [elsewhere, other] : kinds) {
      if (where == elsewhere && one.name != other.name) {
        CAPTURE(other.name);
        CHECK_FALSE(other.parses(one.key));
      }
    }
  }
}

TEST_CASE("a key cut anywhere or with bytes behind it does not parse") {
  for (const auto& [where, one] : all_kinds()) {
    CAPTURE(one.name);
    for (std::size_t size = 0; size < one.key.size(); ++size) {
      CAPTURE(size);
      CHECK(one.parses(one.key.substr(0, size)) == (open_ended(one.name) && size > 0));
    }
    if (!open_ended(one.name))
      CHECK_FALSE(one.parses(one.key + '\0'));
  }
}

TEST_CASE("names, ids and hashes come back from their keys") {
  CHECK(keys::parse_user(keys::user("anna")) == "anna");
  CHECK(keys::parse_token(keys::token("k3")) == "k3");
  CHECK(keys::parse_setting(keys::setting("clock")) == "clock");
  CHECK(keys::parse_device(keys::device(device_of(7))) == device_of(7));
  CHECK(keys::parse_device_report(keys::device_report(device_of(7))) == device_of(7));
  CHECK(keys::parse_removal(keys::removal(device_of(7))) == device_of(7));
  CHECK(keys::parse_key_hash(keys::key_hash(hash_of(7))) == hash_of(7));
  CHECK(keys::parse_position(keys::position(device_of(7))) == device_of(7));
  CHECK(keys::parse_section(keys::section(device_of(7), 65535)) ==
        keys::section_key{device_of(7), 65535});
  CHECK(keys::parse_spooled(keys::spooled(UINT64_MAX)) == UINT64_MAX);
}

TEST_CASE(
  "application keys keep any text and sort by name, version, architecture, manager, device") {
  using order = std::tuple<std::string, std::string, std::string, std::string, std::uint8_t>;
  std::vector<std::pair<order, std::string>> all;
  std::mt19937 random(1);
  const auto any = [&]() -> const std::string& {
    return nasty_texts[random() % nasty_texts.size()];
  };
  for (int i = 0; i < 2'000; ++i) {
    const auto device = static_cast<std::uint8_t>(random() % 3 == 0 ? 255 : random() % 256);
    const keys::application_key what{any(), any(), any(), any(), device_of(device)};
    const auto key = keys::application(what);
    const auto parsed = keys::parse_application(key);
    REQUIRE(parsed);
    CHECK(*parsed == what);
    all.push_back({{what.name, what.version, what.architecture, what.manager, device}, key});
  }
  std::sort(all.begin(), all.end());
  CHECK(std::is_sorted(all.begin(), all.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; }));
}

TEST_CASE("ranges over applications hold exactly what they name") {
  for (const auto& name : nasty_texts) {
    for (const auto& version : nasty_texts) {
      const auto key = keys::application({name, version, "amd64", "dpkg", device_of(255)});
      CHECK(within(keys::applications(), key));
      for (const auto& other : nasty_texts) {
        CHECK(within(keys::applications_named(other), key) == (other == name));
        CHECK(within(keys::applications_named(name, other), key) == (other == version));
        CHECK(within(keys::applications_beginning_with(other), key) == name.starts_with(other));
      }
    }
  }
}

TEST_CASE("event keys sort by severity and receive time and name their day") {
  const std::vector<std::int64_t> times{0,
                                        1,
                                        255,
                                        256,
                                        keys::bucket_us - 1,
                                        keys::bucket_us,
                                        1'700'000'000'000'000,
                                        1'700'000'000'000'001,
                                        std::numeric_limits<std::int64_t>::max()};
  std::string last;
  for (std::uint8_t severity = 1; severity <= 4; ++severity) {
    for (const auto time : times) {
      for (const auto part : std::vector<std::uint16_t>{0, 1, 256}) {
        const auto key = keys::event(severity, time, part);
        CHECK(key > last);
        last = key;
        CHECK(keys::parse_event(key) ==
              keys::event_key{severity, keys::bucket_of(time), time, part});
        CHECK(within(keys::events(severity), key));
        CHECK_FALSE(within(keys::events(static_cast<std::uint8_t>(severity + 1)), key));
        CHECK(within(keys::events_received(severity, time, INT64_MAX), key) == (time < INT64_MAX));
        CHECK_FALSE(within(keys::events_received(severity, 0, time), key));
        const auto bucket = keys::bucket_of(time);
        CHECK(within(keys::events(severity, bucket, bucket + 1), key));
        CHECK_FALSE(within(keys::events(severity, 0, bucket), key));
        const auto mine = keys::device_event(device_of(255), severity, time, part);
        CHECK(keys::parse_device_event(mine) ==
              keys::device_event_key{severity, bucket, device_of(255), time, part});
        CHECK(within(keys::device_events(device_of(255), severity, bucket), mine));
        CHECK_FALSE(within(keys::device_events(device_of(254), severity, bucket), mine));
        CHECK(within(keys::device_events(severity, bucket, bucket + 1), mine));
        CHECK(mine >= keys::device_events_from(device_of(255), severity, bucket));
      }
    }
  }
}

TEST_CASE("a time before 1970 counts as 1970") {
  CHECK(keys::event(1, -5, 0) == keys::event(1, 0, 0));
  CHECK(keys::audit(std::numeric_limits<std::int64_t>::min(), 0) == keys::audit(0, 0));
}

TEST_CASE("an event key whose day does not fit its time is refused") {
  auto key = keys::event(1, 5 * keys::bucket_us, 0);
  key[5] = 4;
  CHECK_FALSE(keys::parse_event(key));
}

TEST_CASE("sections, audit entries and spooled events are found by their ranges") {
  CHECK(within(keys::sections(device_of(255)), keys::section(device_of(255), 65535)));
  CHECK_FALSE(within(keys::sections(device_of(254)), keys::section(device_of(255), 0)));
  CHECK(within(keys::audits(10, 11), keys::audit(10, UINT64_MAX)));
  CHECK_FALSE(within(keys::audits(10, 11), keys::audit(11, 0)));
  CHECK(within(keys::audits(), keys::audit(INT64_MAX, UINT64_MAX)));
  CHECK(within(keys::spool(), keys::spooled(0)));
  CHECK(within(keys::spool(), keys::spooled(UINT64_MAX)));
  CHECK(keys::spooled(255) < keys::spooled(256));
}

TEST_CASE("the range of a prefix ends behind its last key, even at byte 255") {
  CHECK(keys::beginning_with("a").upper == "b");
  CHECK(keys::beginning_with("a\xff").upper == "b");
  CHECK(keys::beginning_with("\xff\xff").upper.empty());
  CHECK(keys::beginning_with("").upper.empty());
}

TEST_CASE("keys of the fleet's order lead back to what they were made of, and are found by their ranges") {
  CHECK(keys::parse_group(keys::group(7)) == 7U);
  CHECK(within(keys::groups(), keys::group(UINT32_MAX)));
  const keys::fleet_key policy{1, 300, std::string{"a\0b", 3}};
  CHECK(keys::parse_fleet_object(keys::fleet_object(policy)) == policy);
  CHECK(within(keys::fleet_objects(), keys::fleet_object(policy)));
  const keys::fleet_history_key past{policy, UINT64_MAX};
  CHECK(keys::parse_fleet_history(keys::fleet_history(past)) == past);
  CHECK(within(keys::fleet_histories(policy), keys::fleet_history(past)));
  CHECK_FALSE(within(keys::fleet_histories({1, 300, "a"}), keys::fleet_history(past)));
  CHECK(keys::fleet_history({policy, 255}) < keys::fleet_history({policy, 256}));
  CHECK(keys::parse_assignment(keys::assignment(device_of(255))) == device_of(255));
  CHECK(within(keys::assignments(), keys::assignment(device_of(255))));
  const keys::own_settings_key own{device_of(255), "sshd"};
  CHECK(keys::parse_own_settings(keys::own_settings(own)) == own);
  CHECK(within(keys::own_settings_of(device_of(255)), keys::own_settings(own)));
  CHECK_FALSE(within(keys::own_settings_of(device_of(254)), keys::own_settings(own)));
  CHECK(within(keys::own_settings(), keys::own_settings(own)));
}

TEST_CASE("keys of the agent's documents lead back to what they were made of") {
  const keys::document_key one{2, "sshd"};
  CHECK(keys::parse_document(keys::document(one)) == one);
  CHECK(within(keys::documents(), keys::document(one)));
  CHECK(keys::parse_applied_settings(keys::applied_settings("sshd")) == "sshd");
  CHECK(within(keys::all_applied_settings(), keys::applied_settings("sshd")));
  CHECK_FALSE(keys::parse_document(std::string{"d"}));
}
