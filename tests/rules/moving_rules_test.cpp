#include "actors/rules/moving_rules.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace muster::rules;

namespace {

constexpr auto enrolled = moving_occasion::enrolled;
constexpr auto asked = moving_occasion::asked;
constexpr auto changed = moving_occasion::changed;

moving_condition condition(std::string_view trait, std::vector<std::string> alternatives) {
  std::string problem;
  const auto out = moving_condition::parse(*moving_trait_of(trait), alternatives, problem);
  REQUIRE_MESSAGE(out, problem);
  return *out;
}

moving_rule rule(std::uint32_t target, std::vector<moving_condition> conditions,
                 bool permanent = false, bool trust = false) {
  return {"r", std::move(conditions), {target}, permanent, trust};
}

ip_address address(std::string_view text) {
  return ip_address::parse(text).value();
}

const std::vector<ip_address> own_addresses{address("192.168.1.5"), address("2001:db8::5")};
const std::vector<std::string_view> applications{"nginx", "openssh-server"};
const std::vector<std::string_view> tags{"laptop"};

placement_facts web() {
  placement_facts out;
  out.name = "Web-01";
  out.os_id = "debian";
  out.os_name = "Debian GNU/Linux 12";
  out.addresses = own_addresses;
  out.applications = applications;
  out.source = address("10.1.2.3");
  out.token = "berlin";
  return out;
}

std::optional<std::uint32_t> moved(std::vector<moving_rule> rules, moving_occasion occasion,
                                   placement_facts device = web()) {
  const auto out = place(rules, device, occasion);
  return out ? std::optional{out->target.number} : std::nullopt;
}

} // namespace

TEST_CASE("each trait of a device can place it when it is new") {
  for (const auto& c :
       {condition("name", {"web-*"}), condition("os", {"debian"}), condition("os", {"*linux 12"}),
        condition("application", {"nope", "NGINX"}), condition("address", {"2001:db8::/32"}),
        condition("source", {"10.0.0.0/8"}), condition("token", {"ber*"})}) {
    CHECK(moved({rule(5, {c})}, enrolled) == 5);
    CHECK(moved({rule(5, {c})}, asked) == 5);
  }
  for (const auto& c : {condition("name", {"web"}), condition("os", {"fedora"}),
                        condition("application", {"apache2"}), condition("address", {"10.0.0.0/8"}),
                        condition("source", {"192.168.0.0/16"}), condition("token", {"paris"}),
                        condition("tag", {"laptop"})})
    CHECK_FALSE(moved({rule(5, {c})}, enrolled));
}

TEST_CASE("the first rule that holds decides, and all its conditions must hold") {
  const std::vector<moving_rule> rules{
    rule(5, {condition("name", {"web-*"}), condition("source", {"172.16.0.0/12"})}),
    rule(6, {condition("name", {"web-*"}), condition("source", {"10.0.0.0/8"})}), rule(7, {})};
  CHECK(place(rules, web(), enrolled) == placement{1, {6}});
  CHECK(moved({}, enrolled) == std::nullopt);
}

TEST_CASE("a change of what a device claims moves it only where claims are trusted") {
  const auto by_name = condition("name", {"web-*"});
  CHECK_FALSE(moved({rule(5, {by_name})}, changed));
  CHECK_FALSE(moved({rule(5, {by_name}, true)}, changed));
  CHECK(moved({rule(5, {by_name}, true, true)}, changed) == 5);
  CHECK_FALSE(moved({rule(5, {by_name}, false, true)}, changed)); // once is once
}

TEST_CASE("a change moves a device by what is proven, if the rule is permanent") {
  const auto by_source = condition("source", {"10.0.0.0/8"});
  CHECK(moved({rule(5, {by_source}, true)}, changed) == 5);
  CHECK_FALSE(moved({rule(5, {by_source}, false)}, changed));
  CHECK(moved({rule(5, {condition("token", {"berlin"})}, true)}, changed) == 5);
  // One claim among the conditions makes the whole a claim.
  CHECK_FALSE(moved({rule(5, {by_source, condition("os", {"debian"})}, true)}, changed));
}

TEST_CASE("a tag is proven when an administrator set it and claimed when a rule did") {
  auto device = web();
  const std::vector<moving_rule> rules{rule(5, {condition("tag", {"laptop"})}, true)};
  device.tags_by_rule = tags;
  CHECK(moved(rules, enrolled, device) == 5);
  CHECK_FALSE(moved(rules, changed, device));
  device.tags_manual = tags;
  CHECK(moved(rules, changed, device) == 5);
}

TEST_CASE("no token is no token, whatever the pattern, and no source is in no range") {
  auto device = web();
  device.token = "";
  device.source.reset();
  CHECK_FALSE(moved({rule(5, {condition("token", {"*"})})}, enrolled, device));
  CHECK_FALSE(moved({rule(5, {condition("source", {"::/0"})})}, enrolled, device));
}

