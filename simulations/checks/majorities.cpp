// Who has to agree, and what becomes of it when most of them are gone for good.
#include <algorithm>
#include <iterator>

#include "simulations/checks/ear.hpp"

namespace troupe::simulations {

void ReplicaChecks::voters_change(GroupId group, LogIndex index, Term term,
                                  const std::vector<std::string>& nodes) {
  groups_[group].changes[{index, term}] = {nodes.begin(), nodes.end()};
}

// Where the leader's own disk is late, a change is committed before it is handed out.
std::set<std::string> ReplicaChecks::voters(GroupId id) const {
  const auto expected = voters_.find(id);
  std::set<std::string> nodes =
      expected == voters_.end() ? std::set<std::string>{} : expected->second;
  const auto found = groups_.find(id);
  if (found == groups_.end()) return nodes;
  const Group& group = found->second;
  const LogIndex last = group.committed.empty() ? group.base : group.committed.rbegin()->first;
  for (const auto& [place, changed] : group.changes) {
    const auto& [index, term] = place;
    const auto known = group.committed.find(index);
    const auto synced = std::ranges::count_if(changed, [&, at = place](const std::string& node) {
      const auto log = synced_.find({node, id});
      return log != synced_.end() && log->second.has(at.first, at.second);
    });
    const bool stands = index <= group.base ||
                        (known != group.committed.end() && known->second.term == term) ||
                        (index > last && 2 * static_cast<std::size_t>(synced) > changed.size());
    if (stands) nodes = changed;
  }
  return nodes;
}

// Who votes holds what others rely on.
void ReplicaChecks::forgets(const Ear& ear, GroupId group) {
  require(!voters_.contains(group) || !voters(group).contains(ear.node), ear, group, [] {
    return "this replica forgets what it has, but no configuration that is committed goes on "
           "without it";
  });
  replica(ear, group).forgets = true;
}

// Who may have decided about an entry: those whom the newest committed change before it names, or
// a change behind it that the leader had when it counted.
std::vector<const std::set<std::string>*> ReplicaChecks::who_decides(GroupId id, LogIndex index,
                                                                     Term term) const {
  std::vector<const std::set<std::string>*> sets;
  const Group& group = groups_.at(id);
  const std::set<std::string>* newest = nullptr;
  for (const auto& [place, nodes] : group.changes) {
    const auto& [changed, changed_in] = place;
    if (changed > index) {
      if (changed_in >= term) sets.push_back(&nodes);
      continue;
    }
    const auto known = group.committed.find(changed);
    const bool stands = changed == index ? changed_in == term
                        : changed <= group.base
                            ? true
                            : known != group.committed.end() && known->second.term == changed_in;
    if (stands) newest = &nodes;
  }
  if (newest == nullptr) newest = &voters_.at(id);
  sets.insert(sets.begin(), newest);
  return sets;
}

void ReplicaChecks::check_majority(const Ear& ear, GroupId group, LogIndex index, Term term) {
  // The first entry says who votes. Every voter is made with it, so that nobody has to agree.
  if (!voters_.contains(group) || index == 1) return;
  std::string counts;
  const auto agree = [&](const std::set<std::string>* voters) {
    std::string with;
    std::size_t count = 0;
    for (const auto& node : *voters) {
      const auto synced = synced_.find({node, group});
      if (synced == synced_.end() || !synced->second.has(index, term)) continue;
      ++count;
      with += (with.empty() ? "" : ", ") + node;
    }
    counts += (counts.empty() ? "of its " : "; of ") + std::to_string(voters->size()) +
              " voters only these have synced it: " + (with.empty() ? "none" : with);
    return 2 * count > voters->size();
  };
  const auto sets = who_decides(group, index, term);
  require(std::ranges::any_of(sets, agree), ear, group,
          [&] { return entry(index) + of_term(term) + " is committed, but " + counts; });
}

// Lost may be what was committed and is in the log of no replica that is left; all else is in the
// log of the one that goes on.
void ReplicaChecks::goes_on_alone(const Ear& ear, GroupId id, Term term,
                                  const std::vector<std::string>& lost) {
  Group& group = groups_[id];
  const auto& ours = synced_[{ear.node, id}];
  const auto last_in = [&](const SyncedEntries& synced, LogIndex durable) {
    for (auto one = group.committed.rbegin(); one != group.committed.rend(); ++one)
      if (one->first <= durable && synced.has(one->first, one->second.term)) return one->first;
    return group.base;
  };
  const LogIndex kept = last_in(ours, replica(ear, id).durable);
  for (const auto& node : voters_[id]) {
    const auto replica = replicas_.find({node, id});
    if (replica == replicas_.end() || std::ranges::find(lost, node) != lost.end()) continue;
    const auto has = last_in(synced_[{node, id}], replica->second.durable);
    require(has <= kept, ear, id, [&] {
      return "this replica goes on alone, and of what is committed it has no more than " +
             entry(kept) + ", but " + node + ", which is left as well, has " + entry(has);
    });
  }
  group.alone_since = term;
  if (on_alone) on_alone(ear.node, id);
  const auto first = group.committed.upper_bound(kept);
  if (first == group.committed.end()) return;
  group.lost_behind = kept;
  if (on_lost) on_lost({ear.node, id, kept, first->second.at});
}

// What is committed behind what was lost takes its place.
void ReplicaChecks::begin_behind_loss(Group& group) {
  const auto first = group.committed.upper_bound(*group.lost_behind);
  for (auto one = first; one != group.committed.end(); ++one)
    group.lost_chains.emplace(one->first, one->second.chain);
  group.committed.erase(first, group.committed.end());
  group.times.erase(group.times.upper_bound(*group.lost_behind), group.times.end());
  group.lost_behind.reset();
}

// A replica that has not heard yet that its group went on without it.
bool ReplicaChecks::is_lost_history(const Group& group, const runtime::Probe::Rows& rows) {
  const auto [first, last] = group.lost_chains.equal_range(rows.index);
  return std::any_of(first, last, [&](const auto& one) { return one.second == rows.chain; });
}

}  // namespace troupe::simulations
