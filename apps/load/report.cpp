#include "apps/load/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace muster::load {

namespace {

std::string value_of(const figure& one) {
  auto text = one.value == std::floor(one.value) ? fmt::format("{:.0f}", one.value)
                                                 : fmt::format("{:.1f}", one.value);
  return one.unit.empty() ? text : text + " " + one.unit;
}

} // namespace

std::string text_of(std::chrono::microseconds time) {
  const auto us = static_cast<double>(time.count());
  if (us < 1e3)
    return fmt::format("{:.0f} us", us);
  if (us < 1e6)
    return fmt::format("{:.1f} ms", us / 1e3);
  return fmt::format("{:.2f} s", us / 1e6);
}

std::string table_of(const result& run) {
  auto out = fmt::format("{}\n", run.scenario);
  for (const auto& one : run.figures)
    out += fmt::format("  {:<24} {}\n", one.name, value_of(one));
  if (run.latencies.count() > 0) {
    out += fmt::format("  {} ({} of them)\n", run.latency_of, run.latencies.count());
    for (const auto& [name, share] : quantiles)
      out += fmt::format("  {:<24} {}\n", name, text_of(run.latencies.quantile(share)));
  }
  out += fmt::format("  {:<24} {}\n", "errors", run.error_count());
  for (const auto& [cause, times] : run.errors)
    out += fmt::format("    {} x {}\n", times, cause);
  return out;
}

std::string json_of(const result& run) {
  nlohmann::ordered_json out;
  out["scenario"] = run.scenario;
  for (const auto& one : run.figures) {
    if (one.value == std::floor(one.value) && std::abs(one.value) < 1e15)
      out[one.name] = static_cast<std::int64_t>(one.value);
    else
      out[one.name] = one.value;
  }
  auto& latency = out["latency_us"];
  latency["of"] = run.latency_of;
  latency["count"] = run.latencies.count();
  for (const auto& [name, share] : quantiles)
    latency[std::string{name}] = run.latencies.quantile(share).count();
  out["errors"] = nlohmann::ordered_json::object();
  for (const auto& [cause, times] : run.errors)
    out["errors"][cause] = times;
  // Causes may come from anybody: whatever is no UTF-8 is replaced.
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace muster::load
