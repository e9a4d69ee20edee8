// Where in the segments the entries of one group are.
//
// A group's log is a row of runs: stretches of consecutive indices whose rows lie in one segment,
// in order, with rows of other groups between. Of every run each 32nd row is marked; a reader
// starts at the mark before the entry it wants. So an entry costs a quarter of a byte, and memory
// is bounded by what the segments hold.
//
// Not thread-safe; the node log guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/storage/ids.hpp"

namespace troupe::runtime {

class GroupIndex {
 public:
  static constexpr LogIndex entries_per_mark = 32;

  bool empty() const { return runs_.empty(); }
  LogIndex first() const { return runs_.empty() ? 0 : runs_.front().first; }
  LogIndex last() const { return runs_.empty() ? 0 : runs_.back().last; }

  // The oldest segment that holds an entry; only if there is one.
  std::uint64_t oldest_segment() const { return runs_.front().segment; }
  bool needs(std::uint64_t segment) const;

  // The entry's row is `row` of `segment`. An index at or before last() drops all from there on
  // first. Otherwise it is last() + 1, or any if there are no entries.
  void append(LogIndex index, std::uint64_t segment, std::int64_t row);

  // Entries [first, last] that are known to have been written, but not where.
  void assume(LogIndex first, LogIndex last);

  // Forgets entries up to and including `index`.
  void cut(LogIndex index);

  struct Span {
    std::uint64_t segment = 0;
    std::int64_t row = 0;  // begin to look here; rows before `from` may come first
    LogIndex from = 0;
    LogIndex to = 0;
  };
  // Where [from, to] lies, in order; all of it must be there.
  std::vector<Span> spans(LogIndex from, LogIndex to) const;

 private:
  struct Run {
    LogIndex first = 0;
    LogIndex last = 0;
    std::uint64_t segment = 0;
    LogIndex marked_from = 0;         // index of marks[0]; before `first` once the run was cut
    std::vector<std::int64_t> marks;  // rows of marked_from, marked_from + 32, ...
  };
  void truncate(LogIndex from);

  std::deque<Run> runs_;
};

}  // namespace troupe::runtime
