#include "actors/rules/settings_diff.hpp"

#include "actors/rules/settings_codec.hpp"

#include <algorithm>

namespace muster::rules {

namespace {

using settings_codec::put_number;
using settings_codec::put_text;
using settings_codec::put_value;

constexpr std::uint8_t patch_version = 1;

/// Walks two maps at once, in the order of names: `visit(name, before or null, after or null)`.
template <class Visit>
void side_by_side(const settings_value::map& before, const settings_value::map& after, Visit visit) {
  auto a = before.begin();
  auto b = after.begin();
  while (a != before.end() || b != after.end()) {
    const bool take_a = b == after.end() || (a != before.end() && a->name <= b->name);
    const bool take_b = a == before.end() || (b != after.end() && b->name <= a->name);
    visit(take_a ? a->name : b->name, take_a ? &a->value : nullptr, take_b ? &b->value : nullptr);
    a += take_a ? 1 : 0;
    b += take_b ? 1 : 0;
  }
}

void compare(const settings_value& before, const settings_value& after, const settings_path& path,
             std::vector<settings_change>& out) {
  if (before == after)
    return;
  const auto* list_before = before.as_list();
  const auto* list_after = after.as_list();
  if (before.is_map() && after.is_map()) {
    side_by_side(*before.as_map(), *after.as_map(),
                 [&](const std::string& name, const settings_value* a, const settings_value* b) {
                   if (a != nullptr && b != nullptr)
                     compare(*a, *b, path.below(name), out);
                   else if (a != nullptr)
                     out.push_back({path.below(name), *a, std::nullopt});
                   else
                     out.push_back({path.below(name), std::nullopt, *b});
                 });
  } else if (list_before != nullptr && list_after != nullptr
             && list_before->size() == list_after->size()) {
    for (std::size_t i = 0; i < list_before->size(); ++i)
      compare((*list_before)[i], (*list_after)[i], path.below(i), out);
  } else {
    out.push_back({path, before, after});
  }
}

std::string edit_of(const settings_value& before, const settings_value& after);

std::string map_edit(const settings_value::map& before, const settings_value::map& after) {
  std::string body;
  std::size_t edits = 0;
  side_by_side(before, after,
               [&](const std::string& name, const settings_value* a, const settings_value* b) {
                 if (a != nullptr && b != nullptr && *a == *b)
                   return;
                 ++edits;
                 put_text(body, name);
                 if (b == nullptr)
                   body += '-';
                 else if (a != nullptr)
                   body += edit_of(*a, *b);
                 else
                   put_value(body += '=', *b);
               });
  std::string out = "m";
  put_number(out, edits);
  return out + body;
}

std::string list_edit(const settings_value::list& before, const settings_value::list& after) {
  std::string out;
  if (before.size() == after.size()) {
    std::string body;
    std::size_t edits = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i] == after[i])
        continue;
      ++edits;
      put_number(body, i);
      body += edit_of(before[i], after[i]);
    }
    out = "e";
    put_number(out, edits);
    return out + body;
  }
  const auto shorter = std::min(before.size(), after.size());
  std::size_t front = 0;
  while (front < shorter && before[front] == after[front])
    ++front;
  std::size_t back = 0;
  while (back < shorter - front
         && before[before.size() - 1 - back] == after[after.size() - 1 - back])
    ++back;
  out = "x";
  put_number(out, front);
  put_number(out, before.size() - front - back);
  put_number(out, after.size() - front - back);
  for (std::size_t i = front; i < after.size() - back; ++i)
    put_value(out, after[i]);
  return out;
}

/// The smaller of taking it apart and taking it whole. `before` and `after` differ.
std::string edit_of(const settings_value& before, const settings_value& after) {
  std::string whole = "=";
  put_value(whole, after);
  std::string apart;
  if (before.is_map() && after.is_map())
    apart = map_edit(*before.as_map(), *after.as_map());
  else if (before.is_list() && after.is_list())
    apart = list_edit(*before.as_list(), *after.as_list());
  return !apart.empty() && apart.size() < whole.size() ? apart : whole;
}

/// Carries out edits. What it is given it has a copy of.
class patcher {
public:
  explicit patcher(std::string_view bytes) : in_(bytes) {}

