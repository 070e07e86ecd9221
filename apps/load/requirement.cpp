#include "apps/load/requirement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace muster::load {

namespace {

using relation = requirement::relation;

struct symbol {
  std::string_view text;
  relation what;
};
// The longer ones first.
constexpr symbol symbols[] = {{"<=", relation::at_most}, {">=", relation::at_least},
                              {"==", relation::equal},   {"<", relation::less},
                              {">", relation::greater},  {"=", relation::equal}};

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(' ');
  return from == std::string_view::npos
           ? std::string_view{}
           : text.substr(from, text.find_last_not_of(' ') - from + 1);
}

std::optional<double> number_of(std::string_view text) {
  double scale = 1;
  for (const auto& [unit, factor] : {std::pair{"us", 1.0}, {"ms", 1e3}, {"s", 1e6}}) {
    if (text.ends_with(unit)) {
      scale = factor;
      text.remove_suffix(std::string_view{unit}.size());
      break;
    }
  }
  double out = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return out * scale;
}

std::optional<requirement> parse_one(std::string_view text) {
  for (const auto& [sign, what] : symbols) {
    const auto at = text.find(sign);
    if (at == std::string_view::npos)
      continue;
    const auto name = trimmed(text.substr(0, at));
    const auto value = number_of(trimmed(text.substr(at + sign.size())));
    if (name.empty() || !value)
      return std::nullopt;
    return requirement{std::string{text}, std::string{name}, what, *value};
  }
  return std::nullopt;
}

bool holds(relation what, double have, double want) {
  switch (what) {
    case relation::less: return have < want;
    case relation::at_most: return have <= want;
    case relation::equal: return have == want;
    case relation::at_least: return have >= want;
    case relation::greater: return have > want;
  }
  return false;
}

std::optional<double> value_of(const std::string& name, const result& run) {
  if (name == "errors")
    return static_cast<double>(run.error_count());
  for (const auto& [quantile, share] : quantiles)
    if (name == quantile)
      return static_cast<double>(run.latencies.quantile(share).count());
  const auto* const found = run.find(name);
  return found == nullptr ? std::nullopt : std::optional(found->value);
}

} // namespace

std::optional<std::vector<requirement>> parse_requirements(std::string_view text,
                                                           std::string& problem) {
  std::vector<requirement> out;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto one = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    auto parsed = parse_one(one);
    if (!parsed) {
      problem = fmt::format("'{}' is no requirement; write for instance p99<100ms or errors=0", one);
      return std::nullopt;
    }
    out.push_back(std::move(*parsed));
  }
  return out;
}

std::vector<std::string> unmet(const std::vector<requirement>& all, const result& run) {
  std::vector<std::string> out;
  for (const auto& one : all) {
    const auto have = value_of(one.name, run);
    if (!have)
      out.push_back(fmt::format("'{}': this scenario has no figure '{}'", one.text, one.name));
    else if (!holds(one.what, *have, one.value))
      out.push_back(fmt::format("'{}' does not hold: {} is {:g}", one.text, one.name, *have));
  }
  return out;
}

} // namespace muster::load
