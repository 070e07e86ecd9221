// Calls, as the admin API shows them.

#include "actors/server/api/present.hpp"

#include <array>
#include <cstddef>

namespace muster::actors::api {

namespace {

constexpr std::array<std::string_view, 4> kinds{"sync", "wake", "keep_on", "keep_off"};
constexpr std::array<std::string_view, 6> steps{"waiting", "asked", "waking",
                                                "queued",  "done",  "failed"};
constexpr std::array<std::string_view, 4> ways{"none", "kept", "wake", "next_contact"};

template <class Enum, std::size_t n>
std::string_view name_in(const std::array<std::string_view, n>& names, Enum e) {
  const auto index = static_cast<std::size_t>(e);
  return index < n ? names.at(index) : std::string_view{"unknown"};
}

template <class Enum, std::size_t n>
std::optional<Enum> find_in(const std::array<std::string_view, n>& names, std::string_view name) {
  for (std::size_t i = 0; i < n; ++i)
    if (names.at(i) == name)
      return static_cast<Enum>(i);
  return std::nullopt;
}

bool is_end(call_step s) {
  return s == call_step::done || s == call_step::failed;
}

} // namespace

std::string_view name_of(call_kind k) noexcept {
  return name_in(kinds, k);
}

std::optional<call_kind> call_kind_of(std::string_view name) noexcept {
  return find_in<call_kind>(kinds, name);
}

std::string_view name_of(call_step s) noexcept {
  return name_in(steps, s);
}

std::optional<call_step> call_step_of(std::string_view name) noexcept {
  return find_in<call_step>(steps, name);
}

std::string_view name_of(call_way w) noexcept {
  return name_in(ways, w);
}

void present(const call_report& from, admin::call& to) {
  to.set_id(from.call);
  to.set_kind(std::string{name_of(from.order.kind)});
  to.set_target(from.order.target);
  if (from.order.audit)
    to.set_created_by(from.order.audit->actor);
  to.set_created_us(from.created_us);
  to.set_selecting(from.selecting);
  to.set_problem(from.problem);
  to.set_devices(from.devices);
  for (std::size_t i = 0; i < from.by_step.size(); ++i)
    (*to.mutable_by_step())[std::string{steps.at(i)}] = from.by_step.at(i);
  to.set_finished_us(from.finished_us);
  for (const auto& row : from.rows) {
    auto& one = *to.add_rows();
    one.set_device_id(row.device.text());
    one.set_device_name(row.device_name);
    one.set_step(std::string{name_of(row.step)});
    one.set_way(std::string{name_of(row.way)});
    one.set_at_us(row.at_us);
    one.set_until_us(row.until_us);
    one.set_text(row.text);
    if (is_end(row.step))
      one.set_took_us(row.at_us - from.created_us);
  }
}

} // namespace muster::actors::api
