#pragma once
// One played agent: enrols with the real protocol, connects with its own certificate, resumes its
// sessions, says hello with a believable inventory, syncs, sends events, keeps its connection.

#include "apps/load/identities.hpp"
#include "net/certificate.hpp"
#include "net/datagram_keys.hpp"
#include "net/io_pool.hpp"
#include "net/link.hpp"
#include "net/notice.hpp"
#include "net/tcp_connector.hpp"
#include "net/tls_context.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace muster::wire {
class agent_message;
class document_manifest;
class document_part;
class events_position;
class server_message;
class sync_plan;
class welcome;
} // namespace muster::wire

namespace muster::load {

/// What all players share; outlives them.
struct player_options {
  net::endpoint_name server;
  net::sha256_digest pin{};
  std::string token;
  std::string source_address; ///< bind to it; empty: any
  std::uint64_t seed = 1;
  std::uint16_t wake_port = 0; ///< told to the server; 0: it listens for no wakes
  bool resume = true;         ///< offer the ticket of the connection before
  /// Who enrolled before is taken from here and need not enrol again; who enrols is put here.
  identity_file* identities = nullptr;
};

/// What a player tells about itself.
enum class news : std::uint8_t {
  enrolled, ///< and the connection is gone
  welcome,  ///< the server has let it in
  synced,   ///< both sides agree
  applied,  ///< it holds what it shall, and both sides know
  acked,    ///< an event that was raised at `since` is on the server's disk
  sent_away, ///< busy or goodbye: come back after `amount` ms, `text` says why; the connection goes
  closed,   ///< the connection is gone, as it was asked to
  failed,   ///< no connection, or it was lost or refused: `text` says why
};

class player;

struct player_news {
  news what = news::closed;
  std::uint64_t amount = 0;
  std::chrono::steady_clock::time_point since{};
  std::string_view text = {};
};

/// Told on the stage's thread. A player may be asked for the next thing at once.
class player_watcher {
public:
  virtual ~player_watcher() = default;
  virtual void on_news(player& who, const player_news& what) = 0;
};

/// Everything on the stage's thread. About 1.5 KB beside key and certificate, without a connection.
class player : public std::enable_shared_from_this<player> {
public:
  player(net::io_pool& pool, const player_options& options, std::uint32_t number,
         player_watcher& watcher);
  ~player();

  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
  /// Its place among those who play along; the troupe gives it.
  [[nodiscard]] std::uint32_t seat() const noexcept { return seat_; }
  void take_seat(std::uint32_t seat) noexcept { seat_ = seat; }
  [[nodiscard]] bool has_enrolled() const noexcept { return leaf_.has_value(); }
  /// From the first step of connecting until `closed`, `enrolled` or `failed`.
  [[nodiscard]] bool is_busy() const noexcept { return phase_ != phase::away; }
  [[nodiscard]] bool is_active() const noexcept { return phase_ == phase::active; }
  [[nodiscard]] bool was_resumed() const noexcept { return resumed_; }

  /// While it is away. Ends in `enrolled` or `failed`.
  void enrol();
  /// While it is away, once enrolled. Ends in `welcome`, then `synced`; or `failed`.
  void connect(bool keep);
  /// While it is active: ends in `synced`.
  void sync();
  /// Ends in `closed`.
  void leave();
  /// From now on it takes documents, and says of all settings that they are applied.
  void take_documents();
  /// Another application has come: the next sync has something to tell.
  void change_inventory();
  /// One event more, raised at this moment; is sent when there is a connection.
  void raise(std::chrono::steady_clock::time_point when);
  [[nodiscard]] std::size_t events_waiting() const noexcept { return spool_.size(); }
  /// The last event that was acknowledged; 0: none.
  [[nodiscard]] std::uint64_t acknowledged() const noexcept { return acked_; }
  /// The newest that the server gave it; empty: none.
  [[nodiscard]] const std::optional<net::device_datagram_keys>& datagram_keys() const noexcept {
    return datagram_keys_;
  }
  /// That it goes, with the next counter.
  [[nodiscard]] net::notice next_notice();
  /// Whether this is a genuine wake for it, and a new one.
  [[nodiscard]] bool take_wake(std::string_view datagram);
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] const net::id_bytes& device() const noexcept { return device_; }

private:
  class sink;
  struct holdings;
  enum class phase : std::uint8_t { away, enrolling, connecting, greeted, active, leaving };

  void dial();
  void on_link(const net::accepted& connection);
  void ask_for_certificate(const net::accepted& connection);
  void greet();
  void on_message(std::string_view bytes);
  void take(const wire::server_message& message);
  void on_enrolled(const wire::server_message& message);
  void on_welcome(const wire::welcome& welcome);
  void learn_keys(const wire::welcome& welcome);
  void on_plan(const wire::sync_plan& plan);
  void on_position(const wire::events_position& at);
  void on_acked(std::uint64_t sequence);
  void send_events();
  void say(const wire::agent_message& message, const char* what);
  void say_digests(wire::agent_message& message) const;
  void say_documents(wire::agent_message& message) const;
  [[nodiscard]] std::string settings_states() const;
  void on_manifest(const wire::document_manifest& manifest);
  void on_part(const wire::document_part& part);
  void fetch();
  void apply();
  void on_synced();
  std::uint64_t next_counter();
  [[nodiscard]] net::id_bytes boot_id() const;
  void look_at_inventory();
  void on_closed(const std::string& why);
  void send_away(std::uint64_t after_ms, std::string_view why);
  void fail(const std::string& why);
  void tell(news what, std::uint64_t amount = 0, std::string_view text = {});
  [[nodiscard]] net::client_tls_context_ptr make_context(std::string& problem);

  net::io_pool& pool_;
  const player_options& options_;
  player_watcher& watcher_;
  const std::uint32_t number_;
  std::uint32_t seat_ = 0;
  std::uint32_t changes_ = 0; ///< of its inventory
  std::array<std::array<std::uint8_t, 16>, 3> digests_{};
  net::key_pair key_;
  std::optional<net::certificate> leaf_;
  net::tls_session_ptr ticket_;
  net::id_bytes device_{};
  net::id_bytes server_id_{};
  std::array<std::uint8_t, 32> wake_key_{}; ///< the server's
  std::optional<net::device_datagram_keys> datagram_keys_;
  std::uint64_t wake_counter_ = 0; ///< of the last wake it took
  net::link_ptr link_;
  std::unique_ptr<holdings> holdings_; ///< null: it takes no documents
  std::uint64_t counter_ = 0; ///< of the last hello
  std::deque<std::chrono::steady_clock::time_point> spool_; ///< when each was raised; behind acked_
  std::uint64_t epoch_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t server_epoch_ = 0; ///< the position that the next batch comes behind
  std::uint64_t server_sequence_ = 0;
  std::uint32_t generation_ = 0; ///< of the connection; what an older one says is void
  std::uint8_t batches_ = 0;     ///< in flight
  phase phase_ = phase::away;
  bool keep_ = false;
  bool resumed_ = false;
  bool syncing_ = false;
  bool stream_open_ = false;
  bool stream_asked_ = false;
};

} // namespace muster::load
