// Which entries of one group a node has synced, and of which term: what a majority must agree on
// before an entry counts as committed.
#pragma once

#include <algorithm>
#include <vector>

#include "runtime/storage/ids.hpp"

namespace troupe::simulations {

class SyncedEntries {
 public:
  // This entry is synced; those behind it, if there were any, are gone.
  void write(runtime::LogIndex index, runtime::Term term) {
    cut(index - 1);
    if (runs_.empty() || runs_.back().term != term) runs_.push_back({index, term});
    last_ = index;
  }

  // After a restart the log ends there. Entries that nobody knew to be synced are of any term.
  void recovered(runtime::LogIndex last) {
    cut(last);
    if (last_ < last) write(last_ + 1, any);
    last_ = last;
  }

  // A file of another replica is there in place of the log: up to there all is as committed.
  void begin_behind(runtime::LogIndex index) {
    runs_.assign(1, {0, any});
    last_ = index;
  }

  bool has(runtime::LogIndex index, runtime::Term term) const {
    if (index > last_) return false;
    const auto behind = std::ranges::upper_bound(runs_, index, {}, &Run::first);
    return behind != runs_.begin() &&
           (std::prev(behind)->term == term || std::prev(behind)->term == any);
  }

 private:
  static constexpr runtime::Term any = 0;
  struct Run {
    runtime::LogIndex first;
    runtime::Term term;
  };

  void cut(runtime::LogIndex last) {
    while (!runs_.empty() && runs_.back().first > last) runs_.pop_back();
    last_ = std::min(last_, last);
  }

  std::vector<Run> runs_;  // by rising index
  runtime::LogIndex last_ = 0;
};

}  // namespace troupe::simulations
