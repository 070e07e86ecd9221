// sync, wake, keep, calls, call; and what the lists of devices tell of state and status.

#include "tests/apps/console_world.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace muster;
using namespace std::chrono_literals;
using muster::test::console_world;
using muster::test::noon;
using muster::test::second;
using nlohmann::json;

namespace {

/// A call as the server tells it; counts of steps that are not named are zero.
json call(std::uint64_t devices, json by_step, json rows = json::array()) {
  json out{{"id", "7"},       {"kind", "sync"},     {"target", "web-*"},
           {"createdBy", "anna"}, {"selecting", false}, {"problem", ""},
           {"createdUs", std::to_string(noon)},     {"devices", std::to_string(devices)},
           {"byStep", std::move(by_step)},          {"rows", std::move(rows)}};
  return out;
}

json row(const std::string& name, const std::string& step, const std::string& way,
         const std::string& text = {}, console::moment_us until = 0) {
  return {{"deviceId", std::string(32, 'a')},
          {"deviceName", name},
          {"step", step},
          {"way", way},
          {"atUs", std::to_string(noon + 84'000)},
          {"untilUs", std::to_string(until)},
          {"text", text},
          {"tookUs", "84000"}};
}

/// The value of a line "Name   value".
std::string fact(const std::string& sheet, const std::string& name) {
  const auto at = sheet.find(name + "  ");
  if (at == std::string::npos)
    return {};
  const auto begin = sheet.find_first_not_of(' ', at + name.size());
  return sheet.substr(begin, sheet.find('\n', begin) - begin);
}

/// A server on which one call goes through these stages, one at each look without a filter.
struct call_world : console_world {
  call_world() {
    server.on("POST /calls", 201, call(0, json::object()).dump());
    server.on("GET /calls/7", [this](const net::http::request& r) {
      net::http::response answer;
      if (r.query_value("step")) {
        answer.body = rows_of[*r.query_value("step")].dump();
        return answer;
      }
      answer.body = stages.front().dump();
      if (stages.size() > 1)
        stages.pop_front();
      return answer;
    });
    person.on_wait = [this] { now += 1000 * person.waited.back().count(); };
  }

  json order() { return json::parse(server.to("/calls").front().body); }

  std::deque<json> stages;
  std::map<std::string, json> rows_of;
};

} // namespace

TEST_CASE_FIXTURE(call_world, "one device's sync ends with a line that says when, after what, and which way") {
  const std::vector<std::pair<json, std::string>> cases{
    {row("web-1", "done", "kept"),
     "web-1: done at 2026-11-24 12:00:00Z, after 84 ms, over the kept connection\n"},
    {row("web-1", "done", "wake"), "web-1: done at 2026-11-24 12:00:00Z, after 84 ms, after a wake\n"},
    {row("web-1", "done", "next_contact"),
     "web-1: done at 2026-11-24 12:00:00Z, after 84 ms, with its next connection\n"},
  };
  for (const auto& [outcome, line] : cases) {
    stages = {call(1, {{"waiting", "1"}}, {row("web-1", "waiting", "none")}),
              call(1, {{"done", "1"}}, {outcome})};
    CHECK(run({"sync", "web-*", "--utc"}) == exit_fine);
    CHECK(person.printed == line);
    CHECK(person.noted.empty());
  }
  CHECK(order() == json{{"kind", "sync"}, {"target", "web-*"}});
}

TEST_CASE_FIXTURE(call_world, "who is queued or has failed has exit codes of their own, and what the server says") {
  stages = {call(1, {{"queued", "1"}},
                 {row("web-1", "queued", "next_contact", "no answer to 4 wakes", noon + 840 * second)})};
  CHECK(run({"sync", "web-1", "--utc"}) == exit_pending);
  CHECK(person.printed == "web-1: no answer to 4 wakes; queued until about 2026-11-24 12:14:00Z\n");
  stages = {call(1, {{"queued", "1"}}, {row("web-1", "queued", "next_contact")})};
  CHECK(run({"sync", "web-1"}) == exit_pending);
  CHECK(person.printed == "web-1: queued until it connects\n");
  stages = {call(1, {{"failed", "1"}}, {row("web-1", "failed", "none", "it is revoked")})};
  CHECK(run({"wake", "web-1", "--utc"}) == exit_failed);
  CHECK(person.printed == "web-1: failed at 2026-11-24 12:00:00Z: it is revoked\n");
}

TEST_CASE_FIXTURE(call_world, "what devices say cannot steer the terminal") {
  stages = {call(1, {{"failed", "1"}}, {row("\x1b]0;x\x07", "failed", "none", "\x1b[2J")})};
  CHECK(run({"sync", "*"}) == exit_failed);
  CHECK(person.printed.find('\x1b') == std::string::npos);
  CHECK(person.printed.find('\x07') == std::string::npos);
}

TEST_CASE_FIXTURE(call_world, "of many, a summary names the first who did not make it") {
  stages = {call(1000, {{"done", "990"}, {"queued", "2"}, {"failed", "8"}})};
  json failed = json::array();
  for (int i = 0; i < 5; ++i)
    failed.push_back(row("web-" + std::to_string(i), "failed", "none", "it is revoked"));
  rows_of["failed"] = call(1000, json::object(), failed);
  rows_of["failed"]["nextCursor"] = "more";
  rows_of["queued"] = call(1000, json::object(), {row("db-1", "queued", "next_contact")});
  CHECK(run({"sync", "os:debian", "--utc"}) == exit_failed);
  CHECK(person.printed.starts_with("Synced 990 of 1,000 devices; 2 queued, 8 failed.\n"
                                   "  web-0: failed at 2026-11-24 12:00:00Z: it is revoked\n"));
  CHECK(person.printed.ends_with("  ...\n  db-1: queued until it connects\n"));
  CHECK(person.noted == "All of them: muster call 7\n");
}

TEST_CASE_FIXTURE(call_world, "without --wait the queued are not waited for, with it they are") {
  const auto queued = call(2, {{"done", "1"}, {"queued", "1"}});
  rows_of["queued"] = call(2, json::object(), {row("db-1", "queued", "next_contact")});
  const auto done = call(2, {{"done", "2"}});
  stages = {call(2, {{"asked", "1"}, {"waking", "1"}}), queued, done};
  CHECK(run({"sync", "web-*"}) == exit_pending);
  stages = {call(2, {{"asked", "1"}, {"waking", "1"}}), queued, queued, done};
  CHECK(run({"sync", "web-*", "--wait"}) == exit_fine);
  CHECK(person.printed == "Synced 2 of 2 devices.\n");
}

TEST_CASE_FIXTURE(call_world, "a timeout ends the watching, and says how to look again") {
  stages = {call(2, {{"done", "1"}, {"queued", "1"}})};
  rows_of["queued"] = call(2, json::object(), {row("db-1", "queued", "next_contact")});
  const auto before = now;
  CHECK(run({"sync", "web-*", "--wait", "--timeout", "5s"}) == exit_pending);
  CHECK(now - before == 5 * second);
  CHECK(person.noted == "All of them: muster call 7\n");
  CHECK(run({"sync", "web-*", "--timeout", "soon"}) == exit_usage);
  CHECK(server.to("/calls").size() == 1); // nothing was asked for with the wrong word
}

TEST_CASE_FIXTURE(call_world, "a person sees a bar, a pipe does not") {
  stages = {call(4, {{"waiting", "3"}, {"done", "1"}}), call(4, {{"done", "4"}})};
  CHECK(run({"sync", "web-*"}) == exit_fine);
  CHECK(person.noted.empty());
  person.person = true;
  stages = {call(4, {{"waiting", "3"}, {"done", "1"}}), call(4, {{"done", "4"}})};
  CHECK(run({"sync", "web-*"}) == exit_fine);
  const std::string bar = "[######..................] 25 %  1 of 4 done, 3 waiting";
  CHECK(person.noted == "\r" + bar + "\r" + std::string(bar.size(), ' ') + "\r");
  person.shape.width = 40;
  stages = {call(4, {{"waiting", "3"}, {"done", "1"}}), call(4, {{"done", "4"}})};
  CHECK(run({"sync", "web-*"}) == exit_fine);
  CHECK(person.noted.find(bar) == std::string::npos);
}

TEST_CASE_FIXTURE(call_world, "Ctrl-C leaves the call running and says where to look") {
  stages = {call(2, {{"asked", "2"}})};
  person.on_wait = [this] { person.interrupt = true; };
  CHECK(run({"sync", "web-*"}) == exit_interrupted);
  CHECK(person.printed == "Synced 0 of 2 devices; 2 asked.\n");
  CHECK(person.noted == "The call goes on; see how far it is: muster call 7\n");
}

TEST_CASE_FIXTURE(call_world, "a target that nobody is, and a call that could not begin, are told as such") {
  stages = {call(0, json::object())};
  CHECK(run({"sync", "web-*"}) == exit_not_found);
  CHECK(person.noted == "muster: no device matches 'web-*'; see: muster devices\n");
  stages = {call(0, json::object())};
  stages.front()["problem"] = "the directory is overloaded";
  CHECK(run({"sync", "web-*"}) == exit_failed);
  CHECK(person.noted == "muster: nobody was called: the directory is overloaded\n");
  CHECK(run({"sync"}) == exit_usage);
  CHECK(run({"keep"}) == exit_usage);
}

TEST_CASE_FIXTURE(call_world, "a server that is away for a moment does not end the watching; one that forgot does") {
  int looks = 0;
  server.on("GET /calls/7", [&](const net::http::request&) {
    net::http::response answer;
    answer.status = ++looks < 4 ? 503 : 200;
    answer.body = call(1, {{"done", "1"}}, {row("web-1", "done", "kept")}).dump();
    return answer;
  });
  CHECK(run({"sync", "web-1"}) == exit_fine);
  CHECK(looks >= 4);
  server.on("GET /calls/7", 404, R"({"detail":"there is no such call"})");
  CHECK(run({"sync", "web-1"}) == exit_not_found);
}

TEST_CASE_FIXTURE(call_world, "keep and wake are calls of their own kinds") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
    {{"wake", "web-1"}, "wake"},
    {{"keep", "on", "web-1", "os:debian"}, "keep_on"},
    {{"keep", "off", "*"}, "keep_off"}};
  for (const auto& [words, kind] : cases) {
    server.asked.clear();
    stages = {call(1, {{"done", "1"}}, {row("web-1", "done", "none")})};
    CHECK(run(words) == exit_fine);
    CHECK(order().at("kind") == kind);
  }
  server.asked.clear();
  stages = {call(1, {{"done", "1"}}, {row("web-1", "done", "none")})};
  CHECK(run({"keep", "on", "web-1", "os:debian"}) == exit_fine);
  CHECK(order().at("target") == "web-1 os:debian");
}

