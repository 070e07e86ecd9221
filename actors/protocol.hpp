#pragma once
// The one header that says who may say what to whom. Every actor interface of the server and of
// the agent, a sentence per message. Messages that an actor sends itself are marked INTERNAL.

#include "actors/atoms.hpp"
#include "actors/call_messages.hpp"
#include "actors/errc.hpp"
#include "actors/messages.hpp"
#include "actors/wall_clock.hpp"

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

namespace muster::actors {

/// Glues interface fragments together, so that common duties are written once.
template <class... Interfaces>
struct joined;

template <class... Fs>
struct joined<caf::typed_actor<Fs...>> {
  using type = caf::typed_actor<Fs...>;
};

template <class... Fs, class... Gs, class... Rest>
struct joined<caf::typed_actor<Fs...>, caf::typed_actor<Gs...>, Rest...>
  : joined<caf::typed_actor<Fs..., Gs...>, Rest...> {};

template <class... Interfaces>
using join = typename joined<Interfaces...>::type;

// ---- everybody --------------------------------------------------------------------------------

/// Anything an operator may ask how it is doing.
using observable = caf::typed_actor<
  // A one-line summary, for people and logs. No secrets.
  caf::replies_to<atom::status>::with<std::string>>;

/// What the root asks of every port, TCP or UDP.
using any_port_actor = caf::typed_actor<
  // server_root, agent_root, tests: its port number.
  caf::replies_to<atom::bound>::with<std::uint16_t>,
  // server_root: its share of /metrics.
  caf::replies_to<atom::metrics>::with<metrics_text>>;

// ---- server: storage --------------------------------------------------------------------------

/// Wants to know how the disk is.
using disk_watcher_actor = caf::typed_actor<
  // store_writer: from now on writing fails with this; empty: it works again.
  caf::reacts_to<atom::failed, std::error_code>>;

/// Makes changes durable. The only one who writes to the store; detached in production.
/// Fails with storage::errc as caf::error (actors/errc.hpp).
using store_writer_actor = join<
  caf::typed_actor<
    // Anyone: apply these changes together; answered as their durability promises.
    caf::replies_to<atom::put, change_batch_ptr, durability>::with<caf::ok_atom>,
    // event_stream: store these events if the device's position still is `after`; answered after
    // fsync, or at once (stored = false) when the position has moved.
    caf::replies_to<atom::append, event_append_ptr>::with<append_result>,
    // event_stream: the last event of the device that is on the disk.
    caf::replies_to<atom::position, device_id>::with<event_position>,
    // directory: the device is gone for good; forget its position.
    caf::reacts_to<atom::remove, device_id>,
    // event_book: tell me when writing begins to fail and when it works again; one is told.
    caf::reacts_to<atom::watch, disk_watcher_actor>,
    // INTERNAL: everything queued before this message is written together.
    caf::reacts_to<atom::commit>,
    // INTERNAL: facts written since the last sync become durable now.
    caf::reacts_to<atom::tick>,
    // console_session: its share of /metrics.
    caf::replies_to<atom::metrics>::with<metrics_text>>,
  observable>;

/// Syncs the store's log beside the writer, which gathers and writes meanwhile. Spawned by the writer;
/// detached in production.
using log_syncer_actor = caf::typed_actor<
  // store_writer: answered when all that has been written so far survives a power loss. One at a
  // time.
  caf::replies_to<atom::commit>::with<caf::ok_atom>>;

/// Reads for those who must not block. Several, detached; any of them will do.
using store_reader_actor = join<
  caf::typed_actor<
    // Anyone: one value.
    caf::replies_to<atom::get, storage::family, std::string>::with<read_result>,
    // Anyone: run a bounded, read-only query on the reader's thread.
    caf::replies_to<atom::read, read_job>::with<caf::ok_atom>>,
  observable>;

// ---- server: sessions -------------------------------------------------------------------------

/// One agent connection, from its handshake to its end. Spawned by server_root.
using session_actor = join<
  caf::typed_actor<
    // link: a frame arrived. What may be in it, and when, says rules/dispatch.hpp.
    caf::reacts_to<atom::frame, frame_ptr>,
    // link: the connection is gone.
    caf::reacts_to<atom::closed, std::error_code>,
    // directory, server_root: say why, then close.
    caf::reacts_to<atom::ending, session_end>,
    // directory: have the agent sync now. The number is that of the shard's last call; every sync
    // that begins from now on names it in its outcome.
    caf::reacts_to<atom::sync, std::uint64_t>,
    // directory: tell the agent to keep this connection, or no longer.
    caf::reacts_to<atom::keep, bool>,
    // directory: the device shall hold these documents; tell it.
    caf::reacts_to<atom::publish, manifest_ptr>,
    // directory: another connection claims this device; is your agent alive? Answered true as soon
    // as it says anything, false after 5 s of silence.
    caf::replies_to<atom::probe>::with<bool>,
    // sync_job: the sync is over; another may begin. (One that fails just ends: its reason says what
    // the agent is to be told.)
    caf::reacts_to<atom::synced>,
    // event_stream: nothing is in flight since I took over so many messages; let me go, unless you
    // have sent more meanwhile.
    caf::reacts_to<atom::left, std::uint32_t>,
    // INTERNAL: a probe's time is up; the number says which probe.
    caf::reacts_to<atom::tick, std::uint32_t>>,
  observable>;

/// One sync of one device: answers a hello or a sync request, takes the sections that differ,
/// stores them, ends. Spawned by its session.
using sync_job_actor = join<
  caf::typed_actor<
    // session: a part of a section.
    caf::reacts_to<atom::chunk, agent_message_ptr>,
    // INTERNAL: has the agent been silent for too long in the middle of a sync?
    caf::reacts_to<atom::tick>>,
  observable>;

/// The events of one connection: tells the agent its position, has batches stored,
/// acknowledges. Spawned by its session; ends when nothing is in flight for 10 s.
using event_stream_actor = join<
  caf::typed_actor<
    // session: the agent (again) wants to know its position.
    caf::reacts_to<atom::open>,
    // session: a batch.
    caf::reacts_to<atom::events, agent_message_ptr>,
    // INTERNAL: nothing in flight for a while?
    caf::reacts_to<atom::tick>>,
  observable>;

// ---- datagrams, on both sides -----------------------------------------------------------------

/// Takes what came to a UDP port and passed its filter.
using datagram_sink_actor = caf::typed_actor<
  // udp_port: these have arrived. The answer is what to send back (an empty batch or null:
  // nothing), and says that the sink is done with them: a port hands over only so many at a time.
  caf::replies_to<atom::datagrams, net::datagram_batch_ptr>::with<net::datagram_batch_ptr>>;

/// Bridges one UDP socket. Ends with an error when the socket fails; whoever supervises it starts
/// it again.
using udp_port_actor = join<
  caf::typed_actor<
    // Anyone: send these, without a promise. What does not fit the bounded queue is dropped and
    // counted.
    caf::reacts_to<atom::send, net::datagram_batch_ptr>,
    // INTERNAL (from the socket's thread): these have passed the filter.
    caf::reacts_to<atom::datagrams, net::datagram_batch_ptr>,
    // INTERNAL (from the socket's thread): the socket has failed.
    caf::reacts_to<atom::failed, std::error_code>>,
  any_port_actor, observable>;

/// The sink of the notices' port: asks the directory about each notice, and acknowledges what is
/// on record.
using notice_desk_actor = join<
  datagram_sink_actor,
  caf::typed_actor<
    // console_session: its share of /metrics.
    caf::replies_to<atom::metrics>::with<metrics_text>>,
  observable>;

// ---- server: fleet ----------------------------------------------------------------------------

/// What directory needs to know of a hello to decide.
struct hello_facts {
  device_id device;
  net::sha256_digest certificate_sha256{};
  boot_id boot;
  machine_fingerprint fingerprint;
  std::uint64_t counter = 0;
  std::string address;
  std::string agent_version;
  device_statistics statistics;
  std::uint16_t wake_port = 0;
  std::uint64_t wake_counter = 0; ///< of the last wake it took
  std::uint32_t sync_period_s = 0; ///< of its own settings; 0: it goes by what it is told
  document_standing documents;
  session_actor session;
};
using hello_facts_ptr = std::shared_ptr<const hello_facts>;

/// Told of every turn of the calls it gave. The call_board, in production.
using call_watcher_actor = caf::typed_actor<
  // directory: a call to one device has come so far.
  caf::reacts_to<atom::progress, call_progress>>;

/// A call to one device.
struct device_call {
  std::uint64_t call = 0; ///< the watcher's number
  device_id device;
  call_kind kind = call_kind::sync;
  call_watcher_actor watcher;
};

// Made by policy_book and the admin API; server/fleet_messages.hpp.
struct fleet_snapshot;
using fleet_snapshot_ptr = std::shared_ptr<const fleet_snapshot>;
struct fleet_order;
using fleet_order_ptr = std::shared_ptr<const fleet_order>;
struct fleet_answer;
using fleet_answer_ptr = std::shared_ptr<const fleet_answer>;
struct group_order;
using group_order_ptr = std::shared_ptr<const group_order>;
struct own_settings_order;
using own_settings_order_ptr = std::shared_ptr<const own_settings_order>;
struct own_documents;
using own_documents_ptr = std::shared_ptr<const own_documents>;
struct assignment_order;
using assignment_order_ptr = std::shared_ptr<const assignment_order>;
struct placement_order;
using placement_order_ptr = std::shared_ptr<const placement_order>;
struct placement_report;
using placement_report_ptr = std::shared_ptr<const placement_report>;

/// One shard of the directory: a compact record in memory per device, and the one place that
/// decides who may have a session. A device's shard is rules/shard_of(device).
using directory_actor = join<
  caf::typed_actor<
    // session: may this device come in? Remembers the session when it may. Can take 5 s when
    // another session of the device has to be asked.
    caf::replies_to<atom::admit, hello_facts_ptr>::with<admission_ptr>,
    // session: I end (only the present session of the device is forgotten).
    caf::reacts_to<atom::left, device_id, caf::actor_addr>,
    // session, event_stream: the device said something.
    caf::reacts_to<atom::contact, device_id>,
    // sync_job: these sections (bit n: section n + 1) are about to be replaced; forget their
    // digests until `synced` brings new ones. Answered when that is in the write-ahead log, behind
    // everything the writer was given before.
    caf::replies_to<atom::sync, device_id, std::uint32_t>::with<caf::ok_atom>,
    // sync_job: how does what this device says on an open connection compare? As for a hello, but
    // nobody comes in. Fails with errc::refused when the device is no longer known.
    caf::replies_to<atom::compare, device_id, document_standing>::with<admission_ptr>,
    // session: the device wants these documents. What it shall not hold (any more) is `gone`.
    caf::replies_to<atom::fetch, device_id, document_wishes_ptr>::with<document_parcels_ptr>,
    // policy_book: this is the fleet's order from now on; who is connected is told what that changes.
    caf::reacts_to<atom::publish, fleet_snapshot_ptr>,
    // policy_book: these documents are for this device alone (all of them; none: an empty list).
    caf::reacts_to<atom::publish, device_id, own_documents_ptr>,
    // console_session: put this device into another group, change its tags. Durable when answered,
    // together with the audit entry. False: no such device.
    caf::replies_to<atom::assign, device_id, assignment_order_ptr>::with<bool>,
    // console_session: run the moving rules for the shard's devices that match, or say what they
    // would do. Durable when answered.
    caf::replies_to<atom::place, placement_order_ptr>::with<placement_report_ptr>,
    // sync_job: a sync has ended well.
    caf::reacts_to<atom::synced, sync_outcome_ptr>,
    // session: a sync of this device has failed.
    caf::reacts_to<atom::failed, device_id>,
    // session: the device wants to know whether wakes reach it: wake it, although it is here. Answered
    // at once: sent 1, or why none can be sent. While it is being woken it is not woken twice.
    caf::replies_to<atom::probe, device_id>::with<wake_result>,
    // call_board: call this device. Every turn is told to the watcher (progress); a call stays until
    // it is done or has failed, or, with too many of them, until it is the oldest.
    caf::reacts_to<atom::call, device_call>,
    // notice port: the device says that it goes. True: acknowledge it; that it is off is in the
    // write-ahead log, by this notice or an earlier one of the same counter. False: unknown,
    // revoked, or a counter of the past.
    caf::replies_to<atom::notice, notice_facts>::with<bool>,
    // enroller: this device exists from now on, or has got this certificate.
    caf::replies_to<atom::enrol, enrolled_device_ptr>::with<caf::ok_atom>,
    // console_session: from now on the device is refused; its session ends. Durable when answered,
    // together with the audit entry. False: no such device.
    caf::replies_to<atom::revoke, device_id, audit_entry_ptr>::with<bool>,
    // console_session: forget the device and everything about it (its events stay until their
    // time); its key is refused for ever. Durable when answered, together with the audit entry.
    // False: no such device.
    caf::replies_to<atom::remove, device_id, audit_entry_ptr>::with<bool>,
    // console_session: one page of the shard's devices that match.
    caf::replies_to<atom::list, device_query_ptr>::with<device_page_ptr>,
    // console_session: one device; an empty page when unknown.
    caf::replies_to<atom::find, device_id>::with<device_page_ptr>,
    // console_session: how many, by state and status; what else the shard has counted.
    caf::replies_to<atom::count>::with<device_counts>,
    // INTERNAL: go on with lists and counts that look at many devices, a slice at a time.
    caf::reacts_to<atom::next>,
    // INTERNAL: write what has changed since the last tick (class trace), a slice at a time.
    caf::reacts_to<atom::tick>>,
  observable>;

/// Keeps groups, policies, moving rules and tasks as administrators wrote them, and what was set for
/// single devices; hands every shard the whole of it after each change. What it says is durable
/// before anybody is told, together with the audit entries.
using policy_book_actor = join<
  caf::typed_actor<
    // console_session: make the fleet as these files say, or tell what that would change; all or
    // nothing.
    caf::replies_to<atom::apply, fleet_order_ptr>::with<fleet_answer_ptr>,
    // console_session: rename or move a group, with all below it.
    caf::replies_to<atom::apply, group_order_ptr>::with<fleet_answer_ptr>,
    // console_session: set or unset values of one device's own.
    caf::replies_to<atom::apply, own_settings_order_ptr>::with<fleet_answer_ptr>,
    // console_session: the fleet as it is.
    caf::replies_to<atom::get>::with<fleet_snapshot_ptr>,
    // directory: the device is gone for good; forget what was set for it.
    caf::reacts_to<atom::remove, device_id>,
    // console_session: its share of /metrics.
    caf::replies_to<atom::metrics>::with<metrics_text>>,
  observable>;

struct made_wakes; // server/waker.hpp
using made_wakes_ptr = std::shared_ptr<const made_wakes>;

/// Asks devices by signed datagrams to connect. One counter for all of them, its bound on the disk
/// before it is used.
using waker_actor = join<
  caf::typed_actor<
    // directory: wake this device; answered when it is there, or when it stays away after the last
    // try (4 within 7 s, then a last wait). An order for a device that is being woken joins it.
    caf::replies_to<atom::wake, wake_order>::with<wake_result>,
    // directory: the device is there; stop calling it.
    caf::reacts_to<atom::contact, device_id>,
    // directory: an agent has taken a wake with this counter; never use it or a smaller one again.
    caf::reacts_to<atom::heard, std::uint64_t>,
    // udp_port: my socket is open; send through me from now on.
    caf::reacts_to<atom::ready, udp_port_actor>,
    // INTERNAL (from the thread that signs): these have been made.
    caf::reacts_to<atom::datagrams, made_wakes_ptr>,
    // INTERNAL: the next tries.
    caf::reacts_to<atom::tick>,
    // console_session: its share of /metrics.
    caf::replies_to<atom::metrics>::with<metrics_text>>,
  observable>;

/// What administrators want of many devices at once (muster sync, wake, keep): finds the devices,
/// calls them at a pace, and knows how far each is. In memory: what a device misses of a call when
/// the server restarts, its next connection does anyway.
using call_board_actor = join<
  call_watcher_actor,
  caf::typed_actor<
    // console_session: begin a call; the report names it. The audit entry is durable when answered.
    caf::replies_to<atom::create, call_order_ptr>::with<call_report_ptr>,
    // console_session: how far is it?
    caf::replies_to<atom::get, call_query>::with<call_report_ptr>,
    // console_session: the calls there are, newest first, without rows.
    caf::replies_to<atom::list>::with<std::vector<call_report_ptr>>,
    // INTERNAL: the next few of those who wait.
    caf::reacts_to<atom::tick>,
    // console_session: its share of /metrics.
    caf::replies_to<atom::metrics>::with<metrics_text>>,
  observable>;

/// Gives certificates to newcomers, and keeps the enrolment tokens.
using enroller_actor = join<
  caf::typed_actor<
    // session (anonymous): give this key a certificate if the token is good. The same key gets the
    // same certificate. Durable when answered.
    caf::replies_to<atom::enrol, enrolment_ptr>::with<enrolment_result_ptr>,
    // console_session: make a token; the answer alone has the secret. Durable when answered,
    // together with the order's audit entry.
    caf::replies_to<atom::create, token_order>::with<token_infos>,
    // console_session: all tokens.
    caf::replies_to<atom::list>::with<token_infos>,
    // console_session: refuse this token from now on. Durable when answered, together with the
    // audit entry. False: no such token.
    caf::replies_to<atom::revoke, std::string, audit_entry_ptr>::with<bool>>,
  observable>;

/// One live view of events. Spawned by a console_session.
using event_tail_actor = join<
  caf::typed_actor<
    // event_book: these have just been stored.
    caf::reacts_to<atom::publish, stored_events_ptr>,
    // console_session: the connection is gone.
    caf::reacts_to<atom::closed>,
    // INTERNAL: keep proxies patient.
    caf::reacts_to<atom::tick>>,
  observable>;

/// Knows who watches events, and erases those whose time has come.
using event_book_actor = join<
  disk_watcher_actor,
  caf::typed_actor<
    // event_stream: stored.
    caf::reacts_to<atom::publish, stored_events_ptr>,
    // directory, server_root and others: something happened on the server itself, or the server
    // says it of a device; stored like any other event (device id zero: the server).
    caf::reacts_to<atom::raise, device_id, raised_event_ptr>,
    // event_tail: tell me of every event until I end.
    caf::reacts_to<atom::subscribe, event_tail_actor>,
    // INTERNAL: erase what is past its retention, once an hour.
    caf::reacts_to<atom::tick>,
    // INTERNAL: the store refused what was raised; try again.
    caf::reacts_to<atom::next>,
    // console_session: its share of /metrics.
    caf::replies_to<atom::metrics>::with<metrics_text>>,
  observable>;

// ---- server: console --------------------------------------------------------------------------

/// Hashes passwords on a thread of its own; refuses when its short queue is full.
using password_hasher_actor = join<
  caf::typed_actor<
    // accounts: a record for this password.
    caf::replies_to<atom::hash, std::string>::with<std::string>,
    // accounts: does this password fit this record?
    caf::replies_to<atom::verify, std::string, std::string>::with<bool>,
    // INTERNAL: the next of those who wait.
    caf::reacts_to<atom::next>>,
  observable>;

/// Who may use the console: users, log-ins, attempts.
using accounts_actor = join<
  caf::typed_actor<
    // console_session: log in. Attempts are counted per user and per source before the work.
    caf::replies_to<atom::login, login_request>::with<login_result>,
    // console_session: whose bearer token is this? An empty name when nobody's.
    caf::replies_to<atom::verify, std::string>::with<console_user>,
    // console_session: this bearer token is void from now on.
    caf::reacts_to<atom::logout, std::string>,
    // console_session: change the password of a user who proves the old one; all other log-ins of
    // the user are void. False: the old one is wrong, or attempts are used up.
    caf::replies_to<atom::passwd, password_order>::with<bool>,
    // the local root-only socket (the text is the user, then the new password): set a password
    // without the old one. All log-ins of the user are void. False: no such user.
    caf::replies_to<atom::passwd, std::string, std::string>::with<bool>>,
  observable>;

/// One console connection: HTTP requests in, responses out. Spawned by server_root.
using console_session_actor = join<
  caf::typed_actor<
    // link: a whole HTTP request.
    caf::reacts_to<atom::frame, frame_ptr>,
    // link: the connection is gone.
    caf::reacts_to<atom::closed, std::error_code>,
    // INTERNAL: idle for too long?
    caf::reacts_to<atom::tick>>,
  observable>;

// ---- server: ports and root -------------------------------------------------------------------

/// Takes finished connections. The server root, in production.
using acceptor_actor = caf::typed_actor<
  // port: a handshake has finished at this door.
  caf::reacts_to<atom::opened, door, net::accepted_ptr>>;

/// Bridges one listening socket. Ends with an error when the socket fails; the root restarts it.
using port_actor = join<
  caf::typed_actor<
    // INTERNAL (from the listener's threads): a handshake has finished.
    caf::reacts_to<atom::opened, net::accepted_ptr>,
    // INTERNAL (from the listener's threads): the listening socket has failed.
    caf::reacts_to<atom::failed, std::error_code>>,
  any_port_actor, observable>;

/// Adopts, monitors, restarts, stops in order. Stopping it (exit_msg) stops the server.
using server_root_actor = join<
  acceptor_actor,
  caf::typed_actor<
    // session, console_session: I have spawned this child; watch it in this stage.
    caf::reacts_to<atom::adopt, stage, caf::actor>,
    // main, console_session: on which port does this door listen (0: not yet, or not at all)?
    caf::replies_to<atom::bound, door>::with<std::uint16_t>,
    // console_session: who lives.
    caf::replies_to<atom::census>::with<census_ptr>,
    // console_session: /metrics of the whole server.
    caf::replies_to<atom::metrics>::with<metrics_text>,
    // INTERNAL: a child of this stage had died; start it again.
    caf::reacts_to<atom::respawn, std::uint32_t>,
    // INTERNAL: the stop has lasted too long; the number says which stage it was for.
    caf::reacts_to<atom::tick, std::uint32_t>>,
  observable>;

// ---- agent ------------------------------------------------------------------------------------

/// Holds the documents that the server wants on this device, and sees to it that the applications
/// go by them: writes their files, checks, reloads, repairs, restores.
using settings_keeper_actor = join<
  caf::typed_actor<
    // connection: how do you stand, for a hello or sync?
    caf::replies_to<atom::collect>::with<keeper_report_ptr>,
    // connection: the server wants these on the device. What is not named is forgotten; answered
    // with what has to be fetched.
    caf::replies_to<atom::publish, manifest_ptr>::with<document_wishes_ptr>,
    // connection: here is one, whole, not yet unpacked or checked. Answered when it is on disk, or
    // with errc::invalid: what it is a patch of, or what it gives, is not what it says.
    caf::replies_to<atom::put, document_parcel_ptr>::with<caf::ok_atom>,
    // INTERNAL: have files, connectors or packages changed? Is a command done?
    caf::reacts_to<atom::tick>>,
  observable>;

struct local_request; // agent/local_service.hpp
using local_request_ptr = std::shared_ptr<const local_request>;

/// Keeps events on disk until the server has them.
using event_spool_actor = join<
  caf::typed_actor<
    // collector, local socket: an event; on disk when answered.
    caf::replies_to<atom::raise, raised_event_ptr>::with<caf::ok_atom>,
    // connection: the events behind this position (zero: from the oldest), at most so many bytes.
    caf::replies_to<atom::next, event_position, std::uint32_t>::with<spool_batch_ptr>,
    // connection: the server holds everything up to here; it may be forgotten.
    caf::reacts_to<atom::acked, event_position>,
    // connection: the server says that this device went back: draw a new epoch, renumber what the
    // server does not hold. Answered when it is on disk.
    caf::replies_to<atom::renumber, event_position>::with<caf::ok_atom>,
    // connection: how many events wait?
    caf::replies_to<atom::count>::with<std::uint64_t>,
    // connection: tell me (ready) when there is something to send.
    caf::reacts_to<atom::subscribe, caf::actor>,
    // INTERNAL: spool maintenance.
    caf::reacts_to<atom::tick>>,
  observable>;

/// Looks at the machine: what it is, what is installed, what runs; raises events on changes.
using collector_actor = join<
  caf::typed_actor<
    // connection: everything, as of now.
    caf::replies_to<atom::collect>::with<machine_snapshot_ptr>,
    // package watch: the package database has changed.
    caf::reacts_to<atom::watch>,
    // INTERNAL: look at services, disks and the clock.
    caf::reacts_to<atom::tick>>,
  observable>;

/// The agent's one connection to its server: connects when there is a reason to, syncs, sends
/// events, backs off.
using connection_actor = join<
  caf::typed_actor<
    // connector: here is the link.
    caf::reacts_to<atom::opened, net::accepted_ptr>,
    // connector: no link; the text says what was tried.
    caf::reacts_to<atom::failed, std::error_code, std::string>,
    // link: a frame from the server.
    caf::reacts_to<atom::frame, frame_ptr>,
    // link: the connection is gone.
    caf::reacts_to<atom::closed, std::error_code>,
    // event_spool: there is something to send.
    caf::reacts_to<atom::ready>,
    // local socket, agent_root: sync now. Answered when it is done, with an error if it was not.
    caf::replies_to<atom::sync>::with<caf::ok_atom>,
    // wake listener: a genuine wake with a new counter. The counter is on the disk before anything
    // else is done; then connect at once, whatever our own back-off says.
    caf::reacts_to<atom::wake, wake_purpose, std::uint64_t>,
    // logind watch: this machine goes; tell the server. True: it has acknowledged. Until told
    // otherwise (or for a minute) nothing is begun. With `none`: it is back, or stays after all.
    caf::replies_to<atom::notice, off_reason>::with<bool>,
    // network watch: addresses or routes have changed; is the server still where it was?
    caf::reacts_to<atom::contact>,
    // settings_keeper: my states have changed; let the server know soon.
    caf::reacts_to<atom::changed>,
    // settings_keeper: this is what the agent's own policy says.
    caf::reacts_to<atom::publish, agent_policy>,
    // local socket: have the server send a wake, and say whether it arrived.
    caf::replies_to<atom::probe>::with<wake_probe>,
    // local socket: everything an administrator of this machine may want to know.
    caf::replies_to<atom::get>::with<connection_report_ptr>,
    // INTERNAL (from an io thread): the server has acknowledged the notice with this number.
    caf::reacts_to<atom::acked, std::uint32_t>,
    // INTERNAL: the next try of the notice with this number.
    caf::reacts_to<atom::notice, std::uint32_t>,
    // INTERNAL: no wake has come of the test with this number.
    caf::reacts_to<atom::probe, std::uint32_t>,
    // INTERNAL: the short wait after a change of the network is over.
    caf::reacts_to<atom::next>,
    // INTERNAL: is it time for a sync, a retry, or has the server been silent for too long?
    caf::reacts_to<atom::tick>>,
  observable>;

/// Answers other programs of this machine on a Unix socket, which it owns.
using local_service_actor = join<
  caf::typed_actor<
    // local port: a request; its answer goes back by the function inside, once.
    caf::reacts_to<atom::frame, local_request_ptr>>,
  observable>;

/// Supervises the agent's actors; stopping it stops the agent.
using agent_root_actor = join<
  caf::typed_actor<
    // INTERNAL: a child had died; start it again.
    caf::reacts_to<atom::respawn, std::uint32_t>,
    // INTERNAL: the stop has lasted too long.
    caf::reacts_to<atom::tick, std::uint32_t>>,
  observable>;

} // namespace muster::actors

