#include "apps/agent/run_agent.hpp"

#include "actors/agent/agent_root.hpp"
#include "actors/agent/collector.hpp"
#include "actors/agent/connection.hpp"
#include "actors/agent/device_datagrams.hpp"
#include "actors/agent/dialer.hpp"
#include "actors/agent/event_spool.hpp"
#include "actors/agent/local_service.hpp"
#include "actors/agent/network_watch.hpp"
#include "actors/agent/package_watch.hpp"
#include "actors/agent/probe/logind_watch.hpp"
#include "actors/agent/settings_keeper.hpp"
#include "apps/agent/agent_figures.hpp"
#include "apps/agent/machine_news.hpp"
#include "apps/agent/place.hpp"
#include "apps/agent/settings_news.hpp"
#include "apps/common/clock.hpp"
#include "apps/common/exit_codes.hpp"
#include "apps/common/service_manager.hpp"
#include "apps/common/signals.hpp"
#include "apps/common/until_stopped.hpp"
#include "net/agent_identity.hpp"
#include "storage/rocks_store.hpp"
#include "storage/store_reader_actor.hpp"
#include "storage/store_writer_actor.hpp"

#include <muster/version.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>

#include <spdlog/spdlog.h>

#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace muster::agent {

namespace {

using namespace actors;

/// What the agent needs before the first actor.
struct foundation {
  net::agent_identity identity;
  net::endpoint_name server;           ///< for the transport of the settings
  std::uint16_t tls_port = 0;
  std::unique_ptr<storage::store> spool;
};

std::optional<foundation> lay_foundation(const agent_settings& settings, std::string& problem) {
  auto identity = net::load_agent_identity(settings.identity(), problem);
  if (!identity) {
    if (problem.empty())
      problem = "this device has not enrolled yet; on a console: muster token create, then type what it prints";
    return std::nullopt;
  }
  auto server = server_place(settings, *identity);
  if (!server) {
    problem = "'" + settings.server + "' is not HOST or HOST:PORT; mend the setting 'server'";
    return std::nullopt;
  }
  if (!settings.server.empty() && settings.server == identity->moved_from)
    spdlog::info("the setting 'server' still names {}, from where this device has moved to {}; it may "
                 "be removed",
                 settings.server, identity->server);
  const auto tls_port = server->port;
  if (settings.plain())
    server->port = settings.plain_port;
  std::error_code ec;
  auto spool = storage::open_rocks_store(
    {.directory = settings.spool(), .profile = storage::rocks_options::size::spool}, ec, problem);
  if (!spool)
    return std::nullopt;
  // What happened here is nobody else's business. The data directory must stay passable, for the
  // local socket.
  std::filesystem::permissions(settings.spool(), std::filesystem::perms::owner_all, ec);
  if (ec)
    spdlog::warn("{}: others may read it: {}", settings.spool().string(), ec.message());
  return foundation{std::move(*identity), *server, tls_port, std::move(spool)};
}

std::uint64_t random_seed() {
  std::random_device source;
  return (std::uint64_t{source()} << 32) | source();
}

int complain(const std::string& problem) {
  std::fprintf(stderr, "muster-agent: %s\n", problem.c_str());
  return exit_failed;
}

/// The agent works for a second and waits for minutes: what the allocator would keep for the next
/// time (an arena for each of ten threads, large blocks, the top of the heap) is worth more to the
/// computer it runs on. Before the first thread.
void keep_little_memory() {
  constexpr int kept_bytes = 64 * 1024;
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, kept_bytes);
  ::mallopt(M_TRIM_THRESHOLD, kept_bytes);
  ::mallopt(M_TOP_PAD, kept_bytes / 4);
}

/// Hands the package watch's news to whichever collector lives just now.
class news_of_packages {
public:
  void tell(collector_actor whom) {
    const std::lock_guard lock{mutex_};
    collector_ = std::move(whom);
  }
  void changed() {
    const std::lock_guard lock{mutex_};
    if (collector_)
      caf::anon_send(collector_, atom::watch_v);
  }

private:
  std::mutex mutex_;
  collector_actor collector_;
};

connection_options options_of(const agent_settings& settings, const foundation& base) {
  connection_options out;
  out.device.bytes = base.identity.device_id;
  out.boot = probe::read_boot_id("/");
  out.fingerprint = probe::read_fingerprint("/");
  out.agent_version = std::string{version()};
  out.server = base.server.host + ":" + std::to_string(base.server.port);
  if (settings.sync_period.count() > 0) {
    out.period = settings.sync_period;
    out.period_is_ours = true;
  }
  out.keep = settings.keep;
  out.slept = probe::time_slept;
  out.seed = random_seed();
  out.now_us = now_us;
  // Lists of packages and units are some megabytes, in pieces between what stays.
  out.after_sync = [] { ::malloc_trim(0); };
  return out;
}

