#include "actors/rules/device_filter.hpp"

#include <doctest/doctest.h>

using namespace muster::rules;

namespace {

device_traits web() {
  device_traits d;
  d.name = "Web-01.example.org";
  d.os_id = "debian";
  d.os_name = "Debian GNU/Linux 12 (bookworm)";
  d.device.bytes[0] = 0xab;
  d.state = device_state::silent;
  return d;
}

bool meant(std::string_view target) {
  std::string problem;
  const auto filter = device_filter::parse(target, problem);
  REQUIRE_MESSAGE(filter, problem);
  return filter->matches(web());
}

std::string problem_with(std::string_view target) {
  std::string problem;
  CHECK_FALSE(device_filter::parse(target, problem));
  return problem;
}

} // namespace

TEST_CASE("the empty target means every device") {
  CHECK(meant(""));
  CHECK(meant("  "));
}

TEST_CASE("names match whole, without regard to letter case, with wildcards") {
  CHECK(meant("web-01.example.org"));
  CHECK(meant("WEB-*"));
  CHECK(meant("web-0?.*"));
  CHECK(meant("*"));
  CHECK_FALSE(meant("web-01"));
  CHECK_FALSE(meant("web-0?"));
}

TEST_CASE("terms narrow, commas widen") {
  CHECK(meant("web-* os:debian state:silent"));
  CHECK(meant("db-*,web-*"));
  CHECK(meant("state:idle,silent"));
  CHECK_FALSE(meant("web-* os:fedora"));
  CHECK_FALSE(meant("web-* state:idle"));
}

TEST_CASE("an OS is found by its id and by its full name, a device by the start of its id") {
  CHECK(meant("os:debian"));
  CHECK(meant("os:*bookworm*"));
  CHECK(meant("id:ab*"));
  CHECK_FALSE(meant("id:cd*"));
}

TEST_CASE("what is no target is refused with a sentence that helps") {
  CHECK(problem_with("colour:blue").find("os:") != std::string::npos);
  CHECK(problem_with("state:asleep").find("silent") != std::string::npos);
  CHECK(problem_with("a,,b").find("nothing") != std::string::npos);
  CHECK(problem_with("os:").find("nothing") != std::string::npos);
  CHECK(problem_with(std::string(2000, 'a')).find("1024") != std::string::npos);
  std::string many = "a";
  for (int i = 0; i < 64; ++i)
    many += ",a";
  CHECK(problem_with(many).find("64") != std::string::npos);
}

TEST_CASE("a trailing comma is a name that is missing") {
  std::string problem;
  CHECK_FALSE(device_filter::parse("web,", problem));
}

TEST_CASE("many stars take no exponential time") {
  CHECK_FALSE(glob_matches("*a*a*a*a*a*a*a*a*a*a*b", std::string(5000, 'a')));
}

TEST_CASE("status and keep are words, others are refused with the right ones") {
  CHECK(meant("status:ok,critical"));
  CHECK_FALSE(meant("status:warning"));
  CHECK(meant("keep:off"));
  CHECK(problem_with("status:fine").find("ok, warning and critical") != std::string::npos);
  CHECK(problem_with("keep:yes").find("neither on nor off") != std::string::npos);
  CHECK(problem_with("state:asleep").find("unknown and off") != std::string::npos);
}

TEST_CASE("a group means itself and all below it, and no group that only begins alike") {
  auto device = web();
  device.group = "eu/Berlin/web";
  const auto meant_by = [&](std::string_view target) {
    std::string problem;
    const auto filter = device_filter::parse(target, problem);
    REQUIRE_MESSAGE(filter, problem);
    return filter->matches(device);
  };
  CHECK(meant_by("group:eu"));
  CHECK(meant_by("group:EU/berlin"));
  CHECK(meant_by("group:/eu/berlin/"));
  CHECK(meant_by("group:eu/berlin/web"));
  CHECK(meant_by("group:/"));
  CHECK(meant_by("group:*/berlin"));
  CHECK(meant_by("group:us,eu"));
  CHECK_FALSE(meant_by("group:e"));
  CHECK_FALSE(meant_by("group:eu/ber"));
  CHECK_FALSE(meant_by("group:berlin"));
  CHECK_FALSE(meant_by("group:eu/berlin/web/x"));
  device.group = "";
  CHECK(meant_by("group:/"));
  CHECK_FALSE(meant_by("group:eu"));
  CHECK(problem_with("group:").find("nothing") != std::string::npos);
}

TEST_CASE("one of a device's tags is enough, and a device without any is not meant") {
  auto device = web();
  std::string problem;
  const auto filter = device_filter::parse("tag:lap*,old", problem);
  REQUIRE(filter);
  CHECK_FALSE(filter->matches(device));
  const std::string_view tags[] = {"new", "Laptop"};
  device.tags = tags;
  CHECK(filter->matches(device));
  const auto both = device_filter::parse("tag:new tag:old", problem);
  REQUIRE(both);
  CHECK_FALSE(both->matches(device));
}

TEST_CASE("a filter says which kinds of terms it has") {
  std::string problem;
  const auto filter = device_filter::parse("tag:a,b group:eu os:debian", problem);
  REQUIRE(filter);
  const auto kinds = filter->kinds();
  CHECK(kinds.tag);
  CHECK(kinds.group);
  CHECK(kinds.os);
  CHECK_FALSE((kinds.name || kinds.state || kinds.status || kinds.keep || kinds.id));
}
