#include "actors/agent/limits.hpp"
#include "actors/agent/local_request.hpp"
#include "net/limits.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace muster::actors;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t now_us = 1'800'000'000'000'000;

std::int64_t ago(std::chrono::microseconds time) { return now_us - time.count(); }

local_status full() {
  local_status out;
  out.version = "1.0";
  out.connection = "connected to server:13000, 3 syncs";
  out.events_waiting = 12;
  out.device = "00112233";
  out.server = "server:13000";
  out.address = "192.0.2.1";
  out.transport = "tls";
  out.connected = true;
  out.keep = true;
  out.next_attempt_us = 5;
  out.last_error = "the server fell silent";
  out.last_error_us = ago(10min);
  out.syncs = 3;
  out.last_sync_us = ago(30s);
  out.next_sync_us = ago(-14min);
  out.sync_period = 15min;
  out.wake_port = 15000;
  out.wake_keys = true;
  out.wakes = 2;
  out.wakes_refused = {{"tag", 7}, {"counter", 1}};
  out.acknowledgements_refused = 3;
  out.certificate_ends_s = now_us / 1'000'000 + 40 * 86'400;
  out.clock_offset_ms = -1'500;
  out.clock_told_us = ago(2h);
  return out;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("the status arrives as it was told") {
  const auto told = status_answer(full());
  const auto answer = parse_local_answer(told);
  REQUIRE(answer.ok);
  CHECK(status_answer(answer.status) == told);
  CHECK(answer.status.wakes_refused == full().wakes_refused);
  CHECK(answer.status.acknowledgements_refused == 3);
  CHECK(answer.status.sync_period == 15min);
  CHECK(answer.status.clock_offset_ms == -1'500);
}

TEST_CASE("an answer cut at any byte is no answer, and one of another kind is an empty status") {
  const auto told = status_answer(full());
  for (std::size_t size = 0; size < told.size(); ++size)
    CHECK_FALSE(parse_local_answer(told.substr(0, size)).ok);
  const auto strange = parse_local_answer(
    R"({"ok":true,"connected":1,"keep":"x","syncs":-1,"wake_port":99999999,"last_sync_us":"y",)"
    R"("wakes_refused":[1],"certificate_ends_s":9223372036854775807,"clock_offset_ms":-9223372036854775808})");
  REQUIRE(strange.ok);
  CHECK_FALSE(strange.status.connected);
  CHECK(strange.status.syncs == 0);
  CHECK(strange.status.wake_port == 65535);
  CHECK(strange.status.wakes_refused.empty());
  CHECK_FALSE(status_lines(strange.status, now_us).empty());
}

TEST_CASE("a status is bounded, whatever the server says") {
  auto status = full();
  status.last_error = std::string(1'000'000, 'x') + "\xff";
  status.connection = std::string(1'000'000, '\x01'); // six bytes each
  const auto told = status_answer(status);
  CHECK(told.size() <= muster::net::limits::local_answer_bytes_max);
  CHECK(parse_local_answer(told).status.last_error.size() == limits::local_text_bytes_max);
  std::string many = R"({"ok":true,"wakes_refused":{)";
  for (int i = 0; i < 100; ++i)
    many += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":1";
  CHECK(parse_local_answer(many + "}}").status.wakes_refused.size() == limits::local_reasons_max);
}

TEST_CASE("people read when, what and how many") {
  const auto lines = status_lines(full(), now_us);
  for (const auto* part :
       {"device       00112233", "server:13000, last reached at 192.0.2.1",
        "connected, and means to stay so", "the server fell silent, 10 min ago",
        "last 30 s ago, next in 14 min, every 15 min", "12 waiting",
        "2 taken, 1 refused (counter), 7 refused (tag), 3 refused (acknowledgement of a notice), listening on UDP port 15000",
        "ends in 40 days", "the server's is behind by 1 s, measured 2 h ago"})
    CHECK_MESSAGE(has(lines, part), part << " in:\n" << lines);
}

TEST_CASE("people read what is not well, and nothing that is no text") {
  auto status = full();
  status.connected = false;
  status.next_attempt_us = ago(-90s);
  status.transport = "plain";
  status.refusal = word_of_refusal(2);
  status.last_error = "refused: \x1b[2Jgone";
  status.wake_port = 0;
  status.wake_problem = "UDP port 15000 cannot be had";
  status.certificate_ends_s = now_us / 1'000'000 - 60;
  status.clock_told_us = 0;
  const auto lines = status_lines(status, now_us);
  for (const auto* part :
       {"not connected, though it means to be, next attempt in 90 s", "without encryption",
        "refused      revoked", "refused:  [2Jgone", "not listening: UDP port 15000 cannot be had",
        "ended 60 s ago", "has not told its time"})
    CHECK_MESSAGE(has(lines, part), part << " in:\n" << lines);
  CHECK_FALSE(has(lines, "\x1b"));
  status.wake_problem.clear();
  CHECK(has(status_lines(status, now_us), "wake.port is 0"));
}

TEST_CASE("every refusal has a word") {
  CHECK(word_of_refusal(0).empty());
  for (std::uint32_t reason = 1; reason < 12; ++reason)
    CHECK_FALSE(word_of_refusal(reason).empty());
}
