#include "apps/common/settings_table.hpp"

#include "apps/common/quantities.hpp"

#include <muster/assert.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

namespace muster::config {

namespace {

std::string default_flag(std::string_view key) {
  std::string flag = "--";
  for (const char c : key)
    flag += c == '.' || c == '_' ? '-' : c;
  return flag;
}

template <class T>
const T* get(const raw_value& value) {
  return std::get_if<T>(&value);
}

bool numeric_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return ::inet_pton(AF_INET, text.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), ignored.data()) == 1;
}

std::string list_of(const std::vector<std::string>& words) {
  std::string text = "one of ";
  for (std::size_t index = 0; index < words.size(); ++index) {
    if (index > 0)
      text += index + 1 == words.size() ? " or " : ", ";
    text += in_quotes(words[index]);
  }
  return text;
}

} // namespace

setting& table::add(setting s) {
  MUSTER_ASSERT(find(s.key) == nullptr, "a setting is declared once");
  s.flag = default_flag(s.key);
  s.default_text = s.show();
  return settings_.emplace_back(std::move(s));
}

setting& table::add_number(std::string key, std::string help, bounds allowed,
                           std::function<void(std::int64_t)> put,
                           std::function<std::int64_t()> get_number) {
  const auto default_number = get_number();
  MUSTER_ASSERT(default_number >= allowed.min && default_number <= allowed.max,
                "a default is within its bounds");
  setting s;
  s.key = std::move(key);
  s.help = std::move(help);
  s.in_file = form::number;
  s.kind = "a whole number from " + std::to_string(allowed.min);
  if (allowed.max != std::numeric_limits<std::int64_t>::max())
    s.kind += " to " + std::to_string(allowed.max);
  else
    s.kind += " up";
  s.assign = [allowed, put = std::move(put)](const raw_value& value) {
    const auto* number = get<std::int64_t>(value);
    if (number == nullptr || *number < allowed.min || *number > allowed.max)
      return false;
    put(*number);
    return true;
  };
  s.show = [get_number = std::move(get_number)] { return std::to_string(get_number()); };
  return add(std::move(s));
}

setting& table::add_text(std::string key, std::string help, std::string kind,
                         std::function<bool(const std::string&)> put,
                         std::function<std::string()> get_text) {
  setting s;
  s.key = std::move(key);
  s.help = std::move(help);
  s.kind = std::move(kind);
  s.assign = [put = std::move(put)](const raw_value& value) {
    const auto* text = get<std::string>(value);
    // No path, name or address has one, and C interfaces would cut it there.
    return text != nullptr && text->find('\0') == std::string::npos && put(*text);
  };
  s.show = [get_text = std::move(get_text)] { return in_quotes(get_text()); };
  return add(std::move(s));
}

setting& table::port(std::string key, std::uint16_t& target, std::string help, bool any_allowed) {
  return number(std::move(key), target, {any_allowed ? 0 : 1, 65535}, std::move(help));
}

setting& table::boolean(std::string key, bool& target, std::string help) {
  setting s;
  s.key = std::move(key);
  s.help = std::move(help);
  s.in_file = form::boolean;
  s.kind = "true or false";
  s.assign = [&target](const raw_value& value) {
    const auto* flag = get<bool>(value);
    if (flag != nullptr)
      target = *flag;
    return flag != nullptr;
  };
  s.show = [&target] { return std::string(target ? "true" : "false"); };
  return add(std::move(s));
}

setting& table::duration(std::string key, std::chrono::milliseconds& target,
                         duration_bounds allowed, std::string help) {
  MUSTER_ASSERT(target >= allowed.min && target <= allowed.max, "a default is within its bounds");
  return add_text(
    std::move(key), std::move(help),
    "a duration from " + in_quotes(format_duration(allowed.min)) + " to " +
      in_quotes(format_duration(allowed.max)),
    [&target, allowed](const std::string& text) {
      const auto d = parse_duration(text);
      if (!d || *d < allowed.min || *d > allowed.max)
        return false;
      target = *d;
      return true;
    },
    [&target] { return format_duration(target); });
}

setting& table::size(std::string key, std::uint64_t& target, size_bounds allowed,
                     std::string help) {
  MUSTER_ASSERT(target >= allowed.min && target <= allowed.max, "a default is within its bounds");
  std::string kind = "a size such as \"64MB\"";
  if (allowed.min > 0)
    kind += ", at least " + in_quotes(format_size(allowed.min));
  if (allowed.max < size_bounds{}.max)
    kind += ", at most " + in_quotes(format_size(allowed.max));
  return add_text(
    std::move(key), std::move(help), std::move(kind),
    [&target, allowed](const std::string& text) {
      const auto bytes = parse_size(text);
      if (!bytes || *bytes < allowed.min || *bytes > allowed.max)
        return false;
      target = *bytes;
      return true;
    },
    [&target] { return format_size(target); });
}

setting& table::path(std::string key, std::filesystem::path& target, std::string help) {
  return add_text(
    std::move(key), std::move(help), "a path",
    [&target](const std::string& text) {
      target = text;
      return true;
    },
    [&target] { return target.string(); });
}

setting& table::text(std::string key, std::string& target, std::string help) {
  return text(
    std::move(key), target, "a text", [](const std::string&) { return true; }, std::move(help));
}

setting& table::text(std::string key, std::string& target, std::string kind,
                     std::function<bool(const std::string&)> good, std::string help) {
  return add_text(
    std::move(key), std::move(help), std::move(kind),
    [&target, good = std::move(good)](const std::string& value) {
      if (!good(value))
        return false;
      target = value;
      return true;
    },
    [&target] { return target; });
}

setting& table::address(std::string key, std::string& target, std::string help) {
  return text(std::move(key), target, "a numeric address such as \"0.0.0.0\" or \"::\"",
              numeric_address, std::move(help));
}

setting& table::choice(std::string key, std::string& target, std::vector<std::string> words,
                       std::string help) {
  const auto is_word = [words](const std::string& value) {
    return std::find(words.begin(), words.end(), value) != words.end();
  };
  MUSTER_ASSERT(is_word(target), "a default is one of the words");
  auto kind = list_of(words);
  auto& s = text(std::move(key), target, std::move(kind), is_word, std::move(help));
  s.words = std::move(words);
  return s;
}

setting* table::find(std::string_view key) {
  const auto found =
    std::find_if(settings_.begin(), settings_.end(), [&](const auto& s) { return s.key == key; });
  return found == settings_.end() ? nullptr : &*found;
}

std::vector<std::string> table::keys() const {
  std::vector<std::string> all_keys;
  for (const auto& s : settings_)
    all_keys.push_back(s.key);
  return all_keys;
}

bool table::is_section(std::string_view key) const {
  return std::any_of(settings_.begin(), settings_.end(), [&](const auto& s) {
    return s.key.size() > key.size() && s.key.starts_with(key) && s.key[key.size()] == '.';
  });
}

} // namespace muster::config
