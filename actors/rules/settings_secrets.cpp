#include "actors/rules/settings_secrets.hpp"

#include <algorithm>
#include <utility>

namespace muster::rules {

namespace {

using text_turn = std::function<std::optional<settings_value>(const settings_value& inside,
                                                              const settings_path& at)>;

/// A copy with each marked map replaced by what `turn` makes of its inside.
std::optional<settings_value> walk(const settings_value& value, const settings_path& at,
                                   const text_turn& turn) {
  if (is_secret(value))
    return turn(value.as_map()->front().value, at);
  auto out = value;
  if (auto* const map = out.as_map()) {
    for (auto& [name, below] : *map) {
      auto turned = walk(below, at.below(name), turn);
      if (!turned)
        return std::nullopt;
      below = std::move(*turned);
    }
  } else if (auto* const list = out.as_list()) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      auto turned = walk((*list)[i], at.below(i), turn);
      if (!turned)
        return std::nullopt;
      (*list)[i] = std::move(*turned);
    }
  }
  return out;
}

settings_value marked(settings_value inside) {
  auto out = settings_value::empty_map();
  out.set(secret_name, std::move(inside));
  return out;
}

bool is_kept(const settings_value& inside) {
  const auto* const text = inside.as_text();
  return text != nullptr && *text == secret_kept;
}

std::string inside_problem(const settings_value& inside) {
  const auto* const text = inside.as_text();
  if (text == nullptr || text->empty())
    return "a secret must be a text with something in it";
  return text->size() <= secret_bytes_max ? "" : "a secret is longer than 64 KB";
}

} // namespace

bool is_secret(const settings_value& value) noexcept {
  const auto* const map = value.as_map();
  return map != nullptr && map->size() == 1 && map->front().name == secret_name;
}

bool has_secrets(const settings_value& value) noexcept {
  if (is_secret(value))
    return true;
  if (const auto* const map = value.as_map())
    return std::any_of(map->begin(), map->end(),
                       [](const settings_entry& one) { return has_secrets(one.value); });
  const auto* const list = value.as_list();
  return list != nullptr && std::any_of(list->begin(), list->end(), has_secrets);
}

std::string secrets_problem(const settings_value& value) {
  std::string out;
  const auto good = walk(value, {}, [&](const settings_value& inside, const settings_path& at) {
    out = inside_problem(inside);
    if (out.empty())
      return std::optional(marked(inside));
    out = "'" + at.text() + "': " + out;
    return std::optional<settings_value>{};
  });
  return good ? "" : out;
}

settings_value concealed(const settings_value& value) {
  return *walk(value, {}, [](const settings_value&, const settings_path&) {
    return std::optional(marked(std::string{secret_kept}));
  });
}

settings_value revealed(const settings_value& value) {
  return *walk(value, {}, [](const settings_value& inside, const settings_path&) {
    return std::optional(inside);
  });
}

std::optional<settings_value> with_kept(const settings_value& value, const settings_value& before,
                                        std::string& problem) {
  return walk(value, {}, [&](const settings_value& inside, const settings_path& at) {
    if (!is_kept(inside))
      return std::optional(marked(inside));
    const auto* const old = value_at(before, at);
    if (old != nullptr && is_secret(*old))
      return std::optional(*old);
    problem = "there is no secret at '" + at.text() + "' that could be kept";
    return std::optional<settings_value>{};
  });
}

std::optional<settings_value>
turned(const settings_value& value,
       const std::function<std::optional<std::string>(const std::string& text,
                                                      const settings_path& at)>& turn) {
  return walk(value, {}, [&](const settings_value& inside, const settings_path& at) {
    const auto* const text = inside.as_text();
    auto out = text != nullptr ? turn(*text, at) : std::nullopt;
    return out ? std::optional(marked(std::move(*out))) : std::nullopt;
  });
}

} // namespace muster::rules