TEST_CASE("a permanent rule on claims alone gets a word of advice") {
  const auto by_name = condition("name", {"x"});
  CHECK(advice_on(rule(5, {by_name})).empty());
  CHECK(advice_on(rule(5, {by_name}, true)).find("trust: claimed") != std::string::npos);
  CHECK(advice_on(rule(5, {by_name}, true, true)).empty());
  CHECK(advice_on(rule(5, {condition("source", {"::/0"})}, true)).empty());
  CHECK(looks_at_applications(
    std::vector{rule(5, {by_name}), rule(5, {condition("application", {"x"})})}));
  CHECK_FALSE(looks_at_applications(std::vector{rule(5, {by_name})}));
}

TEST_CASE("a condition that cannot be is refused with a clause") {
  std::string problem;
  const auto parse = [&](moving_trait trait, std::vector<std::string> alternatives) {
    return moving_condition::parse(trait, alternatives, problem).has_value();
  };
  CHECK_FALSE(parse(moving_trait::name, {}));
  CHECK_FALSE(parse(moving_trait::name, {""}));
  CHECK_FALSE(parse(moving_trait::name, {std::string(257, 'a')}));
  CHECK_FALSE(parse(moving_trait::name, std::vector<std::string>(65, "a")));
  CHECK_FALSE(parse(moving_trait::source, {"10.0.0.0/8", "web-*"}));
  CHECK(problem.find("'web-*'") != std::string::npos);
  CHECK_FALSE(moving_trait_of("colour"));
  CHECK(condition("source", {"10.0.0.0/8", "::1"}).texts() ==
        std::vector<std::string>{"10.0.0.0/8", "::1"});
  CHECK(condition("name", {"Web-*"}).texts() == std::vector<std::string>{"web-*"});
}

TEST_CASE("addresses are read strictly and written as people write them") {
  const std::pair<const char*, const char*> good[] = {{"10.1.2.3", "10.1.2.3"},
                                                      {"::ffff:10.1.2.3", "10.1.2.3"},
                                                      {"::", "::"},
                                                      {"::1", "::1"},
                                                      {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                                                      {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
                                                      {"1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"},
                                                      {"fe80::", "fe80::"},
                                                      {"::1.2.3.4", "::102:304"},
                                                      {"1::8", "1::8"},
                                                      {"0:0:0:0:0:0:0:8", "::8"}};
  for (const auto& [in, out] : good) {
    const auto one = ip_address::parse(in);
    REQUIRE_MESSAGE(one, in);
    CHECK(one->text() == out);
    CHECK(ip_address::parse(one->text()) == one);
  }
  for (const auto* bad : {"",
                          "1",
                          "1.2.3",
                          "1.2.3.4.5",
                          "1.2.3.256",
                          "01.2.3.4",
                          "1.2.3.4 ",
                          "1.2.3.",
                          ".1.2.3",
                          ":",
                          ":::",
                          "1::2::3",
                          "1:2:3:4:5:6:7",
                          "1:2:3:4:5:6:7:8:9",
                          "1:2:3:4:5:6:7::8",
                          "12345::",
                          "g::",
                          "::1%eth0",
                          "1.2.3.4::",
                          "1:2:3:4:5:6:7:1.2.3.4",
                          "::1:",
                          ":1::",
                          "-1.2.3.4",
                          "+1.2.3.4"})
    CHECK_FALSE_MESSAGE(ip_address::parse(bad), bad);
}

TEST_CASE("random addresses and ranges survive their text, and contain what begins alike") {
  std::mt19937 random{9};
  std::string problem;
  for (int round = 0; round < 5'000; ++round) {
    ip_address one;
    const bool v4 = random() % 2 == 0;
    for (std::size_t i = 0; i < 16; ++i)
      one.bytes[i] = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : 0);
    if (v4) {
      std::fill(one.bytes.begin(), one.bytes.begin() + 10, std::uint8_t{0});
      one.bytes[10] = one.bytes[11] = 0xff;
    }
    REQUIRE(ip_address::parse(one.text()) == one);
    address_range range{one, static_cast<std::uint8_t>(v4 ? 96 + random() % 33 : random() % 129)};
    for (unsigned bit = range.prefix_bits; bit < 128; ++bit)
      range.first.bytes[bit / 8] &= static_cast<std::uint8_t>(~(1U << (7 - bit % 8)));
    if (range.first.is_v4() && range.prefix_bits < 96)
      continue;
    const auto again = address_range::parse(range.text(), problem);
    REQUIRE_MESSAGE(again, problem);
    REQUIRE(*again == range);
    REQUIRE(range.contains(one));
    auto other = one;
    const auto flip = random() % 128;
    other.bytes[flip / 8] ^= static_cast<std::uint8_t>(1U << (7 - flip % 8));
    REQUIRE(range.contains(other) == (flip >= range.prefix_bits));
  }
  for (const auto* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.1.0.0/8", "::/129",
                          "2001:db8::1/32", "x/8", "1.2.3.4/8/8"})
    CHECK_FALSE_MESSAGE(address_range::parse(bad, problem), bad);
}
