#include "runtime/storage/group_index.hpp"

#include <algorithm>

namespace troupe::runtime {

bool GroupIndex::needs(std::uint64_t segment) const {
  return std::any_of(runs_.begin(), runs_.end(),
                     [&](const Run& run) { return run.segment == segment; });
}

void GroupIndex::append(LogIndex index, std::uint64_t segment, std::int64_t row) {
  if (!runs_.empty() && index <= runs_.back().last) {
    truncate(index);
    // Rows of what was dropped lie between the run and this row.
    runs_.push_back({index, index, segment, index, {row}});
    return;
  }
  if (runs_.empty() || runs_.back().segment != segment) {
    runs_.push_back({index, index, segment, index, {row}});
    return;
  }
  Run& run = runs_.back();
  run.last = index;
  if ((index - run.marked_from) % entries_per_mark == 0) run.marks.push_back(row);
}

void GroupIndex::assume(LogIndex first, LogIndex last) {
  runs_.push_back({first, last, 0, first, {}});
}

void GroupIndex::truncate(LogIndex from) {
  while (!runs_.empty() && runs_.back().first >= from) runs_.pop_back();
  if (runs_.empty() || runs_.back().last < from) return;
  Run& run = runs_.back();
  run.last = from - 1;
  if (!run.marks.empty()) run.marks.resize((run.last - run.marked_from) / entries_per_mark + 1);
}

void GroupIndex::cut(LogIndex index) {
  while (!runs_.empty() && runs_.front().last <= index) runs_.pop_front();
  if (!runs_.empty()) runs_.front().first = std::max(runs_.front().first, index + 1);
}

std::vector<GroupIndex::Span> GroupIndex::spans(LogIndex from, LogIndex to) const {
  std::vector<Span> spans;
  for (const Run& run : runs_) {
    if (run.last < from || run.first > to) continue;
    Span span{run.segment, 0, std::max(run.first, from), std::min(run.last, to)};
    if (!run.marks.empty()) span.row = run.marks[(span.from - run.marked_from) / entries_per_mark];
    spans.push_back(span);
  }
  return spans;
}

}  // namespace troupe::runtime
