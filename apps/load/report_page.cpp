// The page: HTML and SVG by hand, so that one file is all there is to pass on.
#include "apps/load/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace muster::load {

namespace {

constexpr double width = 720;
constexpr double height = 180;
constexpr double left = 64;
constexpr double bottom = 24;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
    case '&': out += "&amp;"; break;
    case '<': out += "&lt;"; break;
    case '>': out += "&gt;"; break;
    case '"': out += "&quot;"; break;
    default: out += c;
    }
  }
  return out;
}

struct line {
  std::string label;
  std::string colour;
  std::vector<double> values; ///< one for each step of the x axis
};

/// 1, 2 or 5 times a power of ten, at least `value`.
double round_up(double value) {
  double power = 1;
  while (power * 10 <= value)
    power *= 10;
  while (power > value && power > 1e-3)
    power /= 10;
  for (const double step : {1.0, 2.0, 5.0, 10.0})
    if (step * power >= value)
      return step * power;
  return value;
}

std::string polyline(const line& of, double top) {
  std::string points;
  const auto steps = static_cast<double>(std::max<std::size_t>(of.values.size(), 2) - 1);
  for (std::size_t i = 0; i < of.values.size(); ++i)
    points += fmt::format("{:.1f},{:.1f} ", left + (width - left) * static_cast<double>(i) / steps,
                          height - height * of.values[i] / top);
  return fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" points=\"{}\"/>\n",
                     of.colour, points);
}

/// `label` writes a value of the y axis.
std::string plot(std::string_view title, const std::vector<line>& lines,
                 const std::function<std::string(double)>& label, std::string_view x_label) {
  double most = 0;
  for (const auto& one : lines)
    for (const double value : one.values)
      most = std::max(most, value);
  const double top = most > 0 ? round_up(most) : 1;
  auto out = fmt::format("<h2>{}</h2>\n<svg viewBox=\"0 -10 {} {}\" role=\"img\">\n", escaped(title),
                         width, height + bottom + 10);
  for (int i = 0; i <= 4; ++i) {
    const double y = height - height * i / 4;
    out += fmt::format("<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" class=\"grid\"/>"
                       "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
                       left, width, y, left - 6, y + 4, escaped(label(top * i / 4)));
  }
  for (const auto& one : lines)
    out += polyline(one, top);
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n</svg>\n<p>", width,
                     height + bottom - 6, escaped(x_label));
  for (const auto& one : lines)
    out += fmt::format("<span style=\"color:{}\">&#9632;</span> {} &nbsp; ", one.colour,
                       escaped(one.label));
  return out + "</p>\n";
}

line over_time(const result& run, std::string label, std::string colour,
               const std::function<double(const second&)>& value) {
  line out{std::move(label), std::move(colour), {}};
  for (const auto& one : run.timeline)
    out.values.push_back(value(one));
  return out;
}

std::string number(double value) {
  return fmt::format("{:.6g}", value);
}
std::string micros(double value) {
  return text_of(std::chrono::microseconds{static_cast<std::int64_t>(value)});
}
std::string megabytes(double value) {
  return fmt::format("{:.4g} MB", value);
}

/// How long the slowest share of all took: the x axis has a nine more at each quarter.
line tail_of(const latencies& all) {
  line out{"latency", "#2468b4", {}};
  for (int step = 0; step <= 40; ++step) {
    double beyond = 1;
    for (int i = 0; i < step; ++i)
      beyond /= 1.2589254117941673; // ten steps are a factor of ten
    out.values.push_back(static_cast<double>(all.quantile(1 - beyond).count()));
  }
  return out;
}

std::string rows_of(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::string out = "<table>\n";
  for (const auto& [name, value] : rows)
    out += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escaped(name), escaped(value));
  return out + "</table>\n";
}

std::string figures_of(const result& run) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& one : run.figures)
    rows.emplace_back(one.name, number(one.value) + (one.unit.empty() ? "" : " " + one.unit));
  for (const auto& [name, share] : quantiles)
    if (run.latencies.count() > 0)
      rows.emplace_back(std::string{name} + " (" + run.latency_of + ")",
                        text_of(run.latencies.quantile(share)));
  rows.emplace_back("errors", std::to_string(run.error_count()));
  for (const auto& [cause, times] : run.errors)
    rows.emplace_back("  " + cause, std::to_string(times));
  return rows_of(rows);
}

constexpr std::string_view style = R"(<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 760px; margin: 2em auto; padding: 0 1em; color: #222 }
h1 { font-size: 1.6em } h2 { font-size: 1.1em; margin-bottom: .2em }
table { border-collapse: collapse } th { text-align: left; font-weight: normal; padding-right: 2em; color: #555 }
svg { width: 100%; font-size: 11px } .grid { stroke: #ddd } text { fill: #666 }
</style>
)";

} // namespace

std::string page_of(const result& run, const run_facts& facts) {
  auto out = fmt::format("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                         "<title>Muster under load: {0}</title>\n{1}</head><body>\n"
                         "<h1>Muster under load: {0}</h1>\n",
                         escaped(run.scenario), style);
  out += rows_of(facts.all) + "<h2>Figures</h2>\n" + figures_of(run);
  const auto seconds = fmt::format("{} seconds", run.timeline.size());
  out += plot("Done in each second",
              {over_time(run, "done", "#2468b4", [](const second& s) { return static_cast<double>(s.done); }),
               over_time(run, "errors", "#c03030", [](const second& s) { return static_cast<double>(s.errors); })},
              number, seconds);
  if (run.latencies.count() > 0) {
    out += plot("Latency over time",
                {over_time(run, "p50", "#2f9e44", [](const second& s) { return s.p50_us; }),
                 over_time(run, "p99", "#e08a00", [](const second& s) { return s.p99_us; }),
                 over_time(run, "max", "#c03030", [](const second& s) { return s.max_us; })},
                micros, seconds);
    out += plot("Latency of the slowest: all, 1 in 10, 1 in 100, 1 in 1,000, 1 in 10,000",
                {tail_of(run.latencies)}, micros, "1 in 10,000");
  }
  const bool watched = std::any_of(run.timeline.begin(), run.timeline.end(),
                                   [](const second& s) { return s.server_memory_bytes > 0; });
  if (watched) {
    out += plot("CPU of the server, percent of one core",
                {over_time(run, "CPU", "#2468b4", [](const second& s) { return s.server_cpu_percent; })},
                number, seconds);
    out += plot("Memory of the server",
                {over_time(run, "resident", "#2468b4",
                           [](const second& s) { return static_cast<double>(s.server_memory_bytes) / (1 << 20); })},
                megabytes, seconds);
  }
  return out + "</body></html>\n";
}

} // namespace muster::load
