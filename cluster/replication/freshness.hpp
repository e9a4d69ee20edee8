// Of which moment a replica's rows are, at the latest, that are applied up to some index.
//
// Pure; belongs to the group's actor.
#pragma once

#include <deque>
#include <optional>

#include "runtime/storage/ids.hpp"
#include "runtime/time.hpp"

namespace troupe::cluster {

class Freshness {
 public:
  // At `time` nothing behind `commit` was committed. Times never fall.
  void note(MonotonicTime time, runtime::LogIndex commit) {
    if (!marks_.empty() && commit <= marks_.back().commit) {
      // The newest mark says the same of a later moment, unless that would skip rows to come.
      if (commit == marks_.back().commit) marks_.back().time = time;
      return;
    }
    if (!marks_.empty() && time - marks_.back().time < apart) return;
    if (marks_.size() < marks_max) marks_.push_back({time, commit});
  }

  // Rows are applied up to `applied`, which never falls. Returns the latest moment noted at which
  // nothing behind it was committed.
  std::optional<MonotonicTime> note_applied(runtime::LogIndex applied) {
    while (!marks_.empty() && marks_.front().commit <= applied) {
      fresh_ = marks_.front().time;
      if (marks_.size() == 1) break;
      marks_.pop_front();
    }
    return fresh_;
  }

 private:
  // Marks wait until their entries are applied, half a second as a rule. What does not fit is not
  // noted: rows then seem older than they are, by the time between two marks, or for as long as
  // nothing is applied.
  static constexpr Duration apart = std::chrono::milliseconds{20};
  static constexpr std::size_t marks_max = 64;

  struct Mark {
    MonotonicTime time;
    runtime::LogIndex commit = 0;
  };
  std::deque<Mark> marks_;
  std::optional<MonotonicTime> fresh_;
};

}  // namespace troupe::cluster
