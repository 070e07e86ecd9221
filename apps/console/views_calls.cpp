// Calls to many devices, as text.

#include "apps/common/utf8.hpp"
#include "apps/console/views.hpp"

#include <algorithm>

namespace muster::console {

namespace {

constexpr std::size_t bar_width = 24;
constexpr std::size_t width_unless_known = 80;

std::uint64_t count_of(const admin::call& c, const char* step) {
  const auto at = c.by_step().find(step);
  return at == c.by_step().end() ? 0 : at->second;
}

/// "over the kept connection", to stand behind what was done.
std::string way_of(const admin::call_device& d) {
  if (d.way() == "kept")
    return "over the kept connection";
  if (d.way() == "wake")
    return "after a wake";
  return d.way() == "next_contact" ? "with its next connection" : "";
}

std::string with_comma(const std::string& text) {
  return text.empty() ? "" : ", " + text;
}

/// Who it is: by name, or by id when it has none.
std::string who(const admin::call_device& d) {
  return d.device_name().empty() ? d.device_id() : utf8::clean(d.device_name());
}

std::string until_of(const admin::call_device& d, const view& v) {
  return d.until_us() == 0 ? "until it connects" : "until about " + v.day_minute(d.until_us());
}

tone tone_of_step(const std::string& step) {
  if (step == "done")
    return tone::good;
  return step == "failed" ? tone::bad : step == "queued" ? tone::warning : tone::plain;
}

std::string words_of(const std::string& kind) {
  return kind == "keep_on" ? "keep on" : kind == "keep_off" ? "keep off" : kind;
}

/// "Synced", to stand in front of a number of devices.
std::string past_of(const std::string& kind) {
  if (kind == "sync")
    return "Synced";
  if (kind == "wake")
    return "Connected:";
  return kind == "keep_on" ? "Connection kept:" : "Connection no longer kept:";
}

std::string what_is_left(const admin::call& c, const char* divider) {
  std::string text;
  for (const auto* step : {"waiting", "asked", "waking", "queued", "failed"})
    if (const auto count = count_of(c, step); count > 0)
      text += (text.empty() ? "" : divider) + grouped(count) + " " + step;
  return text;
}

} // namespace

std::string outcome_line(const admin::call_device& d, const view& v) {
  const auto name = who(d) + ": ";
  const auto said = utf8::clean(d.text());
  const auto& step = d.step();
  if (step == "done")
    return name + "done at " + v.day_time(d.at_us()) + ", after " + lasting(d.took_us()) +
           with_comma(way_of(d)) + with_comma(said) + "\n";
  if (step == "queued")
    return name + (said.empty() ? "" : said + "; ") + "queued " + until_of(d, v) + "\n";
  if (step == "failed")
    return name + "failed at " + v.day_time(d.at_us()) + (said.empty() ? "" : ": " + said) + "\n";
  if (step == "waiting")
    return name + "its turn has not come\n";
  return name + (step == "waking" ? "being woken" : "asked") + " since " + v.day_time(d.at_us()) +
         ", no answer yet\n";
}

std::string call_summary(const admin::call& c) {
  const auto left = what_is_left(c, ", ");
  return past_of(c.kind()) + " " + grouped(count_of(c, "done")) + " of " +
         counted(c.devices(), "device", "devices") + (left.empty() ? "" : "; " + left) + ".\n";
}

std::string call_progress_line(const admin::call& c, std::size_t width) {
  if (c.selecting())
    return "looking for devices: " + grouped(c.devices());
  const auto behind = count_of(c, "done") + count_of(c, "failed") + count_of(c, "queued");
  const auto full = c.devices() == 0 ? bar_width : behind * bar_width / c.devices();
  const auto percent = c.devices() == 0 ? 100 : behind * 100 / c.devices();
  std::string bar(static_cast<std::size_t>(full), '#');
  bar.resize(bar_width, '.');
  const auto left = what_is_left(c, ", ");
  return utf8::cut("[" + bar + "] " + std::to_string(percent) + " %  " +
                     grouped(count_of(c, "done")) + " of " + grouped(c.devices()) + " done" +
                     (left.empty() ? "" : ", " + left),
                   (width == 0 ? width_unless_known : width) - 1);
}

std::string calls_text(const admin::call_list& list, const view& v) {
  table t{{{.title = "CALL"},
           {.title = "WHAT"},
           {.title = "TARGET", .may_be_cut = true},
           {.title = "BEGAN", .leaves = 2},
           {.title = "BY", .may_be_cut = true, .leaves = 3},
           {.title = "DEVICES", .right = true},
           {.title = "DONE", .right = true},
           {.title = "NOT YET", .may_be_cut = true, .leaves = 1}}};
  for (const auto& c : list.calls())
    t.add({{std::to_string(c.id()), tone::strong},
           words_of(c.kind()),
           c.target(),
           v.time(c.created_us()),
           c.created_by(),
           grouped(c.devices()),
           grouped(count_of(c, "done")),
           {c.problem().empty() ? what_is_left(c, ", ") : c.problem(),
            count_of(c, "failed") > 0 || !c.problem().empty() ? tone::bad : tone::warning}});
  return t.text(v.look);
}

std::string call_text(const admin::call& c, const view& v) {
  fact_sheet sheet;
  sheet.add("Call", {std::to_string(c.id()), tone::strong});
  sheet.add("What", words_of(c.kind()) + " " + c.target());
  sheet.add("By", c.created_by());
  sheet.add("Began", v.clock(c.created_us()));
  sheet.add("Trouble", {c.problem(), tone::bad});
  const auto left = what_is_left(c, ", ");
  sheet.add("Devices", grouped(c.devices()) + (c.selecting() ? " so far" : ""));
  sheet.add("Done", {grouped(count_of(c, "done")), tone::good});
  sheet.add("Not yet", {left, count_of(c, "failed") > 0 ? tone::bad : tone::warning});
  return sheet.text(v.look);
}

std::string call_rows_text(const admin::call& c, const view& v) {
  table t{{{.title = "DEVICE", .may_be_cut = true},
           {.title = "STEP"},
           {.title = "SINCE", .leaves = 1},
           {.title = "AFTER", .right = true, .leaves = 4},
           {.title = "UNTIL ABOUT", .leaves = 2},
           {.title = "BY WAY OF", .leaves = 5},
           {.title = "", .may_be_cut = true, .leaves = 3}}};
  for (const auto& d : c.rows()) {
    const auto way = d.way() == "none" ? "" : d.way() == "next_contact" ? "next contact" : d.way();
    t.add({{who(d), tone::strong},
           {d.step(), tone_of_step(d.step())},
           d.at_us() == 0 ? "" : v.day_time(d.at_us()),
           d.took_us() == 0 ? "" : lasting(d.took_us()),
           d.until_us() == 0 ? "" : v.day_minute(d.until_us()),
           way,
           d.text()});
  }
  return t.text(v.look);
}

} // namespace muster::console
