#include "cluster/replication/log_tail.hpp"

#include <algorithm>
#include <cassert>

namespace troupe::cluster {

using runtime::LogEntry;
using runtime::LogIndex;
using runtime::Term;

void LogTail::reset(LogIndex snapshot, Term snapshot_term) {
  snapshot_ = last_ = snapshot;
  bytes_end_ = 0;
  entries_.clear();
  runs_.clear();
  if (snapshot > 0) runs_.push_back({snapshot, snapshot_term});
}

void LogTail::append(LogEntry entry) {
  assert(entry.index == last_ + 1);
  last_ = entry.index;
  if (runs_.empty() || runs_.back().term != entry.term) runs_.push_back({entry.index, entry.term});
  if (entry.payload) bytes_end_ += entry.payload->size();
  entries_.push_back({std::move(entry), bytes_end_});
}

void LogTail::truncate(LogIndex from) {
  assert(from > snapshot_);
  while (last_ >= from) {
    if (!entries_.empty()) entries_.pop_back();
    --last_;
  }
  if (!entries_.empty()) bytes_end_ = entries_.back().bytes_end;
  while (!runs_.empty() && runs_.back().first >= from) runs_.pop_back();
}

void LogTail::cut(LogIndex snapshot) {
  assert(snapshot > snapshot_ && snapshot <= last_);
  drop(snapshot);
  snapshot_ = snapshot;
  std::size_t covered = 0;
  while (covered + 1 < runs_.size() && runs_[covered + 1].first <= snapshot) ++covered;
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(covered));
  runs_.front().first = snapshot;
}

void LogTail::drop(LogIndex to) {
  while (!entries_.empty() && entries_.front().entry.index <= to) entries_.pop_front();
}

Term LogTail::term_of(LogIndex index) const {
  if (index == 0 || index < snapshot_ || index > last_) return 0;
  auto behind = std::upper_bound(runs_.begin(), runs_.end(), index,
                                 [](LogIndex at, const Run& run) { return at < run.first; });
  return behind == runs_.begin() ? 0 : std::prev(behind)->term;
}

const LogEntry* LogTail::find(LogIndex index) const {
  const LogIndex first = first_in_memory();
  if (index < first || index > last_) return nullptr;
  return &entries_[index - first].entry;
}

std::uint64_t LogTail::bytes_behind(LogIndex index) const {
  if (entries_.empty() || index >= last_) return 0;
  const LogIndex first = first_in_memory();
  if (index < first) {
    const Held& front = entries_.front();
    return bytes_end_ - front.bytes_end + (front.entry.payload ? front.entry.payload->size() : 0);
  }
  return bytes_end_ - entries_[index - first].bytes_end;
}

}  // namespace troupe::cluster