/// Ends the wait for a signal, so that all comes to an orderly end first.
class wish_to_restart {
public:
  explicit wish_to_restart(stop_signals& signals) : signals_(signals) {}
  bool wish() {
    wished_ = true;
    signals_.stop();
    return true;
  }
  [[nodiscard]] bool wished() const { return wished_; }

private:
  stop_signals& signals_;
  std::atomic<bool> wished_{false};
};

local_service_options local_options(const agent_settings& settings, net::io_pool& pool,
                                    const agent_figures& figures, wish_to_restart& restart) {
  local_service_options out;
  out.path = settings.local_socket().string();
  out.open = [path = settings.local_socket(), &pool](net::local_port::on_request request,
                                                     std::error_code& ec) {
    return net::local_port::open(pool, {.path = path}, std::move(request), ec);
  };
  out.name_of_user = name_of_local_user;
  out.own_user = ::getuid();
  out.agent_version = std::string{version()};
  out.add_figures = [&figures](local_status& status) { figures.add_to(status); };
  out.reload = [&restart] { return restart.wish(); };
  return out;
}

/// What is told to whichever actor lives just now.
struct news_of_all {
  std::shared_ptr<news_of_packages> packages = std::make_shared<news_of_packages>();
  std::shared_ptr<machine_news> machine;
  std::shared_ptr<settings_news> keeper = std::make_shared<settings_news>();

  /// Lets go of all of them, so that the actor system can end.
  void hush() const {
    packages->tell({});
    machine->tell({});
    keeper->tell({});
  }
};

/// Detached: it reads and writes files of daemons and waits for the disk.
agent_root_options::starter<settings_keeper_actor>
keeper_starter(const agent_settings& settings, const std::shared_ptr<settings_news>& news) {
  return [&settings, news](agent_root_actor::pointer root, const agent_children& before) {
    settings_keeper_options options;
    options.hands = hands_on_this_machine(settings.connectors);
    options.manage = settings.manage;
    options.connectors = settings.connectors.string();
    options.now_us = now_us;
    options.tell_changed = [news] { news->changed(); };
    options.tell_policy = [news](const agent_policy& policy) { news->policy(policy); };
    return root->spawn<caf::detached>(
      settings_keeper, std::move(options),
      settings_keeper_peers{before.writer, before.reader, before.spool});
  };
}

/// How the server is reached.
struct ways_to_server {
  connector usual;
  connector keys; ///< for those that transport plain does not bring; empty with transport tls
};

std::optional<ways_to_server> find_ways(const agent_settings& settings, const foundation& base,
                                        net::io_pool& pool, std::string& problem) {
  dialer_options options{
    .pool = &pool,
    .identity = base.identity,
    .server = base.server,
    .from_address = {},
    .now_s = [] { return now_us() / 1'000'000; },
    .plain = settings.plain(),
    .keep_alive = std::chrono::ceil<std::chrono::seconds>(settings.keep_alive)};
  const auto usual = make_dialer(options, problem);
  if (!usual)
    return std::nullopt;
  if (!settings.plain() || settings.wake_port == 0) // it gets keys anyway, or needs none
    return ways_to_server{*usual, {}};
  options.server.port = base.tls_port;
  options.plain = false;
  options.connect_max = std::chrono::seconds{3}; // the usual way waits meanwhile
  const auto keys = make_dialer(options, problem);
  return keys ? std::optional(ways_to_server{*usual, *keys}) : std::nullopt;
}

