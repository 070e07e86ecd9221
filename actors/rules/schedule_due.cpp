#include "actors/rules/schedule_due.hpp"

#include <algorithm>
#include <utility>

namespace muster::rules {

namespace {

std::uint64_t mixed(std::uint64_t x) noexcept { // the finaliser of splitmix64
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
  x = (x ^ x >> 27) * 0x94d049bb133111ebU;
  return x ^ x >> 31;
}

} // namespace

std::chrono::seconds spread_of(const device_id& device, std::string_view task, utc_seconds due,
                               std::chrono::seconds spread) noexcept {
  if (spread <= std::chrono::seconds{0})
    return std::chrono::seconds{0};
  std::uint64_t hash = 0xcbf29ce484222325U; // FNV-1a
  const auto add = [&](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3U; };
  for (const auto byte : device.bytes)
    add(byte);
  for (const auto c : task)
    add(static_cast<std::uint8_t>(c));
  const auto seconds = static_cast<std::uint64_t>(due.time_since_epoch().count());
  const auto share = mixed(mixed(hash) ^ seconds) % static_cast<std::uint64_t>(spread.count());
  return std::chrono::seconds{share};
}

due_decision decide(const schedule& s, const schedule_options& options, const device_id& device,
                    std::string_view task, utc_seconds handled, utc_seconds now, bool running,
                    const time_zone& zone) {
  const auto start_of = [&](utc_seconds due) {
    return due + spread_of(device, task, due, options.spread);
  };
  due_decision out;
  std::optional<utc_seconds> reached; // the last one whose start is behind us
  std::size_t ahead = 0;              // that are due, and whose start is not
  std::size_t seen = 0;
  auto at = handled;
  while (const auto due = next_due(s, at, zone)) {
    const auto start = start_of(*due);
    if (start > now)
      out.next_start = out.next_start ? std::min(*out.next_start, start) : start;
    if (*due > now)
      break;
    at = *due;
    if (start > now) {
      ++ahead;
      continue;
    }
    // What was still ahead of its start is overtaken: its due time is before this one's.
    out.skipped += std::exchange(ahead, 0) + (reached ? 1 : 0);
    out.next_start.reset();
    reached = *due;
    // A task of every minute on a device that slept for months: only the last ones matter.
    if (++seen % skipped_max == 0 && now - options.spread - at > std::chrono::hours{2})
      at += (now - options.spread - at) / 2;
  }
  out.skipped = std::min(out.skipped, skipped_max);
  if (!reached)
    return out;
  out.due = *reached;
  const bool in_time = now - start_of(*reached) <= options.tolerance;
  if (running)
    out.verdict = due_verdict::overlap;
  else if (in_time || options.run_if_missed)
    out.verdict = due_verdict::start;
  else
    out.verdict = due_verdict::missed;
  out.late = out.verdict == due_verdict::start && !in_time;
  return out;
}

} // namespace muster::rules
