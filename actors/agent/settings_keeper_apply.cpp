// The keeper's part that does it: write, check, reload, restore.
#include "actors/agent/limits.hpp"
#include "actors/agent/settings_command_end.hpp"
#include "actors/agent/settings_keeper.hpp"
#include "actors/rules/settings_file.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace muster::actors {

namespace {

/// For people: what a command had to say.
std::string words_of(const command_result& result) {
  if (!result.problem.empty())
    return result.output.empty() ? result.problem : result.problem + ": " + result.output;
  if (!result.output.empty())
    return result.output;
  return result.exit_code > 128 ? fmt::format("signal {}", result.exit_code - 128)
                                : fmt::format("exit code {}", result.exit_code);
}

/// "A, B and 3 more".
std::string list_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 8;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), shown); ++i)
    out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > shown)
    out += fmt::format(" and {} more", names.size() - shown);
  return out;
}

} // namespace

void settings_keeper_state::begin(job what) {
  job_ = std::move(what);
  const auto& decision = job_->decision;
  switch (decision.step) {
    case settings_step::restore: return restore();
    case settings_step::adopt: return adopt();
    case settings_step::note: return finish(decision.next.outcome, decision.next.detail);
    case settings_step::nothing:
    case settings_step::refuse: return leave();
    case settings_step::apply: break;
  }
  auto begun = decision.next;
  begun.outcome = wire::settings_outcome_unspecified;
  begun.detail.clear();
  begun.since_s = now_s();
  remember(job_->name, std::move(begun), [this] { apply(); });
}

// -- write, check, reload -------------------------------------------------------------------------

void settings_keeper_state::apply() {
  const auto problem = options_.hands.write(job_->how, job_->decision.text);
  if (!problem.empty())
    return finish(wire::settings_failed, problem);
  check([this](const command_result& result) { on_checked(result); });
}

/// The file as it is. Without a check it is good.
void settings_keeper_state::check(std::function<void(const command_result&)> then) {
  command_result good;
  good.exit_code = 0;
  if (job_->how.check.empty())
    return then(good);
  run(job_->how.check, job_->how.timeout, limits::settings_detail_bytes_max, std::move(then));
}

void settings_keeper_state::on_checked(const command_result& result) {
  if (result.good()) {
    job_->decision.next.good = job_->decision.text;
    return reload();
  }
  put_back();
  const bool judged = result.problem.empty();
  finish(judged ? wire::settings_refused : wire::settings_failed, words_of(result));
}

/// The last good file, or none if there was none.
void settings_keeper_state::put_back() {
  const auto& good = job_->decision.next.good;
  const auto problem =
    good ? options_.hands.write(job_->how, *good) : options_.hands.remove(job_->how);
  if (!problem.empty())
    spdlog::error("settings of {}: the last good file could not be put back: {}", job_->name,
                  problem);
}

void settings_keeper_state::reload() {
  const auto loaded = [this] {
    ask_status([this] { finish(wire::settings_applied, {}); });
  };
  if (job_->how.reload.empty())
    return loaded();
  run(job_->how.reload, job_->how.timeout, limits::settings_detail_bytes_max,
      [this, loaded](const command_result& result) {
        if (result.good())
          return loaded();
        finish(wire::settings_failed, "the file is good, but reloading failed: " + words_of(result));
      });
}

void settings_keeper_state::ask_status(steps then) {
  if (const auto at = applications_.find(job_->name); at != applications_.end())
    at->second.status_due = now() + options_.status_period;
  if (job_->how.status.empty())
    return then();
  run(job_->how.status, job_->how.timeout, rules::settings_file_bytes_max,
      [this, then = std::move(then)](const command_result& result) {
        if (result.good() && !result.cut)
          job_->daemon_values = daemon_values_of(job_->how, result.output);
        if (job_->daemon_values.empty())
          spdlog::info("settings of {}: the daemon's own values could not be read: {}", job_->name,
                       result.good() ? "its answer has another form, or is too long"
                                     : settings_detail(words_of(result)));
        then();
      });
}

// -- what hands have done -------------------------------------------------------------------------

/// Settings that hands may change, if the application itself has nothing against them.
void settings_keeper_state::adopt() {
  check([this](const command_result& result) {
    auto& decision = job_->decision;
    if (result.good())
      return finish(decision.next.outcome, decision.next.detail);
    decision.repaired = std::exchange(decision.adopted, {});
    spdlog::warn("settings of {}: what was changed by hand is no good: {}", job_->name,
                 words_of(result));
    const auto at = applications_.find(job_->name);
    if (at == applications_.end() || !at->second.state || !at->second.state->good)
      return leave();
    decision.text = *at->second.state->good;
    restore();
  });
}

