#include "tests/runtime/storage/world/log_model.hpp"

#include <algorithm>

namespace troupe::tests {

using namespace runtime;

void Request::apply(GroupModel& model) const {
  if (term) {
    model.term = term;
    model.snapshot = snapshot;
    model.entries.erase(model.entries.begin(), model.entries.upper_bound(snapshot));
  }
  if (payloads.empty()) return;
  model.entries.erase(model.entries.lower_bound(first), model.entries.end());
  auto index = first;
  for (const auto& payload : payloads) model.entries[index++] = payload;
}

NodeLog::Append Request::append(GroupId group) const {
  NodeLog::Append append;
  append.group = group;
  if (term) append.record = GroupRecord{.term = *term, .snapshot_index = snapshot};
  auto index = first;
  for (const auto& payload : payloads)
    append.entries.push_back({index++, 1, 1, std::make_shared<const std::string>(payload)});
  return append;
}

GroupModel LogModel::planned(GroupId id) const {
  const auto found = groups_.find(id);
  if (found == groups_.end()) return {};
  auto model = found->second.base;
  for (const auto& request : found->second.requests)
    if (request.fate != Request::Fate::refused) request.apply(model);
  return model;
}

std::size_t LogModel::add(GroupId id, Request request) {
  auto& requests = groups_[id].requests;
  requests.push_back(std::move(request));
  return requests.size() - 1;
}

void LogModel::settle(GroupId id, std::size_t place, bool acked, std::uint64_t commit) {
  auto& request = groups_.at(id).requests.at(place);
  request.fate = acked ? Request::Fate::acknowledged : Request::Fate::refused;
  request.commit = commit;
  if (!acked) return;
  ++acknowledged;
  newest_commit_ = std::max(newest_commit_, commit);
}

namespace {

Result<GroupModel> found_in(NodeLog& log, GroupId group) {
  GroupModel found;
  if (const auto record = log.record(group)) {
    found.term = record->term;
    found.snapshot = record->snapshot_index;
  }
  if (log.last_index(group) == 0) return found;
  TROUPE_TRY(entries, log.read(group, log.first_index(group), log.last_index(group)));
  for (const auto& entry : entries) found.entries[entry.index] = *entry.payload;
  return found;
}

std::string in_words(const GroupModel& model) {
  std::string text = "term " + std::to_string(model.term.value_or(0)) + ", snapshot " +
                     std::to_string(model.snapshot) + ", entries ";
  if (model.entries.empty()) return text + "none";
  return text + std::to_string(model.entries.begin()->first) + " to " +
         std::to_string(model.entries.rbegin()->first);
}

}  // namespace

std::optional<std::string> LogModel::recover(NodeLog& log, std::uint64_t commits_forgiven) {
  for (auto& [id, group] : groups_) {
    const auto found = found_in(log, id);
    if (!found) return "group " + std::to_string(id) + ": " + found.error().describe();
    std::size_t certain = 0;  // so many requests must be there
    for (std::size_t i = 0; i < group.requests.size(); ++i) {
      const auto& request = group.requests[i];
      if (request.fate == Request::Fate::acknowledged &&
          request.commit + commits_forgiven <= newest_commit_)
        certain = i + 1;
    }
    auto model = group.base;
    bool matches = certain == 0 && model == *found;
    for (std::size_t i = 0; i < group.requests.size() && !matches; ++i) {
      if (group.requests[i].fate == Request::Fate::refused) continue;
      group.requests[i].apply(model);
      matches = i + 1 >= certain && model == *found;
    }
    if (!matches)
      return "group " + std::to_string(id) + " holds " + in_words(*found) + "; planned was " +
             in_words(planned(id));
    group.base = *found;
    group.requests.clear();
  }
  newest_commit_ = 0;
  return std::nullopt;
}

}  // namespace troupe::tests
