#include "apps/console/completion.hpp"

#include "apps/console/console.hpp"

#include <algorithm>
#include <vector>

namespace muster::console {

namespace {

struct word {
  std::string text;
  std::string help;
};

/// One command and what may stand behind it.
struct node {
  std::vector<std::string> path; ///< {"device", "rm"}; empty for the program
  std::vector<word> words;
};

std::vector<const CLI::App*> below(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App*) { return true; });
}

void add_options(const CLI::App& command, std::vector<word>& words) {
  for (const auto* option : command.get_options())
    for (const auto& name : option->get_lnames())
      words.push_back({"--" + name, option->get_description()});
}

void collect(const CLI::App& program, const CLI::App& command, std::vector<std::string> path,
             std::vector<node>& nodes) {
  node n;
  n.path = path;
  for (const auto* sub : below(command))
    n.words.push_back({sub->get_name(), sub->get_description()});
  add_options(command, n.words);
  if (&program != &command)
    for (const auto* name : {"--json", "--utc"})
      n.words.push_back({name, program.get_option(name)->get_description()});
  nodes.push_back(std::move(n));
  for (const auto* sub : below(command)) {
    path.push_back(sub->get_name());
    collect(program, *sub, path, nodes);
    path.pop_back();
  }
}

std::string joined(const std::vector<std::string>& path, const std::string& divider) {
  std::string text = "muster";
  for (const auto& part : path)
    text += divider + part;
  return text;
}

/// Inside single quotes of a shell.
std::string in_single_quotes(std::string text) {
  for (std::size_t at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 4))
    text.replace(at, 1, "'\\''");
  return "'" + text + "'";
}

std::string for_bash(const std::vector<node>& nodes) {
  std::string known;
  std::string cases;
  for (const auto& n : nodes) {
    known += " " + joined(n.path, "/");
    std::string words;
    for (const auto& w : n.words)
      words += (words.empty() ? "" : " ") + w.text;
    cases += "    " + joined(n.path, "/") + ") choices=\"" + words + "\" ;;\n";
  }
  return "# Completion of muster for bash: source <(muster completion bash)\n"
         "_muster() {\n"
         "  local at=muster word i choices=\"\"\n"
         "  local known=\"" +
         known +
         " \"\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    [[ $known == *\" $at/$word \"* ]] && at=$at/$word\n"
         "  done\n"
         "  case $at in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$choices\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -o default -F _muster muster\n";
}

std::string for_zsh(const std::vector<node>& nodes) {
  std::string known;
  std::string cases;
  for (const auto& n : nodes) {
    if (!n.path.empty())
      known += (known.empty() ? "" : "|") + joined(n.path, "/");
    std::string words;
    for (const auto& w : n.words) {
      auto help = w.help;
      std::replace(help.begin(), help.end(), ':', ',');
      words += "\n        " + in_single_quotes(w.text + ":" + help);
    }
    cases += "    " + joined(n.path, "/") + ") choices=(" + words + ") ;;\n";
  }
  return "#compdef muster\n"
         "# Completion of muster for zsh: source <(muster completion zsh)\n"
         "_muster() {\n"
         "  local at=muster word\n"
         "  local -a choices\n"
         "  for word in ${words[2,CURRENT-1]}; do\n"
         "    case $at/$word in\n"
         "      " +
         known +
         ") at=$at/$word ;;\n"
         "    esac\n"
         "  done\n"
         "  case $at in\n" +
         cases +
         "  esac\n"
         "  _describe 'muster' choices\n"
         "}\n"
         "if [[ $funcstack[1] == _muster ]]; then _muster \"$@\"; else compdef _muster muster; "
         "fi\n";
}

std::string for_fish(const std::vector<node>& nodes) {
  std::string text = "# Completion of muster for fish: muster completion fish | source\n"
                     "complete -c muster -f\n";
  for (const auto& n : nodes) {
    std::string when = "__fish_use_subcommand";
    if (!n.path.empty()) {
      when.clear();
      for (const auto& part : n.path)
        when += (when.empty() ? "" : "; and ") + std::string("__fish_seen_subcommand_from ") + part;
      for (const auto& w : n.words)
        if (!w.text.starts_with("--"))
          when += "; and not __fish_seen_subcommand_from " + w.text;
    }
    for (const auto& w : n.words) {
      const bool option = w.text.starts_with("--");
      text += "complete -c muster -n " + in_single_quotes(when) + (option ? " -l " : " -a ") +
              (option ? w.text.substr(2) : w.text) + " -d " + in_single_quotes(w.help) + "\n";
    }
  }
  return text;
}

} // namespace

std::optional<std::string> completion_script(const CLI::App& program, std::string_view shell) {
  std::vector<node> nodes;
  collect(program, program, {}, nodes);
  if (shell == "bash")
    return for_bash(nodes);
  if (shell == "zsh")
    return for_zsh(nodes);
  if (shell == "fish")
    return for_fish(nodes);
  return std::nullopt;
}

void add_completion_command(CLI::App& app, console& c) {
  auto* completion = app.add_subcommand("completion", "a completion script for your shell");
  auto shell = std::make_shared<std::string>();
  completion->add_option("shell", *shell, "bash, zsh or fish")
    ->type_name("SHELL")
    ->required()
    ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&app, &c, shell] {
    c.choose([&app, &c, shell] {
      c.out(completion_script(app, *shell).value_or(std::string{}));
      return exit_fine;
    });
  });
}

} // namespace muster::console
