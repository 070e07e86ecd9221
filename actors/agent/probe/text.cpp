#include "actors/agent/probe/text.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace muster::actors::probe {

std::string read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    return {};
  std::string out;
  char part[16 * 1024];
  while (out.size() < bytes_max) {
    const auto n = ::read(file, part, std::min(sizeof part, bytes_max - out.size()));
    if (n <= 0)
      break;
    out.append(part, static_cast<std::size_t>(n));
  }
  ::close(file);
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks{" \t\r\n\0", 5};
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

bool take_line(std::string_view& rest, std::string_view& line) {
  if (rest.empty())
    return false;
  const auto end = rest.find('\n');
  line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return true;
}

std::string_view take_word(std::string_view& rest) {
  const auto begin = rest.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    rest = {};
    return {};
  }
  rest.remove_prefix(begin);
  const auto end = rest.find_first_of(" \t");
  const auto word = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  return word;
}

namespace {

/// Length of the UTF-8 character at the front; 0 when there is none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  if (first < 0x80)
    return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length)
    return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80)
      return 0;
  const auto second = byte(1);
  // No overlong forms, no surrogates, nothing above U+10FFFF.
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
    return 0;
  return length;
}

} // namespace

std::string clean(std::string_view text, std::size_t bytes_max) {
  std::string out;
  while (!text.empty()) {
    const auto length = character_bytes(text);
    const auto wanted = length == 0 ? 1 : length;
    if (out.size() + wanted > bytes_max)
      break;
    if (length == 0)
      out.push_back('?');
    else
      out.append(text.substr(0, length));
    text.remove_prefix(wanted);
  }
  return out;
}

} // namespace muster::actors::probe
