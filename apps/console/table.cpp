#include "apps/console/table.hpp"

#include "apps/common/utf8.hpp"

#include <muster/assert.hpp>

#include <algorithm>

namespace muster::console {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t narrowest = 8; ///< a cut column keeps that much

std::string_view code_of(tone t) {
  switch (t) {
  case tone::plain:
    return "";
  case tone::good:
    return "\x1b[32m";
  case tone::warning:
    return "\x1b[33m";
  case tone::bad:
    return "\x1b[31m";
  case tone::quiet:
    return "\x1b[2m";
  case tone::strong:
    return "\x1b[1m";
  }
  return "";
}

std::size_t total(const std::vector<std::size_t>& shown, const std::vector<std::size_t>& widths) {
  std::size_t sum = shown.empty() ? 0 : gap * (shown.size() - 1);
  for (const auto index : shown)
    sum += widths[index];
  return sum;
}

} // namespace

std::string painted(std::string_view text, tone t) {
  const auto code = code_of(t);
  if (code.empty() || text.empty())
    return std::string(text);
  return std::string(code) + std::string(text) + "\x1b[0m";
}

void table::add(std::vector<cell> row) {
  MUSTER_ASSERT(row.size() == columns_.size(), "a row has a cell for every column");
  for (auto& c : row)
    c.text = utf8::clean(c.text);
  rows_.push_back(std::move(row));
}

table::layout table::lay_out(std::size_t width) const {
  layout l;
  l.widths.resize(columns_.size());
  std::vector<std::size_t> least(columns_.size());
  for (std::size_t index = 0; index < columns_.size(); ++index) {
    std::size_t content = 0;
    for (const auto& row : rows_)
      content = std::max(content, utf8::columns(row[index].text));
    l.widths[index] = std::max(content, utf8::columns(columns_[index].title));
    least[index] =
      columns_[index].may_be_cut ? std::min(l.widths[index], narrowest) : l.widths[index];
    if (content > 0)
      l.shown.push_back(index);
  }
  if (width == 0)
    return l;
  // What matters least goes until the rest fits, cut as far as may be.
  while (total(l.shown, least) > width) {
    const auto leaves = [&](std::size_t a, std::size_t b) {
      return columns_[a].leaves < columns_[b].leaves;
    };
    const auto first = std::max_element(l.shown.begin(), l.shown.end(), leaves);
    if (first == l.shown.end() || columns_[*first].leaves == 0)
      break;
    l.shown.erase(first);
  }
  // The widest of those that may be cut gives, until all fits.
  while (total(l.shown, l.widths) > width) {
    std::size_t widest = columns_.size();
    for (const auto index : l.shown)
      if (l.widths[index] > least[index] &&
          (widest == columns_.size() || l.widths[index] > l.widths[widest]))
        widest = index;
    if (widest == columns_.size())
      break;
    --l.widths[widest];
  }
  return l;
}

std::string table::line(const layout& l, const std::vector<cell>& row, const style& s) const {
  std::string out;
  std::size_t used = 0;
  for (const auto index : l.shown) {
    const bool is_last = index == l.shown.back();
    const bool is_first = index == l.shown.front();
    std::size_t room = l.widths[index];
    if (!is_first) {
      out.append(gap, ' ');
      used += gap;
    }
    if (s.width > 0)
      room = std::min(room, s.width > used ? s.width - used : 0);
    const auto text = utf8::cut(row[index].text, room);
    const std::size_t padding = room - std::min(room, utf8::columns(text));
    const auto shown = s.colour ? painted(text, row[index].how) : text;
    if (columns_[index].right)
      out.append(padding, ' ');
    out += shown;
    if (!columns_[index].right && !is_last)
      out.append(padding, ' ');
    used += room;
  }
  while (out.ends_with(' '))
    out.pop_back();
  return out + "\n";
}

std::string table::text(const style& s) const {
  const auto l = lay_out(s.width);
  std::vector<cell> titles;
  for (const auto& c : columns_)
    titles.emplace_back(c.title, tone::strong);
  std::string out = line(l, titles, s);
  for (const auto& row : rows_)
    out += line(l, row, s);
  return out;
}

void fact_sheet::add(std::string name, cell value) {
  value.text = utf8::clean(value.text);
  if (!value.text.empty())
    facts_.push_back({std::move(name), std::move(value)});
}

std::string fact_sheet::text(const style& s) const {
  std::size_t name_width = 0;
  for (const auto& f : facts_)
    name_width = std::max(name_width, utf8::columns(f.name));
  const std::size_t indent = name_width + gap;
  std::string out;
  for (const auto& f : facts_) {
    auto name = f.name;
    name.append(indent - utf8::columns(f.name), ' ');
    const auto value = s.width > indent ? utf8::cut(f.value.text, s.width - indent) : f.value.text;
    out += s.colour ? painted(name, tone::quiet) : name;
    out += s.colour ? painted(value, f.value.how) : value;
    out += '\n';
  }
  return out;
}

} // namespace muster::console
