#include "actors/agent/dialer.hpp"

#include <muster/assert.hpp>

#include <algorithm>
#include <atomic>
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

} // namespace

std::optional<connector> make_dialer(dialer_options options, std::string& problem) {
  MUSTER_ASSERT(options.pool != nullptr && options.now_s, "a dialer needs io threads and a clock");
  const auto& identity = options.identity;
  if (identity.bundle.empty()) {
    problem = "the identity names no authority; enrol this machine again";
    return std::nullopt;
  }
  const auto known = std::make_shared<memory>(options.now_s);
  net::client_tls_options tls;
  tls.key = identity.key;
  tls.leaf = identity.leaf;
  tls.server.authority_pin = identity.bundle.front().spki_sha256();
  tls.server.server_id = identity.server_id;
  tls.now_s = [known] { return known->now_s(); };
  tls.on_session = [known](net::tls_session_ptr session) { known->keep(std::move(session)); };
  std::error_code ec;
  const auto context = net::client_tls_context::make(tls, ec);
  if (!context) {
    problem = "the identity cannot be used (" + ec.message() + "); enrol this machine again";
    return std::nullopt;
  }
  net::connect_options way;
  way.to = options.server;
  way.tls = context;
  way.from_address = options.from_address;
  connector out;
  out.connect = [pool = options.pool, way, known](net::on_connected done) {
    auto attempt = way;
    attempt.resume = known->session();
    net::connect(*pool, std::move(attempt), std::move(done));
  };
  out.forget_session = [known] { known->keep(nullptr); };
  out.learn_time = [known](std::int64_t now_s) { known->learn_time(now_s); };
  return out;
}

} // namespace muster::actors
