#include "tests/simulation/server_side.hpp"

#include "actors/server/directory.hpp"
#include "actors/server/event_book.hpp"
#include "actors/server/session.hpp"
#include "storage/compress.hpp"
#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "storage/store_reader_actor.hpp"
#include "storage/store_writer_actor.hpp"

#include <caf/exit_reason.hpp>

#include <algorithm>

namespace muster::simulation {

using storage::family;

namespace {

constexpr std::size_t shards = 2;
constexpr std::size_t readers = 2;

/// Nobody enrols here.
enroller_actor::behavior_type no_enroller(enroller_actor::pointer) {
  return {
    [](atom::enrol, const enrolment_ptr&) -> caf::result<enrolment_result_ptr> {
      return make_error(errc::refused, "nobody enrols in this simulation");
    },
    [](atom::create, const token_order&) { return token_infos{}; },
    [](atom::list) { return token_infos{}; },
    [](atom::revoke, const std::string&, const audit_entry_ptr&) { return false; },
    [](atom::status) { return std::string{}; },
  };
}

} // namespace

std::unique_ptr<storage::memory_store> survivor(const storage::memory_store& of, bool power_loss) {
  if (power_loss)
    return of.after_power_loss();
  auto out = std::make_unique<storage::memory_store>();
  storage::change_batch everything;
  for (std::size_t f = 0; f < storage::families; ++f) {
    const auto where = static_cast<family>(f);
    REQUIRE_FALSE(of.scan(where, {}, false, [&](auto key, auto value) {
      everything.push_back(storage::put(where, std::string{key}, std::string{value}));
      return true;
    }));
  }
  REQUIRE_FALSE(out->write_sync(std::span<const storage::change_batch>(&everything, 1)));
  return out;
}

void store_device(storage::memory_store& db, const device_id& device,
                  const net::sha256_digest& certificate, const machine_fingerprint& fingerprint,
                  const std::string& name, std::int64_t now_us) {
  storage::record::device record;
  const auto text = [](const net::sha256_digest& from) {
    return std::string{reinterpret_cast<const char*>(from.data()), from.size()};
  };
  record.set_id(device.raw());
  record.set_certificate_sha256(text(certificate));
  record.set_key_sha256(text(certificate));
  record.set_certificate_expires_s(now_us / 1'000'000 + 86'400 * 365);
  record.set_fingerprint(fingerprint.raw());
  record.set_host_name(name);
  record.set_enrolled_ms(now_us / 1000);
  const storage::change_batch batch{storage::put(
    family::devices, storage::keys::device(device.bytes), storage::records::encode(record))};
  REQUIRE_FALSE(db.write_sync(std::span<const storage::change_batch>(&batch, 1)));
}

std::vector<std::string> stored_texts(const storage::memory_store& db, const device_id& of) {
  std::vector<std::pair<std::pair<std::int64_t, std::uint64_t>, std::string>> found;
  REQUIRE_FALSE(db.scan(family::events, {}, false, [&](auto, auto value) {
    storage::record::event_block block;
    REQUIRE_FALSE(storage::records::decode(value, block));
    if (block.device() == of.raw()) {
      for (const auto& event : block.events())
        found.push_back({{block.received_us(), event.sequence()}, event.text()});
    }
    return true;
  }));
  std::sort(found.begin(), found.end());
  std::vector<std::string> out;
  for (auto& [place, text] : found)
    out.push_back(std::move(text));
  return out;
}

std::vector<std::string> indexed_names(const storage::memory_store& db, const device_id& of) {
  std::vector<std::string> out;
  REQUIRE_FALSE(db.scan(family::index, storage::keys::applications(), false, [&](auto key, auto) {
    const auto entry = storage::keys::parse_application(key);
    REQUIRE(entry);
    if (entry->device == of.bytes)
      out.push_back(entry->name);
    return true;
  }));
  return out;
}

std::string stored_section(const storage::memory_store& db, const device_id& of,
                           std::uint16_t number) {
  std::error_code ec;
  const auto value = db.get(family::inventory, storage::keys::section(of.bytes, number), ec);
  REQUIRE_FALSE(ec);
  std::string out;
  if (value) {
    storage::record::section record;
    REQUIRE_FALSE(storage::records::decode(*value, record));
    REQUIRE_FALSE(storage::decompress(record.compressed(), 1 << 20, out));
  }
  return out;
}

// -- a life ---------------------------------------------------------------------------------------

server_root_actor::behavior_type server_side::adopter(server_root_actor::pointer self,
                                                      server_root_actor root,
                                                      std::shared_ptr<life_notes> notes) {
  self->monitor(root);
  self->set_down_handler([notes](const caf::down_msg& down) { notes->ended = down.reason; });
  return {
    [](atom::opened, door, const net::accepted_ptr&) {},
    [=](atom::adopt what, stage at, const caf::actor& child) {
      notes->expendable.push_back(child);
      self->send(root, what, at, child);
    },
    [](atom::bound, door) { return std::uint16_t{0}; },
    [](atom::census) { return census_ptr{}; },
    [](atom::metrics) { return metrics_text{}; },
    [](atom::respawn, std::uint32_t) {},
    [](atom::tick, std::uint32_t) {},
    [](atom::status) { return std::string{}; },
  };
}

template <class Handle>
Handle server_side::keep(stage at, Handle handle) {
  world_.adopt(handle);
  residents_.emplace_back(at, caf::actor_cast<caf::actor>(handle));
  return handle;
}

server_side::server_side(test::actor_world& world, storage::memory_store& db, wall_clock clock,
                         std::function<std::uint32_t(std::uint32_t)> random_below)
  : world_(world), services_(std::make_shared<session_services>()) {
  auto& sys = world.sys;
  auto& s = *services_;
  s.now = clock;
  s.random_below = std::move(random_below);
  s.settings.sync_period_s = 60;
  s.settings.return_after_max = std::chrono::milliseconds{5'000};
  s.writer =
    keep(stage::writer, sys.spawn(storage::store_writer,
                                  storage::store_writer_options{
                                    .db = &db, .clock = clock, .syncs = storage::sync_by::actor}));
  for (std::size_t i = 0; i < readers; ++i)
    s.readers.push_back(keep(stage::readers, sys.spawn(storage::store_reader, &db)));
  event_book_options book;
  book.writer = s.writer;
  book.reader = s.readers.front();
  book.now = clock;
  s.event_book = keep(stage::fleet, sys.spawn(event_book, std::move(book)));
  s.enroller = keep(stage::fleet, sys.spawn(no_enroller));
  std::error_code ec;
  auto loaded = load_directory(db, shards, ec);
  REQUIRE_FALSE(ec);
  for (auto& shard : loaded) {
    directory_options options;
    options.loaded = std::move(shard);
    options.writer = s.writer;
    options.readers = s.readers;
    options.event_book = s.event_book;
    options.now = clock;
    options.server_started_us = clock();
    s.directories.push_back(keep(stage::fleet, sys.spawn(directory, std::move(options))));
  }
  server_root_options root;
  root.residents = residents_;
  root.open_session = [services = services_, notes = notes_, adopter = adopter_](
                        server_root_actor::pointer parent, const net::accepted_ptr& accepted) {
    auto handle = caf::actor_cast<caf::actor>(
      parent->spawn(session, accepted, session_services_ptr{services}, *adopter));
    notes->expendable.push_back(handle);
    return handle;
  };
  root_ = sys.spawn(server_root, std::move(root));
  world.adopt(root_);
  *adopter_ = sys.spawn(&server_side::adopter, root_, notes_);
  world.adopt(*adopter_);
}

server_side::~server_side() {
  kill_all();
}

void server_side::open(const net::accepted_ptr& connection) {
  world_.self->send(root_, atom::opened_v, door::agents_tls, connection);
}

void server_side::stop() {
  caf::anon_send(caf::actor_cast<caf::actor>(root_),
                 caf::exit_msg{caf::actor_addr{}, caf::exit_reason::user_shutdown});
}

void server_side::kill_all() {
  if (std::exchange(killed_, true))
    return;
  const auto kill = [](const caf::actor& one) { caf::anon_send_exit(one, caf::exit_reason::kill); };
  for (const auto& [at, one] : residents_)
    kill(one);
  kill(caf::actor_cast<caf::actor>(root_));
  kill(caf::actor_cast<caf::actor>(*adopter_));
  for (const auto& one : notes_->expendable) {
    world_.adopt(one);
    kill(one);
  }
}

std::size_t server_side::alive() {
  std::size_t out = world_.alive(root_) ? 1 : 0;
  for (const auto& [at, one] : residents_)
    out += world_.alive(one) ? 1 : 0;
  for (const auto& one : notes_->expendable)
    out += world_.alive(one) ? 1 : 0;
  return out;
}

} // namespace muster::simulation
