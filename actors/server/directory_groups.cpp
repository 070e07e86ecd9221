// Where devices belong: groups, tags, and the rules that move them.
#include "actors/server/directory.hpp"

namespace muster::actors {

caf::result<bool> directory_state::assign(const device_id& device, const assignment_order_ptr&) {
  if (devices_->find(device) == nullptr)
    return false;
  return make_error(errc::refused, "groups are not there yet");
}

caf::result<placement_report_ptr> directory_state::place(const placement_order_ptr&) {
  return make_error(errc::refused, "groups are not there yet");
}

} // namespace muster::actors
