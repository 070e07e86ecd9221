#include "net/http_target.hpp"

namespace muster::net::http {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/// Escapes resolved, and with `plus_is_space` what forms make of a space. No control characters
/// come out of it.
bool decode(std::string_view in, bool plus_is_space, std::string& out) {
  out.clear();
  while (!in.empty()) {
    auto c = in.front();
    std::size_t used = 1;
    if (c == '%') {
      if (in.size() < 3 || hex_value(in[1]) < 0 || hex_value(in[2]) < 0)
        return false;
      c = static_cast<char>(hex_value(in[1]) * 16 + hex_value(in[2]));
      used = 3;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return false;
    out += c;
    in.remove_prefix(used);
  }
  return true;
}

bool climbs(std::string_view path) {
  while (!path.empty()) {
    const auto segment = path.substr(0, path.find('/'));
    if (segment == "..")
      return true;
    path.remove_prefix(segment.size() == path.size() ? path.size() : segment.size() + 1);
  }
  return false;
}

bool split_query(std::string_view text, std::multimap<std::string, std::string>& query) {
  while (!text.empty()) {
    const auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(pair.size() == text.size() ? text.size() : pair.size() + 1);
    if (pair.empty())
      continue;
    const auto name = pair.substr(0, pair.find('='));
    const auto value =
      name.size() == pair.size() ? std::string_view{} : pair.substr(name.size() + 1);
    std::string plain_name;
    std::string plain_value;
    if (!decode(name, true, plain_name) || !decode(value, true, plain_value))
      return false;
    query.emplace(std::move(plain_name), std::move(plain_value));
  }
  return true;
}

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append_escaped(std::string& out, std::string_view text, std::string_view also_plain) {
  constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (plain(c) || also_plain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
}

} // namespace

bool split_target(std::string_view target, std::string& path,
                  std::multimap<std::string, std::string>& query) {
  const auto path_part = target.substr(0, target.find('?'));
  if (!path_part.starts_with('/') || path_part.find('#') != std::string_view::npos)
    return false;
  if (!decode(path_part, false, path) || climbs(path))
    return false;
  return path_part.size() == target.size() ||
         split_query(target.substr(path_part.size() + 1), query);
}

std::string join_target(std::string_view path,
                        const std::multimap<std::string, std::string>& query) {
  std::string result;
  append_escaped(result, path, "/:@");
  char separator = '?';
  for (const auto& [name, value] : query) {
    result += separator;
    append_escaped(result, name, {});
    result += '=';
    append_escaped(result, value, {});
    separator = '&';
  }
  return result;
}

} // namespace muster::net::http
