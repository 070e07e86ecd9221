#include "actors/agent/settings_plan.hpp"

#include "actors/agent/limits.hpp"
#include "actors/rules/policy_merge.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_diff.hpp"
#include "actors/rules/settings_file.hpp"
#include "net/certificate.hpp"
#include "storage/records.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace muster::actors {

using rules::settings_document;
using rules::settings_path;
using rules::settings_value;

namespace {

std::optional<document_hash> hash_from(const std::string& bytes) {
  document_hash out{};
  if (bytes.size() != out.size())
    return std::nullopt;
  std::memcpy(out.data(), bytes.data(), out.size());
  return out;
}

std::string bytes_of(const std::optional<document_hash>& hash) {
  return hash ? std::string{reinterpret_cast<const char*>(hash->data()), hash->size()}
              : std::string{};
}

/// The map under `values`, if that and what `others` allow is all there is.
bool take_values(const settings_document& document, settings_document& out, bool with_locks) {
  const auto* all = document.as_map();
  const auto* values = document.find("values");
  if (all == nullptr || values == nullptr || !values->is_map())
    return false;
  out = *values;
  return std::all_of(all->begin(), all->end(), [&](const rules::settings_entry& entry) {
    return entry.name == "values" || (with_locks && entry.name == "locks");
  });
}

bool take_locks(const settings_document& document, rules::lock_set& out) {
  const auto* found = document.find("locks");
  if (found == nullptr)
    return true;
  const auto* list = found->as_list();
  if (list == nullptr || list->size() > rules::policy_limits::paths_max)
    return false;
  std::string ignored;
  for (const auto& item : *list) {
    const auto* text = item.as_text();
    const auto path = text == nullptr ? std::nullopt : settings_path::parse(*text, ignored);
    if (!path)
      return false;
    out.add(*path, 0);
  }
  return true;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// Whether a hand must not change this. Daemons with such files often take a name in any spelling,
/// so "permitrootlogin" is not free when "PermitRootLogin" is locked.
class held_by_locks {
public:
  held_by_locks(const rules::lock_set& locks, const rules::settings_file_style& style)
    : locks_(locks) {
    using rules::settings_format;
    if (style.format == settings_format::lines || style.format == settings_format::ini)
      in_any_spelling_ = locks.paths();
  }

  bool operator()(const settings_path& path) const {
    if (!locks_.lets(path))
      return true;
    const auto& b = path.steps();
    return std::any_of(
      in_any_spelling_.begin(), in_any_spelling_.end(), [&](const settings_path& lock) {
        const auto& a = lock.steps();
        return a.size() <= b.size() &&
               std::equal(a.begin(), a.end(), b.begin(),
                          [](auto& x, auto& y) { return same_word(x.name, y.name); });
      });
  }

private:
  const rules::lock_set& locks_;
  std::vector<settings_path> in_any_spelling_;
};

/// Merging takes lists as wholes.
settings_path before_list(const settings_path& path) {
  std::vector<rules::settings_step> steps;
  for (const auto& step : path.steps()) {
    if (step.in_list)
      break;
    steps.push_back(step);
  }
  return settings_path{std::move(steps)};
}

/// What the file has come to say.
struct hand_made {
  bool readable = true;
  std::vector<std::string> locked;   ///< changed, and must not be
  std::vector<std::string> unlocked; ///< the device's own now, as `local` has it
  settings_document local = settings_value::empty_map();
};

/// `base` is the file as it was. With `added_only` what it said before stays out of it.
hand_made changes_by_hand(const rules::connector& how, const wanted_settings& wanted,
                          const settings_document& local, std::string_view base,
                          std::string_view file, bool added_only) {
  hand_made out;
  out.local = local;
  rules::text_problem problem;
  const auto theirs = how.style.format == rules::settings_format::filled
                        ? std::nullopt
                        : rules::read_settings(file, how.style, problem);
  const auto ours = theirs ? rules::read_settings(base, how.style, problem) : std::nullopt;
  const auto changes = ours ? rules::difference(*ours, *theirs)
                            : std::vector<rules::settings_change>{};
  out.readable = ours && changes.size() <= limits::hand_changes_max;
  if (!out.readable)
    return out;
  const held_by_locks is_locked{wanted.locks, how.style};
  for (const auto& change : changes) {
    if (added_only && change.before)
      continue;
    const auto path = before_list(change.path);
    const auto text = path.text();
    auto& names = is_locked(path) ? out.locked : out.unlocked;
    if (!names.empty() && names.back() == text)
      continue; // another item of the same list
    if (&names == &out.unlocked) {
      const auto* now = value_at(*theirs, path);
      std::string why;
      if (path.empty() || !set_at(out.local, path, now == nullptr ? settings_value{} : *now, why)) {
        out.locked.push_back(text.empty() ? "everything" : text);
        continue;
      }
    }
    names.push_back(text);
  }
  if (rules::to_bytes(out.local).size() > limits::local_values_bytes_max) {
    // More than can be told: then it is not the device's own.
    out.locked.insert(out.locked.end(), out.unlocked.begin(), out.unlocked.end());
    out.unlocked.clear();
    out.local = local;
  }
  return out;
}

std::optional<std::string> text_for(const rules::connector& how, const wanted_settings& wanted,
                                    const settings_document& local, std::string& problem) {
  const auto all = rules::with_own(how.defaults, {}, effective_of(wanted, local));
  problem = rules::problem_with(all);
  return problem.empty() ? rules::write_settings(all, how.style, problem) : std::nullopt;
}

/// Whether a file that a hand has been at says what we would write, in other words.
bool says_the_same(const rules::connector& how, std::string_view file, std::string_view text) {
  if (how.style.format == rules::settings_format::filled)
    return false;
  rules::text_problem problem;
  const auto theirs = rules::read_settings(file, how.style, problem);
  const auto ours = theirs ? rules::read_settings(text, how.style, problem) : std::nullopt;
  if (!ours)
    return false;
  const auto changes = rules::difference(*ours, *theirs);
  // What a hand has taken away is null with us.
  return std::all_of(changes.begin(), changes.end(), [](const rules::settings_change& change) {
    return !change.after && change.before && change.before->kind() == rules::value_kind::null;
  });
}

bool is_settled(wire::settings_outcome outcome) {
  return outcome == wire::settings_applied || outcome == wire::settings_refused ||
         outcome == wire::settings_failed;
}

/// A file that was there before us: what policies say takes its place, the rest of it stays.
void keep_what_was_there(const rules::connector& how, const wanted_settings& wanted,
                         const file_look& file, settings_decision& out) {
  std::string problem;
  const auto text = text_for(how, wanted, out.next.local, problem);
  if (!text || file.what != file_look::kind::regular)
    return;
  auto found = changes_by_hand(how, wanted, out.next.local, *text, file.content, true);
  out.next.good = file.content;
  out.next.local = std::move(found.local);
  out.adopted = std::move(found.unlocked);
}

/// New documents, or the same ones again.
settings_decision try_anew(const rules::connector& how, const wanted_settings& wanted,
                           const file_look& file, settings_decision out) {
  std::string problem;
  auto text = text_for(how, wanted, out.next.local, problem);
  if (!text) {
    out.step = settings_step::refuse;
    out.problem = problem;
    return out;
  }
  out.text = std::move(*text);
  out.step = settings_step::apply;
  const bool stands = out.next.outcome == wire::settings_applied && out.next.good == out.text &&
                      file.what == file_look::kind::regular && file.content == out.text &&
                      file.attributes_fit;
  if (stands)
    out.step = settings_step::note;
  return out;
}

/// The file is not as we left it.
settings_decision look_at_drift(const rules::connector& how, const wanted_settings& wanted,
                                const file_look& file, settings_decision out) {
  const bool stands = out.next.outcome == wire::settings_applied;
  const auto set_back = [&](std::vector<std::string> what) {
    out.repaired = std::move(what);
    std::string problem;
    auto text = stands ? text_for(how, wanted, out.next.local, problem) : out.next.good;
    if (!text)
      return;
    out.text = std::move(*text);
    out.step = stands ? settings_step::apply : settings_step::restore;
  };
  if (file.what != file_look::kind::regular) {
    if (stands || out.next.good)
      set_back({file.what == file_look::kind::missing ? "the file was gone" : file.problem});
    return out;
  }
  if (file.content == out.next.good) {
    set_back({"owner or mode"});
    return out;
  }
  const auto base = out.next.good.value_or(std::string{});
  auto found = changes_by_hand(how, wanted, out.next.local, base, file.content, false);
  if (!found.readable) {
    set_back({"the file"});
    return out;
  }
  if (stands || found.locked.empty()) {
    out.next.local = std::move(found.local);
    out.adopted = std::move(found.unlocked);
  }
  if (!found.locked.empty()) {
    set_back(std::move(found.locked));
  } else {
    out.step = out.adopted.empty() ? settings_step::note : settings_step::adopt;
    out.next.good = file.content;
  }
  return out;
}

} // namespace

std::optional<wanted_settings> wanted_from(const held_document* settings, const held_document* own,
                                           std::string& problem) {
  wanted_settings out;
  problem.clear();
  if (settings != nullptr) {
    const auto document = rules::settings_from_bytes(settings->content, problem);
    if (!document || !take_values(*document, out.values, true) || !take_locks(*document, out.locks)) {
      problem = "the document is not one of settings and locks";
      return std::nullopt;
    }
    out.hash = settings->hash;
    out.revision = settings->revision;
  }
  if (own != nullptr) {
    const auto document = rules::settings_from_bytes(own->content, problem);
    if (!document || !take_values(*document, out.own, false)) {
      problem = "the document is not one of own settings";
      return std::nullopt;
    }
    out.own_hash = own->hash;
    out.revision = settings != nullptr ? settings->revision : own->revision;
  }
  return out;
}

settings_document effective_of(const wanted_settings& wanted, const settings_document& local) {
  return rules::with_own(rules::with_own(wanted.values, wanted.locks, local), wanted.locks,
                         wanted.own);
}

std::string record_of(const applied_state& state) {
  storage::record::applied_settings record;
  record.set_revision(state.revision);
  record.set_hash(bytes_of(state.hash));
  record.set_own_hash(bytes_of(state.own_hash));
  record.set_outcome(static_cast<std::uint32_t>(state.outcome));
  record.set_detail(state.detail);
  record.set_since_s(state.since_s);
  if (!state.local.as_map()->empty())
    record.set_local_values(rules::to_bytes(state.local));
  if (state.good) {
    const auto digest = net::sha256(*state.good);
    record.set_file_sha256(digest.data(), digest.size());
    record.set_good_content(*state.good);
    record.set_has_good(true);
  }
  return storage::records::encode(record);
}

std::optional<applied_state> state_from(std::string_view bytes) {
  storage::record::applied_settings record;
  if (storage::records::decode(bytes, record) || !wire::settings_outcome_IsValid(
                                                   static_cast<int>(record.outcome())))
    return std::nullopt;
  applied_state out;
  out.revision = record.revision();
  out.hash = hash_from(record.hash());
  out.own_hash = hash_from(record.own_hash());
  out.outcome = static_cast<wire::settings_outcome>(record.outcome());
  out.detail = record.detail();
  out.since_s = record.since_s();
  std::string problem;
  if (!record.local_values().empty()) {
    auto local = rules::settings_from_bytes(record.local_values(), problem);
    if (!local || !local->is_map())
      return std::nullopt;
    out.local = std::move(*local);
  }
  if (record.has_good())
    out.good = record.good_content();
  return out;
}

settings_decision decide(const rules::connector& how, const wanted_settings& wanted,
                         const std::optional<applied_state>& state, const file_look& file,
                         bool retry) {
  settings_decision out;
  if (state)
    out.next = *state;
  const bool tried = state && is_settled(state->outcome) && state->tried(wanted);
  const bool ours = out.next.good && file.what == file_look::kind::regular &&
                    file.content == *out.next.good && file.attributes_fit;
  const bool begun = state && state->outcome == wire::settings_outcome_unspecified;
  out.next.revision = wanted.revision;
  out.next.hash = wanted.hash;
  out.next.own_hash = wanted.own_hash;
  if (!state || (!is_settled(state->outcome) && !begun && !state->good)) {
    keep_what_was_there(how, wanted, file, out);
    return try_anew(how, wanted, file, std::move(out));
  }
  if (begun || (tried && retry && state->outcome != wire::settings_applied))
    return try_anew(how, wanted, file, std::move(out));
  if (!tried) {
    // Somebody may have been at the file in the meantime; what he may change goes along.
    if (!ours && out.next.good && file.what == file_look::kind::regular) {
      auto found =
        changes_by_hand(how, wanted, out.next.local, *out.next.good, file.content, false);
      out.next.local = std::move(found.local);
      out.adopted = std::move(found.unlocked);
      out.repaired = std::move(found.locked);
    }
    return try_anew(how, wanted, file, std::move(out));
  }
  if (!ours)
    return look_at_drift(how, wanted, file, std::move(out));
  if (state->outcome != wire::settings_applied)
    return out;
  // The connector itself may say something else than it did.
  auto again = try_anew(how, wanted, file, out);
  if (again.step == settings_step::note)
    again.step = settings_step::nothing;
  else if (again.step == settings_step::apply && says_the_same(how, *out.next.good, again.text))
    again.step = settings_step::nothing;
  return again;
}

std::string daemon_values_of(const rules::connector& how, std::string_view output) {
  rules::text_problem problem;
  const auto read = rules::read_settings(output, how.status_style, problem);
  if (!read)
    return {};
  auto bytes = rules::to_bytes(*read);
  return bytes.size() <= limits::daemon_values_bytes_max ? bytes : std::string{};
}

} // namespace muster::actors
