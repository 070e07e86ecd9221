#pragma once
// A device that sends events without end over whatever connections it gets, and remembers what the
// server has acknowledged: the witness against whom a killed server is held.

#include "tests/system/wire_client.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace muster::test {

/// Has a thread of its own. What the test asks may be asked from the test's thread.
class event_source {
public:
  /// `seed` decides how many events a batch has.
  event_source(wire_identity who, std::uint64_t seed);
  ~event_source();
  event_source(const event_source&) = delete;
  event_source& operator=(const event_source&) = delete;

  /// There is a server on this port (again). It is tried once; then the source waits for the next
  /// word.
  void go(std::uint16_t port);
  /// Waits until so many events are acknowledged since the beginning. False: not in time.
  bool has_acknowledged(std::uint64_t events, std::chrono::milliseconds time);

  [[nodiscard]] std::uint64_t acknowledged();
  /// Waits until it has no connection and no word to try: then nothing more is acknowledged. False:
  /// not in time.
  [[nodiscard]] bool rests_within(std::chrono::milliseconds time);
  /// How its last connection ended, for when the test fails.
  [[nodiscard]] std::string last_words();
  /// A promise that the server has broken, in words; empty: none.
  [[nodiscard]] std::string complaint();
  [[nodiscard]] const std::string& device_id() const { return who_.device_id; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  /// Ends the connection and the thread.
  void stop();

private:
  void work();
  /// Answers why it ended.
  [[nodiscard]] std::string converse(std::uint16_t port);
  bool send_batch();
  bool take(const wire::server_message& message);
  bool take_position(const wire::events_position& position);
  void complain(const std::string& what);

  wire_identity who_;
  std::uint64_t random_;
  const std::uint64_t epoch_;
  wire_client client_;
  // The source's thread only:
  std::uint64_t sent_ = 0;    ///< on this connection, up to here
  wire::events_position after_; ///< what the server holds once it has all that was sent
  std::uint64_t reached_ = 0; ///< ever sent, up to here
  std::uint32_t in_flight_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint16_t port_ = 0; ///< 0: none to try
  bool talking_ = false; ///< there is a connection, or is tried
  bool stopping_ = false;
  std::uint64_t acknowledged_ = 0;
  std::string complaint_;
  std::string last_words_;
  std::thread thread_;
};

} // namespace muster::test
