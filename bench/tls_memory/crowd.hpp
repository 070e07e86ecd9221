#pragma once
// A crowd of agents with the real protocol, whose identities outlive their connections: enrolled
// and synced once, they come back as often as the benchmark likes.

#include "net/certificate.hpp"
#include "net/io_pool.hpp"
#include "net/link.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace muster::bench {

struct crowd_options {
  std::uint16_t port = 0;
  net::sha256_digest pin{};
  std::string token;
};

/// Anything that goes wrong ends the benchmark with a word on stderr. Used from one thread.
class crowd {
public:
  crowd(net::io_pool& pool, crowd_options options);
  ~crowd();
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  /// Makes so many agents: each enrols, comes once with its facts, and leaves.
  void enrol(std::size_t count);
  /// The first `count` agents (those not there yet) come and stay, with nothing to sync.
  void come(std::size_t count);
  /// All leave.
  void leave();

private:
  struct agent;
  class sink;
  enum class errand : std::uint8_t { enrol, sync, stay };

  void run(errand what, std::size_t from, std::size_t until);
  void connect(agent& who);
  void begin(agent& who, const net::accepted& connection);
  void hear(agent& who, const std::string& bytes);
  void gone(agent& who);
  void done(agent& who);

  net::io_pool& pool_;
  const crowd_options options_;
  std::vector<std::unique_ptr<agent>> agents_;
  std::size_t present_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t in_progress_ = 0;
  std::size_t linked_ = 0; ///< connections that have not told their end
};

} // namespace muster::bench
