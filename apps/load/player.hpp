#pragma once
// One played agent: enrols with the real protocol, connects with its own certificate, says hello
// with a believable inventory, syncs, keeps its connection.

#include "apps/load/identities.hpp"
#include "net/certificate.hpp"
#include "net/io_pool.hpp"
#include "net/link.hpp"
#include "net/tcp_connector.hpp"
#include "net/tls_context.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace muster::wire {
class server_message;
class sync_plan;
}

namespace muster::load {

/// What all players share; outlives them.
struct player_options {
  net::endpoint_name server;
  net::sha256_digest pin{};
  std::string token;
  std::string source_address; ///< bind to it; empty: any
  std::uint64_t seed = 1;
  /// Who enrolled before is taken from here and need not enrol again; who enrols is put here.
  identity_file* identities = nullptr;
};

/// How far a player has come.
enum class milestone : std::uint8_t { enrolled, kept, failed, lost };

/// Lives on one io lane's callbacks, one at a time; nothing else may touch it after start(). Holds
/// its key, its certificate and, once kept, one link.
class player : public std::enable_shared_from_this<player> {
public:
  /// Told on an io thread; `detail` says why for failed and lost.
  using on_milestone = std::function<void(milestone, const std::string& detail)>;

  player(net::io_pool& pool, const player_options& options, std::uint32_t number,
         on_milestone told);

  /// Enrols unless it has before, then connects; ends in `kept` or `failed`.
  void start();

private:
  class sink;

  void enrol(const net::accepted& connection);
  void greet();
  void on_message(std::string_view bytes);
  void on_enrolled(const wire::server_message& message);
  void on_plan(const wire::sync_plan& plan);
  void sync_again();
  void answer_ping();
  void keep();
  void on_closed(const std::string& why);
  void fail(const std::string& why);
  [[nodiscard]] net::client_tls_context_ptr make_context(std::string& problem) const;

  net::io_pool& pool_;
  const player_options& options_;
  const std::uint32_t number_;
  on_milestone told_;
  net::key_pair key_;
  std::optional<net::certificate> leaf_;
  net::id_bytes device_{};
  net::id_bytes server_id_{};
  net::link_ptr link_;
  bool enrolling_ = true;
  bool greeted_ = false;
  bool kept_ = false;
  bool over_ = false;
};

} // namespace muster::load
