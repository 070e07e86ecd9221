#include "actors/rules/settings_json.hpp"
#include "actors/rules/settings_yaml.hpp"

#include <algorithm>

namespace muster::rules {

namespace {

/// Characters that some reader takes for a line's end or drops: they are written by number.
bool needs_number(std::string_view rest, std::size_t& bytes) noexcept {
  const auto byte = [&](std::size_t i) {
    return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U;
  };
  bytes = 2;
  if (byte(0) == 0xc2 && byte(1) < 0xa0) // U+0080 to U+009F
    return true;
  bytes = 3;
  return (byte(0) == 0xe2 && byte(1) == 0x80 && (byte(2) == 0xa8 || byte(2) == 0xa9)) ||
         (byte(0) == 0xef && byte(1) == 0xbb && byte(2) == 0xbf);
}

bool has_numbered(std::string_view text) noexcept {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (needs_number(text.substr(i), bytes))
      return true;
  return false;
}

std::string in_quotes(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t bytes = 0;
    const auto c = static_cast<unsigned char>(text[i]);
    if (needs_number(text.substr(i), bytes)) {
      unsigned point = bytes == 2 ? c & 0x1fU : c & 0x0fU;
      for (std::size_t k = 1; k < bytes; ++k)
        point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4)
        out += digits[point >> shift & 15];
      i += bytes - 1;
    } else if (c == '"' || c == '\\') {
      (out += '\\') += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      ((out += "\\x") += digits[c >> 4]) += digits[c & 15];
    } else {
      out += static_cast<char>(c);
    }
  }
  return out + '"';
}

/// Whether it can stand without quotes and is still a text. Stricter than YAML is.
bool is_plain(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"_./@%+=-"}.find(c) != std::string_view::npos;
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), good) ||
      std::string_view{"@%-=."}.find(text.front()) != std::string_view::npos)
    return false;
  const auto meaning = plain_scalar(text);
  // Words that older readers take for true and false go into quotes for their sake.
  static constexpr std::string_view old_words[] = {"y", "n", "yes", "no", "on", "off"};
  std::string lower{text};
  for (auto& c : lower)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return meaning && meaning->as_text() != nullptr &&
         std::find(std::begin(old_words), std::end(old_words), lower) == std::end(old_words);
}

/// Lines of visible characters, ended by exactly one newline: a block with `|`.
bool is_block(std::string_view text) {
  if (text.size() < 2 || text.back() != '\n' || text[text.size() - 2] == '\n' ||
      text.front() == ' ' || text.front() == '\n' || text.find('\n') + 1 == text.size() ||
      has_numbered(text))
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

/// Readers look no further than 1024 characters for the colon behind a name that has no `?` in front.
constexpr std::size_t short_name_bytes_max = 1000;

class writer {
public:
  /// What stands behind "name:" or "-", with the space or line before it.
  void write_value(const settings_value& value, std::size_t indent) {
    const auto* entries = value.as_map();
    const auto* items = value.as_list();
    const auto* text = value.as_text();
    if (entries != nullptr && !entries->empty()) {
      out_ += '\n';
      write_map(*entries, indent, true);
    } else if (items != nullptr && !items->empty()) {
      out_ += '\n';
      write_list(*items, indent, true);
    } else if (text != nullptr && is_block(*text)) {
      out_ += " |\n";
      write_block(*text, indent);
    } else {
      (out_ += ' ') += scalar(value);
      out_ += '\n';
    }
  }

  void write_map(const settings_value::map& entries, std::size_t indent, bool indent_first) {
    for (const auto& entry : entries) {
      if (indent_first)
        out_.append(indent, ' ');
      indent_first = true;
      const auto name = is_plain(entry.name) ? entry.name : in_quotes(entry.name);
      if (name.size() > short_name_bytes_max)
        ((out_ += "? ") += name).append("\n").append(indent, ' ');
      else
        out_ += name;
      out_ += ':';
      write_value(entry.value, indent + 2);
    }
  }

  void write_list(const settings_value::list& items, std::size_t indent, bool indent_first) {
    for (const auto& item : items) {
      if (indent_first)
        out_.append(indent, ' ');
      indent_first = true;
      out_ += '-';
      const auto* entries = item.as_map();
      const auto* inner = item.as_list();
      if (entries != nullptr && !entries->empty()) {
        out_ += ' ';
        write_map(*entries, indent + 2, false);
      } else if (inner != nullptr && !inner->empty()) {
        out_ += ' ';
        write_list(*inner, indent + 2, false);
      } else {
        write_value(item, indent + 2);
      }
    }
  }

  void write_block(std::string_view text, std::size_t indent) {
    while (!text.empty()) {
      const auto end = text.find('\n');
      if (end > 0)
        out_.append(indent, ' ').append(text.substr(0, end));
      out_ += '\n';
      text.remove_prefix(end + 1);
    }
  }

  static std::string scalar(const settings_value& value) {
    const auto* text = value.as_text();
    if (text != nullptr)
      return is_plain(*text) ? *text : in_quotes(*text);
    return to_json(value); // null, true, numbers, {} and [] look the same
  }

  std::string out_;
};

} // namespace

std::string to_yaml(const settings_value& value) {
  writer out;
  const auto* entries = value.as_map();
  const auto* items = value.as_list();
  if (entries != nullptr && !entries->empty())
    out.write_map(*entries, 0, true);
  else if (items != nullptr && !items->empty())
    out.write_list(*items, 0, true);
  else
    out.out_ = writer::scalar(value) + "\n";
  return std::move(out.out_);
}

} // namespace muster::rules