agent_root_options compose(const agent_settings& settings, const foundation& base,
                           net::io_pool& pool, const ways_to_server& ways,
                           device_datagrams& datagrams, agent_figures& figures,
                           wish_to_restart& restart,
                           const news_of_all& news) {
  agent_root_options out;
  out.start_writer = [db = base.spool.get()](agent_root_actor::pointer root,
                                             const agent_children&) {
    storage::store_writer_options options;
    options.db = db;
    options.clock = now_us;
    options.positions_max = 16; // the spool stores no positions
    return root->spawn<caf::detached>(storage::store_writer, options);
  };
  out.start_reader = [db = base.spool.get()](agent_root_actor::pointer root,
                                             const agent_children&) {
    return root->spawn<caf::detached>(storage::store_reader, db);
  };
  out.start_spool = [&settings](agent_root_actor::pointer root, const agent_children& before) {
    event_spool_options options;
    options.bounds.bytes_max = settings.spool_bytes_max;
    options.draw_epoch = draw_random_epoch;
    options.now_us = now_us;
    return root->spawn(event_spool, options, event_spool_peers{before.writer, before.reader});
  };
  out.start_collector = [&settings, packages = news.packages, view = this_machine({.root = "/", .name = settings.name})](
                          agent_root_actor::pointer root, const agent_children& before) {
    collector_options options;
    options.view = view;
    options.spool = before.spool;
    options.writer = before.writer;
    options.reader = before.reader;
    options.agent_version = std::string{version()};
    auto handle = root->spawn<caf::detached>(collector, options);
    packages->tell(handle);
    return handle;
  };
  auto options = options_of(settings, base);
  options.keys = datagrams.keys();
  options.tell_terms = [&figures](const server_terms& terms) { figures.learn(terms); };
  out.start_keeper = keeper_starter(settings, news.keeper);
  out.start_connection = [options, ways, &datagrams, news](agent_root_actor::pointer root,
                                                          const agent_children& before) {
    auto handle = root->spawn(connection, options,
                              connection_peers{ways.usual, ways.keys, before.collector,
                                               before.spool, before.writer, before.reader,
                                               datagrams.ways(), before.keeper});
    datagrams.tell(handle);
    news.machine->tell(handle);
    news.keeper->tell(handle);
    return handle;
  };
  out.start_local = [&settings, &pool, &figures, &restart](agent_root_actor::pointer root,
                                                           const agent_children& before) {
    return root->spawn(local_service, local_options(settings, pool, figures, restart),
                       local_service_peers{before.spool, before.connection, before.keeper});
  };
  return out;
}

} // namespace

run_end run_agent(const agent_settings& settings, stop_signals& signals) {
  keep_little_memory();
  std::string problem;
  // Destroyed in reverse: the store goes last, after every actor; io threads before the system.
  auto base = lay_foundation(settings, problem);
  if (!base)
    return {complain(problem), false};
  caf::actor_system_config cfg;
  cfg.set("scheduler.policy", caf::atom("sharing"));
  cfg.set("scheduler.max-threads", std::size_t{1});
  cfg.set("scheduler.max-throughput", std::size_t{50});
  caf::actor_system system{cfg};
  net::io_pool pool{1};
  auto ways = find_ways(settings, *base, pool, problem);
  if (!ways)
    return {complain(problem), false};
  device_datagrams datagrams{{.pool = &pool,
                              .identity_directory = settings.identity(),
                              .owner = {base->identity.device_id, base->identity.server_id},
                              .server_key = base->identity.wake_public_key,
                              .wake_address = settings.wake_address,
                              .wake_port = settings.wake_port,
                              .notice_port = settings.notice_port}};
  agent_figures figures{base->identity, settings.transport, datagrams};
  wish_to_restart restart{signals};
  news_of_all news;
  news.machine = std::make_shared<machine_news>(system);
  std::optional<package_watch> watch;
  watch.emplace(pool.lane(0), package_watch_options{},
                package_watch::callbacks{[packages = news.packages] { packages->changed(); },
                                         [](std::error_code, const std::string& why) {
                                           spdlog::warn("{}; changes are found at the next sync",
                                                        why);
                                         }});
  const auto machine = news.machine;
  std::optional<network_watch> network;
  network.emplace(pool.lane(0), network_watch_options{},
                  network_watch::callbacks{[machine] { machine->network_changed(); },
                                           [](const std::string& why) {
                                             spdlog::warn("{}; a new network is found at the next "
                                                          "attempt",
                                                          why);
                                           }});
  std::optional<probe::logind_watch> logind;
  logind.emplace(pool.lane(0), probe::logind_watch_options{},
                 probe::logind_watch::callbacks{
                   [machine](off_reason why, std::function<void()> done) {
                     machine->going(why, std::move(done));
                   },
                   [machine] { machine->staying(); }});
  spdlog::info("muster-agent {} for device {}", version(),
               device_id{base->identity.device_id}.text());
  auto root = system.spawn(agent_root, compose(settings, *base, pool, *ways, datagrams, figures,
                                               restart, news));
  service_manager::ready(); // it works without its server too: whether that answers is its business
  const auto reason = until_stopped(system, caf::actor_cast<caf::actor>(std::move(root)), signals,
                                    [&restart] { return restart.wished(); });
  watch.reset();
  news.hush();
  datagrams.tell({});
  network.reset();
  logind.reset();
  ways.reset();
  pool.join();
  if (is_orderly(reason)) {
    spdlog::info(restart.wished() ? "starting anew" : "stopped");
    return {exit_fine, restart.wished()};
  }
  spdlog::critical("stopped: {}", text_of(reason));
  return {exit_failed, false};
}

} // namespace muster::agent
