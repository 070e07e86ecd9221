#include "actors/server/fleet_figures.hpp"

#include "actors/rules/device_state.hpp"
#include "actors/rules/device_status.hpp"

#include <cstddef>
#include <string_view>

namespace muster::actors {

namespace {

void head(std::string& to, std::string_view name, std::string_view help, std::string_view type) {
  to.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  to.append(name).append(" ").append(type).append("\n");
}

void value(std::string& to, std::string_view name, std::string_view label, std::string_view of,
           std::uint64_t number) {
  to.append(name);
  if (!label.empty())
    to.append("{").append(label).append("=\"").append(of).append("\"}");
  to.append(" ").append(std::to_string(number)).append("\n");
}

} // namespace

void add_counts(device_counts& to, const device_counts& part) noexcept {
  to.total += part.total;
  for (std::size_t i = 0; i < to.by_state.size(); ++i)
    to.by_state[i] += part.by_state[i];
  for (std::size_t i = 0; i < to.by_status.size(); ++i)
    to.by_status[i] += part.by_status[i];
  to.kept += part.kept;
  to.notices += part.notices;
  to.notices_repeated += part.notices_repeated;
  to.notices_refused += part.notices_refused;
  to.calls += part.calls;
  to.calls_done += part.calls_done;
  to.calls_failed += part.calls_failed;
  to.calls_open += part.calls_open;
}

std::string fleet_figures(const device_counts& all) {
  std::string out;
  head(out, "muster_devices", "Devices of the fleet by state.", "gauge");
  for (std::size_t i = 0; i < all.by_state.size(); ++i)
    value(out, "muster_devices", "state", rules::name_of(static_cast<rules::device_state>(i)),
          all.by_state[i]);
  head(out, "muster_devices_status", "Devices by status, the revoked left out.", "gauge");
  for (std::size_t i = 0; i < all.by_status.size(); ++i)
    value(out, "muster_devices_status", "status",
          rules::name_of(static_cast<rules::device_status>(i)), all.by_status[i]);
  head(out, "muster_devices_kept", "Devices whose connection is to be kept.", "gauge");
  value(out, "muster_devices_kept", {}, {}, all.kept);
  head(out, "muster_notices_total", "Notices of devices that go, by what became of them.",
       "counter");
  value(out, "muster_notices_total", "outcome", "counted", all.notices);
  value(out, "muster_notices_total", "outcome", "repeated", all.notices_repeated);
  value(out, "muster_notices_total", "outcome", "refused", all.notices_refused);
  head(out, "muster_device_calls_total", "Calls to devices, one for each device.", "counter");
  value(out, "muster_device_calls_total", {}, {}, all.calls);
  head(out, "muster_device_calls_ended_total", "Calls to devices that have ended.", "counter");
  value(out, "muster_device_calls_ended_total", "outcome", "done", all.calls_done);
  value(out, "muster_device_calls_ended_total", "outcome", "failed", all.calls_failed);
  head(out, "muster_device_calls_open", "Calls to devices that have not ended.", "gauge");
  value(out, "muster_device_calls_open", {}, {}, all.calls_open);
  return out;
}

} // namespace muster::actors
