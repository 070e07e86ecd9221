#include "apps/common/command_line.hpp"

#include "apps/common/closest.hpp"
#include "apps/common/exit_codes.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <vector>

namespace muster {

namespace {

/// The command that was being parsed: the deepest one named.
const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* at = &app;
  for (auto below = at->get_subcommands(); !below.empty(); below = at->get_subcommands())
    at = below.back();
  return *at;
}

std::string full_name(const CLI::App& command) {
  const auto* parent = command.get_parent();
  const auto name = command.get_name();
  return parent == nullptr ? name : full_name(*parent) + " " + name;
}

std::vector<std::string> words_of(const CLI::App& command) {
  std::vector<std::string> words;
  for (const auto* below : command.get_subcommands([](const CLI::App*) { return true; }))
    words.push_back(below->get_name());
  for (const auto* at = &command; at != nullptr; at = at->get_parent())
    for (const auto* option : at->get_options())
      for (const auto& name : option->get_lnames())
        words.push_back("--" + name);
  return words;
}

std::string unexpected(const CLI::App& command, std::string word) {
  word = word.substr(0, word.find('='));
  const bool is_option = word.starts_with('-');
  const bool has_commands = !command.get_subcommands([](const CLI::App*) { return true; }).empty();
  const std::string what = is_option      ? "unknown option"
                           : has_commands ? "unknown command"
                                          : "one word too many:";
  return what + " '" + word + "'" + did_you_mean(word, words_of(command));
}

} // namespace

std::string usage_problem(const CLI::App& app, const CLI::ParseError& why) {
  const auto& command = innermost(app);
  // Words that a command does not know fall through to the one above it.
  const auto extras = app.remaining(true);
  std::string text = why.what();
  const bool is_extra = why.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
  const bool lacks_command =
    why.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) &&
    command.get_require_subcommand_min() > 0 && command.get_subcommands().empty();
  if ((is_extra || lacks_command) && !extras.empty())
    text = unexpected(command, extras.front());
  else if (lacks_command)
    text = "which command?";
  else if (text.ends_with(" is required"))
    text.replace(text.size() - std::string_view{"required"}.size(), std::string::npos, "missing");
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text + " (see " + full_name(command) + " --help)";
}

int print_asked(const CLI::App& app, const CLI::ParseError& end,
                const std::function<void(const std::string&)>& print) {
  std::ostringstream text;
  const int code = app.exit(end, text, text);
  print(text.str());
  return code;
}

std::optional<int> parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  // Without the path it was called by, which would stand in every message.
  if (app.get_name().empty() && argc > 0)
    app.name(std::filesystem::path(argv[0]).filename().string());
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& end) {
    // Help and version come as errors without a cause.
    if (end.get_exit_code() == 0)
      return app.exit(end);
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), usage_problem(app, end).c_str());
    return exit_usage;
  }
}

} // namespace muster
