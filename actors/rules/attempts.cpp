#include "actors/rules/attempts.hpp"

#include <algorithm>
#include <string_view>

namespace muster::rules {

namespace {

/// Shared by all names beyond `names_max`; no caller's name begins with a zero byte.
const std::string everybody_else(1, '\0');

} // namespace

const std::string& attempt_budget::bucket_of(const std::string& name) const {
  return spent_until_.contains(name) || spent_until_.size() < limits_.names_max ? name
                                                                                : everybody_else;
}

std::chrono::microseconds attempt_budget::wait(const std::string& name, std::int64_t now_us) const {
  const auto found = spent_until_.find(bucket_of(name));
  if (found == spent_until_.end())
    return {};
  // One more attempt must fit into `burst` refills from now.
  const auto whole_us = static_cast<std::int64_t>(limits_.burst) * limits_.refill.count();
  const auto behind_us = found->second + limits_.refill.count() - (now_us + whole_us);
  return std::chrono::microseconds{std::max<std::int64_t>(behind_us, 0)};
}

std::chrono::microseconds attempt_budget::take(const std::string& name, std::int64_t now_us) {
  if (!spent_until_.contains(name) && spent_until_.size() >= limits_.names_max)
    forget_refilled(now_us);
  if (const auto time = wait(name, now_us); time.count() > 0)
    return time;
  auto& until = spent_until_[bucket_of(name)];
  until = std::max(until, now_us) + limits_.refill.count();
  return {};
}

void attempt_budget::forgive(const std::string& name) {
  spent_until_.erase(name);
}

void attempt_budget::forget_refilled(std::int64_t now_us) {
  std::erase_if(spent_until_, [&](const auto& entry) { return entry.second <= now_us; });
}

std::string source_of(const std::string& address) {
  const std::string_view text = address;
  if (text.find(':') == std::string_view::npos)
    return address;
  // Numeric IPv6: the first four groups. "::" stands for as many zeros as are missing.
  std::string out;
  std::string_view rest = text.substr(0, text.find('%'));
  const auto gap = rest.find("::");
  std::size_t groups = 0;
  const auto add = [&](std::string_view part) {
    while (groups < 4 && !part.empty()) {
      const auto end = part.find(':');
      const auto group = part.substr(0, end);
      out.append(group.empty() ? "0" : group).push_back(':');
      ++groups;
      part = end == std::string_view::npos ? std::string_view{} : part.substr(end + 1);
    }
  };
  add(rest.substr(0, gap));
  if (gap != std::string_view::npos && groups < 4) {
    const auto tail = rest.substr(gap + 2);
    const auto behind = tail.empty()
                          ? 0
                          : 1 + static_cast<std::size_t>(std::count(tail.begin(), tail.end(), ':'));
    const auto zeros = 8 - std::min<std::size_t>(8, groups + behind);
    for (std::size_t i = 0; i < zeros && groups < 4; ++i, ++groups)
      out += "0:";
    add(tail);
  }
  return out + "/64";
}

} // namespace muster::rules
