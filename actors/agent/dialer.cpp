#include "actors/agent/dialer.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <utility>

namespace muster::actors {

namespace {

/// What handshakes leave for the next one. Written on io threads, read by whoever dials.
class memory {
public:
  explicit memory(std::function<std::int64_t()> now_s) : now_s_(std::move(now_s)) {}

  void keep(net::tls_session_ptr session) {
    const std::lock_guard lock(mutex_);
    session_ = std::move(session);
  }

  [[nodiscard]] net::tls_session_ptr session() const {
    const std::lock_guard lock(mutex_);
    return session_;
  }

  void learn_time(std::int64_t now_s) {
    auto known = told_s_.load();
    while (known < now_s && !told_s_.compare_exchange_weak(known, now_s)) {
    }
  }

  [[nodiscard]] std::int64_t now_s() const { return std::max(now_s_(), told_s_.load()); }

private:
  std::function<std::int64_t()> now_s_;
  std::atomic<std::int64_t> told_s_{0};
  mutable std::mutex mutex_;
  net::tls_session_ptr session_;
};

net::server_expectation expectation_of(const net::agent_identity& identity) {
  net::server_expectation out;
  out.authority_pin = identity.bundle.front().spki_sha256();
  out.server_id = identity.server_id;
  return out;
}

net::client_tls_context_ptr tls_context(const net::agent_identity& identity,
                                        const std::shared_ptr<memory>& known,
                                        std::error_code& ec) {
  net::client_tls_options tls;
  tls.key = identity.key;
  tls.leaf = identity.leaf;
  tls.server = expectation_of(identity);
  tls.now_s = [known] { return known->now_s(); };
  tls.on_session = [known](net::tls_session_ptr session) { known->keep(std::move(session)); };
  return net::client_tls_context::make(tls, ec);
}

net::client_plain_context_ptr plain_context(const net::agent_identity& identity,
                                            const std::shared_ptr<memory>& known,
                                            std::error_code& ec) {
  return net::client_plain_context::make(
    {identity.key, identity.leaf, expectation_of(identity), [known] { return known->now_s(); }},
    ec);
}

/// What somebody who has just turned it on may have forgotten.
constexpr const char* plain_hint =
  "; transport is plain: the server needs plain.enabled, and plain_port must be its port";

} // namespace

std::optional<connector> make_dialer(dialer_options options, std::string& problem) {
  MUSTER_ASSERT(options.pool != nullptr && options.now_s, "a dialer needs io threads and a clock");
  const auto& identity = options.identity;
  if (identity.bundle.empty()) {
    problem = "the identity names no authority; enrol this machine again";
    return std::nullopt;
  }
  const auto known = std::make_shared<memory>(options.now_s);
  std::error_code ec;
  net::connect_options way;
  way.to = options.server;
  way.from_address = options.from_address;
  way.keep_alive = options.keep_alive;
  way.connect_max = options.connect_max;
  if (options.plain)
    way.plain = plain_context(identity, known, ec);
  else
    way.tls = tls_context(identity, known, ec);
  if (ec) {
    problem = "the identity cannot be used (" + ec.message() + "); enrol this machine again";
    return std::nullopt;
  }
  connector out;
  out.connect = [pool = options.pool, way, known](net::on_connected done) {
    auto attempt = way;
    attempt.resume = known->session();
    if (way.plain)
      done = [done = std::move(done)](net::accepted_ptr connection, std::error_code why,
                                      std::string detail) {
        done(std::move(connection), why, why ? detail + plain_hint : detail);
      };
    net::connect(*pool, std::move(attempt), std::move(done));
  };
  out.forget_session = [known] { known->keep(nullptr); };
  out.learn_time = [known](std::int64_t now_s) { known->learn_time(now_s); };
  return out;
}

dial_result dial_once(dialer_options options) {
  net::io_pool pool{1};
  options.pool = &pool;
  std::string problem;
  const auto way = make_dialer(std::move(options), problem);
  if (!way)
    return {std::make_error_code(std::errc::invalid_argument), problem};
  const auto result = std::make_shared<std::promise<dial_result>>();
  auto later = result->get_future();
  way->connect([result](const net::accepted_ptr& connection, std::error_code ec,
                        std::string detail) {
    if (connection)
      connection->connection->close();
    result->set_value({ec, std::move(detail)});
  });
  auto out = later.get();
  pool.join();
  return out;
}

} // namespace muster::actors
