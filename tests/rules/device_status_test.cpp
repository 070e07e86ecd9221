#include "actors/rules/device_status.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace muster::rules;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t hour = 3600 * second;
constexpr std::int64_t now = 1'700'000'000 * second;
constexpr std::int64_t valid = now / second + 300 * 24 * 3600;

struct row {
  const char* what;
  device_conditions device;
  device_status level;
  const char* text;
};

device_conditions fine(device_state state = device_state::connected) {
  return {state, now, 0, 50, 0, 0, valid};
}
device_conditions silent(std::int64_t for_us) {
  auto out = fine(device_state::silent);
  out.last_contact_us = now - for_us;
  return out;
}
device_conditions restarting(std::int64_t for_us) {
  auto out = fine(device_state::off);
  out.restarting_since_us = now - for_us;
  return out;
}
device_conditions disk(std::uint32_t percent) {
  auto out = fine();
  out.disk_used_percent = percent;
  return out;
}
device_conditions services(std::uint32_t failed) {
  auto out = fine();
  out.failed_services = failed;
  return out;
}
device_conditions syncs(std::uint32_t failed) {
  auto out = fine();
  out.sync_failures = failed;
  return out;
}
device_conditions certificate(std::int64_t left_s) {
  auto out = fine();
  out.certificate_expires_s = now / second + left_s;
  return out;
}

} // namespace

TEST_CASE("each condition counts from its threshold on, and says so") {
  constexpr auto ok = device_status::ok;
  constexpr auto warning = device_status::warning;
  constexpr auto critical = device_status::critical;
  const std::vector<row> table = {
    {"nothing", fine(), ok, ""},
    {"idle for long is no silence", {device_state::idle, now - 900 * hour, 0, 0, 0, 0, valid}, ok, ""},
    {"never seen", {device_state::never, 0, 0, 0, 0, 0, valid}, ok, ""},
    {"off for years", {device_state::off, now - 9000 * hour, 0, 0, 0, 0, valid}, ok, ""},
    {"silence", silent(24 * hour - second), ok, ""},
    {"silence", silent(24 * hour), warning, "silent for 24 hours"},
    {"silence", silent(7 * 24 * hour - second), warning, "silent for 6 days"},
    {"silence", silent(7 * 24 * hour), critical, "silent for 7 days"},
    {"restart", restarting(hour - second), ok, ""},
    {"restart", restarting(hour), warning, "said that it restarts 60 minutes ago, and is not back"},
    {"disk", disk(89), ok, ""},
    {"disk", disk(90), warning, "its fullest disk is 90 % full"},
    {"disk", disk(95), critical, "its fullest disk is 95 % full"},
    {"services", services(1), warning, "1 service has failed"},
    {"services", services(1000), warning, "1000 services have failed"},
    {"syncs", syncs(2), ok, ""},
    {"syncs", syncs(3), warning, "3 syncs in a row have failed"},
    {"syncs", syncs(10), critical, "10 syncs in a row have failed"},
    {"certificate", certificate(30 * 86400), ok, ""},
    {"certificate", certificate(30 * 86400 - 1), warning, "its certificate ends in 29 days"},
    {"certificate", certificate(7 * 86400 - 1), critical, "its certificate ends in 6 days"},
    {"certificate", certificate(0), critical, "its certificate has expired"},
  };
  for (const auto& one : table) {
    CAPTURE(one.what);
    const auto found = status_of(one.device, {}, now);
    CHECK(found.level == one.level);
    CHECK(explain(found) == one.text);
  }
}

TEST_CASE("several conditions: the worst one is the status and the first reason") {
  auto device = disk(92);
  device.failed_services = 2;
  device.sync_failures = 12;
  const auto found = status_of(device, {}, now);
  CHECK(found.level == device_status::critical);
  CHECK(explain(found) == "12 syncs in a row have failed; its fullest disk is 92 % full; "
                          "2 services have failed");
}

TEST_CASE("a revoked device is ok, whatever is true of it") {
  auto device = certificate(-1);
  device.disk_used_percent = 100;
  device.state = device_state::revoked;
  CHECK(status_of(device, {}, now).level == device_status::ok);
}

TEST_CASE("a threshold of zero takes the condition out") {
  status_limits none;
  none.silent_warning = none.silent_critical = none.restart_warning = 0s;
  none.certificate_warning = none.certificate_critical = 0s;
  none.disk_used_percent = none.failed_services = none.sync_failures = {0, 0};
  for (auto device : {silent(10000 * hour), restarting(10000 * hour), certificate(-1)}) {
    device.disk_used_percent = 100;
    device.failed_services = device.sync_failures = 1000;
    CHECK(status_of(device, none, now).count == 0);
  }
}

TEST_CASE("every status has a name of its own and is found by it") {
  for (std::size_t i = 0; i < device_statuses; ++i) {
    const auto s = static_cast<device_status>(i);
    CHECK(device_status_of(name_of(s)) == s);
  }
  CHECK_FALSE(device_status_of("fine"));
}