// Everything below crosses only actors of one process: nothing is ever serialized by CAF.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::frame_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::agent_message_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::device_id)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::event_position)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::event_append_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::append_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::stored_events_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::durability)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::change_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::storage::family)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::read_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::read_job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::hello_facts_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::admission_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::manifest_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::document_standing)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::document_wishes_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::document_parcel_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::document_parcels_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::fleet_snapshot_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::fleet_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::fleet_answer_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::group_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::own_settings_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::own_documents_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::assignment_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::placement_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::placement_report_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::keeper_report_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::agent_policy)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::sync_outcome_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::enrolled_device_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::device_query_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::device_page_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::device_counts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::enrolment_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::enrolment_result_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::audit_entry_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::password_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::token_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::token_infos)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::login_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::login_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::console_user)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::census_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::stage)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::session_end)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::door)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::raised_event_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::spool_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::machine_snapshot_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::local_request_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::wake_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::wake_result)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::call_order_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::call_progress)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::device_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::call_query)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::call_report_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<muster::actors::call_report_ptr>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::notice_facts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::off_reason)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::wake_purpose)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::wake_probe)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::connection_report_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::event_tail_actor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::disk_watcher_actor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::net::accepted_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::net::datagram_batch_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::made_wakes_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(muster::actors::udp_port_actor)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::error_code)
