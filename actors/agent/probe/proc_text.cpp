#include "actors/agent/probe/proc_text.hpp"

#include "actors/agent/probe/text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace muster::actors::probe {

namespace {

constexpr std::uint64_t kernel_thread_flag = 0x00200000; // PF_KTHREAD

/// The words behind the name, which may itself hold anything.
struct stat_words {
  std::array<std::string_view, 22> word{}; ///< [0] is field 3 of proc(5)
  bool complete = false;
};

stat_words split_stat(std::string_view rest) {
  stat_words out;
  for (auto& word : out.word)
    word = take_word(rest);
  // The last word we read is whole only if something follows it.
  out.complete = !out.word.back().empty() && !rest.empty();
  return out;
}

bool is_interpreter(std::string_view name) {
  static constexpr std::array<std::string_view, 9> known{"python", "perl", "ruby", "node", "bash",
                                                         "dash",   "sh",   "php",  "lua"};
  return std::any_of(known.begin(), known.end(), [&](auto word) {
    // A version may follow: python3.11.
    return name.starts_with(word) &&
           name.find_first_not_of("0123456789.", word.size()) == std::string_view::npos;
  });
}

/// The script an interpreter was given, if that is a file which others can find.
std::string_view script_of(const std::vector<std::string_view>& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const auto argument = arguments[i];
    if (argument == "-c" || argument == "-e" || argument == "-m")
      return {}; // what follows is the program itself, or a module
    if (argument.starts_with('-'))
      continue;
    const bool lasting = argument.starts_with('/') && !argument.starts_with("/dev/") &&
                         !argument.starts_with("/proc/");
    return lasting ? argument : std::string_view{};
  }
  return {};
}

std::string_view last_part(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

} // namespace

std::optional<process_stat> parse_stat(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  const auto pid = number<std::int64_t>(text);
  const auto fields = split_stat(text.substr(close + 1));
  if (!pid || !fields.complete)
    return std::nullopt;
  const auto at = [&](std::size_t field) { // as proc(5) counts
    return number<std::uint64_t>(fields.word[field - 3]).value_or(0);
  };
  const auto signed_at = [&](std::size_t field) {
    return number<std::int64_t>(fields.word[field - 3]).value_or(0);
  };
  process_stat out;
  out.pid = *pid;
  out.name = clean(text.substr(open + 1, close - open - 1), 64);
  out.state = fields.word[0].front();
  out.parent = signed_at(4);
  out.session = signed_at(6);
  out.terminal = signed_at(7);
  out.kernel = (at(9) & kernel_thread_flag) != 0;
  out.cpu_ticks = at(14) + at(15);
  out.start_ticks = at(22);
  out.resident_pages = at(24);
  return out;
}

std::vector<std::string_view> parse_cmdline(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty() && out.size() < arguments_max) {
    const auto end = text.find('\0');
    out.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return out;
}

std::string program_file(std::string_view link, const std::vector<std::string_view>& arguments) {
  constexpr std::string_view deleted{" (deleted)"}; // replaced by an upgrade while it runs
  if (link.ends_with(deleted))
    link.remove_suffix(deleted.size());
  if (link.empty() && !arguments.empty() && arguments.front().starts_with('/'))
    link = arguments.front();
  if (is_interpreter(last_part(link)))
    if (const auto script = script_of(arguments); !script.empty())
      return clean(script, 1024);
  return clean(link, 1024);
}

std::string program_name(std::string_view file, std::string_view kernel_name) {
  const auto name = last_part(file);
  return clean(name.empty() ? kernel_name : name, 128);
}

std::uint64_t memory_class_kb(std::uint64_t kb) {
  constexpr auto top = std::uint64_t{1} << 63;
  return kb == 0 ? 0 : kb > top ? top : std::bit_ceil(kb);
}

std::uint32_t cpu_class_permille(std::uint64_t cpu_ms, std::uint64_t alive_ms) {
  if (alive_ms == 0)
    return 0;
  const auto bounded = std::min(cpu_ms, std::numeric_limits<std::uint64_t>::max() / 1000);
  const auto share = bounded * 1000 / alive_ms;
  std::uint32_t out = 0;
  for (std::uint32_t step = 1; step <= share && step <= 1'000'000; step *= 10)
    out = step;
  return out;
}

std::uint32_t count_processes(std::string_view text) {
  std::uint32_t out = 0;
  std::string_view line;
  while (take_line(text, line))
    if (number<std::int64_t>(line))
      ++out;
  return out;
}

} // namespace muster::actors::probe
