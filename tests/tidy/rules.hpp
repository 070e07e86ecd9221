// The rules of the repository that a compiler does not know: who may include whom, and what must not appear where.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace muster::tidy {

/// One violation, printed as `path:line: rule`. The rule is a sentence.
struct finding {
  std::string path;
  int line = 0;
  std::string rule;

  friend bool operator==(const finding&, const finding&) = default;
};

/// A file that may break one rule, and why. Granted to a path, never to a line: a file that needs an exception is
/// small and about that one thing.
struct exception {
  std::string_view path;
  std::string_view rule;
  std::string_view reason;
};

/// The whole list of exceptions.
[[nodiscard]] const std::vector<exception>& exceptions();

/// Everything wrong with one file, in the order of its lines, exceptions not yet taken off. `path` is relative to the
/// source tree ("net/frame.cpp") and decides which rules apply.
[[nodiscard]] std::vector<finding> check(std::string_view path, std::string_view text);

/// The text with comments and the contents of string and character literals blanked out, line breaks kept: what the
/// rules about code look at, so that a comment may speak about what is forbidden. Include lines stay as they are.
[[nodiscard]] std::string code_only(std::string_view text);

} // namespace muster::tidy
