#pragma once
// What actors hand each other: plain data, made once, shared as pointers to const. Neither wire
// messages (net/wire) nor disk records (storage/records.proto); actors/server/convert.hpp and
// actors/agent/convert.hpp translate.

#include "actors/rules/ids.hpp"
#include "net/datagram.hpp"
#include "net/link.hpp"
#include "storage/store.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace muster::wire {
class agent_message;
class server_message;
class statistics;
} // namespace muster::wire

namespace muster::actors {

using rules::boot_id;
using rules::device_id;
using rules::event_position;
using rules::machine_fingerprint;

// -- from the wire ----------------------------------------------------------------------------

/// The payload of one frame, or one HTTP request, as received.
using frame_ptr = std::shared_ptr<const std::string>;
/// A parsed frame.
using agent_message_ptr = std::shared_ptr<const wire::agent_message>;

// -- sections ---------------------------------------------------------------------------------

inline constexpr std::size_t sections = 4; ///< facts, applications, run states, settings states
using section_digest = std::array<std::uint8_t, 16>;
/// All zero: the server holds nothing of this section. Index = wire section number - 1.
using section_digests = std::array<section_digest, sections>;

// -- documents --------------------------------------------------------------------------------

/// The numbers are those of the wire.
enum class document_kind : std::uint8_t { settings = 1, own_settings = 2 };
/// The first 16 bytes of SHA-256 of a document's canonical form, or of a manifest's.
using document_hash = std::array<std::uint8_t, 16>;

struct document_entry {
  document_kind kind = document_kind::settings;
  std::string name;           ///< of the application
  std::uint64_t revision = 0;
  document_hash hash{};
};

/// All that a device shall hold, by kind and name.
struct document_manifest {
  std::vector<document_entry> entries;
  document_hash digest{};     ///< net/documents.hpp
};
using manifest_ptr = std::shared_ptr<const document_manifest>;

/// How an agent says it stands.
struct document_standing {
  bool takes_any = false;     ///< false: an agent from before there were documents
  document_hash digest{};     ///< of all it holds
  bool encrypted = false;     ///< nobody reads along: secrets may travel
};

struct document_wish {
  document_kind kind = document_kind::settings;
  std::string name;
  document_hash hash{};
  document_hash have{};       ///< all zero: it holds no version
};
using document_wishes = std::vector<document_wish>;
using document_wishes_ptr = std::shared_ptr<const document_wishes>;

/// A document on its way to a device.
struct document_parcel {
  document_kind kind = document_kind::settings;
  std::string name;
  document_hash hash{};
  document_hash base{};       ///< all zero: `data` is the whole, else a patch of this version
  std::string data;           ///< compressed
  bool gone = false;          ///< this version is no longer to be had
};
using document_parcel_ptr = std::shared_ptr<const document_parcel>;
using document_parcels_ptr = std::shared_ptr<const std::vector<document_parcel>>;

/// A device's moving figures, as of its last hello or sync.
struct device_statistics {
  std::uint64_t uptime_s = 0;
  std::uint64_t memory_available_kb = 0;
  std::uint64_t disk_free_mb = 0;
  std::uint32_t load_milli = 0;
  std::uint32_t disk_used_percent = 0;
};

// -- events -----------------------------------------------------------------------------------

enum class severity : std::uint8_t { info = 1, warning = 2, critical = 3, failure = 4 };

/// Sequences that a spool had to drop, first and last included.
struct event_gap {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t count = 0;
};

struct event_item {
  std::uint64_t sequence = 0;
  std::int64_t time_ms = 0;  ///< the device's clock
  actors::severity severity = severity::info;
  std::string type;          ///< dotted, for programs
  std::string text;          ///< for people
  std::map<std::string, std::string> attributes;
  std::optional<event_gap> gap;
};

/// Events of one severity as the store keeps them, ready but for what only the writer knows.
struct encoded_events {
  actors::severity severity = severity::info;
  std::string bytes;
};

/// Events of one epoch, to be stored if the device's position still is `after`.
struct event_append {
  device_id device;
  std::string device_name;
  /// Whose position is compared and moved, when not the device's own: what the server itself says
  /// of a device is numbered by the server (id zero), and must not push the agent's numbers about.
  std::optional<device_id> numbered_by;
  event_position after;
  std::uint64_t epoch = 0;
  std::vector<event_item> events; ///< not empty, sequences growing
  std::int64_t clock_offset_ms = 0;
  /// By storage::prepare(), once all else is set: what costs time is done by the many who ask, not
  /// by the one writer. Empty: the writer does it itself.
  std::vector<encoded_events> encoded;
};
using event_append_ptr = std::shared_ptr<const event_append>;

/// `stored` false: the position had moved and nothing was written.
struct append_result {
  bool stored = false;
  event_position position;       ///< what the disk holds now
  std::int64_t received_us = 0;  ///< the server's stamp, when stored
};

/// What was just made durable, for live views.
struct stored_events {
  event_append_ptr batch;
  std::int64_t received_us = 0;
};
using stored_events_ptr = std::shared_ptr<const stored_events>;

// -- storage ----------------------------------------------------------------------------------

/// DESIGN 8: command is answered after fsync; fact when it is in the write-ahead log. Urgent is a
/// command that may use the last room of a full disk (a revocation); what only erases always may.
enum class durability : std::uint8_t { command, fact, urgent };

using change_batch_ptr = std::shared_ptr<const storage::change_batch>;

struct read_result {
  std::optional<std::string> value;
};

/// A bounded, read-only query. Runs on a reader's thread; leaves its result where the asker
/// (who shares it) finds it after the answer.
using read_job = std::shared_ptr<const std::function<std::error_code(const storage::store&)>>;

// -- audit ------------------------------------------------------------------------------------

/// Who did what. Whoever makes the change writes it in the same batch (server/audit.hpp), so that
/// there is neither a change without its entry nor an entry without its change.
struct audit_entry {
  std::string actor;   ///< user name, "root (local)" or "server"
  std::string source;  ///< address
  std::string action;  ///< "device.revoke"
  std::string subject;
  std::string detail;
};
using audit_entry_ptr = std::shared_ptr<const audit_entry>;

// -- devices ----------------------------------------------------------------------------------

enum class refusal : std::uint8_t {
  none,
  token,
  revoked,
  unknown_device,
  expired,
  identity_in_use,
  protocol,
  enrolment,
  limit,
};

/// What the directory decided about a hello.
struct admission {
  refusal reason = refusal::none; ///< none: admitted
  std::string text;               ///< for people, when refused
  bool went_back = false;
  section_digests known{};
  std::string device_name;        ///< as the directory calls it now
  bool keep = false;              ///< an administrator wants the connection kept
  std::uint64_t calls_before = 0; ///< of the shard, when this hello came: its sync serves them
  manifest_ptr manifest;          ///< null: the device holds the documents it shall
};
using admission_ptr = std::shared_ptr<const admission>;

/// What a finished sync changed.
struct sync_outcome {
  device_id device;
  std::int64_t finished_us = 0;
  std::uint64_t calls_before = 0;            ///< the session's last word of calls when it began
  section_digests digests{};                 ///< all zero where nothing new arrived
  std::optional<device_statistics> statistics;
  // Filled when facts arrived:
  std::optional<std::string> host_name;
  std::string os_id, os_name, os_version;
  std::vector<std::string> addresses;           ///< as the device sees itself
  std::optional<std::uint32_t> failed_services; ///< filled when run states arrived
  /// Names, sorted, each once; filled when applications arrived.
  std::optional<std::vector<std::string>> applications;
  std::optional<std::uint32_t> settings_not_applied; ///< filled when settings states arrived
};
using sync_outcome_ptr = std::shared_ptr<const sync_outcome>;

/// A device that has just been given a certificate.
struct enrolled_device {
  device_id device;
  net::sha256_digest certificate_sha256{};
  net::sha256_digest key_sha256{};
  std::int64_t certificate_expires_s = 0;
  machine_fingerprint fingerprint;
  std::string host_name;
  std::string agent_version;
  std::string token_id;
  std::string token_name;
  std::uint32_t group = 0;           ///< of the token; 0: the moving rules say
  std::string address;
  std::int64_t enrolled_us = 0;
};
using enrolled_device_ptr = std::shared_ptr<const enrolled_device>;

/// As in rules/device_state.hpp, which says when a device is what.
enum class device_state : std::uint8_t { connected, idle, silent, never, revoked, unknown, off };

/// Why a device said that it goes. The numbers are those of the notice (net/notice.hpp).
enum class off_reason : std::uint8_t { none, shutdown, restart, suspend, agent_stop };

/// How a device is, as rules/device_status.hpp finds it from the row's other fields.
enum class device_status : std::uint8_t { ok, warning, critical };

/// One device as lists show it.
struct device_row {
  device_id device;
  std::string name;
  device_state state = device_state::never;
  std::string os_id, os_name, os_version;
  std::string agent_version;
  std::string address;
  std::int64_t enrolled_us = 0;
  std::int64_t last_contact_us = 0;  ///< 0: never
  std::int64_t last_sync_us = 0;
  std::int64_t last_information_us = 0; ///< when content of a section last changed
  std::int64_t certificate_expires_s = 0;
  device_statistics statistics;
  section_digests digests{};
  machine_fingerprint fingerprint;
  actors::off_reason off_reason = off_reason::none;
  std::int64_t off_us = 0;           ///< when it told us that it goes; 0: it did not
  bool keep = false;                 ///< an administrator wants its connection kept
  std::uint16_t wake_port = 0;       ///< where it listens for wakes; 0: nowhere
  std::uint32_t failed_services = 0;
  std::uint32_t sync_failures = 0;   ///< in a row
  std::uint32_t sync_period_s = 0;   ///< what it goes by: its own settings or what it was told
  device_status status = device_status::ok;
  std::string status_reason;         ///< a sentence for each condition; empty: ok
  std::uint32_t group = 0;           ///< its number; rules/group_tree.hpp
  std::string group_path;            ///< empty: the root
  std::vector<std::string> tags;     ///< sorted
  manifest_ptr documents;            ///< what it shall hold; null in lists
  std::uint32_t settings_not_applied = 0; ///< applications whose settings do not stand
  bool same_machine = false;         ///< another device of this shard's answer has the fingerprint
};

/// Which devices, in which order, from where. Sorted by name, then id.
struct device_query {
  std::string target;                ///< DESIGN 10; empty: all. Parsed by rules/device_filter.hpp
  std::string after_name;            ///< cursor: the last row of the page before
  device_id after_device;
  std::uint32_t limit = 100;         ///< 1-1000
  bool count = true;                 ///< false: nobody asks how many match; cheap for a late page
};
using device_query_ptr = std::shared_ptr<const device_query>;

struct device_page {
  std::vector<device_row> rows;
  std::uint64_t matching = 0;        ///< in this shard, beyond the page too; when asked for
};
using device_page_ptr = std::shared_ptr<const device_page>;

struct device_counts {
  std::uint64_t total = 0;
  std::array<std::uint64_t, 7> by_state{};  ///< index: device_state
  std::array<std::uint64_t, 3> by_status{}; ///< index: device_status; the revoked are in none
  std::uint64_t kept = 0;                   ///< whose connection an administrator wants kept
  // Since the start of the server:
  std::uint64_t notices = 0;                ///< acknowledged, each once
  std::uint64_t notices_repeated = 0;       ///< acknowledged again
  std::uint64_t notices_refused = 0;        ///< unknown or revoked device, counter of the past
  std::uint64_t calls = 0;                  ///< to one device each
  std::uint64_t calls_done = 0;
  std::uint64_t calls_failed = 0;
  std::uint64_t calls_open = 0;             ///< now
};

// -- enrolment --------------------------------------------------------------------------------

struct enrolment {
  std::string token, csr, proof, host_name, agent_version;
  machine_fingerprint fingerprint;
  std::array<std::uint8_t, 32> exporter{};
  std::string address;
};
using enrolment_ptr = std::shared_ptr<const enrolment>;

struct enrolment_result {
  refusal reason = refusal::none;
  std::string text;
  device_id device;
  std::string certificate;           ///< DER
};
using enrolment_result_ptr = std::shared_ptr<const enrolment_result>;

struct token_order {
  std::string name;
  std::int64_t lifetime_s = 86400;   ///< 0: no end
  std::uint32_t uses_max = 0;        ///< 0: any number
  audit_entry_ptr audit;             ///< its actor is the creator
  std::uint32_t group = 0;           ///< where its devices go; 0: the moving rules say
};

struct token_info {
  std::string id, name, created_by;
  std::int64_t created_us = 0;
  std::int64_t expires_us = 0;       ///< 0: never
  std::uint32_t uses_max = 0;
  std::uint32_t uses = 0;
  bool revoked = false;
  std::string secret;                ///< only in the answer to its creation
  std::uint32_t group = 0;
};
using token_infos = std::shared_ptr<const std::vector<token_info>>;

// -- console ----------------------------------------------------------------------------------

struct login_request {
  std::string user, password, source;
};

struct password_order {
  std::string user, old_password, new_password;
  std::string bearer; ///< the log-in that stays valid
  std::string source;
};

struct login_result {
  bool granted = false;
  std::string bearer;                ///< the token to present
  std::int64_t expires_us = 0;
  std::uint32_t retry_after_s = 0;   ///< when attempts are used up
};

struct console_user {
  std::string name;                  ///< empty: no such login
  std::string role;
};

/// Children per stage and what CAF knows; for `server status` and the last words of a stop.
struct census {
  std::map<std::string, std::uint64_t> by_stage;
  std::uint64_t running = 0;
  std::uint64_t detached = 0;
  std::map<std::string, std::uint64_t> restarts;
};
using census_ptr = std::shared_ptr<const census>;

/// Figures as Prometheus names them; text of one actor's share of /metrics.
using metrics_text = std::shared_ptr<const std::string>;

// -- supervision ------------------------------------------------------------------------------

/// Order of stop: top to bottom, sessions after ports, the writer last.
enum class stage : std::uint8_t { ports, sessions, work, consoles, fleet, readers, writer };

enum class session_end : std::uint8_t { revoked, removed, replaced, stopping };

/// Which door a connection came through; the last two are those of datagrams, which have none.
enum class door : std::uint8_t { agents_tls, agents_plain, admin, notices, wakes };
inline constexpr std::size_t doors = 5;

// -- agent ------------------------------------------------------------------------------------

/// An event before the spool (on the server: event_book) has numbered it.
struct raised_event {
  actors::severity severity = severity::info;
  std::string type;
  std::string text;
  std::map<std::string, std::string> attributes;
  std::int64_t time_ms = 0;          ///< 0: now
  std::string device_name;           ///< on the server, when it speaks of a device
};
using raised_event_ptr = std::shared_ptr<const raised_event>;

/// The next events of one epoch, in spool order; empty when nothing waits behind `after`.
struct spool_batch {
  event_position after;
  std::uint64_t epoch = 0;
  std::vector<event_item> events;
};
using spool_batch_ptr = std::shared_ptr<const spool_batch>;

/// How a test of wakes went, for people.
struct wake_probe {
  bool sent = false;                 ///< by the server; false: `text` says why not
  bool arrived = false;
  std::uint32_t took_ms = 0;         ///< from our asking, when it arrived
  std::string text;
};

/// How the agent and its server stand.
struct connection_report {
  std::string server;                ///< HOST:PORT as it is dialled
  std::string address;               ///< of the server, as last connected to; empty: never
  std::string state;                 ///< one line
  bool connected = false;
  bool keep = false;                 ///< means to stay connected
  std::uint64_t syncs = 0;
  std::int64_t last_sync_us = 0;     ///< 0: none since the agent started
  std::int64_t next_sync_us = 0;
  std::int64_t next_attempt_us = 0;  ///< 0: nothing speaks against one now
  std::string last_error;            ///< empty: none since the agent started
  std::int64_t last_error_us = 0;
  std::int64_t clock_offset_ms = 0;  ///< the server's clock less ours, at the last welcome
  std::int64_t clock_told_us = 0;    ///< when that was; 0: never
  std::uint64_t wake_counter = 0;    ///< of the last wake taken
  std::uint64_t wakes = 0;           ///< taken since the agent started
  std::uint32_t datagram_generation = 0; ///< of the keys for wakes and notices; 0: none yet
};
using connection_report_ptr = std::shared_ptr<const connection_report>;

/// What settings_keeper has to say in a sync.
struct keeper_report {
  document_hash documents{};         ///< of all it holds
  std::string states;                ///< canonical form of the section; empty: it manages nothing
  section_digest states_digest{};    ///< all zero when it manages nothing
};
using keeper_report_ptr = std::shared_ptr<const keeper_report>;

/// What the agent's own policy says; what it leaves open is as the agent's file and the server say.
struct agent_policy {
  std::optional<std::uint32_t> sync_period_s;
  std::optional<std::uint32_t> sync_jitter_percent;
  std::optional<bool> keep;
};

/// Everything the agent knows of its machine, in canonical form (net/wire/agent.proto).
struct machine_snapshot {
  std::array<std::string, sections> content;
  section_digests digests{};
  device_statistics statistics;
};
using machine_snapshot_ptr = std::shared_ptr<const machine_snapshot>;

} // namespace muster::actors
