#include "actors/server/api/exposition.hpp"

#include "actors/server/api/metric_help.hpp"

#include <charconv>
#include <map>
#include <set>
#include <vector>

namespace muster::actors::api {

namespace {

struct family {
  std::string help;
  std::string type;
  std::vector<std::string_view> samples;
};

std::string_view cut(std::string_view& rest, char divider) {
  const auto at = rest.find(divider);
  const auto part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return part;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

/// The metric name at the front; empty when there is none.
std::string_view name_at_front(std::string_view line) {
  std::size_t length = 0;
  while (length < line.size()
         && (is_letter(line[length]) || (length > 0 && line[length] >= '0' && line[length] <= '9')))
    ++length;
  return line.substr(0, length);
}

/// A sample taken apart: "name{labels}" and "value".
struct sample {
  std::string_view name;
  std::string_view series;
  std::string_view value;
};

std::optional<sample> parse_sample(std::string_view line) {
  sample out;
  out.name = name_at_front(line);
  if (out.name.empty())
    return std::nullopt;
  std::size_t end = out.name.size();
  if (end < line.size() && line[end] == '{') {
    const auto close = line.rfind('}');
    if (close == std::string_view::npos)
      return std::nullopt;
    end = close + 1;
  }
  out.series = line.substr(0, end);
  out.value = line.substr(end);
  while (out.value.starts_with(' '))
    out.value.remove_prefix(1);
  double number = 0;
  const auto [rest, ec] =
    std::from_chars(out.value.data(), out.value.data() + out.value.size(), number);
  const bool good = ec == std::errc{} && rest == out.value.data() + out.value.size();
  return good || out.value == "+Inf" || out.value == "-Inf" || out.value == "NaN"
           ? std::optional(out)
           : std::nullopt;
}

class collection {
public:
  void take(std::string_view line) {
    if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) {
      const bool helps = line[2] == 'H';
      line.remove_prefix(7);
      const auto name = cut(line, ' ');
      if (name.empty() || name != name_at_front(name))
        return;
      auto& told = helps ? of(name).help : of(name).type;
      if (told.empty())
        told = line;
      return;
    }
    const auto s = parse_sample(line);
    if (s && seen_.insert(s->series).second)
      of(family_of(s->name)).samples.push_back(line);
  }

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto name : order_) {
      const auto& f = families_.at(name);
      if (f.samples.empty())
        continue;
      const auto help = f.help.empty() ? help_of(name) : std::string_view{f.help};
      if (!help.empty())
        out.append("# HELP ").append(name).append(" ").append(help).append("\n");
      const std::string_view type =
        !f.type.empty() ? std::string_view{f.type} : name.ends_with("_total") ? "counter" : "gauge";
      out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
      for (const auto line : f.samples)
        out.append(line).append("\n");
    }
    return out;
  }

private:
  family& of(std::string_view name) {
    const auto [at, is_new] = families_.try_emplace(name);
    if (is_new)
      order_.push_back(name);
    return at->second;
  }

  /// The samples of a histogram have names of their own.
  std::string_view family_of(std::string_view name) const {
    for (const std::string_view suffix : {"_bucket", "_sum", "_count"}) {
      if (!name.ends_with(suffix))
        continue;
      const auto stem = name.substr(0, name.size() - suffix.size());
      const auto found = families_.find(stem);
      if (found != families_.end()
          && (found->second.type == "histogram" || found->second.type == "summary"))
        return stem;
    }
    return name;
  }

  std::map<std::string_view, family> families_;
  std::vector<std::string_view> order_;
  std::set<std::string_view> seen_;
};

} // namespace

std::string exposition(std::string_view shares) {
  collection all;
  while (!shares.empty())
    all.take(cut(shares, '\n'));
  return all.text();
}

std::optional<double> figure(std::string_view shares, std::string_view name) {
  while (!shares.empty()) {
    const auto s = parse_sample(cut(shares, '\n'));
    double out = 0;
    if (s && s->series == name
        && std::from_chars(s->value.data(), s->value.data() + s->value.size(), out).ec
             == std::errc{})
      return out;
  }
  return std::nullopt;
}

} // namespace muster::actors::api
