#pragma once
// What actors and the store know, as the admin API shows it (net/wire/admin.proto). Pure.

#include "actors/call_messages.hpp"
#include "net/wire/admin.pb.h"
#include "storage/application_query.hpp"
#include "storage/event_query.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace muster::actors::api {

void present(const device_row& from, admin::device& to);
/// Without next_cursor, which belongs to the question.
void present(const call_report& from, admin::call& to);
void present(const token_info& from, admin::token& to);
void present(const storage::found_event& from, admin::event& to);
void present(const storage::record::audit& from, admin::audit_entry& to);
/// One of a batch that has just been stored.
void present(const stored_events& batch, const event_item& from, admin::event& to);

/// "info", "warning", "critical", "failure"; "unknown" for any other number.
[[nodiscard]] std::string_view name_of(severity s) noexcept;

/// Empty for `none`.
[[nodiscard]] std::string_view name_of(off_reason why) noexcept;

/// "sync", "wake", "keep_on", "keep_off".
[[nodiscard]] std::string_view name_of(call_kind k) noexcept;
[[nodiscard]] std::optional<call_kind> call_kind_of(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(call_step s) noexcept;
[[nodiscard]] std::optional<call_step> call_step_of(std::string_view name) noexcept;
[[nodiscard]] std::string_view name_of(call_way w) noexcept;

/// "facts", "applications", "run_states", "settings_states", by the section's number on the wire.
[[nodiscard]] std::string_view section_name(std::uint32_t number) noexcept;

} // namespace muster::actors::api
