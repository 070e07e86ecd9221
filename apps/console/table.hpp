#pragma once
// Tables for people: as wide as the terminal, never wider.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace muster::console {

enum class tone : std::uint8_t { plain, good, warning, bad, quiet, strong };

/// `text` in the colour of its tone, as terminals understand it.
[[nodiscard]] std::string painted(std::string_view text, tone t);

struct cell {
  std::string text;
  tone how = tone::plain;

  cell(std::string content = {}, tone t = tone::plain) : text(std::move(content)), how(t) {}
  cell(const char* content, tone t = tone::plain) : text(content), how(t) {}
};

struct column {
  std::string title;
  bool right = false;      ///< numbers
  bool may_be_cut = false; ///< may be narrower than its content
  int leaves = 0;          ///< when all is too narrow, higher numbers go first; 0: stays
};

struct style {
  std::size_t width = 0; ///< columns of the terminal; 0: no bound
  bool colour = false;
};

/// Rows are cleaned of control characters: what devices call themselves is not to be trusted.
class table {
public:
  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}
  /// As many cells as there are columns.
  void add(std::vector<cell> row);
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  /// Lines with line ends; a column without any content is left out.
  [[nodiscard]] std::string text(const style& s) const;

private:
  struct layout {
    std::vector<std::size_t> shown;  ///< indices of columns
    std::vector<std::size_t> widths; ///< per column, also of those not shown
  };
  [[nodiscard]] layout lay_out(std::size_t width) const;
  [[nodiscard]] std::string line(const layout& l, const std::vector<cell>& row,
                                 const style& s) const;

  std::vector<column> columns_;
  std::vector<std::vector<cell>> rows_;
};

/// "Name   value" lines with aligned values; pairs with an empty value are left out.
class fact_sheet {
public:
  void add(std::string name, cell value);
  [[nodiscard]] std::string text(const style& s) const;

private:
  struct fact {
    std::string name;
    cell value;
  };
  std::vector<fact> facts_;
};

} // namespace muster::console
