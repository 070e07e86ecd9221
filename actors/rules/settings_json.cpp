#include "actors/rules/settings_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace muster::rules {

namespace {

void write_text(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
          ((out += "\\u00") += digits[(c >> 4) & 15]) += digits[c & 15];
        else
          out += c;
    }
  }
  out += '"';
}

void write_real(std::string& out, double real) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, real).ptr;
  const std::string_view text{buffer, static_cast<std::size_t>(end - buffer)};
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos)
    out += ".0";
}

class writer {
public:
  explicit writer(bool indented) : indented_(indented) {}

  void write(const settings_value& value) {
    switch (value.kind()) {
      case value_kind::null: out_ += "null"; break;
      case value_kind::boolean: out_ += *value.as_boolean() ? "true" : "false"; break;
      case value_kind::integer: out_ += std::to_string(*value.as_integer()); break;
      case value_kind::real: write_real(out_, *value.as_real()); break;
      case value_kind::text: write_text(out_, *value.as_text()); break;
      case value_kind::list:
        members('[', ']', *value.as_list(), [this](const settings_value& item) { write(item); });
        break;
      case value_kind::map:
        members('{', '}', *value.as_map(), [this](const settings_entry& entry) {
          write_text(out_, entry.name);
          out_ += indented_ ? ": " : ":";
          write(entry.value);
        });
        break;
    }
  }

  std::string take() {
    if (indented_)
      out_ += '\n';
    return std::move(out_);
  }

private:
  template <class List, class Write>
  void members(char open, char close, const List& list, Write write_one) {
    out_ += open;
    ++depth_;
    bool first = true;
    for (const auto& one : list) {
      if (!std::exchange(first, false))
        out_ += ',';
      line();
      write_one(one);
    }
    --depth_;
    if (!list.empty())
      line();
    out_ += close;
  }

  void line() {
    if (indented_)
      out_.append("\n").append(2 * depth_, ' ');
  }

  bool indented_;
  std::size_t depth_ = 0;
  std::string out_;
};

/// Builds a value from what the parser meets, and stops it at the first thing that cannot be.
class builder : public nlohmann::json_sax<nlohmann::json> {
public:
  builder(std::string_view text, std::string& problem) : text_(text), problem_(problem) {}

  bool null() override { return put({}); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(std::int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return fail("a whole number does not fit 64 bits");
    return put(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t& written) override {
    // A whole number beyond 64 bits arrives here, too: rounding it would be a lie.
    if (written.find_first_of(".eE") == std::string::npos)
      return fail("a whole number does not fit 64 bits");
    return put(value);
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return fail("it has what JSON does not"); }
  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override {
    auto items = std::move(open_.back().items);
    open_.pop_back();
    return attach(std::move(items));
  }

  bool end_object() override {
    std::string twice;
    auto map = settings_value::map_of(std::move(open_.back().entries), twice);
    if (map.as_map()->size() < open_.back().names)
      return fail("the name '" + twice + "' comes twice in one map");
    open_.pop_back();
    return attach(std::move(map));
  }

  bool key(string_t& name) override {
    if (name.size() > settings_limits::name_bytes_max)
      return fail("a name is longer than " + std::to_string(settings_limits::name_bytes_max) + " bytes");
    open_.back().entries.push_back({std::move(name), {}});
    ++open_.back().names;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& why) override {
    const auto upto = text_.substr(0, std::min(position, text_.size()));
    const auto line = 1 + std::count(upto.begin(), upto.end(), '\n');
    const bool number = why.id == 406; // out_of_range: a real with too large an exponent
    return fail("line " + std::to_string(line)
                + (number ? ": a number is too large" : ": it is no JSON from here on"));
  }

  std::optional<settings_value> take() { return std::move(done_); }

private:
  /// A map or a list that has not ended.
  struct level {
    settings_value::list items;
    settings_value::map entries; ///< the last one waits for its value
    std::size_t names = 0;
  };

  bool fail(std::string why) {
    if (problem_.empty())
      problem_ = std::move(why);
    return false;
  }

  bool count() {
    if (++nodes_ <= settings_limits::nodes_max)
      return true;
    return fail("it has more than " + std::to_string(settings_limits::nodes_max) + " values");
  }

  bool put(settings_value value) { return count() && attach(std::move(value)); }

  bool attach(settings_value value) {
    if (open_.empty())
      done_ = std::move(value);
    else if (open_.back().names == 0)
      open_.back().items.push_back(std::move(value));
    else
      open_.back().entries.back().value = std::move(value);
    return true;
  }

  bool open() {
    if (open_.size() == settings_limits::depth_max)
      return fail("it is nested deeper than " + std::to_string(settings_limits::depth_max));
    open_.emplace_back();
    return count();
  }

  std::string_view text_;
  std::string& problem_;
  std::vector<level> open_;
  std::size_t nodes_ = 0;
  std::optional<settings_value> done_;
};

} // namespace

std::string to_json(const settings_value& value, json_layout layout) {
  writer out{layout == json_layout::indented};
  out.write(value);
  return out.take();
}

std::optional<settings_value> settings_from_json(std::string_view text, std::string& problem) {
  problem.clear();
  if (text.size() > json_bytes_max) {
    problem = "it is larger than " + std::to_string(json_bytes_max) + " bytes";
    return std::nullopt;
  }
  builder build{text, problem};
  if (!nlohmann::json::sax_parse(text, &build)) {
    if (problem.empty())
      problem = "it is no JSON";
    return std::nullopt;
  }
  auto out = build.take();
  if (out && !(problem = problem_with(*out)).empty())
    return std::nullopt;
  return out;
}

} // namespace muster::rules
