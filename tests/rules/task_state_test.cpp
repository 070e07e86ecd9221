#include "actors/rules/task_state.hpp"

#include "actors/rules/task_run.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace muster::rules;
using enum task_state;

namespace {

constexpr task_state all_states[] = {pending,   delivered, running, succeeded,  failed,
                                     timed_out, cancelled, missed,  interrupted};

// Rows: from; columns: to; both in the order of the enumerators. T take, = repeat, . refuse.
constexpr std::string_view by_agent[] = {
  ".TTTTTTTT", // pending
  ".=TTTTTTT", // delivered
  "..TTTTT.T", // running
  "...=.....", // succeeded
  "....=....", // failed
  ".....=...", // timed_out
  "......=..", // cancelled
  ".......=.", // missed
  "........=", // interrupted
};
constexpr std::string_view by_server[] = {
  "......TT.", ".........", ".........", ".........", ".........",
  ".........", ".........", ".........", ".........",
};

transition expected(char c) {
  return c == 'T' ? transition::take : c == '=' ? transition::repeat : transition::refuse;
}

} // namespace

TEST_CASE("every transition of a run is as the table says, for both parties") {
  for (std::size_t from = 0; from < task_states; ++from)
    for (std::size_t to = 0; to < task_states; ++to) {
      INFO(name_of(all_states[from]) << " to " << name_of(all_states[to]));
      CHECK(judge(all_states[from], all_states[to], task_party::agent) ==
            expected(by_agent[from][to]));
      CHECK(judge(all_states[from], all_states[to], task_party::server) ==
            expected(by_server[from][to]));
    }
}

TEST_CASE("a refused transition is named") {
  CHECK(why_refused(succeeded, running, task_party::agent) ==
        "a run that has ended as succeeded cannot become running");
  CHECK(why_refused(running, delivered, task_party::agent) ==
        "a run that is running cannot become delivered");
  CHECK(why_refused(delivered, pending, task_party::agent).find("cannot make a run pending") !=
        std::string::npos);
  CHECK(why_refused(running, cancelled, task_party::server).find("the device has to say so") !=
        std::string::npos);
}

TEST_CASE("an outcome stays, whoever says what") {
  for (const auto from : all_states)
    for (const auto to : all_states)
      if (is_outcome(from) && from != to)
        for (const auto by : {task_party::agent, task_party::server})
          CHECK(judge(from, to, by) == transition::refuse);
}

TEST_CASE("a cancel is done at once only where nothing was sent") {
  CHECK(cancel(pending, false) == cancel_effect::cancelled);
  CHECK(cancel(pending, true) == cancel_effect::wanted);
  CHECK(cancel(delivered, true) == cancel_effect::wanted);
  CHECK(cancel(running, true) == cancel_effect::wanted);
  for (const auto state : {succeeded, failed, timed_out, cancelled, missed, interrupted})
    CHECK(cancel(state, true) == cancel_effect::too_late);
  CHECK(shown_as(running, true) == "cancel wanted");
  CHECK(shown_as(failed, true) == "failed");
  CHECK(shown_as(running, false) == "running");
}

TEST_CASE("states are found by their names") {
  for (const auto state : all_states)
    CHECK(task_state_of(name_of(state)) == state);
  CHECK(task_state_of("timed_out") == timed_out);
  CHECK(task_state_of("timed-out") == timed_out);
  CHECK_FALSE(task_state_of("done"));
  CHECK_FALSE(task_state_of(""));
}

TEST_CASE("a run has one name, and only that is read") {
  task_run scheduled{{}, 7, utc_seconds{std::chrono::seconds{1'764'558'000}}};
  scheduled.task.bytes[15] = 0xab;
  const auto text = scheduled.text();
  CHECK(text == "000000000000000000000000000000ab.7.t1764558000");
  CHECK(task_run::from_text(text) == scheduled);
  task_run asked{scheduled.task, 7, request_id{}};
  std::get<request_id>(asked.cause).bytes[0] = 1;
  CHECK(task_run::from_text(asked.text()) == asked);
  CHECK(asked.is_request());
  CHECK(asked != scheduled);
  CHECK(std::hash<task_run>{}(asked) != std::hash<task_run>{}(scheduled));
  for (const auto& run : {scheduled, asked})
    for (std::size_t cut = 0; cut < run.text().size(); ++cut) {
      // A number cut short is another number; all else is nothing.
      const auto cut_run = task_run::from_text(run.text().substr(0, cut));
      CHECK((!cut_run || (!run.is_request() && *cut_run != run)));
    }
  const std::string task = scheduled.task.text();
  for (const auto* rest : {".7.x1", ".07.t1", ".7.t01", ".7.t-0", ".7.t", ".-7.t1", ".7.t1 ",
                           ".7.r12", ".4294967296.t1", "..t1", ".7", "7.t1"})
    CHECK_FALSE_MESSAGE(task_run::from_text(task + rest), rest);
}

TEST_CASE("records of a run are settled, and settled ones agree") {
  const auto none = std::optional<task_state>{};
  // Nothing happened yet.
  CHECK(settle(pending, none) == settled{settlement::deliver, pending, none, true});
  CHECK(settle(delivered, delivered) == settled{settlement::agree, delivered, delivered, true});
  CHECK(settle(pending, delivered) ==
        settled{settlement::server_takes, delivered, delivered, true});
  // The device was set back.
  CHECK(settle(succeeded, none) == settled{settlement::agent_takes, succeeded, succeeded, false});
  CHECK(settle(succeeded, delivered) ==
        settled{settlement::agent_takes, succeeded, succeeded, false});
  CHECK(settle(running, none) == settled{settlement::unknown, interrupted, interrupted, false});
  CHECK(settle(running, delivered) ==
        settled{settlement::unknown, interrupted, interrupted, false});
  CHECK(settle(delivered, none) == settled{settlement::unknown, interrupted, interrupted, false});
  // The server was.
  CHECK(settle(none, succeeded) == settled{settlement::adopted, succeeded, succeeded, false});
  CHECK(settle(pending, failed) == settled{settlement::server_takes, failed, failed, false});
  CHECK(settle(delivered, running) == settled{settlement::server_takes, running, running, false});
  // It ran again without contact.
  CHECK(settle(succeeded, failed).how == settlement::two_outcomes);
  CHECK(settle(succeeded, running) == settled{settlement::two_outcomes, succeeded, running, false});
}

TEST_CASE("whatever both sides remember, nothing that may have run is started again") {
  std::vector<std::optional<task_state>> records{std::nullopt};
  records.insert(records.end(), std::begin(all_states), std::end(all_states));
  for (const auto server : records)
    for (const auto agent : records) {
      const auto result = settle(server, agent);
      INFO((server ? name_of(*server) : "none")
           << " and " << (agent ? name_of(*agent) : "none") << ": " << name_of(result.how));
      const auto begun = [](std::optional<task_state> state) {
        return state && (*state == running || is_outcome(*state));
      };
      if (begun(server) || begun(agent))
        CHECK_FALSE(result.may_start);
      if (server == delivered && !agent)
        CHECK_FALSE(result.may_start); // it had it, and may have run it
      // An outcome that the server has recorded is never taken back.
      if (server && is_outcome(*server))
        CHECK(result.server == server);
      // What one knows, none forgets.
      CHECK((!agent || result.server));
      const auto again = settle(result.server, result.agent);
      if (result.how != settlement::deliver && result.agent != running)
        CHECK(again.how == settlement::agree);
      CHECK(again.server == result.server);
      CHECK(again.may_start == result.may_start);
    }
}
