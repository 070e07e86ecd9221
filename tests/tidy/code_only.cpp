#include "tests/tidy/rules.hpp"

#include <cctype>

namespace muster::tidy {

namespace {

/// Walks through C++ text once, copying code and blanking the rest.
class eraser {
public:
  explicit eraser(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  std::string run() {
    while (at_ < text_.size()) {
      step();
    }
    return std::move(out_);
  }

private:
  [[nodiscard]] bool here(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  [[nodiscard]] bool on_include_line() const {
    const auto begin = text_.rfind('\n', at_);
    const auto line = text_.substr(begin == std::string_view::npos ? 0 : begin + 1);
    return line.substr(0, line.find_first_not_of("# \t")).find('#') != std::string_view::npos
           && line.find("include") < line.find('\n');
  }

  /// A quote inside 1'000'000 is not the beginning of a character.
  [[nodiscard]] bool digit_separator() const {
    return at_ > 0 && std::isxdigit(static_cast<unsigned char>(text_[at_ - 1])) != 0;
  }

  void step() {
    if (here("//")) {
      blank_until(text_.find('\n', at_));
    } else if (here("/*")) {
      const auto end = text_.find("*/", at_ + 2);
      blank_until(end == std::string_view::npos ? end : end + 2);
    } else if (here("R\"")) {
      const auto open = text_.find('(', at_);
      const auto closing = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
      const auto end = text_.find(closing, open);
      blank_until(end == std::string_view::npos ? end : end + closing.size());
    } else if (text_[at_] == '"' && !on_include_line()) {
      literal('"');
    } else if (text_[at_] == '\'' && !digit_separator()) {
      literal('\'');
    } else {
      out_ += text_[at_++];
    }
  }

  void literal(char quote) {
    out_ += text_[at_++];
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      blank_until(at_ + (text_[at_] == '\\' ? 2 : 1));
    }
    if (at_ < text_.size()) {
      out_ += text_[at_++];
    }
  }

  void blank_until(std::size_t end) {
    for (end = std::min(end, text_.size()); at_ < end; ++at_) {
      out_ += text_[at_] == '\n' ? '\n' : ' ';
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

} // namespace

std::string code_only(std::string_view text) {
  return eraser(text).run();
}

} // namespace muster::tidy
