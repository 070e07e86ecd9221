#pragma once
// A program's settings, declared once: key, type, bounds, default and help, bound to a member of
// the program's own struct. From the table come the file's reading, the flags and the example.

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace muster::config {

/// As it stands in a file, before anybody has looked at what it should be.
using raw_value = std::variant<bool, std::int64_t, double, std::string>;

/// What a setting looks like in a file, and so how a flag's text becomes a raw value.
enum class form : std::uint8_t { boolean, number, text };

struct setting {
  std::string key;  ///< "agents.port"
  std::string flag; ///< "--agents-port"; may be changed after declaring
  std::string help; ///< a phrase that begins in lower case, without a full stop
  std::string kind; ///< "a whole number from 1 to 65535", as in "must be ..."
  form in_file = form::text;
  std::string default_text;       ///< as in a file
  std::string source = "default"; ///< where the value comes from: "server.toml:3", "--agents-port"
  std::function<bool(const raw_value&)> assign; ///< false: not of this kind; nothing is changed
  std::function<std::string()> show;            ///< the current value, as in a file
  std::vector<std::string> words;               ///< of a choice, for completion
};

/// Bounds of a number, both included.
struct bounds {
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};
struct duration_bounds {
  std::chrono::milliseconds min{0};
  std::chrono::milliseconds max{std::chrono::hours{24 * 365}};
};
struct size_bounds {
  std::uint64_t min = 0;
  std::uint64_t max = std::uint64_t{1} << 62;
};

/// The value a member has when it is declared is its default. Targets must outlive the table.
/// Declaring a key twice, or with a default out of bounds, is a bug.
class table {
public:
  template <class Number>
  setting& number(std::string key, Number& target, bounds allowed, std::string help) {
    allowed.max = std::min(allowed.max, most<Number>());
    return add_number(
      std::move(key), std::move(help), allowed,
      [&target](std::int64_t n) { target = static_cast<Number>(n); },
      [&target] { return static_cast<std::int64_t>(target); });
  }
  /// 1-65535; with `any_allowed` also 0, "any free one".
  setting& port(std::string key, std::uint16_t& target, std::string help, bool any_allowed = true);
  setting& boolean(std::string key, bool& target, std::string help);
  /// "15m", "1h30m".
  setting& duration(std::string key, std::chrono::milliseconds& target, duration_bounds allowed,
                    std::string help);
  /// "64MB".
  setting& size(std::string key, std::uint64_t& target, size_bounds allowed, std::string help);
  /// Empty means unset. Relative ones are relative to where the program runs.
  setting& path(std::string key, std::filesystem::path& target, std::string help);
  setting& text(std::string key, std::string& target, std::string help);
  /// `good` judges; `kind` is what it wants, as in "HOST or HOST:PORT". Empty texts are judged too.
  setting& text(std::string key, std::string& target, std::string kind,
                std::function<bool(const std::string&)> good, std::string help);
  /// A numeric IPv4 or IPv6 address to listen on.
  setting& address(std::string key, std::string& target, std::string help);
  /// One of these words.
  setting& choice(std::string key, std::string& target, std::vector<std::string> words,
                  std::string help);

  [[nodiscard]] setting* find(std::string_view key);
  [[nodiscard]] std::deque<setting>& all() noexcept { return settings_; }
  [[nodiscard]] const std::deque<setting>& all() const noexcept { return settings_; }
  [[nodiscard]] std::vector<std::string> keys() const;
  /// Whether some key lies below this one: "agents" when there is "agents.port".
  [[nodiscard]] bool is_section(std::string_view key) const;

private:
  template <class Number>
  static constexpr std::int64_t most() {
    constexpr auto max = std::numeric_limits<Number>::max();
    return std::in_range<std::int64_t>(max) ? static_cast<std::int64_t>(max)
                                            : std::numeric_limits<std::int64_t>::max();
  }
  setting& add_number(std::string key, std::string help, bounds allowed,
                      std::function<void(std::int64_t)> put, std::function<std::int64_t()> get);
  setting& add_text(std::string key, std::string help, std::string kind,
                    std::function<bool(const std::string&)> put, std::function<std::string()> get);
  setting& add(setting s);

  std::deque<setting> settings_;
};

/// A string as TOML and shells' quotes show it; control characters escaped.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// A file that shows every setting with its help and default, all commented out. `about` is the
/// first line.
[[nodiscard]] std::string example(const table& settings, std::string_view about);

/// Every setting with its value and where that comes from, one per line, for check-config.
[[nodiscard]] std::string effective(const table& settings);

} // namespace muster::config
