#include "cluster/cli/command/table.hpp"

#include <algorithm>
#include <cassert>

namespace troupe::cluster {
namespace {

// A line that ends in spaces wraps on narrow terminals: padding waits for the next text.
class Line {
 public:
  void add(const std::string& text, std::size_t text_width, std::size_t columns,
           Table::Align align) {
    const std::size_t padding = columns - text_width;
    if (align == Table::Align::right) pending_ += padding;
    if (text_width > 0) {
      line_ += std::string(pending_, ' ') + text;
      pending_ = 0;
    }
    if (align == Table::Align::left) pending_ += padding;
    pending_ += 2;
  }
  const std::string& text() const { return line_; }

 private:
  std::string line_;
  std::size_t pending_ = 0;
};

}  // namespace

void Table::add(std::vector<Cell> row) {
  assert(row.size() == columns_.size());
  for (auto& cell : row) cell.text = harmless(cell.text);
  rows_.push_back(std::move(row));
}

void Table::print(const CliIo& io) const {
  std::vector<std::size_t> widths(columns_.size());
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = 0;
    for (const auto& row : rows_) widest = std::max(widest, width(row[i].text));
    widths[i] = std::max(width(columns_[i].heading), widest);
    if (widest > 0 || !columns_[i].optional) shown.push_back(i);
  }
  Line heading;
  for (const std::size_t i : shown)
    heading.add(tinted(columns_[i].heading, Tint::faint, io.colour), width(columns_[i].heading),
                widths[i], columns_[i].align);
  *io.out << heading.text() << "\n";
  for (const auto& row : rows_) {
    Line line;
    for (const std::size_t i : shown)
      line.add(tinted(row[i].text, row[i].tint, io.colour), width(row[i].text), widths[i],
               columns_[i].align);
    *io.out << line.text() << "\n";
  }
}

}  // namespace troupe::cluster
