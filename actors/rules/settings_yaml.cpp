#include "actors/rules/settings_yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <unordered_set>

namespace muster::rules {

namespace {

bool one_of(std::string_view text, std::initializer_list<std::string_view> words) noexcept {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

std::size_t line_of(const YAML::Mark& mark) noexcept {
  return mark.line < 0 ? 0 : static_cast<std::size_t>(mark.line) + 1;
}

/// Ends the parser from within: it has no other way.
struct stop_parsing {
  text_problem why;
};

/// Whether the quotes that begin at `at` end. The library takes the end of the text for their end when a
/// line ended before it: half a file would pass for a whole one.
bool quotes_end(std::string_view text, std::size_t at) noexcept {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (text[at] == quote)
      return true; // of two single quotes, which stand for one, the second begins again
    if (quote == '"' && text[at] == '\\')
      ++at;
  }
  return false;
}

class builder : public YAML::EventHandler {
public:
  explicit builder(std::string_view text) : text_(text) {}

  void OnDocumentStart(const YAML::Mark&) override {
    open_.clear();
    done_.reset();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // A name that is not there: `: value`.
    put(mark, anchor, {}, settings_value{}, "");
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    stop(mark, "aliases ('*name') are not taken: write it out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (tag != "?") { // in quotes, or a block
      const auto at = static_cast<std::size_t>(std::max(mark.pos, 0));
      if (at < text_.size() && (text_[at] == '"' || text_[at] == '\'') && !quotes_end(text_, at))
        stop(mark, "a text in quotes has no end");
      put(mark, anchor, tag == "!" || tag == "tag:yaml.org,2002:str" ? std::string{} : tag,
          settings_value{text}, text);
      return;
    }
    auto value = plain_scalar(text);
    if (!value && !waits_for_name())
      stop(mark, "'" + text.substr(0, 40) + "' is a number that cannot be one here");
    put(mark, anchor, {}, value ? std::move(*value) : settings_value{text}, text);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, anchor, tag, value_kind::list);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, anchor, tag, value_kind::map);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

  std::optional<yaml_node> take() { return std::exchange(done_, std::nullopt); }

private:
  /// A list or a map that has not ended.
  struct level {
    yaml_node node;
    bool named = false; ///< in a map: the name of the next value is there
    std::unordered_set<std::string> names;
  };

  [[noreturn]] static void stop(const YAML::Mark& mark, std::string why) {
    throw stop_parsing{{line_of(mark), std::move(why)}};
  }

  bool waits_for_name() const {
    return !open_.empty() && open_.back().node.kind == value_kind::map && !open_.back().named;
  }

  void check(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) {
    if (anchor != 0)
      stop(mark, "anchors ('&name') are not taken: write it out where it is needed");
    if (!tag.empty() && tag != "?" && tag != "!")
      stop(mark, "tags ('!name') are not taken");
    if (++nodes_ > yaml_limits::nodes_max)
      stop(mark, "there are more than " + std::to_string(yaml_limits::nodes_max) + " values");
  }

  void name(const YAML::Mark& mark, const std::string& text) {
    auto& map = open_.back();
    if (text == "<<")
      stop(mark, "merge keys ('<<') are not taken: write it out");
    if (text.size() > settings_limits::name_bytes_max)
      stop(mark,
           "a name is longer than " + std::to_string(settings_limits::name_bytes_max) + " bytes");
    if (!map.names.insert(text).second)
      stop(mark, "'" + text + "' is there already");
    map.node.entries.push_back({text, line_of(mark), {}});
    map.named = true;
  }

  void put(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag,
           settings_value value, const std::string& text) {
    check(mark, anchor, tag);
    if (waits_for_name())
      name(mark, text);
    else
      attach({line_of(mark), value.kind(), std::move(value), {}, {}});
  }

  void begin(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag,
             value_kind kind) {
    check(mark, anchor, tag);
    if (waits_for_name())
      stop(mark, "a name is one word or text, not a list or a map");
    if (open_.size() == settings_limits::depth_max)
      stop(mark, "it is nested deeper than " + std::to_string(settings_limits::depth_max));
    open_.push_back({{line_of(mark), kind, {}, {}, {}}, false, {}});
  }

  void end() {
    auto node = std::move(open_.back().node);
    open_.pop_back();
    attach(std::move(node));
  }

  void attach(yaml_node node) {
    if (open_.empty()) {
      done_ = std::move(node);
    } else if (open_.back().node.kind == value_kind::list) {
      open_.back().node.items.push_back(std::move(node));
    } else {
      open_.back().node.entries.back().value = std::move(node);
      open_.back().named = false;
    }
  }

