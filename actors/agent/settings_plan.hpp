#pragma once
// What has to be done about an application's settings: from what the server wants, what was changed
// on the machine, what was done last and how the file looks now. Decides only; settings_keeper does.

#include "actors/agent/document_shelf.hpp"
#include "actors/rules/connector.hpp"
#include "actors/rules/policy_locks.hpp"
#include "actors/rules/settings_value.hpp"
#include "net/wire/agent.pb.h"
#include "storage/records.pb.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::actors {

/// What the documents of one application say together.
struct wanted_settings {
  std::uint64_t revision = 0;              ///< 0: the server wants nothing (any more)
  std::optional<document_hash> hash;       ///< of the policies' document
  std::optional<document_hash> own_hash;   ///< of what was set for this device
  rules::settings_document values = rules::settings_value::empty_map();
  rules::lock_set locks;
  rules::settings_document own = rules::settings_value::empty_map();
  [[nodiscard]] bool nothing() const noexcept { return !hash && !own_hash; }
};

/// Either may be null. Empty with a clause in `problem` when a document has another form than
/// {"locks": [paths], "values": {...}} or {"values": {...}}.
[[nodiscard]] std::optional<wanted_settings> wanted_from(const held_document* settings,
                                                         const held_document* own,
                                                         std::string& problem);

/// Policies, then what was changed on the machine, then what an administrator set for it; locks win.
[[nodiscard]] rules::settings_document effective_of(const wanted_settings& wanted,
                                                    const rules::settings_document& local);

/// How an application stands: record applied_settings, understood. The outcome 0 says that something
/// was begun and not ended.
struct applied_state {
  std::uint64_t revision = 0;
  std::optional<document_hash> hash;
  std::optional<document_hash> own_hash;
  wire::settings_outcome outcome = wire::settings_outcome_unspecified;
  std::string detail;
  std::int64_t since_s = 0;
  rules::settings_document local = rules::settings_value::empty_map();
  std::optional<std::string> good; ///< the file as it passed its check last; empty: there was none

  [[nodiscard]] bool tried(const wanted_settings& wanted) const {
    return hash == wanted.hash && own_hash == wanted.own_hash;
  }
};
[[nodiscard]] std::string record_of(const applied_state& state);
[[nodiscard]] std::optional<applied_state> state_from(std::string_view record);

/// The file as it is just now.
struct file_look {
  enum class kind : std::uint8_t { missing, regular, other, unreadable };
  kind what = kind::missing;
  std::string content;
  bool attributes_fit = true; ///< owner, group and mode are the connector's
  std::string problem;        ///< for people, when it is other or unreadable
};

enum class settings_step : std::uint8_t {
  nothing, ///< all is as it should be
  note,    ///< the file is right already: only `next` has to be remembered
  apply,   ///< write `text`, check, reload
  adopt,   ///< check the file as it is; bad: write the good one again
  restore, ///< write `text` (the last good one); nobody has to reload: it is what was loaded
  refuse   ///< the settings cannot be written in this form at all: `problem`
};

struct settings_decision {
  settings_step step = settings_step::nothing;
  std::string text;                    ///< of the file
  applied_state next;                  ///< how it stands when that went well, outcome and time left out
  std::vector<std::string> repaired;   ///< settings that were changed by hand and are set back
  std::vector<std::string> adopted;    ///< those that are the device's own from now on
  std::string problem;
};

/// `retry`: what was tried and failed, or was refused, is tried again. `first` says that nothing is
/// known of this application: there is no state.
[[nodiscard]] settings_decision decide(const rules::connector& how, const wanted_settings& wanted,
                                       const std::optional<applied_state>& state,
                                       const file_look& file, bool retry);

/// What a status command printed, within what a section may have; empty: it cannot be read.
[[nodiscard]] std::string daemon_values_of(const rules::connector& how, std::string_view output);

} // namespace muster::actors