/// The last good file once more. The daemon may have read the other one.
void settings_keeper_state::restore() {
  const auto problem = options_.hands.write(job_->how, job_->decision.text);
  if (!problem.empty()) {
    spdlog::error("settings of {}: {}", job_->name, problem);
    postpone(applications_[job_->name]);
    return leave();
  }
  speak_of_hands(true);
  if (job_->how.reload.empty())
    return leave();
  run(job_->how.reload, job_->how.timeout, limits::settings_detail_bytes_max,
      [this](const command_result& result) {
        if (!result.good())
          spdlog::warn("settings of {}: reloading the last good file failed: {}", job_->name,
                       words_of(result));
        leave();
      });
}

/// One event for many repairs, when something keeps writing against us.
void settings_keeper_state::speak_of_hands(bool repaired) {
  const auto& [who, how, wanted, decision, values] = *job_;
  auto& app = applications_[who];
  if (!decision.adopted.empty())
    raise(severity::info, settings_events::changed_locally,
          fmt::format("{}: {} changed by hand in {}: this device's own from now on", who,
                      list_of(decision.adopted), how.file),
          {{"application", who}, {"file", how.file}, {"settings", list_of(decision.adopted)}});
  if (decision.repaired.empty() || !repaired)
    return;
  ++repaired_;
  if (app.spoke_at && now() - *app.spoke_at < limits::repairs_told_every) {
    ++app.unspoken;
    return;
  }
  app.spoke_at = now();
  raise(severity::warning, settings_events::repaired,
        fmt::format("{}: {} changed by hand in {}, and set back", who, list_of(decision.repaired),
                    how.file),
        {{"application", who},
         {"file", how.file},
         {"settings", list_of(decision.repaired)},
         {"times", std::to_string(std::exchange(app.unspoken, 0) + 1)}});
}

// -- the end of it --------------------------------------------------------------------------------

void settings_keeper_state::finish(wire::settings_outcome outcome, std::string detail) {
  auto& app = applications_[job_->name];
  auto& decision = job_->decision;
  auto next = decision.next;
  detail = settings_detail(detail);
  const bool applied = decision.step == settings_step::apply;
  const bool news = !app.state || app.state->outcome != outcome || app.state->detail != detail ||
                    !app.state->tried(job_->wanted);
  if (news || applied)
    next.since_s = now_s();
  next.outcome = outcome;
  next.detail = detail;
  const bool good = outcome == wire::settings_applied;
  if (applied && good)
    spdlog::info("settings of {}: revision {} applied", job_->name, next.revision);
  if (news && !good)
    raise(severity::warning, settings_events::refused,
          fmt::format("the settings of {} were {}: {}", job_->name,
                      outcome == wire::settings_refused ? "refused" : "not applied", detail),
          {{"application", job_->name}, {"revision", std::to_string(next.revision)}});
  speak_of_hands(good);
  const bool let_go = job_->wanted.nothing() && good;
  const auto again = outcome == wire::settings_failed;
  auto kept = let_go ? std::nullopt : std::optional{next};
  remember(job_->name, kept, [this, kept, again, applied] {
    auto& ended = applications_[job_->name];
    ended.state = kept;
    ended.look = true; // has anybody written meanwhile?
    if (applied) {
      ++applied_;
      ended.daemon_values = job_->daemon_values;
    }
    if (again)
      postpone(ended);
    else
      ended.failures = 0;
    leave();
  });
}

/// The next one's turn. What had to be looked at again meanwhile is.
void settings_keeper_state::leave() {
  job_.reset();
  work();
}

void settings_keeper_state::postpone(managed& app) {
  constexpr unsigned doublings_max = 6; // of a minute: an hour
  const auto wait = options_.retry_pause * (1U << std::min(app.failures, doublings_max));
  ++app.failures;
  app.look = true;
  app.retry_at = now() + wait;
}

void settings_keeper_state::run(const rules::command_line& command, std::chrono::seconds time_max,
                                std::size_t output_max,
                                std::function<void(const command_result&)> then) {
  command_ = std::make_shared<command_end>();
  after_command_ = std::move(then);
  // By address: a thread that outlived us would keep us, and the whole actor system, alive.
  options_.hands.run({command, time_max, output_max},
                     [end = command_, who = self_->address()](command_result result) {
                       end->put(std::move(result));
                       if (const auto me = caf::actor_cast<caf::actor>(who))
                         caf::anon_send(me, atom::tick_v);
                     });
}

void settings_keeper_state::raise(severity how, const char* type, std::string text,
                                  std::map<std::string, std::string> attributes) {
  auto event = std::make_shared<raised_event>();
  event->severity = how;
  event->type = type;
  event->text = std::move(text);
  event->attributes = std::move(attributes);
  event->time_ms = options_.now_us() / 1000;
  self_->request(peers_.spool, caf::infinite, atom::raise_v, raised_event_ptr{std::move(event)})
    .then([](caf::ok_atom) {},
          [type](const caf::error& why) {
            spdlog::warn("settings: {} could not be told: {}", type, text_of(why));
          });
}

} // namespace muster::actors
