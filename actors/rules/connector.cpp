#include "actors/rules/connector.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <functional>

namespace muster::rules {

namespace {

bool is_path(std::string_view text) noexcept {
  if (!text.starts_with('/') || text.ends_with('/') ||
      text.size() > connector_limits::text_bytes_max || text.find("//") != std::string_view::npos)
    return false;
  const auto whole = std::string{text} + "/";
  return whole.find("/../") == std::string::npos && whole.find("/./") == std::string::npos &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_word(std::string_view text, std::string_view extra) noexcept {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
}

/// The library's words, on one line.
std::string one_line(std::string_view text) {
  std::string out{text.substr(0, 200)};
  for (auto& c : out)
    c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return out;
}

class connector_reader {
public:
  connector_reader(std::string_view file, connector& out) : file_(file), out_(out) {}

  void read(const toml::table& top) {
    line_ = 1;
    table(top, "",
          [this](std::string_view key, const toml::node& node) { return top_key(key, node); });
    line_ = 0;
    if (out_.name.empty() && problems_.empty())
      fail("'name' is missing: the application's name in policies");
    if (out_.file.empty() && problems_.empty())
      fail("'file' is missing in [settings]: the file that the daemon reads");
    finish();
  }

  void syntax(std::size_t line, std::string_view what) {
    line_ = line;
    fail(one_line(what));
  }

  std::vector<std::string> problems() {
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    std::vector<std::string> out;
    for (const auto& p : problems_) {
      if (out.size() == connector_limits::problems_max) {
        out.push_back(file_ + ": and " + std::to_string(problems_.size() - out.size()) + " more");
        break;
      }
      out.push_back(file_ + (p.line == 0 ? "" : ":" + std::to_string(p.line)) + ": " + p.what);
    }
    return out;
  }

private:
  using handler = std::function<bool(std::string_view, const toml::node&)>;

  void fail(std::string what) { problems_.push_back({line_, std::move(what)}); }

  static std::size_t line_of(const toml::key& key, const toml::node& node) {
    const auto line = key.source().begin.line;
    return line != 0 ? line : node.source().begin.line;
  }

  /// Calls the handler for each key; it says whether it knows it.
  void table(const toml::table& from, std::string_view section, const handler& handle) {
    const auto before = line_;
    for (const auto& [key, node] : from) {
      line_ = line_of(key, node);
      if (!handle(key.str(), node))
        fail("unknown setting '" + one_line(key.str()) + "'" +
             (section.empty() ? "" : " in [" + std::string{section} + "]"));
    }
    line_ = before;
  }

  bool section(const toml::node& node, std::string_view name, const handler& handle) {
    if (const auto* below = node.as_table())
      table(*below, name, handle);
    else
      fail("'" + std::string{name} + "' is a section: write [" + std::string{name} + "]");
    return true;
  }

  bool top_key(std::string_view key, const toml::node& node) {
    if (key == "name")
      return text(key, node, out_.name, application_name_problem);
    if (key == "title")
      return text(key, node, out_.title, [](std::string_view t) {
        return std::string{t.size() <= 200 ? "" : "is longer than 200 bytes"};
      });
    if (key == "detect")
      return section(node, key, [this](auto k, const auto& n) { return detect_key(k, n); });
    if (key == "settings")
      return section(node, key, [this](auto k, const auto& n) { return settings_key(k, n); });
    if (key == "commands")
      return section(node, key, [this](auto k, const auto& n) { return command_key(k, n); });
    if (key != "defaults")
      return false;
    return section(node, key, [this](auto k, const auto& n) {
      if (auto value = value_of(n, 2); value && k.size() <= settings_limits::name_bytes_max)
        out_.defaults.set(k, std::move(*value));
      else
        fail("a default is a text, number, true or false, list or map of these, not too deep");
      return true;
    });
  }

  bool detect_key(std::string_view key, const toml::node& node) {
    if (key == "packages")
      return texts(key, node, out_.packages, [](std::string_view t) {
        return std::string{is_word(t, "+-.:") ? "" : "is no name of a package"};
      });
    return key == "files" && texts(key, node, out_.files, path_problem);
  }

  bool settings_key(std::string_view key, const toml::node& node) {
    const auto user = [](std::string_view t) {
      return std::string{is_word(t, "_-.$") ? "" : "is no name of a user or group"};
    };
    if (key == "file")
      return text(key, node, out_.file, path_problem);
    if (key == "format")
      return text(key, node, format_, [this](std::string_view t) {
        const auto format = settings_format_of(t);
        out_.style.format = format.value_or(settings_format::json);
        return std::string{format ? "" : "is none of json, yaml, ini, lines and template"};
      });
    if (key == "booleans")
      return text(key, node, booleans_, [this](std::string_view t) {
        const auto words = flag_words_of(t);
        out_.style.flags = words.value_or(flag_words::true_false);
        return std::string{words ? "" : "is none of true/false, yes/no, on/off, 1/0 and bare"};
      });
    if (key == "separator")
      return text(key, node, separator_, [](std::string_view t) {
        return std::string{t.empty() || t.size() > 8 ||
                               t.find_first_of("#;\n\r") != std::string_view::npos
                             ? "is 1 to 8 characters that begin no comment"
                             : ""};
      });
    if (key == "template") {
      pattern_line_ = line_;
      return text(key, node, out_.style.pattern, [](std::string_view t) {
        const auto wrong = template_problem(t);
        return wrong ? "is wrong in its line " + std::to_string(wrong->line) + ": " + wrong->what
                     : std::string{};
      });
    }
    if (key == "owner")
      return text(key, node, out_.owner, user);
    if (key == "group")
      return text(key, node, out_.group, user);
    return key == "mode" && mode(node);
  }

  bool command_key(std::string_view key, const toml::node& node) {
    if (key == "check")
      return command(key, node, out_.check);
    if (key == "reload")
      return command(key, node, out_.reload);
    if (key == "status")
      return command(key, node, out_.status);
    if (key == "status_format")
      return text(key, node, status_format_, [this](std::string_view t) {
        const auto format = settings_format_of(t);
        out_.status_style.format = format.value_or(settings_format::json);
        return std::string{format && *format != settings_format::filled
                             ? ""
                             : "is none of json, yaml, ini and lines"};
      });
    if (key != "timeout")
      return false;
    const auto* number = node.as_integer();
    if (number == nullptr || number->get() < 1 ||
        number->get() > connector_limits::timeout_max.count())
      fail("'timeout' is 1 to " + std::to_string(connector_limits::timeout_max.count()) +
           " seconds");
    else
      out_.timeout = std::chrono::seconds{number->get()};
    return true;
  }

  static std::string path_problem(std::string_view text) {
    return is_path(text) ? "" : "is no absolute path of a file";
  }

  template <class Check>
  bool text(std::string_view key, const toml::node& node, std::string& out, Check check) {
    const auto* found = node.as_string();
    auto problem = found == nullptr ? std::string{"is a text in quotes"} : check(found->get());
    if (!problem.empty())
      fail("'" + std::string{key} + "' " + problem);
    else
      out = found->get();
    return true;
  }

  template <class Check>
  bool texts(std::string_view key, const toml::node& node, std::vector<std::string>& out,
             Check check) {
    const auto* list = node.as_array();
    if (list == nullptr || list->empty() || list->size() > connector_limits::list_max) {
      fail("'" + std::string{key} + "' is a list of 1 to " +
           std::to_string(connector_limits::list_max) + " texts");
      return true;
    }
    for (const auto& item : *list) {
      std::string one;
      const auto before = problems_.size();
      text(key, item, one, check);
      if (problems_.size() > before)
        return true;
      out.push_back(std::move(one));
    }
    return true;
  }

  bool command(std::string_view key, const toml::node& node, command_line& out) {
    return texts(key, node, out, [&out](std::string_view t) {
      if (out.empty() && !is_path(t))
        return std::string{
          "begins with the absolute path of a program, then its arguments, each a text"};
      return std::string{t.size() > connector_limits::text_bytes_max ||
                             t.find('\0') != std::string_view::npos
                           ? "has an argument that is too long"
                           : ""};
    });
  }

  bool mode(const toml::node& node) {
    const auto* found = node.as_string();
    const std::string digits = found == nullptr ? "" : found->get();
    const bool octal = (digits.size() == 3 || (digits.size() == 4 && digits.front() == '0')) &&
                       digits.find_first_not_of("01234567") == std::string::npos;
    if (!octal)
      fail("'mode' is written \"0644\": three octal digits");
    else if ((digits.back() - '0') & 2)
      fail("'mode' would let everybody write the file");
    else
      out_.mode = static_cast<std::uint32_t>(std::stoul(digits, nullptr, 8));
    return true;
  }

  /// Empty for what no setting can be.
  std::optional<settings_value> value_of(const toml::node& node, std::size_t depth) {
    if (const auto* flag = node.as_boolean())
      return settings_value{flag->get()};
    if (const auto* number = node.as_integer())
      return settings_value{std::int64_t{number->get()}};
    if (const auto* real = node.as_floating_point()) {
      settings_value out{real->get()};
      return out.kind() == value_kind::real ? std::optional{out} : std::nullopt;
    }
    if (const auto* words = node.as_string())
      return settings_value{words->get()};
    if (depth == settings_limits::depth_max)
      return std::nullopt;
    auto out = settings_value::empty_map();
    if (const auto* list = node.as_array()) {
      settings_value::list items;
      for (const auto& item : *list) {
        auto value = value_of(item, depth + 1);
        if (!value)
          return std::nullopt;
        items.push_back(std::move(*value));
      }
      return settings_value{std::move(items)};
    }
    const auto* map = node.as_table();
    if (map == nullptr)
      return std::nullopt; // a date or time
    for (const auto& [key, below] : *map) {
      auto value = value_of(below, depth + 1);
      if (!value || key.str().size() > settings_limits::name_bytes_max)
        return std::nullopt;
      out.set(key.str(), std::move(*value));
    }
    return out;
  }

  /// What depends on several settings.
  void finish() {
    const bool filled = out_.style.format == settings_format::filled;
    line_ = pattern_line_;
    if (filled != (pattern_line_ != 0))
      fail(filled ? "format 'template' needs a 'template'"
                  : "a 'template' needs format = \"template\"");
    if (separator_.empty())
      separator_ = out_.style.format == settings_format::ini ? "=" : " ";
    if (out_.style.format == settings_format::ini &&
        separator_.find_first_not_of(" \t") == std::string::npos)
      separator_ = "=";
    out_.style.separator = separator_;
    if (out_.status_style.format == settings_format::ini)
      out_.status_style.separator = "=";
    line_ = 0;
    if (!out_.status.empty() && status_format_.empty())
      fail("a 'status' command needs a 'status_format'");
    if (auto problem = problem_with(out_.defaults); !problem.empty())
      fail("[defaults]: " + problem);
    else if (std::string why; problems_.empty() && !write_settings(out_.defaults, out_.style, why))
      fail("[defaults]: " + why);
  }

  std::string file_;
  connector& out_;
  std::size_t line_ = 0;
  std::size_t pattern_line_ = 0;
  std::string format_, booleans_, separator_, status_format_;
  std::vector<text_problem> problems_;
};

} // namespace

std::string application_name_problem(std::string_view name) {
  const bool good = is_word(name, "-_.+") && is_word(name.substr(0, 1), "");
  return good ? ""
              : "is made of 1 to 64 lower case letters, digits and \"-_.+\", a letter or digit in "
                "front";
}

connector_result read_connector(std::string_view text, std::string_view file) {
  connector out;
  connector_reader reader{file, out};
  if (text.size() > connector_limits::file_bytes_max) {
    reader.syntax(0, "is larger than a connector can be");
    return {std::nullopt, reader.problems()};
  }
  try {
    reader.read(toml::parse(text));
  } catch (const toml::parse_error& wrong) {
    reader.syntax(wrong.source().begin.line, wrong.description());
  }
  auto problems = reader.problems();
  return {problems.empty() ? std::optional{std::move(out)} : std::nullopt, std::move(problems)};
}

} // namespace muster::rules
