#pragma once
// Holds what the server wants on this device, and sees to it that the applications go by it.

#include "actors/agent/document_shelf.hpp"
#include "actors/agent/settings_hands.hpp"
#include "actors/agent/settings_plan.hpp"
#include "actors/protocol.hpp"
#include "actors/wall_clock.hpp"

#include <caf/actor_clock.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster::actors {

struct settings_keeper_options {
  settings_hands hands;
  /// False: the machine's owner wants no application managed. Documents are held all the same.
  bool manage = true;
  std::string connectors; ///< the folder, for texts
  /// Between looks at files, connectors and packages.
  std::chrono::milliseconds period{std::chrono::seconds{10}};
  /// Between questions to a daemon about its own values.
  std::chrono::milliseconds status_period{std::chrono::hours{1}};
  /// What failed (a full disk, a reload) is tried again after this, then twice as long, up to an hour.
  std::chrono::milliseconds retry_pause{std::chrono::minutes{1}};
  wall_clock now_us;
  /// The states have changed, and nothing is left to do just now. To whichever
  /// connection lives; returns at once. May be empty, as the next.
  std::function<void()> tell_changed;
  /// What the agent's own policy says; also when it says nothing any more.
  std::function<void(const agent_policy&)> tell_policy;
};

struct settings_keeper_peers {
  store_writer_actor writer; ///< of the agent's own store
  store_reader_actor reader;
  event_spool_actor spool;
};

/// The events it raises; README.md has the table of their attributes.
namespace settings_events {
inline constexpr const char* repaired = "settings.repaired";
inline constexpr const char* changed_locally = "settings.changed_locally";
inline constexpr const char* refused = "settings.refused";
} // namespace settings_events

/// The application whose settings are the agent's own.
inline constexpr std::string_view own_application = "muster-agent";

/// Reads and writes files and waits for the disk: spawned detached where programs are composed,
/// plainly in tests. Commands run beside it (command_runner), so it always answers soon.
///
/// Documents: one thing at a time, written (class command) before it counts. Applications: one at a
/// time. Before a file is touched the disk knows that something was begun, and with which content it
/// was good; so a kill at any step is followed by the whole of it once more, and a reload too many
/// is all that can come of it. What was ended is never begun again by itself.
///
/// A policy that was withdrawn leaves the connector's defaults and what was changed by hand, then the
/// application is let go.
///
/// Bounds: document_limits; limits::connectors_max applications with a file of 1 MB each at the
/// worst; one command; one tick in flight.
class settings_keeper_state {
public:
  static inline const char* name = "settings_keeper";
  explicit settings_keeper_state(settings_keeper_actor::pointer self) : self_(self) {}
  ~settings_keeper_state();
  settings_keeper_state(const settings_keeper_state&) = delete;
  settings_keeper_state& operator=(const settings_keeper_state&) = delete;

  settings_keeper_actor::behavior_type make_behavior(settings_keeper_options options,
                                                     settings_keeper_peers peers);

private:
  using time_point = caf::actor_clock::time_point;
  using steps = std::function<void()>;
  /// Something that waits for its turn; one of the two is called.
  struct operation {
    steps run;
    std::function<void(const caf::error&)> give_up;
  };
  struct managed {
    std::optional<applied_state> state; ///< as it last ended, or as the disk had it at the start
    std::string daemon_values;          ///< canonical form; empty: not known
    std::string mark;                   ///< of the file when all was right
    bool present = true;                ///< the daemon was installed at the last look
    bool look = true;                   ///< something may have to be done
    bool first = true;                  ///< not looked at since our start
    bool retry = false;                 ///< the connector has changed since
    unsigned failures = 0;              ///< in a row
    time_point retry_at;
    time_point status_due;
    std::optional<time_point> spoke_at; ///< of a repair
    std::uint64_t unspoken = 0;         ///< repairs since
  };
  /// What is being done about one application.
  struct job {
    std::string name;
    rules::connector how{};
    wanted_settings wanted{};
    settings_decision decision{};
    std::string daemon_values{};
  };

  // -- settings_keeper.cpp: documents -------------------------------------------------------------
  void queue(operation what);
  void done();
  void load();
  void on_loaded(const std::vector<std::pair<std::string, std::string>>& documents,
                 const std::vector<std::pair<std::string, std::string>>& standing,
                 bool ever_told);
  caf::result<document_wishes_ptr> on_manifest(const manifest_ptr& manifest);
  caf::result<caf::ok_atom> on_parcel(const document_parcel_ptr& parcel);
  caf::result<keeper_report_ptr> on_collect();
  void write(storage::change_batch changes, steps then,
             std::function<void(const caf::error&)> failed);
  void touch(const std::string& who);
  [[nodiscard]] std::string states() const;
  void tell_if_changed();
  [[nodiscard]] std::string status() const;

  // -- settings_keeper_look.cpp: what has to be done ----------------------------------------------
  void on_tick();
  void look_around();
  void work();
  void consider(const std::string& who, managed& app);
  void consider_ourselves(managed& app);
  [[nodiscard]] bool is_there(const rules::connector& how) const;
  void conclude(const std::string& who, managed& app, const wanted_settings& wanted,
                wire::settings_outcome outcome, std::string detail);
  void tell_own_policy(const managed& app) const;

  // -- settings_keeper_apply.cpp: doing it --------------------------------------------------------
  void begin(job what);
  void apply();
  void check(std::function<void(const command_result&)> then);
  void on_checked(const command_result& result);
  void reload();
  void adopt();
  void restore();
  void ask_status(steps then);
  void finish(wire::settings_outcome outcome, std::string detail);
  void leave();
  void remember(const std::string& who, std::optional<applied_state> state, steps then);
  void run(const rules::command_line& command, std::chrono::seconds time_max,
           std::size_t output_max, std::function<void(const command_result&)> then);
  void put_back();
  void speak_of_hands(bool repaired);
  void raise(severity how, const char* type, std::string text,
             std::map<std::string, std::string> attributes);
  void postpone(managed& app);

  [[nodiscard]] time_point now() const { return self_->clock().now(); }
  [[nodiscard]] std::int64_t now_s() const { return options_.now_us() / 1'000'000; }

  settings_keeper_actor::pointer self_;
  settings_keeper_options options_;
  settings_keeper_peers peers_;

  bool busy_ = false; ///< with a document
  std::deque<operation> waiting_;
  document_shelf shelf_;
  bool loaded_ = false;

  found_connectors connectors_;
  std::map<std::string, managed> applications_;
  std::optional<job> job_;
  time_point next_look_;
  /// A command's end, from the thread that waited for it.
  struct command_end;
  std::shared_ptr<command_end> command_;
  std::function<void(const command_result&)> after_command_;

  bool ever_told_ = false;   ///< the server may hold states of us
  section_digest told_{};    ///< of the states, when their change was told last
  std::uint64_t applied_ = 0;
  std::uint64_t repaired_ = 0;
};

settings_keeper_actor::behavior_type
settings_keeper(settings_keeper_actor::stateful_pointer<settings_keeper_state> self,
                settings_keeper_options options, settings_keeper_peers peers);

/// At most so many bytes, never half a character; UTF-8.
[[nodiscard]] std::string settings_detail(std::string_view text);

} // namespace muster::actors
