#include "actors/agent/probe/bus.hpp"

#include <cerrno>
#include <ctime>
#include <utility>

namespace muster::actors::probe {

namespace {

constexpr const char* system_bus = "unix:path=/run/dbus/system_bus_socket";

std::int64_t passed_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

} // namespace

bus_questions::bus_questions(std::chrono::milliseconds time_max)
  : deadline_us_(passed_us() + std::chrono::microseconds{time_max}.count()) {}

bus_questions::~bus_questions() {
  sd_bus_close_unref(bus_); // does not flush, so does not wait; what is in flight is forgotten
}

bool bus_questions::connect(const std::string& address) {
  if (sd_bus_new(&bus_) < 0)
    return false;
  return sd_bus_set_address(bus_, address.empty() ? system_bus : address.c_str()) >= 0 &&
         sd_bus_set_bus_client(bus_, 1) >= 0 && sd_bus_start(bus_) >= 0;
}

bool bus_questions::run(const char* destination, std::size_t calls_max) {
  while (!failed_ && (!waiting_.empty() || flying_ > 0)) {
    while (!waiting_.empty() && flying_ < calls_max) {
      auto next = std::move(waiting_.front());
      waiting_.pop_front();
      if (!send(destination, std::move(next)))
        return false;
    }
    const auto left = left_us();
    if (left <= 0)
      return false;
    const int did = sd_bus_process(bus_, nullptr);
    if (did < 0)
      return false;
    if (did > 0)
      continue; // there may be more; the clock is looked at again
    if (const int woke = sd_bus_wait(bus_, static_cast<std::uint64_t>(left));
        woke < 0 && woke != -EINTR)
      return false;
  }
  return !failed_;
}

bool bus_questions::send(const char* destination, call what) {
  sd_bus_message* message = nullptr;
  int done = sd_bus_message_new_method_call(bus_, &message, destination, what.path.c_str(),
                                            what.interface, what.member);
  // Where there is no systemd nobody shall be started in its place.
  if (done >= 0)
    done = sd_bus_message_set_auto_start(message, 0);
  if (done >= 0 && what.write)
    done = what.write(message);
  if (done >= 0) {
    auto asked = std::make_unique<in_flight>(in_flight{this, std::move(what.answer)});
    sd_bus_slot* slot = nullptr;
    done = sd_bus_call_async(bus_, &slot, message, take, asked.get(), 0);
    if (done >= 0) {
      // The slot owns the answer's place: freed with it, answered or not.
      sd_bus_slot_set_destroy_callback(slot,
                                       [](void* place) { delete static_cast<in_flight*>(place); });
      asked.release();
      sd_bus_slot_set_floating(slot, 1);
      sd_bus_slot_unref(slot);
      ++flying_;
    }
  }
  sd_bus_message_unref(message);
  return done >= 0;
}

int bus_questions::take(sd_bus_message* answer, void* asked, sd_bus_error*) {
  const auto& place = *static_cast<in_flight*>(asked);
  --place.owner->flying_;
  const bool good = sd_bus_message_is_method_error(answer, nullptr) == 0;
  if (!place.answer(good ? answer : nullptr))
    place.owner->failed_ = true;
  return 0;
}

std::int64_t bus_questions::left_us() const {
  return deadline_us_ - passed_us();
}

} // namespace muster::actors::probe
