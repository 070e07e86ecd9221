// The keeper's part that finds out what has to be done.
#include "actors/agent/limits.hpp"
#include "actors/agent/settings_command_end.hpp"
#include "actors/agent/settings_keeper.hpp"
#include "actors/rules/agent_policy.hpp"
#include "actors/rules/settings_codec.hpp"
#include "storage/records.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace muster::actors {

std::string settings_detail(std::string_view text) {
  auto out = storage::records::clean_text(text.substr(0, limits::settings_detail_bytes_max + 4));
  if (out.size() > limits::settings_detail_bytes_max) {
    auto end = limits::settings_detail_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U)
      --end;
    out.resize(end);
  }
  while (!out.empty() && (out.back() == '\n' || out.back() == ' '))
    out.pop_back();
  return out;
}

/// Also the word of the thread that waits for commands.
void settings_keeper_state::on_tick() {
  if (!loaded_)
    return;
  if (command_ && after_command_)
    if (const auto result = command_->take()) {
      const auto then = std::exchange(after_command_, {});
      then(*result);
    }
  if (now() < next_look_)
    return work();
  next_look_ = now() + options_.period;
  self_->delayed_send(self_, options_.period, atom::tick_v);
  look_around();
  work();
}

void settings_keeper_state::look_around() {
  const bool changed = options_.hands.connectors(connectors_);
  for (auto& [who, app] : applications_) {
    if (changed)
      app.look = app.retry = true;
    if (app.failures > 0 && now() >= app.retry_at)
      app.look = true;
    const auto found = connectors_.find(who);
    if (found == connectors_.end() || found->second.how != found_connector::verdict::good)
      continue;
    const auto& how = found->second.connector;
    if (options_.hands.mark(how.file) != app.mark || is_there(how) != app.present)
      app.look = true;
  }
}

bool settings_keeper_state::is_there(const rules::connector& how) const {
  if (how.packages.empty() && how.files.empty())
    return true; // it says nothing of how to find out
  return std::any_of(how.files.begin(), how.files.end(), options_.hands.exists) ||
         (!how.packages.empty() && options_.hands.installed(how.packages));
}

/// The next application that something has to be done about. Tells when there is none left.
void settings_keeper_state::work() {
  if (!loaded_ || job_ || busy_)
    return;
  // An application may be let go while it is looked at.
  for (auto at = applications_.begin(); at != applications_.end() && !job_;) {
    const auto who = at->first;
    auto& app = at->second;
    ++at;
    if (!app.look || (app.failures > 0 && now() < app.retry_at))
      continue;
    app.look = false;
    if (who == own_application)
      consider_ourselves(app);
    else
      consider(who, app);
  }
  if (job_)
    return;
  for (auto& [who, app] : applications_) {
    const auto found = connectors_.find(who);
    const bool asks = app.state && app.state->outcome == wire::settings_applied && app.present &&
                      found != connectors_.end() &&
                      found->second.how == found_connector::verdict::good &&
                      !found->second.connector.status.empty();
    if (!asks || now() < app.status_due || !options_.manage)
      continue;
    job what;
    what.name = who;
    what.how = found->second.connector;
    job_ = std::move(what);
    return ask_status([this] {
      if (const auto at = applications_.find(job_->name); at != applications_.end())
        at->second.daemon_values = std::move(job_->daemon_values);
      leave();
    });
  }
  tell_if_changed();
}

void settings_keeper_state::consider(const std::string& who, managed& app) {
  const auto* settings = shelf_.find(document_kind::settings, who);
  const auto* own = shelf_.find(document_kind::own_settings, who);
  if (settings == nullptr && own == nullptr && !app.state) {
    applications_.erase(who);
    return;
  }
  std::string problem;
  auto wanted = wanted_from(settings, own, problem);
  if (!wanted) {
    wanted_settings broken;
    broken.revision = settings != nullptr ? settings->revision : own->revision;
    if (settings != nullptr)
      broken.hash = settings->hash;
    if (own != nullptr)
      broken.own_hash = own->hash;
    return conclude(who, app, broken, wire::settings_refused, problem);
  }
  if (!options_.manage)
    return conclude(who, app, *wanted, wire::settings_no_connector,
                    "the owner of this machine forbids it: settings.manage is false");
  const auto found = connectors_.find(who);
  if (found == connectors_.end())
    return conclude(who, app, *wanted, wire::settings_no_connector,
                    fmt::format("there is no connector for '{}' in {}", who, options_.connectors));
  if (found->second.how == found_connector::verdict::unsafe)
    return conclude(who, app, *wanted, wire::settings_unsafe, found->second.problem);
  if (found->second.how == found_connector::verdict::broken)
    return conclude(who, app, *wanted, wire::settings_no_connector, found->second.problem);
  const auto& how = found->second.connector;
  app.present = is_there(how);
  if (!app.present)
    return conclude(who, app, *wanted, wire::settings_not_installed,
                    fmt::format("'{}' is not installed, as its connector sees it", who));
  const auto mark = options_.hands.mark(how.file); // whoever writes from now on is seen next time
  const auto file = options_.hands.look(how);
  // Once in our life: a file from the future must not have the same thing tried for ever.
  const bool first = std::exchange(app.first, false);
  const bool newer = first && app.state && found->second.modified_s > app.state->since_s;
  const bool retry = std::exchange(app.retry, false) || newer || app.failures > 0;
  auto decision = decide(how, *wanted, app.state, file, retry);
  if (decision.step == settings_step::nothing && app.state &&
      app.state->revision != wanted->revision)
    decision.step = settings_step::note; // the same, newly said
  if (decision.step == settings_step::nothing) {
    app.mark = mark;
    return;
  }
  if (decision.step == settings_step::refuse) {
    app.mark = mark;
    return conclude(who, app, *wanted, wire::settings_refused, decision.problem);
  }
  job what;
  what.name = who;
  what.how = how;
  what.wanted = std::move(*wanted);
  what.decision = std::move(decision);
  begin(std::move(what));
}

