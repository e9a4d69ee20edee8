#include "simulations/rehearsal/event_table.hpp"

#include <algorithm>
#include <cstdio>

namespace troupe::simulations {

namespace {

constexpr std::size_t column_width = 72;

// A log line without its time, which the row has.
std::string without_time(const LogLine& line) {
  const auto space = line.text.find(' ');
  return space == std::string::npos ? line.text : line.text.substr(space + 1);
}

std::string cell(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  if (text.size() > column_width) text = text.substr(0, column_width - 3) + "...";
  text.resize(column_width, ' ');
  return text;
}

std::string time_cell(Duration at) {
  char text[32];
  std::snprintf(text, sizeof text, "%12.6f", std::chrono::duration<double>(at).count());
  return text;
}

}  // namespace

std::string event_table(const std::vector<std::string>& nodes, const LogBook& log,
                        const History& history, const std::vector<RunEvent>& events, Duration until,
                        std::size_t rows_max) {
  std::vector<RunEvent> rows;
  for (const auto& line : log.lines) rows.push_back({line.time, line.node, without_time(line)});
  for (const auto& event : events) rows.push_back(event);
  for (const auto& one : history.all()) {
    if (one.returned != Duration::max())
      rows.push_back({one.returned, "clients", one.text() + " -> " + describe_reply(one)});
  }
  std::erase_if(rows, [&](const RunEvent& row) { return row.at > until; });
  std::ranges::stable_sort(rows, {}, &RunEvent::at);
  if (rows.size() > rows_max)
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(rows_max));

  auto columns = nodes;
  columns.push_back("clients");
  std::string table = "        time";
  for (const auto& column : columns) table += " | " + cell(column);
  for (const auto& row : rows) {
    table += '\n' + time_cell(row.at);
    for (const auto& column : columns) table += " | " + cell(row.column == column ? row.text : "");
  }
  std::string trimmed;
  for (std::size_t begin = 0; begin < table.size();) {
    auto end = std::min(table.find('\n', begin), table.size());
    auto line = table.substr(begin, end - begin);
    line.erase(line.find_last_not_of(' ') + 1);
    trimmed += line + '\n';
    begin = end + 1;
  }
  return trimmed;
}

}  // namespace troupe::simulations
