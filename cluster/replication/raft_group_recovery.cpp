// Going on alone after a majority is gone for good: what Raft itself must never do.
//
// One replica, whose log is the newest of those that are left, becomes the only voter: by one entry
// behind the end of its log, which holds a configuration of itself under a new Raft id, in a term
// well above all that anybody can have seen; record and entry are one transaction of the node log.
// Then it starts like any sole voter and commits what its log holds.
//
// Why that is no worse than the loss itself:
// - Nobody else is touched, so no two replicas get different entries with the same index and term.
//   The log of every other replica that is left is a prefix of ours up to what it knows to be
//   committed: among logs of one history the one with the later last term, or as long a one of the
//   same term, holds what any of the others knows to be committed (Ongaro, 3.6.3, over logs instead
//   of voters).
// - Replicas of the old configuration speak to a Raft id that is nobody's now, so that neither
//   their votes nor their entries reach us, and ours do not reach them. They are told that they
//   are members no more, and come back as ones that the group never had (raft_members.hpp).
// - What is not here was acknowledged by the lost ones alone: that is what whoever gave the order
//   has agreed to lose.
#include <algorithm>
#include <array>

#include "cluster/replication/engine/configuration.h"
#include "cluster/replication/raft_group.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::cluster {

using runtime::LogEntry;
using runtime::LogIndex;

namespace {

Error recovery_refused(runtime::GroupId group, const std::string& why) {
  return failed_precondition("RECOVERY_REFUSED",
                             "group " + std::to_string(group) + " is not recovered: " + why);
}

}  // namespace

std::optional<Error> RaftGroup::refuses(const actors::RecoveryOrder& order) const {
  const auto because = [this](const std::string& why) { return recovery_refused(group_, why); };
  if (state_ != State::running) return because("its replica here does not run");
  if (engine_role(engine_.get()) == ENGINE_LEADER || !leader_node().empty())
    return because("it has a leader, on node " + leader_node());
  if (order.replica != record_.replica || order.last != tail_.last() ||
      order.last_term != tail_.last_term() || resolved_ < appends_)
    return because("its log has changed since it was looked at; run 'troupe recover' again");
  if (order.term <= record_.term) return because("the term of the order is not a later one");
  std::array<std::uint64_t, CONFIGURATION_SERVERS_MAX> voters{};
  const unsigned count = engine_voters(engine_.get(), voters.data(), voters.size());
  unsigned reached = 0;
  bool ours = false;
  for (unsigned i = 0; i < count; ++i) {
    const std::string node = engine_address(engine_.get(), voters[i]);
    const bool self = voters[i] == record_.replica;
    const bool linked =
        !self && shared_->options.exchange && shared_->options.exchange->linked(node);
    const bool lost = std::find(order.lost.begin(), order.lost.end(), node) != order.lost.end();
    if (linked && lost) return because("node " + node + " is said to be lost, and is linked");
    ours = ours || self;
    reached += self || linked ? 1 : 0;
  }
  if (!ours) return because("the replica here does not vote");
  if (2 * reached > count) return because("a majority of its voters is there");
  return std::nullopt;
}

void RaftGroup::recover(const actors::RecoveryOrder& order, Confirmed done) {
  if (auto why = refuses(order)) {
    log().warn("raft.recovery_refused", why->message, {{"group", group_}});
    return done(*std::move(why));
  }
  TROUPE_SOMETIMES("a replica was made the only voter of its group");
  const LogIndex index = tail_.last() + 1;
  if (auto* probe = shared_->platform.probe()) probe->goes_on_alone(group_, order.term, order.lost);
  stop_engine();
  state_ = State::recovering;
  recovery_done_ = std::move(done);
  replaced_ = record_;
  record_.term = order.term;
  record_.replica = draw_replica_id();
  record_.vote = record_.replica;
  record_dirty_ = true;
  std::string lost;
  for (const std::string& node : order.lost) lost += (lost.empty() ? "" : ", ") + node;
  log().error("raft.recovered",
              "by an operator's order this replica is the only voter of its group now; what only "
              "the others had is lost",
              {{"group", group_},
               {"lost", lost},
               {"replica", record_.replica},
               {"former_replica", replaced_.replica},
               {"index", index},
               {"term", order.term}});
  store(index, {LogEntry{index, record_.term, ENGINE_CHANGE,
                         encode_members({{record_.replica, shared_->options.node, true}})}});
}

void RaftGroup::recovery_stored(const Result<void>& stored) {
  if (stored) recovered_ = shared_->platform.clock().wall();
  if (stored) load();
  std::exchange(recovery_done_, nullptr)(stored);
}

}  // namespace troupe::cluster
