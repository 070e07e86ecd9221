#include "apps/server/run_server.hpp"

#include "actors/server/server_root.hpp"
#include "apps/common/clock.hpp"
#include "apps/common/exit_codes.hpp"
#include "apps/common/service_manager.hpp"
#include "apps/common/until_stopped.hpp"
#include "apps/server/compose.hpp"
#include "apps/server/datagram_rotation.hpp"
#include "apps/server/first_start.hpp"
#include "apps/server/foundation.hpp"
#include "apps/server/local_control.hpp"

#include <muster/version.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

namespace muster::server {

namespace {

using namespace std::chrono_literals;
using actors::door;

int complain(const std::string& problem) {
  std::fprintf(stderr, "muster-server: %s\n", problem.c_str());
  return exit_failed;
}

std::size_t cores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

caf::actor_system_config& tuned(caf::actor_system_config& cfg) {
  cfg.set("scheduler.policy", caf::atom("sharing"));
  cfg.set("scheduler.max-threads", cores());
  cfg.set("scheduler.max-throughput", std::size_t{50});
  return cfg;
}

/// 0: the port has not come up.
std::uint16_t port_of(caf::scoped_actor& self, const actors::server_root_actor& root, door which) {
  std::uint16_t port = 0;
  self->request(root, caf::infinite, atom::bound_v, which)
    .receive([&](std::uint16_t bound) { port = bound; }, [](const caf::error&) {});
  return port;
}

std::string shown(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

/// What a person, or a script, waits for.
void announce(const server_settings& settings, const foundation& base, std::uint16_t agents_port,
              std::uint16_t plain_port, std::uint16_t admin_port,
              std::uint16_t notices_port) {
  std::printf("muster-server: ready\n");
  std::printf("  version         %s\n", std::string{version()}.c_str());
  std::printf("  agents          %s\n", shown(settings.agents_address, agents_port).c_str());
  if (plain_port != 0)
    std::printf("  plain           %s\n", shown(settings.plain_address, plain_port).c_str());
  std::printf("  notices         %s\n", shown(settings.notices_address, notices_port).c_str());
  std::printf("  console         https://%s\n", shown(settings.admin_address, admin_port).c_str());
  std::printf("  pin             %s\n",
              net::to_hex(base.identity.authority.self().spki_sha256()).c_str());
  for (const auto& [label, name] : {std::pair{"first password", first_password_file},
                                    std::pair{"first token", first_token_file}}) {
    const auto file = settings.data_directory / name;
    if (std::filesystem::exists(file))
      std::printf("  %-14s  %s\n", label, file.c_str());
  }
  std::fflush(stdout);
}

/// Keys that grow old: tickets every hour, the certificate when it is due. On one lane.
class key_keeper : public std::enable_shared_from_this<key_keeper> {
public:
  key_keeper(net::io_lane& lane, foundation& base, const server_settings& settings,
             std::shared_ptr<shown_certificates> shown)
    : timer_(lane.io), base_(base), settings_(settings), shown_(std::move(shown)) {}

  void arm() {
    timer_.expires_after(1h);
    timer_.async_wait([self = shared_from_this()](std::error_code ec) {
      if (ec)
        return;
      self->look();
      self->arm();
    });
  }

  /// The timer's handler holds us, and with us, by way of the ports, the lane that holds the handler.
  void stop() {
    asio::post(timer_.get_executor(), [self = shared_from_this()] { self->timer_.cancel(); });
  }

private:
  void look() {
    const auto now_s = now_us() / 1'000'000;
    if (const auto ec = base_.identity.tickets->rotate_if_due(now_s))
      spdlog::error("ticket keys could not be replaced: {}", ec.message());
    std::string problem;
    if (net::renew_server_certificate_if_due(base_.identity, settings_.identity(), now_s, problem)
        && show_renewed(problem))
      spdlog::info("the server's certificate has been renewed");
    if (!problem.empty())
      spdlog::error("the server's certificate could not be renewed: {}", problem);
  }

  bool show_renewed(std::string& problem) {
    auto agents = agents_context(base_.identity, problem);
    auto admin = agents ? admin_context(settings_, base_.identity, problem) : nullptr;
    auto plain = admin && base_.agents_plain ? plain_context(base_.identity, problem) : nullptr;
    if (!admin || (base_.agents_plain && !plain))
      return false;
    if (plain)
      shown_->show(door::agents_plain, std::move(plain));
    shown_->show(door::agents_tls, std::move(agents));
    shown_->show(door::admin, std::move(admin));
    return true;
  }

  asio::steady_timer timer_;
  foundation& base_;
  const server_settings& settings_;
  std::shared_ptr<shown_certificates> shown_;
};

local_services local_services_of(const server_settings& settings, composition& parts,
                                 const actors::server_root_actor& root) {
  local_services out;
  out.accounts = std::move(parts.accounts);
  out.root = root->address();
  out.rotate = [identity = settings.identity(), keys = std::move(parts.datagram_keys)](
                 bool force, std::string& problem) {
    auto secrets = rotate_datagram_keys(identity, now_us() / 1'000'000, force, problem);
    if (secrets) {
      keys->use(net::datagram_keyring{*secrets});
      spdlog::info("the datagram keys have been rotated: generation {}",
                   secrets->newest.generation);
    }
    return secrets;
  };
  return out;
}

int exit_code_of(const caf::error& reason) {
  if (is_orderly(reason))
    return exit_fine;
  return actors::is(reason, storage::errc::sync_failed) ? exit_sync_failed : exit_failed;
}

} // namespace

int run_server(const server_settings& settings, stop_signals& signals) {
  std::string problem;
  // Destroyed in reverse: the store goes last, after every actor; io threads are joined before.
  auto base = lay_foundation(settings, problem);
  if (!base)
    return complain(problem);
  caf::actor_system_config cfg;
  caf::actor_system system{tuned(cfg)};
  net::io_pool agents_pool{settings.io_threads != 0 ? settings.io_threads : cores()};
  net::io_pool admin_pool{1}; // consoles and health checks are served however busy agents are
  spdlog::info("muster-server {} starts", version());
  if (base->agents_plain)
    spdlog::warn("the plain port is on: what its agents say can be read on the way");
  const auto shown = std::make_shared<shown_certificates>();
  auto parts = compose(system, settings, *base, agents_pool, admin_pool, shown, problem);
  if (!parts)
    return complain(problem);
  auto root = system.spawn(actors::server_root, std::move(parts->root));
  std::error_code ec;
  auto control = open_local_control(system, admin_pool, settings.data_directory,
                                    local_services_of(settings, *parts, root), ec);
  if (!control)
    spdlog::warn("no local socket for 'muster-server passwd' and 'check': {}", ec.message());
  parts.reset();
  const auto keeper = std::make_shared<key_keeper>(admin_pool.lane(0), *base, settings, shown);
  keeper->arm();
  {
    caf::scoped_actor self{system};
    const auto agents_port = port_of(self, root, door::agents_tls);
    const auto admin_port = port_of(self, root, door::admin);
    const auto plain_port = port_of(self, root, door::agents_plain); // 0 when it is off
    const auto notices_port = port_of(self, root, door::notices);
    if (agents_port != 0 && admin_port != 0 && notices_port != 0 &&
        (plain_port != 0 || !base->agents_plain)) {
      announce(settings, *base, agents_port, plain_port, admin_port, notices_port);
      service_manager::ready();
    }
  }
  const auto reason =
    until_stopped(system, caf::actor_cast<caf::actor>(std::move(root)), signals);
  control.reset();
  keeper->stop();
  agents_pool.join();
  admin_pool.join();
  if (is_orderly(reason))
    spdlog::info("stopped");
  else
    spdlog::critical("stopped: {}", actors::text_of(reason));
  return exit_code_of(reason);
}

} // namespace muster::server
