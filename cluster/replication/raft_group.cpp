#include "cluster/replication/raft_group.hpp"

#include <algorithm>
#include <map>

#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {

using runtime::LogEntry;
using runtime::LogIndex;
using runtime::Term;

RaftSurroundings::RaftSurroundings(runtime::Platform& of_node, runtime::NodeLog& node_log,
                                   RaftOptions wanted)
    : platform(of_node),
      log(node_log),
      options(std::move(wanted)),
      reads(platform.workers().queue("raft-reads", runtime::Workers::Kind::pooled)),
      asleep(platform.metrics().gauge("troupe_groups_asleep",
                                      "Idle groups whose replica here costs nothing.")) {}

actors::ConsensusFactory make_raft_factory(runtime::Platform& platform, runtime::NodeLog& log,
                                           RaftOptions options) {
  const auto shared = std::make_shared<RaftSurroundings>(platform, log, std::move(options));
  return [shared](runtime::GroupId group, actors::Executor& executor,
                  actors::ConsensusObserver& observer) -> std::unique_ptr<actors::Consensus> {
    return std::make_unique<RaftGroup>(shared, group, executor, observer);
  };
}

RaftGroup::RaftGroup(std::shared_ptr<RaftSurroundings> shared, runtime::GroupId group,
                     actors::Executor& executor, actors::ConsensusObserver& observer)
    : shared_(std::move(shared)),
      group_(group),
      observer_(observer),
      link_(std::make_shared<RaftLink>(*this, executor)) {
  if (shared_->options.exchange) shared_->options.exchange->join(group_, link_);
}

RaftGroup::~RaftGroup() {
  note_asleep(false);
  if (shared_->options.exchange) shared_->options.exchange->leave(group_, *link_);
  link_->close();
}

std::string RaftGroup::leader_node() const {
  const std::uint64_t leader = engine_ ? engine_leader(engine_.get()) : 0;
  const char* const node = leader != 0 ? engine_address(engine_.get(), leader) : nullptr;
  if (node) return node;
  const auto stranger = strangers_.find(leader);
  return stranger != strangers_.end() ? stranger->second : "";
}

Error RaftGroup::not_leading() const {
  const std::string leader = leader_node();
  const bool elsewhere = !leader.empty() && leader != shared_->options.node;
  if (engine_ && engine_address(engine_.get(), record_.replica) == nullptr)
    return unavailable("REPLICA_ABSENT", "this node's replica of group " + std::to_string(group_) +
                                             " is not a member of it, or not yet; send the "
                                             "command to another node");
  return unavailable("NOT_LEADING",
                     "this replica of group " + std::to_string(group_) + " does not lead" +
                         (elsewhere ? ", the one on node " + leader + " does" : std::string()) +
                         "; send the command again under the same message id");
}

Result<LogIndex> RaftGroup::propose(runtime::SharedBytes payload) {
  if (!payload) return invalid_argument("a proposal needs a payload");
  if (!leading_ || hand_over_.under_way) return not_leading();
  const RaftOptions& options = shared_->options;
  // A sole voter may get company, which has to hear of it.
  const bool travels = !sole_voter() || (options.exchange != nullptr && options.places);
  if (payload->size() > options.entry_bytes_max && travels)
    return resource_exhausted(
        "ENTRY_TOO_LARGE", "an entry of " + std::to_string(payload->size()) + " bytes of group " +
                               std::to_string(group_) + " does not go to other replicas; at most " +
                               std::to_string(options.entry_bytes_max) +
                               " do: keep entities, and what one command changes, smaller");
  if (tail_.last() - handed_ >= options.waiting_entries_max ||
      tail_.bytes_behind(handed_) + payload->size() > options.waiting_bytes_max)
    return resource_exhausted("REPLICATION_QUEUE_FULL",
                              "too many proposals of group " + std::to_string(group_) +
                                  " wait to be stored; try again when some are");
  wake();
  EngineUpdate update;
  const EngineResult result = engine_submit(engine_.get(), now_ms(), ENGINE_COMMAND, 1, &update);
  if (result == ENGINE_NOT_LEADER) return not_leading();
  if (result != ENGINE_OK) {
    fail_engine();
    return not_leading();
  }
  const LogIndex index = update.append_index;
  std::vector<LogEntry> entries;
  entries.push_back({index, record_.term, ENGINE_COMMAND, std::move(payload)});
  process(update, std::move(entries));
  return index;
}

bool RaftGroup::sole_voter() const {
  return engine_ ? engine_sole_voter(engine_.get()) : sole_voter_;
}

void RaftGroup::checkpointed(LogIndex index, Term term, std::uint64_t generation) {
  checkpoint_ = Checkpoint{index, term, generation};
  maybe_take_snapshot();
}

