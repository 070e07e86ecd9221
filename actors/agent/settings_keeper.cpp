#include "actors/agent/settings_keeper.hpp"

#include "actors/agent/limits.hpp"
#include "actors/agent/settings_command_end.hpp"
#include "actors/rules/settings_codec.hpp"
#include "net/section_digest.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"

#include <muster/assert.hpp>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace muster::actors {

namespace keys = storage::keys;
using storage::family;

namespace {

/// That the server was told something of settings: from then on it is told when there is nothing.
const char* const ever_told_key = "settings_told";

using rows = std::vector<std::pair<std::string, std::string>>;

/// What a start finds. Filled on the reader's thread, read after its answer.
struct found_records {
  rows documents;
  rows states;
  bool ever_told = false;
};

std::error_code read_rows(const storage::store& db, const storage::key_range& range, rows& out) {
  return db.scan(family::inventory, range, false, [&](auto key, auto value) {
    out.emplace_back(key, value);
    return true;
  });
}

std::string bytes_of(const document_hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

} // namespace

settings_keeper_state::~settings_keeper_state() {
  const auto why = make_error(errc::stopping, "the agent's settings keeper has ended");
  for (const auto& one : waiting_)
    if (one.give_up)
      one.give_up(why);
}

settings_keeper_actor::behavior_type
settings_keeper_state::make_behavior(settings_keeper_options options, settings_keeper_peers peers) {
  MUSTER_ASSERT(options.now_us && options.hands.run, "a keeper needs hands and a clock");
  options_ = std::move(options);
  peers_ = std::move(peers);
  next_look_ = now();
  queue({[this] { load(); }, {}});
  return {
    [this](atom::collect) { return on_collect(); },
    [this](atom::publish, const manifest_ptr& manifest) { return on_manifest(manifest); },
    [this](atom::put, const document_parcel_ptr& parcel) { return on_parcel(parcel); },
    [this](atom::tick) { on_tick(); },
    [this](atom::status) { return status(); },
  };
}

// -- one thing at a time --------------------------------------------------------------------------

void settings_keeper_state::queue(operation what) {
  waiting_.push_back(std::move(what));
  if (!busy_)
    done();
}

void settings_keeper_state::done() {
  busy_ = false;
  if (waiting_.empty())
    return work();
  busy_ = true;
  const auto run = std::move(waiting_.front().run);
  waiting_.pop_front();
  run(); // may end in done(): nothing of us is touched behind this
}

void settings_keeper_state::write(storage::change_batch changes, steps then,
                                  std::function<void(const caf::error&)> failed) {
  if (changes.empty())
    return then();
  self_
    ->request(peers_.writer, caf::infinite, atom::put_v,
              std::make_shared<const storage::change_batch>(std::move(changes)),
              durability::command)
    .then([then = std::move(then)](caf::ok_atom) { then(); },
          [failed = std::move(failed)](const caf::error& why) { failed(why); });
}

// -- start ----------------------------------------------------------------------------------------

void settings_keeper_state::load() {
  const auto found = std::make_shared<found_records>();
  auto look = [found](const storage::store& db) {
    if (const auto ec = read_rows(db, keys::documents(), found->documents))
      return ec;
    if (const auto ec = read_rows(db, keys::all_applied_settings(), found->states))
      return ec;
    std::error_code ec;
    found->ever_told = db.get(family::meta, keys::setting(ever_told_key), ec).has_value();
    return ec;
  };
  self_
    ->request(peers_.reader, caf::infinite, atom::read_v,
              std::make_shared<const std::function<std::error_code(const storage::store&)>>(look))
    .then([this, found](
            caf::ok_atom) { on_loaded(found->documents, found->states, found->ever_told); },
          [this](const caf::error& why) {
            spdlog::error("settings: what is held cannot be read: {}", text_of(why));
            self_->quit(why); // only a new look helps
          });
}

void settings_keeper_state::on_loaded(const rows& documents, const rows& standing,
                                      bool ever_told) {
  for (const auto& [key, value] : documents)
    if (!shelf_.restore(key, value))
      spdlog::warn("settings: a document on the disk cannot be read; it is fetched again");
  for (const auto& [key, value] : standing) {
    const auto who = keys::parse_applied_settings(key);
    auto state = who ? state_from(value) : std::nullopt;
    if (state)
      applications_[*who].state = std::move(state);
    else
      spdlog::warn("settings: how an application stands cannot be read; it is looked at anew");
  }
  for (const auto& who : shelf_.applications())
    touch(who);
  for (auto& [who, app] : applications_) {
    app.look = true;
    app.retry = app.state && app.state->outcome == wire::settings_failed;
  }
  ever_told_ = ever_told;
  options_.hands.connectors(connectors_);
  loaded_ = true;
  const auto known = states();
  told_ = known.empty() && !ever_told_ ? section_digest{} : net::section_digest_of(known);
  if (const auto ours = applications_.find(std::string{own_application});
      ours != applications_.end())
    tell_own_policy(ours->second);
  done();
  on_tick();
}

// -- documents ------------------------------------------------------------------------------------

void settings_keeper_state::touch(const std::string& who) {
  auto& app = applications_[who];
  app.look = true;
  app.failures = 0;
}

caf::result<document_wishes_ptr>
settings_keeper_state::on_manifest(const manifest_ptr& manifest) {
  auto promise = self_->make_response_promise<document_wishes_ptr>();
  auto run = [this, promise, manifest]() mutable {
    const auto change = std::make_shared<document_shelf::change>(shelf_.compare(*manifest));
    write(
      std::move(change->on_disk),
      [this, promise, change]() mutable {
        shelf_.settle(*change);
        for (const auto& one : change->revised)
          touch(one.name);
        for (const auto& one : change->forgotten)
          touch(one.name);
        promise.deliver(std::make_shared<const document_wishes>(std::move(change->wishes)));
        done();
      },
      [this, promise](const caf::error& why) mutable {
        promise.deliver(why);
        done();
      });
  };
  queue({std::move(run), [promise](const caf::error& why) mutable { promise.deliver(why); }});
  return promise;
}

caf::result<caf::ok_atom> settings_keeper_state::on_parcel(const document_parcel_ptr& parcel) {
  auto promise = self_->make_response_promise<caf::ok_atom>();
  auto run = [this, promise, parcel]() mutable {
    std::string problem;
    auto document = shelf_.open(*parcel, problem);
    if (!document) {
      if (problem.empty())
        promise.deliver(caf::ok_atom_v); // nobody wants it any more
      else
        promise.deliver(make_error(errc::invalid, "document '" + parcel->name + "': " + problem));
      return done();
    }
    const auto held = std::make_shared<held_document>(std::move(*document));
    write(
      {document_shelf::put(*held)},
      [this, promise, held]() mutable {
        touch(held->name);
        shelf_.place(std::move(*held));
        promise.deliver(caf::ok_atom_v);
        done();
      },
      [this, promise](const caf::error& why) mutable {
        promise.deliver(why);
        done();
      });
  };
  queue({std::move(run), [promise](const caf::error& why) mutable { promise.deliver(why); }});
  return promise;
}

// -- what is told ---------------------------------------------------------------------------------

caf::result<keeper_report_ptr> settings_keeper_state::on_collect() {
  auto promise = self_->make_response_promise<keeper_report_ptr>();
  auto run = [this, promise]() mutable {
    auto out = std::make_shared<keeper_report>();
    out->documents = shelf_.digest();
    out->states = states();
    if (!out->states.empty() || ever_told_)
      out->states_digest = net::section_digest_of(out->states);
    promise.deliver(keeper_report_ptr{std::move(out)});
    done();
  };
  queue({std::move(run), [promise](const caf::error& why) mutable { promise.deliver(why); }});
  return promise;
}

/// What has ended; what is in progress is told as it was before.
std::string settings_keeper_state::states() const {
  wire::settings_states all;
  for (const auto& [who, app] : applications_) {
    if (!app.state || app.state->outcome == wire::settings_outcome_unspecified)
      continue;
    auto& out = *all.add_items();
    out.set_application(who);
    out.set_revision(app.state->revision);
    if (app.state->hash)
      out.set_hash(bytes_of(*app.state->hash));
    if (app.state->own_hash)
      out.set_own_hash(bytes_of(*app.state->own_hash));
    out.set_outcome(app.state->outcome);
    out.set_detail(app.state->detail);
    out.set_since_s(app.state->since_s);
    if (!app.state->local.as_map()->empty())
      out.set_local_values(rules::to_bytes(app.state->local));
    out.set_daemon_values(app.daemon_values);
  }
  return all.SerializeAsString();
}

void settings_keeper_state::tell_if_changed() {
  const auto bytes = states();
  const auto digest =
    bytes.empty() && !ever_told_ ? section_digest{} : net::section_digest_of(bytes);
  if (std::exchange(told_, digest) != digest && options_.tell_changed)
    options_.tell_changed();
}

std::string settings_keeper_state::status() const {
  return fmt::format("{} documents, {} applications, {} connectors, {} applied, {} repaired{}",
                     shelf_.size(), applications_.size(), connectors_.size(), applied_, repaired_,
                     job_ ? ", busy with " + job_->name : std::string{});
}

/// The state of an application, on the disk before anything is built on it. Without one it is
/// forgotten.
void settings_keeper_state::remember(const std::string& who, std::optional<applied_state> state,
                                     steps then) {
  storage::change_batch changes;
  const auto key = keys::applied_settings(who);
  if (state)
    changes.push_back(storage::put(family::inventory, key, record_of(*state)));
  else
    changes.push_back(storage::erase(family::inventory, key));
  const bool first = !std::exchange(ever_told_, true);
  if (first)
    changes.push_back(storage::put(family::meta, keys::setting(ever_told_key),
                                   storage::records::encode_number(1)));
  write(std::move(changes), std::move(then), [this, who](const caf::error& why) {
    spdlog::error("settings of {}: how they stand cannot be written down ({}); trying again later",
                  who, text_of(why));
    postpone(applications_[who]);
    leave();
  });
}

settings_keeper_actor::behavior_type
settings_keeper(settings_keeper_actor::stateful_pointer<settings_keeper_state> self,
                settings_keeper_options options, settings_keeper_peers peers) {
  return self->state.make_behavior(std::move(options), std::move(peers));
}

} // namespace muster::actors