/// The agent's own policy needs no connector.
void settings_keeper_state::consider_ourselves(managed& app) {
  const std::string who{own_application};
  const auto* settings = shelf_.find(document_kind::settings, who);
  const auto* own = shelf_.find(document_kind::own_settings, who);
  std::string problem;
  auto wanted = wanted_from(settings, own, problem);
  if (wanted && wanted->nothing()) {
    if (!app.state) {
      applications_.erase(who);
      return;
    }
    return conclude(who, app, *wanted, wire::settings_applied, {});
  }
  if (!wanted) {
    wanted.emplace();
    wanted->revision = settings != nullptr ? settings->revision : own->revision;
    if (settings != nullptr)
      wanted->hash = settings->hash;
    if (own != nullptr)
      wanted->own_hash = own->hash;
  } else {
    std::vector<std::string> problems;
    const auto all = effective_of(*wanted, rules::settings_value::empty_map());
    static_cast<void>(rules::read_agent_policy(all, problems));
    for (const auto& one : problems)
      problem += (problem.empty() ? "" : "; ") + one;
    if (problem.empty()) {
      applied_state next = app.state.value_or(applied_state{});
      next.good = rules::to_bytes(all);
      app.state = std::move(next);
    }
  }
  conclude(who, app, *wanted, problem.empty() ? wire::settings_applied : wire::settings_refused,
           problem);
}

/// Also at the start, and with nothing when the policy is gone: then the agent's file holds again.
void settings_keeper_state::tell_own_policy(const managed& app) const {
  agent_policy out;
  std::string problem;
  std::vector<std::string> problems;
  if (app.state && app.state->good)
    if (const auto document = rules::settings_from_bytes(*app.state->good, problem)) {
      const auto read = rules::read_agent_policy(*document, problems);
      out = {read.sync_period_s, read.sync_jitter_percent, read.keep};
    }
  if (options_.tell_policy)
    options_.tell_policy(out);
}

/// There is nothing to be done about the file, and this is why.
void settings_keeper_state::conclude(const std::string& who, managed& app,
                                     const wanted_settings& wanted, wire::settings_outcome outcome,
                                     std::string detail) {
  auto next = app.state.value_or(applied_state{});
  detail = settings_detail(detail);
  const bool ours = who == own_application;
  if (wanted.nothing() && (ours || outcome != wire::settings_refused)) {
    // Nobody wants anything of it, and nobody can do anything for it: it is let go.
    job_.emplace().name = who;
    return remember(who, std::nullopt, [this, who, ours] {
      applications_.erase(who);
      if (ours)
        tell_own_policy({});
      leave();
    });
  }
  const bool same = app.state && app.state->tried(wanted) && app.state->outcome == outcome &&
                    app.state->detail == detail && app.state->revision == wanted.revision;
  if (same)
    return;
  const bool news = next.outcome != outcome || next.detail != detail;
  next.revision = wanted.revision;
  next.hash = wanted.hash;
  next.own_hash = wanted.own_hash;
  next.outcome = outcome;
  next.detail = detail;
  next.since_s = now_s();
  spdlog::info("settings of {}: {}", who, detail.empty() ? "taken" : detail);
  if (news && outcome == wire::settings_refused)
    raise(severity::warning, settings_events::refused,
          fmt::format("the settings of {} were refused: {}", who, detail),
          {{"application", who}, {"revision", std::to_string(wanted.revision)}});
  auto later = [this, who, next, ours] {
    auto& ended = applications_[who];
    ended.state = next;
    ended.failures = 0;
    if (ours)
      tell_own_policy(ended);
    leave();
  };
  job_.emplace().name = who;
  remember(who, std::move(next), std::move(later));
}

} // namespace muster::actors