  std::string_view text_;
  std::vector<level> open_;
  std::optional<yaml_node> done_;
  std::size_t nodes_ = 0;
};

/// What the library must not see: it guesses at other encodings from zero bytes and byte order
/// marks.
std::optional<text_problem> odd_character(std::string_view text) {
  std::size_t line = 1;
  if (text.starts_with("\xef\xbb\xbf"))
    return text_problem{1, "it begins with a byte order mark: save it without one"};
  for (const char c : text) {
    line += c == '\n' ? 1 : 0;
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
      return text_problem{line, "there is a control character"};
  }
  return is_utf8(text) ? std::nullopt : std::optional{text_problem{0, "it is not UTF-8"}};
}

} // namespace

const yaml_node* yaml_node::find(std::string_view name) const noexcept {
  for (const auto& entry : entries)
    if (entry.name == name)
      return &entry.value;
  return nullptr;
}

settings_value yaml_node::value() const {
  if (kind == value_kind::list) {
    settings_value::list out;
    out.reserve(items.size());
    for (const auto& item : items)
      out.push_back(item.value());
    return out;
  }
  if (kind != value_kind::map)
    return scalar;
  settings_value::map out;
  out.reserve(entries.size());
  for (const auto& entry : entries)
    out.push_back({entry.name, entry.value.value()});
  std::string twice;
  return settings_value::map_of(std::move(out), twice);
}

std::optional<settings_value> plain_scalar(std::string_view text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"}))
    return settings_value{};
  if (one_of(text, {"true", "True", "TRUE", "false", "False", "FALSE"}))
    return settings_value{text.front() == 't' || text.front() == 'T'};
  if (text == "-0")
    return settings_value{0};
  const bool negative = text.starts_with('-');
  const auto digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
  const auto unsigned_part = digits.starts_with('.') ? digits.substr(1) : digits;
  if (one_of(digits, {".inf", ".Inf", ".INF"}) || one_of(text, {".nan", ".NaN", ".NAN"}))
    return std::nullopt;
  if (unsigned_part.empty() || !is_digit(unsigned_part.front()) ||
      (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])))
    return settings_value{std::string{text}};
  const auto* begin = negative ? text.data() : digits.data();
  const auto* end = text.data() + text.size();
  if (std::all_of(digits.begin(), digits.end(), is_digit)) {
    std::int64_t out = 0;
    return std::from_chars(begin, end, out).ec == std::errc{} ? std::optional{settings_value{out}}
                                                              : std::nullopt;
  }
  double out = 0;
  const auto [at, ec] = std::from_chars(begin, end, out);
  if (at != end)
    return settings_value{std::string{text}};
  return ec == std::errc{} && std::isfinite(out) ? std::optional{settings_value{out}}
                                                 : std::nullopt;
}

std::optional<std::vector<yaml_node>> read_yaml(std::string_view text, text_problem& problem) {
  if (text.size() > yaml_limits::bytes_max) {
    problem = {0, "it is larger than " + std::to_string(yaml_limits::bytes_max) + " bytes"};
    return std::nullopt;
  }
  if (const auto odd = odd_character(text)) {
    problem = *odd;
    return std::nullopt;
  }
  std::vector<yaml_node> out;
  try {
    std::istringstream in{std::string{text}};
    YAML::Parser parser{in};
    builder build{text};
    while (parser.HandleNextDocument(build)) {
      auto document = build.take();
      if (document && document->kind != value_kind::null)
        out.push_back(std::move(*document));
      if (out.size() > yaml_limits::documents_max)
        throw stop_parsing{
          {out.back().line,
           "there are more than " + std::to_string(yaml_limits::documents_max) + " documents"}};
    }
  } catch (const stop_parsing& stopped) {
    problem = stopped.why;
    return std::nullopt;
  } catch (const YAML::Exception& wrong) {
    problem = {line_of(wrong.mark), wrong.msg};
    return std::nullopt;
  }
  return out;
}

std::optional<settings_value> settings_from_yaml(std::string_view text, text_problem& problem) {
  auto documents = read_yaml(text, problem);
  if (!documents)
    return std::nullopt;
  if (documents->size() > 1) {
    problem = {(*documents)[1].line, "there is a second document"};
    return std::nullopt;
  }
  auto out = documents->empty() ? settings_value::empty_map() : documents->front().value();
  problem = {0, problem_with(out)};
  return problem.what.empty() ? std::optional{std::move(out)} : std::nullopt;
}

} // namespace muster::rules
