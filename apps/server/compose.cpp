#include "apps/server/compose.hpp"

#include "actors/rules/ids.hpp"
#include "actors/server/accounts.hpp"
#include "actors/server/call_board.hpp"
#include "actors/server/console_session.hpp"
#include "actors/server/directory.hpp"
#include "actors/server/enroller.hpp"
#include "actors/server/event_book.hpp"
#include "actors/server/fleet_figures.hpp"
#include "actors/server/notice_desk.hpp"
#include "actors/server/password_hasher.hpp"
#include "actors/server/policy_book.hpp"
#include "actors/server/session.hpp"
#include "actors/server/waker.hpp"
#include "apps/common/clock.hpp"
#include "apps/common/patient_sink.hpp"
#include "apps/server/first_start.hpp"
#include "apps/server/ports.hpp"
#include "net/admin_port_actor.hpp"
#include "net/password.hpp"
#include "net/tcp_port_actor.hpp"
#include "net/udp_port_actor.hpp"
#include "net/wake.hpp"
#include "storage/store_reader_actor.hpp"
#include "storage/store_writer_actor.hpp"

#include <muster/version.hpp>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

namespace muster::server {

namespace {

using namespace actors;

/// Shards of the directory: enough that no core waits for another.
constexpr std::size_t shards = 8;

/// What lives as long as the server, in the order in which each knows those before it.
struct residents {
  store_writer_actor writer;
  std::vector<store_reader_actor> readers;
  event_book_actor event_book;
  waker_actor waker;
  std::vector<directory_actor> directories;
  notice_desk_actor notice_desk;
  enroller_actor enroller;
  call_board_actor call_board;
  policy_book_actor policy_book;
  password_hasher_actor hasher;
  accounts_actor accounts;
};

/// Callable from any thread.
std::uint32_t random_below(std::uint32_t bound) {
  thread_local std::mt19937 source{std::random_device{}()};
  return std::uniform_int_distribution<std::uint32_t>{0, bound - 1}(source);
}

void spawn_storage(caf::actor_system& system, const server_settings& settings, foundation& base,
                   residents& all) {
  storage::store_writer_options options;
  options.db = base.db.get();
  options.clock = now_us;
  options.syncs = storage::sync_by::thread;
  all.writer = system.spawn<caf::detached>(storage::store_writer, options);
  for (std::uint64_t i = 0; i < settings.readers; ++i)
    all.readers.push_back(system.spawn<caf::detached>(storage::store_reader, base.db.get()));
}

event_book_options event_options(const server_settings& settings, const residents& all) {
  event_book_options options;
  options.writer = all.writer;
  options.reader = all.readers.front();
  options.now = now_us;
  for (std::size_t i = 0; i < options.retention.days.size(); ++i)
    options.retention.days[i] = static_cast<std::uint32_t>(settings.retention_days[i]);
  options.retention.bytes_max = settings.events_bytes_max;
  return options;
}

/// Signs on the agents' threads, which have time for it.
waker_options wake_options(const server_settings& settings, const foundation& base,
                           const datagram_keys_ptr& keys, net::io_pool& pool,
                           const residents& all, std::error_code& ec) {
  waker_options options;
  options.writer = all.writer;
  options.now = now_us;
  options.counter_bound = load_wake_counter_bound(*base.db, ec);
  options.datagrams_per_second = static_cast<std::uint32_t>(settings.wakes_per_second_max);
  const auto signer = std::make_shared<const net::wake_signer>(base.identity.wake_seed);
  options.sign = [&pool, signer, keys, server = base.identity.server_id](
                   std::vector<wake_job> jobs, std::function<void(made_wakes_ptr)> made) {
    net::run_on(pool.next_lane(), [signer, keys, server, jobs = std::move(jobs),
                                   made = std::move(made)]() mutable {
      auto out = std::make_shared<made_wakes>();
      const auto ring = keys->now();
      const auto generation = ring->generation_sent();
      for (const auto& job : jobs) {
        const net::wake what{generation, server, job.device.bytes, job.counter,
                             static_cast<net::wake_purpose>(job.purpose)};
        out->bytes.push_back(signer->make(what, ring->wake_key(generation, job.device.bytes)));
      }
      out->jobs = std::move(jobs);
      made(std::move(out));
    });
  };
  return options;
}

std::chrono::seconds whole(std::chrono::milliseconds time) {
  return std::chrono::ceil<std::chrono::seconds>(time);
}

rules::status_limits limits_of(const status_settings& from) {
  const auto thresholds = [](std::uint64_t warning, std::uint64_t critical) {
    return rules::status_thresholds{static_cast<std::uint32_t>(warning),
                                    static_cast<std::uint32_t>(critical)};
  };
  rules::status_limits out;
  out.silent_warning = whole(from.silent_warning);
  out.silent_critical = whole(from.silent_critical);
  out.restart_warning = whole(from.restart_warning);
  out.disk_used_percent = thresholds(from.disk_warning_percent, from.disk_critical_percent);
  out.failed_services = thresholds(from.services_warning, from.services_critical);
  out.sync_failures = thresholds(from.syncs_warning, from.syncs_critical);
  out.certificate_warning = whole(from.certificate_warning);
  out.certificate_critical = whole(from.certificate_critical);
  return out;
}

bool spawn_fleet(caf::actor_system& system, const server_settings& settings, foundation& base,
                 residents& all, std::error_code& ec) {
  auto loaded = load_directory(*base.db, shards, ec);
  if (ec)
    return false;
  policy_book_options fleet;
  fleet.loaded = load_fleet(*base.db, ec);
  if (ec)
    return false;
  for (auto& shard : loaded) {
    directory_options options;
    options.loaded = std::move(shard);
    options.writer = all.writer;
    options.readers = all.readers;
    options.event_book = all.event_book;
    options.waker = all.waker;
    options.now = now_us;
    options.server_started_us = now_us();
    options.sync_period = std::chrono::duration_cast<std::chrono::seconds>(settings.sync_period);
    options.status = limits_of(settings.status);
    all.directories.push_back(system.spawn(directory, std::move(options)));
  }
  fleet.writer = all.writer;
  fleet.directories = all.directories;
  fleet.now = now_us;
  all.policy_book = system.spawn<caf::detached>(policy_book, std::move(fleet));
  enroller_options options;
  options.tokens = load_tokens(*base.db, ec);
  options.writer = all.writer;
  options.readers = all.readers;
  options.directories = all.directories;
  options.event_book = all.event_book;
  options.authority =
    std::make_shared<const net::certificate_authority>(base.identity.authority);
  options.now = now_us;
  all.enroller = system.spawn(enroller, std::move(options));
  all.call_board =
    system.spawn(call_board, call_board_options{all.directories, all.writer, now_us});
  return !ec;
}

void spawn_accounts(caf::actor_system& system, const server_settings& settings, residents& all) {
  password_hasher_options hashing;
  hashing.hash = net::hash_password;
  hashing.verify = net::verify_password;
  all.hasher = system.spawn<caf::detached>(password_hasher, std::move(hashing));
  accounts_options options;
  options.writer = all.writer;
  options.reader = all.readers.front();
  options.hasher = all.hasher;
  options.now = now_us;
  options.on_initial_password_changed = [file = settings.data_directory / first_password_file] {
    std::error_code ignored;
    if (std::filesystem::remove(file, ignored))
      spdlog::info("the first password has been changed; {} is gone", file.string());
  };
  all.accounts = system.spawn(accounts, std::move(options));
}

/// Also when the composition fails half-way: detached actors whose handles go would otherwise
/// hang the end of the system.
std::vector<std::pair<stage, caf::actor>> by_stage(const residents& all) {
  std::vector<std::pair<stage, caf::actor>> out;
  const auto add = [&](stage at, const auto& handle) {
    if (handle)
      out.emplace_back(at, caf::actor_cast<caf::actor>(handle));
  };
  add(stage::fleet, all.notice_desk);
  for (const auto& shard : all.directories)
    add(stage::fleet, shard);
  add(stage::fleet, all.waker);
  add(stage::fleet, all.policy_book);
  add(stage::fleet, all.call_board);
  add(stage::fleet, all.enroller);
  add(stage::fleet, all.event_book);
  add(stage::fleet, all.accounts);
  add(stage::fleet, all.hasher);
  for (const auto& reader : all.readers)
    add(stage::readers, reader);
  add(stage::writer, all.writer);
  return out;
}

std::string text_of_id(const net::id_bytes& id) {
  return rules::server_id{id}.text();
}

session_services_ptr services_for_sessions(const server_settings& settings, const foundation& base,
                                           const residents& all,
                                           const datagram_keys_ptr& keys) {
  auto out = std::make_shared<session_services>();
  out->writer = all.writer;
  out->readers = all.readers;
  out->directories = all.directories;
  out->enroller = all.enroller;
  out->event_book = all.event_book;
  out->datagram_keys = keys;
  out->settings.sync_period_s = static_cast<std::uint32_t>(
    std::chrono::duration_cast<std::chrono::seconds>(settings.sync_period).count());
  out->settings.sync_jitter_percent = static_cast<std::uint32_t>(settings.sync_jitter_percent);
  out->settings.server_version = std::string{version()};
  out->gifts.bundle = {base.identity.authority.self().der()};
  out->gifts.server_id.assign(base.identity.server_id.begin(), base.identity.server_id.end());
  out->gifts.wake_public_key.assign(base.identity.wake_public_key.begin(),
                                    base.identity.wake_public_key.end());
  out->budgets = std::make_shared<event_budgets>(
    event_allowance{settings.agents_events_per_second_max, settings.agents_events_burst_max});
  out->now = now_us;
  out->random_below = random_below;
  return out;
}

console_services_ptr services_for_consoles(const server_settings& settings,
                                           const foundation& base, const residents& all) {
  auto out = std::make_shared<console_services>();
  out->directories = all.directories;
  out->enroller = all.enroller;
  out->call_board = all.call_board;
  out->policy_book = all.policy_book;
  out->accounts = all.accounts;
  out->event_book = all.event_book;
  out->writer = all.writer;
  out->readers = all.readers;
  out->facts.server_id = text_of_id(base.identity.server_id);
  out->facts.version = std::string{version()};
  out->facts.pin = net::to_hex(base.identity.authority.self().spki_sha256());
  out->facts.started_us = now_us();
  out->facts.certificate_expires_us = base.identity.server_certificate.not_after_s() * 1'000'000;
  out->facts.agents_public_name = settings.agents_public_name;
  out->now = now_us;
  return out;
}

/// What the shards know of the devices, added up.
void measure_fleet(const std::vector<directory_actor>& shards_of_fleet, server_root_options& out) {
  struct sum {
    device_counts counts;
    std::size_t outstanding;
  };
  out.measured.emplace_back([shards_of_fleet](
                              server_root_actor::pointer root,
                              const std::function<void(metrics_text)>& deliver) {
    auto all = std::make_shared<sum>(sum{{}, shards_of_fleet.size()});
    const auto add = [all, deliver](const device_counts& part) {
      add_counts(all->counts, part);
      if (--all->outstanding != 0)
        return;
      deliver(std::make_shared<const std::string>(fleet_figures(all->counts)));
    };
    for (const auto& shard : shards_of_fleet)
      root->request(shard, caf::infinite, atom::count_v)
        .then(add, [add](const caf::error&) { add({}); });
  });
}

server_root_options root_options(const server_settings& settings, const foundation& base,
                                 const residents& all, const datagram_keys_ptr& keys,
                                 net::io_pool& agents_pool,
                                 net::io_pool& admin_pool,
                                 const std::shared_ptr<shown_certificates>& shown) {
  server_root_options out;
  out.residents = by_stage(all);
  const auto add_port = [&](const char* label, net::port_options options, const auto& behavior) {
    options.on_listening = [shown, at = options.door](const auto& port) {
      shown->listening(at, port);
    };
    out.ports.push_back({label, options.door,
                         [options = std::move(options), behavior](server_root_actor::pointer root) {
                           auto with_acceptor = options;
                           with_acceptor.acceptor = caf::actor_cast<acceptor_actor>(root);
                           return root->spawn(behavior, std::move(with_acceptor));
                         }});
  };
  add_port("agents", agents_port(settings, base, agents_pool), net::tcp_port);
  if (base.agents_plain)
    add_port("agents_plain", plain_port(settings, base, agents_pool), net::tcp_port);
  add_port("console", console_port(settings, base, admin_pool), net::admin_port);
  const auto add_datagram_port = [&](const char* label, door at, net::udp_port_options options) {
    out.ports.push_back({label, at,
                         [options = std::move(options)](server_root_actor::pointer root) {
                           return root->spawn(net::udp_port_bridge, options);
                         }});
  };
  add_datagram_port("notices", door::notices, notices_port(settings, all.notice_desk, keys, agents_pool));
  add_datagram_port("wakes", door::wakes, wakes_port(settings, all.waker, agents_pool));
  const auto for_sessions = services_for_sessions(settings, base, all, keys);
  out.open_session = [services = for_sessions](
                       server_root_actor::pointer root, const net::accepted_ptr& connection) {
    return caf::actor_cast<caf::actor>(
      root->spawn(session, connection, services, server_root_actor{root}));
  };
  out.open_console = [services = services_for_consoles(settings, base, all)](
                       server_root_actor::pointer root, const net::accepted_ptr& connection) {
    return caf::actor_cast<caf::actor>(
      root->spawn(console_session, connection, services, server_root_actor{root}));
  };
  const auto measure = [&out](auto handle) {
    out.measured.emplace_back([handle](server_root_actor::pointer root,
                                       const std::function<void(metrics_text)>& deliver) {
      root->request(handle, caf::infinite, atom::metrics_v)
        .then([deliver](const metrics_text& share) { deliver(share); },
              [deliver](const caf::error&) { deliver(nullptr); });
    });
  };
  measure(all.writer);
  measure(all.event_book);
  measure(all.waker);
  measure(all.notice_desk);
  measure(all.call_board);
  measure(all.policy_book);
  measure_fleet(all.directories, out);
  out.measured.emplace_back([budgets = for_sessions->budgets](
                              server_root_actor::pointer,
                              const std::function<void(metrics_text)>& deliver) {
    deliver(std::make_shared<const std::string>(
      budgets->metrics() + "# TYPE muster_log_lines_dropped_total counter\n"
      + "muster_log_lines_dropped_total " + std::to_string(logging::patient_sink::dropped()) + "\n"));
  });
  out.raise = [book = all.event_book](raised_event event) {
    caf::anon_send(book, atom::raise_v, device_id{},
                   std::make_shared<const raised_event>(std::move(event)));
  };
  return out;
}

} // namespace

std::optional<composition> compose(caf::actor_system& system, const server_settings& settings,
                                   foundation& base, net::io_pool& agents_pool,
                                   net::io_pool& admin_pool,
                                   std::shared_ptr<shown_certificates> shown,
                                   std::string& problem) {
  residents all;
  spawn_storage(system, settings, base, all);
  all.event_book = system.spawn(event_book, event_options(settings, all));
  std::error_code ec;
  const auto keys =
    std::make_shared<net::live_datagram_keys>(net::datagram_keyring{base.identity.datagram});
  all.waker =
    system.spawn(waker, wake_options(settings, base, keys, agents_pool, all, ec));
  if (ec || !spawn_fleet(system, settings, base, all, ec)) {
    problem = "the store in " + settings.data_directory.string() + " cannot be read: " + ec.message();
    for (auto& [at, handle] : by_stage(all))
      caf::anon_send_exit(handle, caf::exit_reason::kill);
    return std::nullopt;
  }
  spawn_accounts(system, settings, all);
  all.notice_desk = system.spawn(notice_desk, notice_desk_options{all.directories, keys});
  auto root = root_options(settings, base, all, keys, agents_pool, admin_pool, shown);
  return composition{std::move(root), std::move(all.accounts), keys};
}

} // namespace muster::server
