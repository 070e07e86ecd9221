// Groups, policies, moving rules, and what orders about them did, as text.

#include "actors/rules/settings_json.hpp"
#include "apps/common/utf8.hpp"
#include "apps/console/views.hpp"

#include <algorithm>

namespace muster::console {

namespace {

constexpr std::size_t bar_width = 24;
constexpr std::size_t width_unless_known = 80;
/// Paths of a change in one line; more are counted.
constexpr std::size_t paths_shown_max = 4;

std::string painted_as(const view& v, const std::string& text, tone t) {
  return v.look.colour ? painted(text, t) : text;
}

std::string with_comma(std::string text, const std::string& more) {
  return text.empty() ? more : std::move(text) + ", " + more;
}

template <class Texts>
std::string joined(const Texts& texts) {
  std::string out;
  for (const auto& text : texts)
    out = with_comma(std::move(out), text);
  return out;
}

tone tone_of_action(const std::string& action) {
  return action == "create" ? tone::good : action == "remove" ? tone::bad : tone::warning;
}

std::string sign_of(const std::string& action) {
  return action == "create" ? "+ " : action == "remove" ? "- " : "~ ";
}

/// Without the paths, which stand below it.
std::string title_of(const admin::fleet_step& step) {
  auto text = step.summary();
  if (step.changes_size() > 0)
    if (const auto end = text.find(": "); end != std::string::npos)
      text.resize(end);
  return utf8::clean(text);
}

std::string change_line(const std::string& path, const std::string& before,
                        const std::string& after) {
  const auto value = [](const std::string& json) { return json.empty() ? "nothing" : json; };
  return utf8::clean("    " + path + ": " + value(before) + " -> " + value(after)) + "\n";
}

std::string counts_of(const admin::fleet_result& result) {
  std::map<std::string, std::uint64_t> by_action;
  for (const auto& step : result.steps())
    ++by_action[step.action()];
  std::string text;
  for (const auto& [action, word] :
       {std::pair{"create", "created"}, std::pair{"change", "changed"},
        std::pair{"remove", "removed"}})
    if (const auto count = by_action[action]; count > 0)
      text = with_comma(std::move(text), grouped(count) + " " + word);
  return text;
}

std::string conditions_of(const admin::rule_info& rule) {
  std::string text;
  for (const auto& one : rule.when())
    text = with_comma(std::move(text), one.trait() + ": " + joined(one.any_of()));
  return text.empty() ? "always" : text;
}

std::string paths_of(const std::vector<rules::settings_change>& changes) {
  std::string text;
  for (std::size_t i = 0; i < changes.size() && i < paths_shown_max; ++i)
    text = with_comma(std::move(text), changes[i].path.text());
  if (changes.size() > paths_shown_max)
    text += " and " + std::to_string(changes.size() - paths_shown_max) + " more";
  return text;
}

std::string json_of(const std::optional<rules::settings_value>& value) {
  return value ? rules::to_json(*value) : std::string{};
}

std::string what_of(const version_changes& one) {
  if (one.version->removed())
    return "removed";
  return one.is_first ? "created" : paths_of(one.changes);
}

} // namespace

std::string groups_text(const admin::group_list& list, const view& v) {
  table t{{{.title = "GROUP", .may_be_cut = true},
           {.title = "DESCRIPTION", .may_be_cut = true, .leaves = 1},
           {.title = "POLICIES", .right = true, .leaves = 2},
           {.title = "CHANGED", .leaves = 3},
           {.title = "BY", .may_be_cut = true, .leaves = 4}}};
  for (const auto& g : list.groups())
    t.add({{g.path(), tone::strong},
           g.description(),
           g.policies() == 0 ? "" : std::to_string(g.policies()),
           g.changed_us() == 0 ? "" : v.time(g.changed_us()),
           g.changed_by()});
  return t.text(v.look);
}

std::string group_text(const admin::group_info& g, std::uint64_t devices, const view& v) {
  fact_sheet sheet;
  sheet.add("Group", {g.path(), tone::strong});
  sheet.add("Description", g.description());
  sheet.add("Devices", counted(devices, "device", "devices") + ", with those of groups in it");
  sheet.add("Changed", g.changed_us() == 0 ? ""
                                           : v.time(g.changed_us()) + " by " + g.changed_by() +
                                               ", revision " + std::to_string(g.revision()));
  return sheet.text(v.look);
}

std::string policies_text(const admin::policy_list& list, const view& v) {
  table t{{{.title = "APPLICATION", .may_be_cut = true},
           {.title = "GROUP", .may_be_cut = true},
           {.title = "SETTINGS", .right = true},
           {.title = "LOCKS", .right = true, .leaves = 2},
           {.title = "PROFILES", .may_be_cut = true, .leaves = 3},
           {.title = "REVISION", .right = true, .leaves = 5},
           {.title = "CHANGED", .leaves = 1},
           {.title = "BY", .may_be_cut = true, .leaves = 4}}};
  for (const auto& p : list.policies())
    t.add({{p.application(), tone::strong},
           p.group(),
           std::to_string(p.settings()),
           p.locks() == 0 ? "" : std::to_string(p.locks()),
           joined(p.profiles()),
           std::to_string(p.revision()),
           v.time(p.changed_us()),
           p.changed_by()});
  return t.text(v.look);
}

std::string rules_text(const admin::rule_list& list, const view& v) {
  table t{{{.title = "RULE", .may_be_cut = true},
           {.title = "ORDER", .right = true, .leaves = 1},
           {.title = "WHEN", .may_be_cut = true},
           {.title = "TO", .may_be_cut = true},
           {.title = "HOLDS", .leaves = 2},
           {.title = "CHANGED", .leaves = 3},
           {.title = "BY", .may_be_cut = true, .leaves = 4}}};
  for (const auto& r : list.rules())
    t.add({{r.name(), tone::strong},
           std::to_string(r.order()),
           conditions_of(r),
           r.move_to(),
           std::string{r.permanent() ? "always" : "once"} +
             (r.trust_claimed() ? ", trusts claims" : ""),
           v.time(r.changed_us()),
           r.changed_by()});
  return t.text(v.look);
}

std::string placements_text(const admin::placement_report& report, const view& v, bool dry_run) {
  table t{{{.title = "DEVICE", .may_be_cut = true},
           {.title = "FROM", .may_be_cut = true},
           {.title = "TO", .may_be_cut = true},
           {.title = "RULE", .may_be_cut = true, .leaves = 1}}};
  for (const auto& m : report.moves())
    t.add({{m.device_name(), tone::strong}, m.from(), m.to(), m.rule()});
  const auto shown = static_cast<std::uint64_t>(report.moves_size());
  return (t.empty() ? "" : t.text(v.look) + "\n") +
         (report.moved() > shown ? "and " + grouped(report.moved() - shown) + " more\n" : "") +
         grouped(report.moved()) + " of " + counted(report.looked_at(), "device", "devices") +
         (dry_run ? " would be moved.\n" : " moved.\n");
}

std::string fleet_result_text(const admin::fleet_result& result, const view& v, bool dry_run) {
  if (result.steps_size() == 0)
    return "Nothing to do" +
           (result.unchanged() == 0 ? "" : "; " + grouped(result.unchanged()) + " unchanged") +
           ".\n";
  std::string text;
  for (const auto& step : result.steps()) {
    text += painted_as(v, sign_of(step.action()) + title_of(step), tone_of_action(step.action())) +
            "\n";
    for (const auto& change : step.changes())
      text += change_line(change.path(), change.before(), change.after());
  }
  return text + (dry_run ? "Would be " : "") + counts_of(result) +
         (result.unchanged() == 0 ? "" : "; " + grouped(result.unchanged()) + " unchanged") +
         (dry_run ? ".\n" : "; revision " + std::to_string(result.revision()) + ".\n");
}

std::string history_text(const std::vector<version_changes>& versions, const view& v,
                         bool with_values) {
  if (with_values) {
    std::string text;
    for (const auto& one : versions) {
      text += painted_as(v,
                         "revision " + std::to_string(one.version->revision()) + ", " +
                           v.time(one.version->changed_us()) + " by " +
                           utf8::clean(one.version->changed_by()),
                         tone::strong) +
              (one.version->removed() ? ": removed\n" : "\n");
      if (!one.version->removed())
        for (const auto& change : one.changes)
          text += change_line(change.path.text(), json_of(change.before), json_of(change.after));
    }
    return text;
  }
  table t{{{.title = "REVISION", .right = true},
           {.title = "CHANGED"},
           {.title = "BY", .may_be_cut = true},
           {.title = "WHAT", .may_be_cut = true}}};
  for (const auto& one : versions)
    t.add({{std::to_string(one.version->revision()), tone::strong},
           v.time(one.version->changed_us()),
           one.version->changed_by(),
           {what_of(one), one.version->removed() ? tone::bad : tone::plain}});
  return t.text(v.look);
}

std::string progress_line(std::size_t done, std::size_t all, std::size_t width) {
  const auto full = all == 0 ? bar_width : done * bar_width / all;
  std::string bar(full, '#');
  bar.resize(bar_width, '.');
  return utf8::cut("[" + bar + "] " + std::to_string(all == 0 ? 100 : done * 100 / all) + " %  " +
                     grouped(done) + " of " + grouped(all),
                   (width == 0 ? width_unless_known : width) - 1);
}

} // namespace muster::console
