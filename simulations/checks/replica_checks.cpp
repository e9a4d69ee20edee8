#include "simulations/checks/replica_checks.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "runtime/storage/checksum.hpp"
#include "simulations/checks/ear.hpp"

namespace troupe::simulations {

std::unique_ptr<runtime::Probe> ReplicaChecks::listen(const std::string& node,
                                                      std::function<bool()> over) {
  if (forgiven_.erase(node) > 0) start_afresh(node);
  auto ear = std::make_unique<Ear>(*this, node, ++lives_, std::move(over));
  if (rotten_.contains(node)) ear->may_be_lost = newest_[node];
  return ear;
}

void ReplicaChecks::start_afresh(const std::string& node) {
  std::erase_if(replicas_, [&](const auto& one) { return one.first.first == node; });
  newest_.erase(node);
  rotten_.erase(node);
  for (auto& [id, group] : groups_) {
    if (group.nodes != std::set{node}) continue;
    group = Group{};
    // Of a new shard others still found their part, and it is the same.
    if (const auto known = founded_.find(id); known != founded_.end()) {
      group.base = known->second.index;
      group.base_chain = known->second.chain;
    } else {
      group.any_base = true;
    }
  }
}

void ReplicaChecks::begin_another_cluster(std::map<GroupId, std::set<std::string>> voters) {
  voters_ = std::move(voters);
  founded_.clear();
  forgiven_.clear();
  rotten_.clear();
  newest_.clear();
  groups_.clear();
  synced_.clear();
  replicas_.clear();
  for (const auto& [group, nodes] : voters_) groups_[group].any_base = true;
}

// A process that tells something of a group which its log did not hold when it was opened begins
// that group's log.
ReplicaChecks::Replica& ReplicaChecks::replica(const Ear& ear, GroupId group, bool recovered) {
  Replica& replica = replicas_[{ear.node, group}];
  if (replica.life == ear.life) return replica;
  replica.life = ear.life;
  replica.applied = replica.next = 0;
  if (recovered) return replica;
  require(replica.durable == 0 || was_lost(ear, group, 0), ear, group, [&] {
    return "its log was synced up to " + entry(replica.durable) +
           ", and nothing of it is there after a restart";
  });
  return replica;
}

// --- the node log

void ReplicaChecks::log_committed(const Ear& ear) {
  rotten_.erase(ear.node);  // the log has been opened since
  newest_[ear.node] = {now_ ? now_() : Duration{}, {}};
}

// Whether the end of the group's log was in the newest transaction of a log that rotted. If so, it
// is as if it had never been.
bool ReplicaChecks::was_lost(const Ear& ear, GroupId id, LogIndex last) {
  if (!ear.may_be_lost) return false;
  const auto first = ear.may_be_lost->first.find(id);
  if (first == ear.may_be_lost->first.end() || last + 1 < first->second) return false;
  Replica& replica = replicas_[{ear.node, id}];
  replica.durable = last;
  replica.delivered = std::min(replica.delivered, last);
  Group& group = groups_[id];
  if (group.nodes == std::set{ear.node}) group.lost_behind = last;
  if (on_lost) on_lost({ear.node, id, last, ear.may_be_lost->at});
  return true;
}

void ReplicaChecks::log_recovered(const Ear& ear, GroupId group, LogIndex snapshot, LogIndex last) {
  ++counts_.recovered;
  Replica& replica = this->replica(ear, group, true);
  // It may have ended before its log said so.
  if (replica.forgets && last < replica.durable) begin_anew(replica);
  replica.forgets = false;
  take_file(ear, group, snapshot);
  require(last >= replica.durable || was_lost(ear, group, last), ear, group, [&] {
    return "its log was synced up to " + entry(replica.durable) + ", and ends with " + entry(last) +
           " after a restart";
  });
  require(snapshot <= replica.checkpointed || !replica.has_file, ear, group, [&] {
    return "its log begins behind " + entry(snapshot) + " after a restart, but the shard file " +
           "was checkpointed up to " + entry(replica.checkpointed) + " only";
  });
  replica.durable = last;
  replica.checkpointed = std::max(replica.checkpointed, snapshot);
  synced_[{ear.node, group}].recovered(last);
}

void ReplicaChecks::entry_durable(const Ear& ear, GroupId group, LogIndex index, Term term) {
  Replica& replica = this->replica(ear, group);
  require(index > replica.delivered, ear, group, [&] {
    return entry(index) + " is written over, but was handed out already (up to " +
           entry(replica.delivered) + ")";
  });
  replica.durable = index;
  synced_[{ear.node, group}].write(index, term);
  newest_[ear.node].first.emplace(group, index);
}

void ReplicaChecks::log_cut(const Ear& ear, GroupId group, LogIndex index) {
  ++counts_.cuts;
  Replica& replica = this->replica(ear, group);
  take_file(ear, group, index);
  require(index <= replica.checkpointed || !replica.has_file, ear, group, [&] {
    return "the log is cut behind " + entry(index) + ", but the shard file is checkpointed up to " +
           entry(replica.checkpointed) + " only";
  });
}

// A replica that was removed from its group has nothing any more.
void ReplicaChecks::begin_anew(Replica& replica) {
  const std::uint32_t life = replica.life;
  replica = {};
  replica.life = life;
}

// --- the group

void ReplicaChecks::leads(const Ear& ear, GroupId group, std::uint64_t id, Term term) {
  ++counts_.leaderships;
  const auto leader = "replica " + std::to_string(id) + " on node " + ear.node;
  auto& leaders = groups_[group].leaders;
  // With the newest transaction of the log, which group it took part in is not known, the group may
  // have forgotten its newest term.
  if (ear.may_be_lost && !leaders.empty() && leaders.rbegin()->second == leader)
    leaders.erase(std::prev(leaders.end()));
  const auto [known, first] = leaders.emplace(term, leader);
  require(first, ear, group, [&] {
    return leader + " leads term " + std::to_string(term) + ", which " + known->second +
           " led before";
  });
  require(term >= groups_[group].alone_since, ear, group, [&] {
    return leader + " leads term " + std::to_string(term) +
           ", although the group went on without its old majority in term " +
           std::to_string(groups_[group].alone_since);
  });
}

void ReplicaChecks::delivered(const Ear& ear, GroupId group, LogIndex index, Term term,
                              const runtime::SharedBytes& payload) {
  ++counts_.committed;
  Replica& replica = this->replica(ear, group);
  require(index == replica.next, ear, group, [&] {
    return replica.next == 0 ? entry(index) + " is handed to a shard that has not opened its file"
                             : entry(index) + " is handed out, the next is " + entry(replica.next);
  });
  require(index <= replica.durable, ear, group, [&] {
    return entry(index) + " is handed out, but the log is synced up to " + entry(replica.durable) +
           " only";
  });
  ++replica.next;
  replica.delivered = std::max(replica.delivered, index);
  Committed committed;
  committed.term = term;
  if (now_) committed.at = now_();
  if (payload && !payload->empty()) {
    committed.content = runtime::checksum(*payload);
    if (!groups_[group].committed.contains(index)) groups_[group].bytes += payload->size();
  }
  commit(ear, group, index, committed);
  if (on_delivered) on_delivered(ear.node, group, payload);
}

void ReplicaChecks::commit(const Ear& ear, GroupId id, LogIndex index, Committed committed) {
  Group& group = groups_[id];
  group.nodes.insert(ear.node);
  if (index <= group.base) return;
  if (group.lost_behind && index > *group.lost_behind) begin_behind_loss(group);
  if (const auto known = group.committed.find(index); known != group.committed.end())
    return require(
        known->second.term == committed.term && known->second.content == committed.content, ear, id,
        [&] {
          return entry(index) + of_term(committed.term) + " is committed with the checksum " +
                 std::to_string(committed.content) + ", but what was committed there is" +
                 of_term(known->second.term) + " with the checksum " +
                 std::to_string(known->second.content);
        });
  const bool none = group.committed.empty();
  const LogIndex last = none ? group.base : group.committed.rbegin()->first;
  require(index == last + 1, ear, id, [&] {
    return entry(index) + " is committed, but " + entry(last + 1) + " was not before";
  });
  check_majority(ear, id, index, committed.term);
  committed.chain = none ? group.base_chain : group.committed.rbegin()->second.chain;
  if (committed.content != 0)
    committed.chain = runtime::checksum_of_numbers(committed.chain, index, committed.content);
  group.committed[index] = committed;
}

std::uint64_t ReplicaChecks::committed_bytes(GroupId group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? 0 : found->second.bytes;
}

std::optional<std::string> ReplicaChecks::behind(Duration committed_by) const {
  for (const auto& [id, expected] : voters_) {
    const auto group = groups_.find(id);
    if (group == groups_.end()) continue;
    const auto& all = group->second.committed;
    const auto newest = std::find_if(all.rbegin(), all.rend(), [&](const auto& one) {
      return one.second.content != 0 && one.second.at <= committed_by;
    });
    if (newest == all.rend()) continue;
    // Where most were lost, so may the directory be, which could want them elsewhere.
    for (const auto& node : group->second.alone_since > 0 ? expected : voters(id)) {
      const auto replica = replicas_.find({node, id});
      const auto applied = replica == replicas_.end() ? 0 : replica->second.applied;
      if (applied < newest->first)
        return "group " + std::to_string(id) + " has committed rows up to " + entry(newest->first) +
               ", its file on node " + node + " holds them up to " + entry(applied);
    }
  }
  return std::nullopt;
}

// --- the shard and its file

void ReplicaChecks::file_opened(const Ear& ear, GroupId group, const runtime::Probe::Rows& rows) {
  Replica& replica = this->replica(ear, group);
  if (replica.forgets && rows.index == 0) begin_anew(replica);
  require(rows.index >= replica.checkpointed, ear, group, [&] {
    return "the shard file holds rows up to " + entry(rows.index) +
           ", but was checkpointed up to " + entry(replica.checkpointed);
  });
  require(rows.index >= replica.applied, ear, group, [&] {
    return "the shard file holds rows up to " + entry(rows.index) +
           ", but this process has applied them up to " + entry(replica.applied);
  });
  if (std::exchange(groups_[group].any_base, false)) {
    groups_[group].base = rows.index;
    groups_[group].base_chain = rows.chain;
  }
  replica.has_file = true;
  replica.next = rows.index + 1;
  replica.applied = rows.index;
  replica.delivered = std::max(replica.delivered, rows.index);
  check_rows(ear, group, rows);
}

void ReplicaChecks::rows_applied(const Ear& ear, GroupId group, const runtime::Probe::Rows& rows) {
  ++counts_.applied;
  Replica& replica = this->replica(ear, group);
  require(rows.index >= replica.applied, ear, group, [&] {
    return "the shard file went back from " + entry(replica.applied) + " to " + entry(rows.index);
  });
  replica.applied = rows.index;
  check_rows(ear, group, rows);
}

void ReplicaChecks::check_rows(const Ear& ear, GroupId id, const runtime::Probe::Rows& rows) {
  Group& group = groups_[id];
  if (is_lost_history(group, rows)) return;
  if (rows.index > group.base) {
    const auto known = group.committed.find(rows.index);
    require(known != group.committed.end(), ear, id, [&] {
      return "the shard file holds rows up to " + entry(rows.index) + ", which is not committed";
    });
    if (broken_) return;
    require(known->second.chain == rows.chain, ear, id, [&] {
      return "up to " + entry(rows.index) + " the shard file has the chain " +
             std::to_string(rows.chain) + ", but what was committed makes " +
             std::to_string(known->second.chain);
    });
  }
  const auto behind = group.times.lower_bound(rows.index);
  const auto falls = [&](auto before, auto after) {
    require(before.second <= after.second, ear, id, [&] {
      return "shard time falls from " + std::to_string(before.second) + " ms at " +
             entry(before.first) + " to " + std::to_string(after.second) + " ms at " +
             entry(after.first);
    });
  };
  const std::pair<const LogIndex, std::int64_t> here{rows.index, rows.time_ms};
  if (behind != group.times.end()) falls(here, *behind);
  if (behind != group.times.begin()) falls(*std::prev(behind), here);
  group.times.emplace(here);
}

void ReplicaChecks::checkpointed(const Ear& ear, GroupId group, LogIndex index) {
  ++counts_.checkpoints;
  Replica& replica = this->replica(ear, group);
  require(index <= replica.applied, ear, group, [&] {
    return "a checkpoint up to " + entry(index) + ", but the shard file holds rows up to " +
           entry(replica.applied) + " only";
  });
  replica.checkpointed = std::max(replica.checkpointed, index);
}

void ReplicaChecks::file_received(const Ear& ear, GroupId group, const runtime::Probe::Rows& rows) {
  Replica& replica = this->replica(ear, group);
  check_rows(ear, group, rows);
  replica.received = rows.index;
}

// Its log begins behind this file, which counts like one that came from another replica.
void ReplicaChecks::founded(const Ear& ear, GroupId id, const runtime::Probe::Rows& rows,
                            const std::vector<std::string>& voters) {
  const auto [known, first] = founded_.emplace(id, rows);
  if (first) {
    groups_[id].base = rows.index;
    groups_[id].base_chain = rows.chain;
    voters_[id] = {voters.begin(), voters.end()};
    voters_change(id, rows.index, 1, voters);
  }
  require(known->second.chain == rows.chain && known->second.time_ms == rows.time_ms, ear, id, [&] {
    return "the new shard is founded with the chain " + std::to_string(rows.chain) + " at " +
           std::to_string(rows.time_ms) + " ms, but elsewhere with " +
           std::to_string(known->second.chain) + " at " + std::to_string(known->second.time_ms) +
           " ms";
  });
  replica(ear, id).received = rows.index;
}

// The log begins behind the file that was received: what it held before counts no more.
void ReplicaChecks::take_file(const Ear& ear, GroupId group, LogIndex snapshot) {
  Replica& replica = this->replica(ear, group);
  if (snapshot == 0 || snapshot != replica.received) return;
  replica.received = 0;
  // It came too late: the log had caught up, and is cut there for another reason.
  if (replica.delivered >= snapshot) return;
  synced_[{ear.node, group}].begin_behind(snapshot);
  replica.durable = snapshot;
  replica.checkpointed = snapshot;
  replica.delivered = std::max(replica.delivered, snapshot);
}

void ReplicaChecks::replied(const Ear& ear, GroupId group, LogIndex index) {
  ++counts_.replies;
  const Replica& replica = this->replica(ear, group);
  require(index <= replica.delivered, ear, group, [&] {
    return "a reply left that depends on " + entry(index) + ", but only entries up to " +
           entry(replica.delivered) + " are known to be committed and synced";
  });
}

}  // namespace troupe::simulations