TEST_CASE_FIXTURE(call_world, "--json is the call with all its rows, and no bar") {
  person.person = true;
  stages = {call(1, {{"waiting", "1"}}), call(1, {{"done", "1"}}, {row("web-1", "done", "kept")})};
  CHECK(run({"sync", "web-1", "--json"}) == exit_fine);
  const auto document = json::parse(person.printed);
  CHECK(document.at("rows").at(0).at("deviceName") == "web-1");
  CHECK(document.at("byStep").at("done") == "1");
  CHECK(person.noted.empty());
}

TEST_CASE_FIXTURE(call_world, "calls are listed, and one is shown device by device") {
  server.on("GET /calls", 200, json{{"calls", {call(3, {{"done", "2"}, {"queued", "1"}})}}}.dump());
  CHECK(run({"calls"}) == exit_fine);
  CHECK(person.printed == "CALL  WHAT  TARGET  BEGAN  BY    DEVICES  DONE  NOT YET\n"
                          "7     sync  web-*   now    anna        3     2  1 queued\n");
  server.on("GET /calls", 200, "{}");
  CHECK(run({"calls"}) == exit_fine);
  CHECK(person.noted == "No calls in the last day; see: muster sync --help\n");

  rows_of["queued"] = call(3, {{"done", "2"}, {"queued", "1"}},
                           {row("db-1", "queued", "next_contact", "no answer to 4 wakes")});
  CHECK(run({"call", "7", "--step", "queued"}) == exit_fine);
  CHECK(person.printed.find("Not yet  1 queued\n") != std::string::npos);
  CHECK(person.printed.find("no answer to 4 wakes") != std::string::npos);
  CHECK(run({"call", "8"}) == exit_not_found);
  CHECK(run({"call", "x"}) == exit_usage);
}

