#pragma once
// Settings documents for tests: written down, and random ones to compare with something plain.

#include "actors/rules/settings_json.hpp"
#include "actors/rules/settings_path.hpp"
#include "actors/rules/settings_value.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace muster::test {

inline rules::settings_value json(std::string_view text) {
  std::string problem;
  auto out = rules::settings_from_json(text, problem);
  REQUIRE_MESSAGE(out, problem);
  return std::move(*out);
}

inline rules::settings_path path(std::string_view text) {
  std::string problem;
  auto out = rules::settings_path::parse(text, problem);
  REQUIRE_MESSAGE(out, problem);
  return std::move(*out);
}

class settings_maker {
public:
  explicit settings_maker(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_() % bound; }

  rules::settings_value scalar() {
    static const char* const texts[] = {"", "yes", "a b", "ü", "x.y", "\"", "\\n", "line\nline", "[0]", "-"};
    switch (below(6)) {
      case 0: return {};
      case 1: return below(2) == 0;
      case 2: return static_cast<std::int64_t>(random_()) >> below(64);
      case 3: return static_cast<double>(static_cast<std::int64_t>(below(2000)) - 1000) / 8;
      case 4: return texts[below(std::size(texts))];
      default: return static_cast<int>(below(3));
    }
  }

  /// Few names, so that two of these have much in common.
  std::string name() {
    static const char* const names[] = {"a", "b", "c", "port", "x.y", "", "\x01", "é"};
    return names[below(std::size(names))];
  }

  rules::settings_value value(std::size_t depth) {
    if (depth == 0 || below(3) == 0)
      return scalar();
    if (below(3) == 0) {
      auto out = rules::settings_value::empty_list();
      for (auto n = below(5); n > 0; --n)
        out.as_list()->push_back(value(depth - 1));
      return out;
    }
    return map(depth - 1);
  }

  rules::settings_value map(std::size_t depth) {
    auto out = rules::settings_value::empty_map();
    for (auto n = below(6); n > 0; --n)
      out.set(name(), value(depth));
    return out;
  }

  /// Something near to `from`: some values replaced, added, taken away.
  rules::settings_value changed(rules::settings_value from, std::size_t depth = 4) {
    if (auto* items = from.as_list()) {
      if (below(4) == 0 && !items->empty())
        items->erase(items->begin() + static_cast<std::ptrdiff_t>(below(items->size())));
      if (below(4) == 0)
        items->insert(items->begin() + static_cast<std::ptrdiff_t>(below(items->size() + 1)), scalar());
      for (auto& item : *items)
        if (below(3) == 0)
          item = changed(std::move(item), depth > 0 ? depth - 1 : 0);
      return from;
    }
    if (!from.is_map())
      return below(2) == 0 ? value(depth) : from;
    for (auto& entry : *from.as_map())
      if (below(3) == 0)
        entry.value = changed(std::move(entry.value), depth > 0 ? depth - 1 : 0);
    if (below(3) == 0)
      from.erase(name());
    if (below(3) == 0)
      from.set(name(), value(depth));
    return from;
  }

private:
  std::mt19937_64 random_;
};

} // namespace muster::test