  std::optional<settings_value> run(settings_value document) {
    const auto version = in_.byte();
    if (version && *version != patch_version)
      in_.fail("it is of an unknown version");
    const auto kind = version ? in_.byte() : std::nullopt;
    if (!kind || (*kind != '.' && !edit(*kind, document, 1)))
      return std::nullopt;
    if (!in_.at_end())
      return in_.fail("something follows its end");
    if (auto problem = problem_with(document); !problem.empty())
      return in_.fail("what it makes cannot be: " + problem);
    return document;
  }

  [[nodiscard]] const std::string& problem() const { return in_.problem(); }

private:
  bool refuse(std::string_view why) {
    in_.fail(why);
    return false;
  }

  bool edit(std::uint8_t kind, settings_value& at, std::size_t depth) {
    if (depth > settings_limits::depth_max)
      return refuse("it is nested too deeply");
    if (kind == 'm')
      return at.is_map() ? edit_map(at, depth) : refuse("it expects a map where none is");
    if (kind == 'e')
      return at.is_list() ? edit_items(*at.as_list(), depth) : refuse("it expects a list where none is");
    if (kind == 'x')
      return at.is_list() ? splice(*at.as_list(), depth) : refuse("it expects a list where none is");
    if (kind != '=')
      return refuse("it has an edit of an unknown kind");
    auto value = in_.value(depth);
    if (value)
      at = std::move(*value);
    return value.has_value();
  }

  bool edit_map(settings_value& at, std::size_t depth) {
    const auto edits = in_.count(2);
    std::optional<std::string> last;
    for (std::size_t i = 0; edits && i < *edits; ++i) {
      const auto name = in_.name();
      const auto kind = name ? in_.byte() : std::nullopt;
      if (!kind)
        return false;
      if (last && *last >= *name)
        return refuse("names are not in order");
      last = *name;
      auto* below = at.find(*name);
      if (*kind == '-') {
        if (!at.erase(*name))
          return refuse("it erases what is not there");
      } else if (below != nullptr) {
        if (!edit(*kind, *below, depth + 1))
          return false;
      } else if (*kind != '=') {
        return refuse("it edits what is not there");
      } else {
        auto value = in_.value(depth + 1);
        if (!value)
          return false;
        at.set(*name, std::move(*value));
      }
    }
    return edits.has_value();
  }

  bool edit_items(settings_value::list& items, std::size_t depth) {
    const auto edits = in_.count(2);
    std::uint64_t from = 0;
    for (std::size_t i = 0; edits && i < *edits; ++i) {
      const auto index = in_.number();
      const auto kind = index ? in_.byte() : std::nullopt;
      if (!kind)
        return false;
      if (*index < from || *index >= items.size())
        return refuse("it edits an item that is not there");
      from = *index + 1;
      if (!edit(*kind, items[static_cast<std::size_t>(*index)], depth + 1))
        return false;
    }
    return edits.has_value();
  }

  bool splice(settings_value::list& items, std::size_t depth) {
    const auto front = in_.number();
    const auto away = front ? in_.number() : std::nullopt;
    const auto more = away ? in_.count(1) : std::nullopt;
    if (!more)
      return false;
    if (*front > items.size() || *away > items.size() - *front)
      return refuse("it takes away items that are not there");
    settings_value::list added;
    for (std::size_t i = 0; i < *more; ++i) {
      auto value = in_.value(depth + 1);
      if (!value)
        return false;
      added.push_back(std::move(*value));
    }
    const auto at = items.begin() + static_cast<std::ptrdiff_t>(*front);
    const auto gap = items.erase(at, at + static_cast<std::ptrdiff_t>(*away));
    items.insert(gap, std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
    return true;
  }

  settings_codec::reader in_;
};

} // namespace

std::vector<settings_change> difference(const settings_value& before, const settings_value& after) {
  std::vector<settings_change> out;
  compare(before, after, {}, out);
  return out;
}

std::string patch(const settings_value& before, const settings_value& after) {
  std::string out(1, static_cast<char>(patch_version));
  return out + (before == after ? "." : edit_of(before, after));
}

std::optional<settings_value> apply_patch(std::string_view bytes, const settings_value& before,
                                          std::string& problem) {
  if (bytes.size() > patch_bytes_max) {
    problem = "it is larger than " + std::to_string(patch_bytes_max) + " bytes";
    return std::nullopt;
  }
  patcher run{bytes};
  auto out = run.run(before);
  if (!out)
    problem = run.problem();
  return out;
}

} // namespace muster::rules
