#pragma once
// The directory's entries to the records they are kept in, and back.

#include "actors/rules/admission.hpp"
#include "actors/server/device_table.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace muster::storage::record {
class device;
class device_report;
} // namespace muster::storage::record

namespace muster::actors {

/// What a hello would make of a device, before it is let in.
struct hello_report {
  boot_id boot;
  rules::boot_history boots;
  std::uint64_t counter = 0;
  std::uint32_t went_back = 0;
  std::string_view address, agent_version;
  device_statistics statistics;
  std::int64_t contact_ms = 0;
  std::uint32_t sync_period_s = 0;
  std::uint16_t wake_port = 0;
  /// The device has said since that it goes (rules/admission.hpp): it is off when this one ends.
  bool late = false;
};

/// What a notice makes of a device.
struct off_report {
  std::uint64_t counter = 0;
  off_reason reason = off_reason::none;
  std::int64_t at_ms = 0;
};

/// The change that keeps the report as the entry has it.
[[nodiscard]] storage::change report_change(const device_table& table, const device_entry& entry);
/// The same as if this hello had been admitted.
[[nodiscard]] storage::change report_change(const device_table& table, const device_entry& entry,
                                            const hello_report& hello);
/// The entry, after the hello has been admitted.
void apply(const hello_report& hello, device_table& table, device_entry& entry);
/// The same for a notice that counts.
[[nodiscard]] storage::change report_change(const device_table& table, const device_entry& entry,
                                            const off_report& off);
void apply(const off_report& off, device_entry& entry);

/// Where a device belongs, as it is kept.
struct assignment {
  std::uint32_t group = 0;
  std::string tags; ///< device_tags.hpp
  bool settled = false;
};
[[nodiscard]] storage::change assignment_change(const device_id& device, const assignment& what,
                                                std::int64_t now_us, std::string_view by);

/// False: not a record that we would have written.
[[nodiscard]] bool read_identity(const storage::record::device& from, device_entry& to);
/// Everything but the name, which has its place in the table's order.
[[nodiscard]] bool read_report(const storage::record::device_report& from, device_table& table,
                               device_entry& to);

} // namespace muster::actors
