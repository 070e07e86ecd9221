#include "apps/console/device_work.hpp"

#include "apps/common/utf8.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace muster::console {

namespace {

/// Of those with whom it did not work, so many are named.
constexpr std::size_t named_max = 10;
/// With fewer, a bar would only flicker.
constexpr std::size_t bar_devices_min = 5;

struct outcome {
  std::size_t done = 0;
  std::vector<std::pair<chosen_device, std::string>> failed;
  bool interrupted = false;
};

class progress {
public:
  progress(console& c, std::size_t all)
    : c_(c), all_(all),
      shown_(all >= bar_devices_min && c.world().person.shows_progress() && !c.json) {}
  ~progress() { show({}); }
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  void at(std::size_t done) {
    show(progress_line(done, all_, c_.look().look.width));
  }

private:
  void show(const std::string& line) {
    if (!shown_ || line == last_)
      return;
    const auto width = utf8::columns(line);
    const auto before = utf8::columns(last_);
    std::string text = "\r" + line;
    if (width < before)
      text.append(before - width, ' ');
    c_.note(width == 0 ? text + "\r" : text);
    last_ = line;
  }

  console& c_;
  std::size_t all_;
  bool shown_;
  std::string last_;
};

bool concerns_all(const failure& why) {
  return why.may_pass() || why.code() == exit_unreachable || why.code() == exit_refused;
}

outcome work(console& c, const std::vector<chosen_device>& devices,
             const std::function<void(const chosen_device&)>& what) {
  outcome out;
  progress bar{c, devices.size()};
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if ((out.interrupted = c.world().person.interrupted()))
      break;
    bar.at(i);
    try {
      what(devices[i]);
      ++out.done;
    } catch (const failure& why) {
      if (concerns_all(why)) {
        if (i == 0)
          throw;
        throw failure(why.code(), "after " + std::to_string(i) + " of " +
                                    counted(devices.size(), "device", "devices") + ": " +
                                    why.text());
      }
      out.failed.emplace_back(devices[i], why.text());
    }
  }
  return out;
}

void tell_json(console& c, const outcome& what) {
  nlohmann::ordered_json out{{"done", what.done}, {"failed", nlohmann::ordered_json::array()}};
  for (const auto& [device, why] : what.failed)
    out["failed"].push_back({{"deviceId", device.id}, {"deviceName", device.name}, {"why", why}});
  c.out_json(out.dump());
}

void tell(console& c, const outcome& what, std::size_t all, const std::string& past) {
  if (what.done == all)
    return c.out(past + " " + counted(all, "device", "devices") + ".\n");
  c.out(past + " " + grouped(what.done) + " of " + counted(all, "device", "devices") +
        (what.failed.empty() ? "" : "; " + grouped(what.failed.size()) + " failed") + ".\n");
  for (std::size_t i = 0; i < what.failed.size() && i < named_max; ++i)
    c.out("  " + utf8::clean(what.failed[i].first.name) + ": " + what.failed[i].second + "\n");
  if (what.failed.size() > named_max)
    c.out("  and " + grouped(what.failed.size() - named_max) + " more\n");
}

} // namespace

std::vector<chosen_device> devices_of(console& c, const std::string& target) {
  if (target.find_first_not_of(' ') == std::string::npos)
    throw failure(exit_usage, "which devices? '*' is every one");
  admin::device_list list;
  static_cast<void>(
    read_pages(c.server(), "/devices", {{"target", target}}, {0, true}, list));
  std::vector<chosen_device> out;
  for (const auto& one : list.devices())
    out.push_back({one.id(), one.name()});
  if (!out.empty())
    return out;
  if (target.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw failure(exit_not_found, "no device matches '" + target + "'; see: muster devices");
  const auto id = device_id_of(c.server(), target);
  return {{id, id}};
}

int for_each(console& c, const std::vector<chosen_device>& devices, const std::string& past,
             const std::function<void(const chosen_device&)>& what) {
  c.world().person.remember_interrupt();
  const auto done = work(c, devices, what);
  if (c.json)
    tell_json(c, done);
  else
    tell(c, done, devices.size(), past);
  if (done.interrupted)
    return exit_interrupted;
  return done.failed.empty() ? exit_fine : exit_failed;
}

} // namespace muster::console
