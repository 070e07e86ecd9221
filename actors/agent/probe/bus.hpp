#pragma once
// Questions to a D-Bus, many at once, all within one time limit. With units.cpp and logind_watch.cpp
// the only place that knows sd-bus.

#include <systemd/sd-bus.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace muster::actors::probe {

/// One connection, used once: connect, ask, run. sd-bus itself would wait 90 s for a bus that
/// accepts and stays silent; here every wait ends at the limit. Not thread-safe.
class bus_questions {
public:
  /// Called with each answer, in order of arrival; null when it was an error. May ask more. False
  /// ends everything: the answers so far are worth nothing.
  using on_answer = std::function<bool(sd_bus_message* answer)>;

  explicit bus_questions(std::chrono::milliseconds time_max);
  ~bus_questions();
  bus_questions(const bus_questions&) = delete;
  bus_questions& operator=(const bus_questions&) = delete;

  /// An empty address is the system bus. False: there is none.
  [[nodiscard]] bool connect(const std::string& address);

  /// To be sent by run(), `calls_max` at most in flight. `write` appends the arguments.
  struct call {
    std::string path;
    const char* interface = "";
    const char* member = "";
    std::function<int(sd_bus_message*)> write;
    on_answer answer;
  };
  void ask(call what) { waiting_.push_back(std::move(what)); }

  /// Until everything asked is answered. False: the time is over or the bus is gone.
  [[nodiscard]] bool run(const char* destination, std::size_t calls_max);

private:
  struct in_flight {
    bus_questions* owner = nullptr;
    on_answer answer;
  };

  [[nodiscard]] bool send(const char* destination, call what);
  [[nodiscard]] std::int64_t left_us() const;
  static int take(sd_bus_message* answer, void* asked, sd_bus_error* error);

  sd_bus* bus_ = nullptr;
  std::int64_t deadline_us_;
  std::deque<call> waiting_;
  std::size_t flying_ = 0;
  bool failed_ = false;
};

} // namespace muster::actors::probe
