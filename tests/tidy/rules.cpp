#include "tests/tidy/rules.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace muster::tidy {

namespace {

constexpr int source_lines_max = 400;

using strings = std::vector<std::string_view>;

strings lines_of(std::string_view text) {
  strings lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

bool any_prefix(std::string_view text, const strings& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](auto prefix) { return text.starts_with(prefix); });
}

bool word_character(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Whether `word` occurs in the line, not as a part of a longer name.
bool mentions(std::string_view line, std::string_view word) {
  for (auto at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const bool begins = at == 0 || !word_character(line[at - 1]) || !word_character(word.front());
    const auto end = at + word.size();
    const bool ends = end == line.size() || !word_character(line[end]) || !word_character(word.back());
    if (begins && ends) {
      return true;
    }
  }
  return false;
}

/// Where a file stands in the dependency order.
struct place {
  std::string_view path;
  bool in_net = path.starts_with("net/");
  bool in_storage = path.starts_with("storage/");
  bool in_rules = path.starts_with("actors/rules/");
  bool in_actors = path.starts_with("actors/") && !in_rules;
  bool in_apps = path.starts_with("apps/");
  bool in_tests = path.starts_with("tests/") || path.starts_with("bench/");
  bool is_header = path.ends_with(".hpp");
  bool is_bridge = (in_net || in_storage) && (path.ends_with("_actor.hpp") || path.ends_with("_actor.cpp"));
  /// Files that run inside actors.
  bool has_actors = in_actors || is_bridge;
};

struct include {
  std::string_view target;
  bool quoted = false;
};

std::optional<include> include_of(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  if (!line.starts_with("#include")) {
    return std::nullopt;
  }
  const auto open = line.find_first_of("<\"");
  if (open == std::string_view::npos) {
    return std::nullopt;
  }
  const auto close = line.find_first_of(">\"", open + 1);
  return include{line.substr(open + 1, close - open - 1), line[open] == '"'};
}

/// A rule about include lines: `forbidden` says whether this file must not include that.
struct include_rule {
  std::string_view rule;
  bool (*forbidden)(const place& from, const include& what);
};

const std::array include_rules{
  include_rule{"caf/all.hpp costs seconds in every file: include what is used",
               [](const place&, const include& what) { return what.target == "caf/all.hpp"; }},
  include_rule{"of CAF only caf_core is linked: no caf/io, no caf/openssl, no caf/test",
               [](const place&, const include& what) {
                 return any_prefix(what.target, {"caf/io/", "caf/openssl/", "caf/test/"});
               }},
  include_rule{"CAF appears only in actors/ (not in rules/), in *_actor files and where programs are composed",
               [](const place& from, const include& what) {
                 const bool composes = from.in_apps && !from.path.starts_with("apps/console/");
                 return what.target.starts_with("caf/") && !from.in_actors && !from.is_bridge && !composes
                        && !from.in_tests;
               }},
  include_rule{"BoringSSL appears only in net/",
               [](const place& from, const include& what) {
                 return what.target.starts_with("openssl/") && !from.in_net && !from.in_tests;
               }},
  include_rule{"RocksDB appears only in storage/",
               [](const place& from, const include& what) {
                 return what.target.starts_with("rocksdb/") && !from.in_storage && !from.in_tests;
               }},
  include_rule{"sd-bus appears only in actors/agent/probe/",
               [](const place& from, const include& what) {
                 return what.target.starts_with("systemd/") && !from.path.starts_with("actors/agent/probe/")
                        && !from.in_tests;
               }},
  include_rule{"Boost is here for Beast's parser and serializer in net/*.cpp, nothing else",
               [](const place& from, const include& what) {
                 const bool parser = from.in_net && !from.is_header && !what.target.starts_with("boost/asio");
                 return what.target.starts_with("boost/") && !parser;
               }},
  include_rule{"net/ and storage/ do not know each other",
               [](const place& from, const include& what) {
                 return what.quoted && ((from.in_net && what.target.starts_with("storage/"))
                                        || (from.in_storage && what.target.starts_with("net/")));
               }},
  include_rule{"net/ and storage/ know nothing of actors; bridging files include actors/protocol.hpp and nothing else",
               [](const place& from, const include& what) {
                 const bool allowed = from.is_bridge && what.target == "actors/protocol.hpp";
                 return what.quoted && (from.in_net || from.in_storage) && what.target.starts_with("actors/")
                        && !allowed;
               }},
  include_rule{"rules are pure: they include rules, wire messages and the standard library, without input or output",
               [](const place& from, const include& what) {
                 if (!from.in_rules) {
                   return false;
                 }
                 if (what.quoted) {
                   return !any_prefix(what.target, {"actors/rules/", "net/wire/"});
                 }
                 return any_prefix(what.target, {"asio", "spdlog/", "sys/", "netinet/", "arpa/", "unistd.h", "fcntl.h",
                                                 "fstream", "filesystem", "iostream", "thread", "mutex"});
               }},
  include_rule{"nothing depends on a program: apps/ is included only by itself and by tests",
               [](const place& from, const include& what) {
                 return what.quoted && what.target.starts_with("apps/") && !from.in_apps && !from.in_tests;
               }},
  include_rule{"production code does not include tests or benchmarks",
               [](const place& from, const include& what) {
                 return what.quoted && any_prefix(what.target, {"tests/", "bench/"}) && !from.in_tests;
               }},
  include_rule{"our headers are included by their path from the source tree, as in \"net/frame.hpp\"",
               [](const place&, const include& what) {
                 return what.quoted && (what.target.find('/') == std::string_view::npos || what.target.starts_with("."));
               }},
};

/// A rule about words in code.
struct word_rule {
  std::string_view rule;
  strings words;
  bool (*applies)(const place& where);
};

bool everywhere(const place&) { return true; }

const std::array word_rules{
  word_rule{"a detached thread outlives what it uses: join it", {".detach()", "->detach()"}, everywhere},
  word_rule{"nobody sleeps: wait for the condition",
            {"sleep_for", "sleep_until", "usleep(", "nanosleep(", "::sleep(", " sleep("},
            everywhere},
  word_rule{"actors ask self->clock(), or wall_clock for the time of day",
            {"system_clock::now", "steady_clock::now", "high_resolution_clock::now"},
            [](const place& where) { return where.has_actors || where.in_rules; }},
  word_rule{"detached actors belong to storage, and are spawned where programs are composed",
            {"spawn<caf::detached", "spawn<detached"},
            [](const place& where) {
              return !where.in_storage && !where.in_apps && !where.path.starts_with("bench/");
            }},
  word_rule{"what CAF 1.x removed is not used",
            {"caf::optional", "composable_behavior", "caf::actor_pool", "caf::group", "caf::after("},
            [](const place& where) { return !where.in_tests; }},
  word_rule{"no catch-alls: an unexpected exception ends the actor or the program",
            {"catch (...)", "catch(...)"},
            [](const place& where) { return !where.in_tests; }},
};

void check_includes(const place& where, const strings& lines, std::vector<finding>& out) {
  for (std::size_t index = 0; index < lines.size(); ++index) {
    const auto what = include_of(lines[index]);
    if (!what) {
      continue;
    }
    for (const auto& rule : include_rules) {
      if (rule.forbidden(where, *what)) {
        out.push_back({std::string(where.path), static_cast<int>(index) + 1, std::string(rule.rule)});
      }
    }
  }
}

void check_words(const place& where, const strings& code, std::vector<finding>& out) {
  for (const auto& rule : word_rules) {
    if (!rule.applies(where)) {
      continue;
    }
    for (std::size_t index = 0; index < code.size(); ++index) {
      const auto found = [&](auto word) { return mentions(code[index], word); };
      if (std::any_of(rule.words.begin(), rule.words.end(), found)) {
        out.push_back({std::string(where.path), static_cast<int>(index) + 1, std::string(rule.rule)});
      }
    }
  }
}

/// The second argument of a call whose first argument begins at `at`.
std::string_view second_argument(std::string_view code, std::size_t at) {
  int depth = 0;
  std::optional<std::size_t> begin;
  for (; at < code.size(); ++at) {
    const char c = code[at];
    if (c == '(' || c == '{' || c == '[') {
      ++depth;
    } else if ((c == ')' || c == '}' || c == ']') && depth-- == 0) {
      break;
    } else if (c == ',' && depth == 0) {
      if (begin) {
        break;
      }
      begin = at + 1;
    }
  }
  return begin ? code.substr(*begin, at - *begin) : std::string_view{};
}

void check_requests(const place& where, std::string_view code, std::vector<finding>& out) {
  if (!where.has_actors) {
    return;
  }
  for (const std::string_view call : {"->request(", ".request("}) {
    for (auto at = code.find(call); at != std::string_view::npos; at = code.find(call, at + 1)) {
      const auto timeout = second_argument(code, at + call.size());
      if (!timeout.empty() && timeout.find("infinite") == std::string_view::npos) {
        const auto line = std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
        out.push_back({std::string(where.path), static_cast<int>(line),
                       "requests inside the process have no timeout: caf::infinite"});
      }
    }
  }
}

void check_markers(const place& where, const strings& lines, std::vector<finding>& out) {
  for (std::size_t index = 0; index < lines.size(); ++index) {
    for (const std::string_view marker : {"TODO", "FIXME", "XXX"}) {
      const auto named = lines[index].find(std::string(marker) + "(");
      if (mentions(lines[index], marker) && named == std::string_view::npos) {
        out.push_back({std::string(where.path), static_cast<int>(index) + 1,
                       "a marker for later names who will come back: TODO(name)"});
      }
    }
  }
}

void check_shape(const place& where, const strings& lines, std::vector<finding>& out) {
  if (!where.is_header && std::ssize(lines) > source_lines_max) {
    out.push_back({std::string(where.path), source_lines_max + 1, "a source file has at most 400 lines: one idea each"});
  }
  if (where.is_header && std::find(lines.begin(), lines.end(), "#pragma once") == lines.end()) {
    out.push_back({std::string(where.path), 1, "a header begins with #pragma once"});
  }
}

} // namespace

std::vector<finding> check(std::string_view path, std::string_view text) {
  const place where{path};
  const auto code = code_only(text);
  const auto lines = lines_of(text);
  const auto code_lines = lines_of(code);
  std::vector<finding> out;
  check_shape(where, lines, out);
  check_includes(where, code_lines, out);
  check_words(where, code_lines, out);
  check_requests(where, code, out);
  // The rules themselves speak of markers.
  if (!path.starts_with("tests/tidy/")) {
    check_markers(where, lines, out);
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  return out;
}

} // namespace muster::tidy