// -- state and status -----------------------------------------------------------------------------

TEST_CASE_FIXTURE(console_world, "devices tell since when they are off, how they are, and who is kept") {
  const json off{{"id", std::string(32, 'a')}, {"name", "web-1"}, {"state", "off"},
                 {"status", "ok"}, {"offUs", std::to_string(noon - 60 * second)},
                 {"offReason", "shutdown"}, {"lastContactUs", std::to_string(noon - 60 * second)}};
  const json bad{{"id", std::string(32, 'b')}, {"name", "web-2"}, {"state", "connected"},
                 {"status", "critical"}, {"statusReason", "2 services have failed"}, {"keep", true},
                 {"lastContactUs", std::to_string(noon - 5 * second)}};
  server.on("GET /devices", 200, json{{"devices", {off, bad}}, {"matching", "2"}}.dump());
  CHECK(run({"devices", "--utc"}) == exit_fine);
  CHECK(person.printed ==
        "NAME   STATE                                 STATUS    LAST CONTACT          KEPT  "
        "ID        REMARK\n"
        "web-1  off (shut down 2026-11-24 11:59:00Z)  ok        2026-11-24 11:59:00Z        "
        "aaaaaaaa\n"
        "web-2  connected                             critical  2026-11-24 11:59:55Z  kept  "
        "bbbbbbbb  2 services have failed\n");
  CHECK(person.printed.find('\x1b') == std::string::npos);
  person.person = true;
  person.shape.colour = true;
  CHECK(run({"devices"}) == exit_fine);
  CHECK(person.printed.find("\x1b[31mcritical\x1b[0m") != std::string::npos);
}

