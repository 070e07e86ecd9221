#include "actors/rules/device_filter.hpp"

#include <algorithm>

namespace muster::rules {

namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

/// Cuts the part before the next `divider` off `rest`.
std::string_view cut(std::string_view& rest, char divider) {
  const auto at = rest.find(divider);
  const auto part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
  return part;
}

} // namespace

bool glob_matches(std::string_view pattern, std::string_view text) noexcept {
  std::size_t p = 0;
  std::size_t t = 0;
  auto star = std::string_view::npos; // where to go back to, and how much it has eaten
  std::size_t eaten = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      eaten = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == lower(text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++eaten;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

bool group_matches(std::string_view pattern, std::string_view path) noexcept {
  if (pattern.empty() || glob_matches(pattern, path))
    return true;
  for (auto at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1))
    if (glob_matches(pattern, path.substr(0, at)))
      return true;
  return false;
}

std::optional<device_filter> device_filter::parse(std::string_view target, std::string& problem) {
  if (target.size() > target_bytes_max) {
    problem = "the target is longer than " + std::to_string(target_bytes_max) + " bytes";
    return std::nullopt;
  }
  device_filter out;
  while (!target.empty()) {
    const auto text = cut(target, ' ');
    if (text.empty())
      continue;
    if (!out.add_term(text, problem))
      return std::nullopt;
    (out.text_ += out.text_.empty() ? "" : " ") += text;
  }
  return out;
}

bool device_filter::add_term(std::string_view text, std::string& problem) {
  alternative prefix;
  const auto colon = text.find(':');
  if (colon != std::string_view::npos) {
    const auto name = text.substr(0, colon);
    if (name == "os") {
      prefix.what = trait::os;
    } else if (name == "state") {
      prefix.what = trait::state;
    } else if (name == "status") {
      prefix.what = trait::status;
    } else if (name == "keep") {
      prefix.what = trait::keep;
    } else if (name == "id") {
      prefix.what = trait::id;
    } else if (name == "group") {
      prefix.what = trait::group;
    } else if (name == "tag") {
      prefix.what = trait::tag;
    } else {
      problem = "'" + std::string{name} + ":' is no kind of target; there are os:, state:, "
                + "status:, keep:, id:, group: and tag:, and names without a prefix";
      return false;
    }
    text.remove_prefix(colon + 1);
  }
  term alternatives;
  const bool ends_open = text.ends_with(',');
  do {
    auto a = prefix;
    a.pattern = lower(cut(text, ','));
    if (a.pattern.empty() || ends_open) {
      problem = "a target has nothing where a name or a word should be";
      return false;
    }
    if (!read_word(a, problem))
      return false;
    alternatives.push_back(std::move(a));
  } while (!text.empty() && alternatives.size() <= alternatives_max);
  std::size_t all = alternatives.size();
  for (const auto& t : terms_)
    all += t.size();
  if (all > alternatives_max) {
    problem = "a target names at most " + std::to_string(alternatives_max) + " things";
    return false;
  }
  terms_.push_back(std::move(alternatives));
  return true;
}

bool device_filter::read_word(alternative& a, std::string& problem) {
  if (a.what == trait::state) {
    const auto state = device_state_of(a.pattern);
    if (state)
      a.state = *state;
    else
      problem = "'" + a.pattern + "' is no state; there are connected, idle, silent, never, "
                + "revoked, unknown and off";
    return state.has_value();
  }
  if (a.what == trait::status) {
    const auto status = device_status_of(a.pattern);
    if (status)
      a.status = *status;
    else
      problem = "'" + a.pattern + "' is no status; there are ok, warning and critical";
    return status.has_value();
  }
  if (a.what == trait::group) {
    while (a.pattern.starts_with('/'))
      a.pattern.erase(0, 1);
    while (a.pattern.ends_with('/'))
      a.pattern.pop_back();
  }
  if (a.what == trait::keep) {
    a.keep = a.pattern == "on";
    if (!a.keep && a.pattern != "off") {
      problem = "'" + a.pattern + "' is neither on nor off";
      return false;
    }
  }
  return true;
}

bool device_filter::holds(const alternative& a, const device_traits& device) {
  switch (a.what) {
    case trait::name: return glob_matches(a.pattern, device.name);
    case trait::os:
      return glob_matches(a.pattern, device.os_id) || glob_matches(a.pattern, device.os_name);
    case trait::state: return device.state == a.state;
    case trait::status: return device.status == a.status;
    case trait::keep: return device.keep == a.keep;
    case trait::id: return glob_matches(a.pattern, device.device.text());
    case trait::group: return group_matches(a.pattern, device.group);
    case trait::tag:
      return std::any_of(device.tags.begin(), device.tags.end(),
                         [&](std::string_view tag) { return glob_matches(a.pattern, tag); });
  }
  return false;
}

filter_kinds device_filter::kinds() const noexcept {
  filter_kinds out;
  for (const auto& t : terms_)
    for (const auto& a : t)
      switch (a.what) {
        case trait::name: out.name = true; break;
        case trait::os: out.os = true; break;
        case trait::state: out.state = true; break;
        case trait::status: out.status = true; break;
        case trait::keep: out.keep = true; break;
        case trait::id: out.id = true; break;
        case trait::group: out.group = true; break;
        case trait::tag: out.tag = true; break;
      }
  return out;
}

bool device_filter::matches(const device_traits& device) const {
  return std::all_of(terms_.begin(), terms_.end(), [&](const term& t) {
    return std::any_of(t.begin(), t.end(),
                       [&](const alternative& a) { return holds(a, device); });
  });
}

} // namespace muster::rules
