#pragma once
// A private message bus, and something on it that answers as systemd does. No systemd is started.

#include "tests/system/process.hpp"
#include "tests/temp_directory.hpp"

#include <systemd/sd-bus.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace muster::test {

/// dbus-daemon on a socket of its own, gone with this object.
class private_bus {
public:
  private_bus();
  [[nodiscard]] std::string address() const { return "unix:path=" + socket(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

private:
  [[nodiscard]] std::string socket() const { return (folder_.path() / "bus").string(); }
  temp_directory folder_;
  std::unique_ptr<process> daemon_;
};

struct mock_unit {
  std::string name;
  std::string load = "loaded";
  std::string active = "active";
  std::string sub = "running";
  std::map<std::string, std::uint64_t> numbers{}; ///< properties by name
  std::map<std::string, std::string> texts{};
};

/// org.freedesktop.systemd1 on a bus, served by a thread until this object ends.
class mock_systemd {
public:
  enum class mood : std::uint8_t { answers, ignores_the_list, freezes_after_the_list };

  mock_systemd(const std::string& address, std::vector<mock_unit> units);
  ~mock_systemd();
  mock_systemd(const mock_systemd&) = delete;
  mock_systemd& operator=(const mock_systemd&) = delete;

  void set(std::vector<mock_unit> units);
  void set(mood how) { mood_ = how; }
  [[nodiscard]] unsigned lists() const { return lists_; } ///< how often it was asked for all

private:
  static int on_list(sd_bus_message* question, void* self, sd_bus_error* error);
  static int on_get(sd_bus_message* question, void* self, sd_bus_error* error);
  int list(sd_bus_message* question);
  int get(sd_bus_message* question);
  void serve();

  sd_bus* bus_ = nullptr;
  int wake_ = -1;
  std::atomic<mood> mood_{mood::answers};
  std::atomic<bool> frozen_{false};
  std::atomic<bool> ended_{false};
  std::atomic<unsigned> lists_{0};
  std::mutex mutex_;
  std::vector<mock_unit> units_;
  std::thread thread_;
};

} // namespace muster::test