TEST_CASE_FIXTURE(console_world, "one device tells contact, sync and change apart, and why it is how it is") {
  const json device{{"id", std::string(32, 'a')}, {"name", "web-1"}, {"state", "idle"},
                    {"status", "warning"}, {"statusReason", "its syncs fail"}, {"keep", true},
                    {"wakePort", 15000}, {"syncFailures", 3},
                    {"lastContactUs", std::to_string(noon - 5 * second)},
                    {"lastSyncUs", std::to_string(noon - 3600 * second)},
                    {"lastInformationUs", std::to_string(noon - 7200 * second)},
                    {"certificateExpiresUs", std::to_string(noon + 86'400 * second)}};
  server.on("GET /devices/" + std::string(32, 'a'), 200, json{{"device", device}}.dump());
  server.on("GET /events", 200, "{}");
  CHECK(run({"device", std::string(32, 'a')}) == exit_fine);
  const std::vector<std::pair<std::string, std::string>> facts{
    {"Status", "warning: its syncs fail"},
    {"Last contact", "5 s ago"},
    {"Last sync", "1 h ago, 3 attempts have failed since"},
    {"Last change", "2 h ago"},
    {"Connection", "kept"},
    {"Wakes", "UDP port 15000"},
    {"Certificate", "expires in 24 h"}};
  for (const auto& [name, value] : facts)
    CHECK(fact(person.printed, name) == value);
}

TEST_CASE_FIXTURE(console_world, "the server's status counts devices by state and by status") {
  server.on("GET /server", 200,
            json{{"devices", "3"},
                 {"devicesByState", {{"connected", "2"}, {"off", "1"}}},
                 {"devicesByStatus", {{"ok", "2"}, {"critical", "1"}, {"warning", "0"}}}}
              .dump());
  CHECK(run({"server", "status"}) == exit_fine);
  CHECK(fact(person.printed, "Devices") == "3: 2 connected, 1 off");
  CHECK(fact(person.printed, "Their status") == "1 critical, 2 ok");
}
