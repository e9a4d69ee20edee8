// The one table printer: aligned columns, two spaces between them, a heading over each.
#pragma once

#include <string>
#include <vector>

#include "cluster/cli/command/io.hpp"

namespace troupe::cluster {

struct Cell {
  Cell(std::string content) : text(std::move(content)) {}  // NOLINT: a row is a list of texts
  Cell(const char* content) : text(content) {}             // NOLINT
  Cell(std::string content, Tint colour) : text(std::move(content)), tint(colour) {}

  std::string text;
  Tint tint = Tint::none;
};

class Table {
 public:
  enum class Align : unsigned char { left, right };
  struct Column {
    std::string heading;
    Align align = Align::left;
    bool optional = false;  // left out while no row has something there
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns. Control characters in them become spaces.
  void add(std::vector<Cell> row);

  std::size_t columns() const { return columns_.size(); }
  bool empty() const { return rows_.empty(); }

  void print(const CliIo& io) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace troupe::cluster