// Few entries of a quiet group can keep a whole segment of the log from being deleted.
bool RaftGroup::holds_segments_back() const {
  const auto groups = shared_->log.laggards(1);
  return std::find(groups.begin(), groups.end(), group_) != groups.end();
}

// A replica that starts does not know how far the group had come, though its shard file may hold
// more. Behind a change that is not known to be committed, it is not known who votes, either.
LogIndex RaftGroup::known_committed(LogIndex index) const {
  if (engine_) index = std::min(index, engine_commit(engine_.get()));
  return changes_.empty() ? index : std::min(index, changes_.front().index - 1);
}

// Runs while the group waits for space, too: cutting the log is what makes space.
void RaftGroup::maybe_take_snapshot() {
  if (!checkpoint_ || (state_ != State::running && state_ != State::waiting)) return;
  const Checkpoint checkpoint = *checkpoint_;
  if (checkpoint.index > handed_ || checkpoint.generation != record_.generation ||
      (checkpoint.index >= tail_.snapshot() && checkpoint.term != tail_.term_of(checkpoint.index) &&
       checkpoint.index > 0))
    return fail(internal("CHECKPOINT_MISMATCH",
                         "the shard file of group " + std::to_string(group_) +
                             " says that it holds index " + std::to_string(checkpoint.index) +
                             " of term " + std::to_string(checkpoint.term) + " in generation " +
                             std::to_string(checkpoint.generation) +
                             ", which its log contradicts"));
  // Entries that trail are for others.
  const bool alone = engine_ ? engine_alone(engine_.get()) : sole_voter_;
  const std::uint64_t trailing = alone && shared_->options.exchange ? 0 : shared_->options.trailing;
  // Planted: the log is cut behind what is committed, not behind what is checkpointed.
  const LogIndex keep = TROUPE_PLANTED(log_cut_at_commit) ? handed_ : checkpoint.index;
  const LogIndex cut = known_committed(kept_for_copy(keep > trailing ? keep - trailing : 0));
  // Not behind the first entry alone: C-Raft 0.22 would not notice that it is gone when a replica
  // with an empty log needs it, and send heartbeats for ever.
  const bool worth_it =
      cut > std::max<LogIndex>(tail_.snapshot(), 1) &&
      (cut - tail_.snapshot() >= shared_->options.snapshot_threshold || holds_segments_back());
  if (!worth_it) return;
  TROUPE_SOMETIMES("a group cut its log");
  record_dirty_ = true;
  const auto later = std::find_if(configurations_.begin(), configurations_.end(),
                                  [cut](const Change& change) { return change.index > cut; });
  const Change& configuration = *std::prev(later);
  record_.snapshot_index = cut;
  record_.snapshot_term = tail_.term_of(cut);
  record_.configuration_index = configuration.index;
  record_.configuration = *configuration.bytes;
  EngineUpdate update{};
  if (engine_ && engine_snapshot(engine_.get(), now_ms(), cut, configuration.index,
                                 configuration.bytes->data(), configuration.bytes->size(),
                                 &update) != ENGINE_OK)
    return fail_engine();
  configurations_.erase(configurations_.begin(), std::prev(later));
  tail_.cut(cut);
  if (engine_) process(update);
  if (record_dirty_) write({});
}

actors::Consensus::Status RaftGroup::status() const {
  Status status;
  status.role = "starting";
  if (engine_) {
    switch (engine_role(engine_.get())) {
      case ENGINE_LEADER:
        // Elected, but without a committed entry of its own term it serves nobody.
        status.role = leading_ ? "leader" : "candidate";
        break;
      case ENGINE_CANDIDATE:
        status.role = "candidate";
        break;
      default:
        status.role = votes(record_.replica) ? "follower" : "catching up";
        if (engine_address(engine_.get(), record_.replica) == nullptr) status.role = "absent";
    }
  }
  status.term = record_.term;
  status.commit = engine_ ? engine_commit(engine_.get()) : handed_;
  status.last = tail_.last();
  status.snapshot = tail_.snapshot();
  status.replica = record_.replica;
  status.last_term = tail_.last_term();
  status.recovered = recovered_;
  status.leader = leader_node();
  if (leading_ && !configurations_.empty()) {
    std::map<std::string, bool> members;
    const auto add = [&members](const Change& configuration) {
      for (const RaftMember& one : decode_members(*configuration.bytes))
        members[one.node] = members[one.node] || one.voter;
    };
    add(configurations_.back());
    for (const Change& change : changes_) add(change);
    for (const auto& [node, votes] : members) status.members.push_back({node, votes});
    status.members_index = configurations_.back().index;
  }
  return status;
}

std::vector<actors::Consensus::Voter> RaftGroup::voters() const {
  std::vector<Voter> voters;
  for (RaftMember& one : members())
    if (one.voter) voters.push_back({one.replica, std::move(one.node)});
  return voters;
}

}  // namespace troupe::cluster
