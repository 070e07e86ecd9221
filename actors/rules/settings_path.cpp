#include "actors/rules/settings_path.hpp"

#include <algorithm>
#include <charconv>

namespace muster::rules {

namespace {

constexpr char digits[] = "0123456789abcdef";

bool is_bare(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f && c != '.' && c != '[' && c != ']' && c != '"' && c != '\\';
}

int hex_value(char c) noexcept {
  const auto at = std::string_view{digits, 16}.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

/// Reads a path from the left.
class path_reader {
public:
  path_reader(std::string_view text, std::string& problem) : rest_(text), problem_(problem) {}

  std::optional<std::vector<settings_step>> steps() {
    std::vector<settings_step> out;
    while (!rest_.empty()) {
      if (out.size() + 1 == settings_limits::depth_max)
        return fail("it is deeper than a document can be");
      settings_step next;
      const bool item = rest_.front() == '[';
      if (!item && !out.empty() && !take('.'))
        return fail("a '.' or '[' is missing between two steps");
      if (!(item ? index(next) : name(next)))
        return std::nullopt;
      out.push_back(std::move(next));
    }
    return out;
  }

private:
  std::nullopt_t fail(std::string_view why) {
    problem_ = why;
    return std::nullopt;
  }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c)
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool index(settings_step& out) {
    rest_.remove_prefix(1);
    const auto end = rest_.find(']');
    const auto number = rest_.substr(0, end);
    const auto [at, ec] = std::from_chars(number.data(), number.data() + number.size(), out.index);
    if (end == std::string_view::npos || ec != std::errc{} || at != number.data() + number.size()
        || (number.size() > 1 && number.front() == '0')) {
      fail("between '[' and ']' stands the number of an item");
      return false;
    }
    out.in_list = true;
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool name(settings_step& out) {
    const bool in_quotes = take('"');
    if (in_quotes && !quoted(out.name))
      return false;
    while (!in_quotes && !rest_.empty() && is_bare(rest_.front())) {
      out.name += rest_.front();
      rest_.remove_prefix(1);
    }
    if (!in_quotes && out.name.empty())
      fail("a name is missing, or has a character that must stand in quotes");
    else if (out.name.size() > settings_limits::name_bytes_max)
      fail("a name is longer than " + std::to_string(settings_limits::name_bytes_max) + " bytes");
    else if (!is_utf8(out.name))
      fail("a name is not UTF-8");
    else
      return true;
    return false;
  }

  bool quoted(std::string& out) {
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"')
        return true;
      if (c != '\\')
        out += c;
      else if (!escaped(out))
        return false;
    }
    fail("a name in quotes has no end");
    return false;
  }

  bool escaped(std::string& out) {
    const char c = rest_.empty() ? '\0' : rest_.front();
    if (c == '"' || c == '\\') {
      out += c;
    } else if (c == 'n' || c == 't') {
      out += c == 'n' ? '\n' : '\t';
    } else if (c == 'x' && rest_.size() > 2 && hex_value(rest_[1]) >= 0 && hex_value(rest_[2]) >= 0) {
      out += static_cast<char>(hex_value(rest_[1]) << 4 | hex_value(rest_[2]));
      rest_.remove_prefix(2);
    } else {
      fail(R"(after a backslash stands ", \, n, t or x with two hexadecimal digits)");
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
  std::string& problem_;
};

void append_name(std::string& out, std::string_view name) {
  if (!name.empty() && std::all_of(name.begin(), name.end(), is_bare)) {
    out += name;
    return;
  }
  out += '"';
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (c == '\n' || c == '\t')
      (out += '\\') += c == '\n' ? 'n' : 't';
    else if (byte < 0x20 || byte == 0x7f)
      ((out += "\\x") += digits[byte >> 4]) += digits[byte & 15];
    else
      out += c;
  }
  out += '"';
}

const settings_value* step_into(const settings_value& value, const settings_step& step) noexcept {
  if (!step.in_list)
    return value.find(step.name);
  const auto* items = value.as_list();
  return items != nullptr && step.index < items->size() ? &(*items)[step.index] : nullptr;
}

settings_value* step_into(settings_value& value, const settings_step& step) noexcept {
  return const_cast<settings_value*>(step_into(std::as_const(value), step));
}

} // namespace

std::optional<settings_path> settings_path::parse(std::string_view text, std::string& problem) {
  if (text.size() > text_bytes_max) {
    problem = "it is longer than " + std::to_string(text_bytes_max) + " bytes";
    return std::nullopt;
  }
  auto steps = path_reader{text, problem}.steps();
  return steps ? std::optional{settings_path{std::move(*steps)}} : std::nullopt;
}

std::string settings_path::text() const {
  std::string out;
  for (const auto& step : steps_) {
    if (step.in_list) {
      out += '[' + std::to_string(step.index) + ']';
      continue;
    }
    if (!out.empty())
      out += '.';
    append_name(out, step.name);
  }
  return out;
}

bool settings_path::enters_list() const noexcept {
  return std::any_of(steps_.begin(), steps_.end(), [](const auto& step) { return step.in_list; });
}

bool settings_path::covers(const settings_path& other) const noexcept {
  return steps_.size() <= other.steps_.size()
         && std::equal(steps_.begin(), steps_.end(), other.steps_.begin());
}

settings_path settings_path::below(std::string_view name) const {
  auto out = *this;
  out.steps_.push_back({std::string{name}, 0, false});
  return out;
}

settings_path settings_path::below(std::size_t index) const {
  auto out = *this;
  out.steps_.push_back({{}, static_cast<std::uint32_t>(index), true});
  return out;
}

const settings_value* value_at(const settings_value& document, const settings_path& path) noexcept {
  const auto* at = &document;
  for (const auto& step : path.steps())
    if ((at = step_into(*at, step)) == nullptr)
      return nullptr;
  return at;
}

bool set_at(settings_value& document, const settings_path& path, settings_value value,
            std::string& problem) {
  auto result = document;
  auto* at = &result;
  for (const auto& step : path.steps()) {
    auto* next = step_into(*at, step);
    if (next == nullptr && !step.in_list && at->is_map())
      next = &at->set(step.name, settings_value::empty_map());
    if (next == nullptr) {
      problem = step.in_list ? "there is no item " + std::to_string(step.index)
                             : "'" + step.name + "' would stand below " + std::string{name_of(at->kind())};
      return false;
    }
    at = next;
  }
  *at = std::move(value);
  problem = problem_with(result);
  if (!problem.empty())
    return false;
  document = std::move(result);
  return true;
}

bool erase_at(settings_value& document, const settings_path& path) {
  if (path.empty())
    return false;
  auto* at = &document;
  for (std::size_t i = 0; i + 1 < path.steps().size(); ++i)
    if ((at = step_into(*at, path.steps()[i])) == nullptr)
      return false;
  const auto& last = path.steps().back();
  if (!last.in_list)
    return at->erase(last.name);
  auto* items = at->as_list();
  if (items == nullptr || last.index >= items->size())
    return false;
  items->erase(items->begin() + static_cast<std::ptrdiff_t>(last.index));
  return true;
}

} // namespace muster::rules
