// What the node log tells any thread.
#include <algorithm>
#include <utility>

#include "runtime/storage/log_writer.hpp"

namespace troupe::runtime {

std::optional<GroupRecord> LogWriter::record(GroupId group) const {
  const std::lock_guard lock{mutex_};
  const auto found = groups_.find(group);
  return found == groups_.end() ? std::nullopt : found->second.record;
}

LogIndex LogWriter::first_index(GroupId group) const {
  const std::lock_guard lock{mutex_};
  const auto found = groups_.find(group);
  return found == groups_.end() ? 0 : found->second.index.first();
}

LogIndex LogWriter::last_index(GroupId group) const {
  const std::lock_guard lock{mutex_};
  const auto found = groups_.find(group);
  return found == groups_.end() ? 0 : found->second.index.last();
}

std::vector<GroupId> LogWriter::groups() const {
  const std::lock_guard lock{mutex_};
  std::vector<GroupId> ids;
  for (const auto& [id, group] : groups_)
    if (group.exists()) ids.push_back(id);
  return ids;
}

Result<std::vector<LogEntry>> LogWriter::read(GroupId group, LogIndex from, LogIndex to) {
  std::vector<LogEntry> entries;
  if (from > to) return entries;
  std::vector<std::pair<std::shared_ptr<Segment>, GroupIndex::Span>> parts;
  {
    const std::lock_guard lock{mutex_};
    const auto found = groups_.find(group);
    const LogIndex first = found == groups_.end() ? 0 : found->second.index.first();
    const LogIndex last = found == groups_.end() ? 0 : found->second.index.last();
    if (first == 0 || from < first || to > last)
      return not_found("LOG_CUT", "entries " + std::to_string(from) + " to " + std::to_string(to) +
                                      " of group " + std::to_string(group) +
                                      " are wanted, the log holds " + std::to_string(first) +
                                      " to " + std::to_string(last));
    for (const auto& span : found->second.index.spans(from, to))
      parts.emplace_back(segments_[span.segment - segments_.front()->number()], span);
  }
  entries.reserve(to - from + 1);
  for (const auto& [segment, span] : parts) TROUPE_CHECK(segment->read(group, span, entries));
  return entries;
}

std::vector<GroupId> LogWriter::laggards(std::size_t segments) const {
  const std::lock_guard lock{mutex_};
  std::vector<GroupId> ids;
  if (segments_.size() <= segments) return ids;
  // The oldest one that may stay.
  const auto keep = segments_[segments_.size() - std::max<std::size_t>(segments, 1)]->number();
  for (const auto& [id, group] : groups_)
    if (!group.index.empty() && group.index.oldest_segment() < keep) ids.push_back(id);
  return ids;
}

NodeLog::Stats LogWriter::stats() const {
  const std::lock_guard lock{mutex_};
  auto stats = stats_;
  stats.segments = segments_.size();
  for (const auto& segment : segments_) stats.segment_bytes += segment->file_bytes();
  return stats;
}

}  // namespace troupe::runtime
