// Settings of a device, as text.

#include "apps/common/utf8.hpp"
#include "apps/console/views.hpp"

namespace muster::console {

namespace {

/// "policy of eu/berlin", "profile laptops of eu".
std::string source_of(const admin::setting_source& from) {
  return (from.profile().empty() ? "policy of " : "profile " + from.profile() + " of ") +
         from.group();
}

std::string source_of(const admin::effective_setting& one) {
  if (one.from() == "own")
    return "set for this device";
  return one.from() == "local" ? "changed on the device" : source_of(one.policy());
}

std::string revision_of(std::uint64_t revision) {
  return revision == 0 ? "" : std::to_string(revision);
}

/// What is wanted: the policies' revision, and that of the device's own values.
std::string wanted_of(const admin::application_settings& a) {
  const auto own = a.own_revision() == 0 ? "" : "own " + std::to_string(a.own_revision());
  const auto policies = revision_of(a.wanted_revision());
  return policies.empty() || own.empty() ? policies + own : policies + ", " + own;
}

std::string remark_on(const admin::application_settings& a) {
  if (!a.changed_locally())
    return a.detail();
  return a.detail() + (a.detail().empty() ? "" : "; ") + "changed on the device";
}

std::string line_of(const char* title, const std::string& json) {
  return json.empty() ? "" : std::string{title} + utf8::clean(json) + "\n";
}

} // namespace

tone tone_of_settings(const std::string& state) {
  if (state == "done")
    return tone::good;
  if (state == "pending")
    return tone::warning;
  return state == "refused" || state == "failed" || state == "unsafe" ? tone::bad : tone::quiet;
}

std::string settings_states_text(const admin::device_settings& list, const view& v) {
  if (list.applications_size() == 0)
    return {};
  table t{{{.title = "APPLICATION", .may_be_cut = true},
           {.title = "STATE"},
           {.title = "WANTED", .right = true, .leaves = 2},
           {.title = "REPORTED", .right = true, .leaves = 3},
           {.title = "SINCE", .leaves = 1},
           {.title = "DETAIL", .may_be_cut = true}}};
  for (const auto& a : list.applications())
    t.add({{a.application(), tone::strong},
           {a.state(), tone_of_settings(a.state())},
           wanted_of(a),
           revision_of(a.reported_revision()),
           a.since_us() == 0 ? "" : v.time(a.since_us()),
           remark_on(a)});
  return t.text(v.look);
}

std::string effective_text(const admin::effective_settings& what, const view& v) {
  fact_sheet sheet;
  const auto& a = what.application();
  sheet.add("Application", {a.application(), tone::strong});
  sheet.add("State", {a.state(), tone_of_settings(a.state())});
  sheet.add("Detail", remark_on(a));
  sheet.add("Wanted revision", wanted_of(a));
  sheet.add("Reported revision", revision_of(a.reported_revision()));
  sheet.add("Since", a.since_us() == 0 ? "" : v.time(a.since_us()));
  table t{{{.title = "SETTING", .may_be_cut = true},
           {.title = "VALUE", .may_be_cut = true},
           {.title = "FROM", .may_be_cut = true},
           {.title = "LOCKED BY", .may_be_cut = true}}};
  for (const auto& one : what.settings())
    t.add({{one.path(), tone::strong},
           one.value(),
           source_of(one),
           one.has_locked_by() ? source_of(one.locked_by()) : ""});
  std::string overruled;
  for (const auto& path : what.overruled())
    overruled += (overruled.empty() ? "" : ", ") + utf8::clean(path);
  return sheet.text(v.look) + (t.empty() ? "" : "\n" + t.text(v.look)) +
         (overruled.empty() ? "" : "\nKept out by locks: " + overruled + "\n") +
         line_of("\nThe application says: ", what.daemon_values());
}

} // namespace muster::console
