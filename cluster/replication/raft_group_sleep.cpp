// Idle groups sleep: their time stands still, so that hundreds of them need no heartbeat and no
// timer, while the links between their nodes say that all members' processes live.
//
//   leader                                        follower
//   nothing to do for a while, everybody has
//   everything and is linked: sleep (index)  ->   has everything, too, and is linked with the
//                                                 leader: its time stands still
//                                            <-   asleep (index)
//   all are: its time stands still
//
// Whatever the group is to do wakes it, and a message that tells something wakes its receiver; so
// does the loss of a link to one of its nodes. Time goes on from where it stood. A leader that
// sleeps knows nothing that it did not know: reads are confirmed as ever, without waking anybody,
// and who wakes and hears nothing stands for election like any follower.
#include <algorithm>
#include <array>

#include "cluster/replication/engine/configuration.h"
#include "cluster/replication/raft_group.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {

std::uint64_t RaftGroup::real_ms() const {
  const auto since = shared_->platform.clock().now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

std::uint64_t RaftGroup::now_ms() const {
  return (asleep_ ? asleep_since_ms_ : real_ms()) - held_back_ms_;
}

void RaftGroup::note_asleep(bool asleep) {
  if (asleep_ == asleep) return;
  asleep_ = asleep;
  shared_->asleep.add(asleep ? 1 : -1);
  if (asleep)
    asleep_since_ms_ = real_ms();
  else
    held_back_ms_ += real_ms() - asleep_since_ms_;
}

void RaftGroup::wake() {
  if (!asleep_) return;
  TROUPE_SOMETIMES("a group woke");
  note_asleep(false);
  sleepers_.clear();
  last_busy_ms_ = now_ms();
  arm_timer();
}

void RaftGroup::fall_asleep() {
  TROUPE_SOMETIMES("an idle group fell asleep");
  note_asleep(true);
  timer_armed_ = false;
  ++timer_generation_;
}

// Of one with whom this replica shares the group; who restarts node after node wakes no others.
void RaftGroup::link_lost(const std::string& node) {
  if (!asleep_) return;
  const auto all = members();
  if (std::ranges::find(all, node, &RaftMember::node) == all.end()) return;
  TROUPE_SOMETIMES("a group was woken by the loss of a link");
  wake();
}

// After each of the leader's heartbeats.
void RaftGroup::maybe_sleep() {
  const RaftOptions& options = shared_->options;
  if (!leading_ || asleep_ || options.exchange == nullptr || copy_.making || copy_.number != 0 ||
      hand_over_.under_way || members_held_ || !care_.asked.empty() ||
      now_ms() - last_busy_ms_ < static_cast<std::uint64_t>(options.sleep_after.count()))
    return;
  const auto last = tail_.last();
  if (handed_ != last || record_number_ > stored_) return;
  if (!care_.leaving.empty() || !is_in_place(this->members())) return;
  sleepers_.clear();
  std::array<std::uint64_t, CONFIGURATION_SERVERS_MAX> members{};
  const unsigned count = engine_members(engine_.get(), members.data(), members.size());
  for (unsigned i = 0; i < count; ++i)
    if (members[i] != record_.replica && !linked_with(members[i])) return;
  for (unsigned i = 0; i < count; ++i) {
    if (members[i] == record_.replica) continue;
    RaftMessage message = message_to(members[i], RAFT_SLEEP);
    message.round = last;
    send(std::move(message));
  }
}

bool RaftGroup::linked_with(std::uint64_t replica) const {
  const char* const node = engine_address(engine_.get(), replica);
  return node != nullptr && shared_->options.exchange->linked(node);
}

void RaftGroup::take_sleep(const RaftMessage& message) {
  const runtime::LogIndex last = message.round;
  if (message.head.term != record_.term || engine_leader(engine_.get()) != message.from ||
      engine_role(engine_.get()) != ENGINE_FOLLOWER || tail_.last() != last || handed_ != last ||
      record_number_ > stored_ || arrival_.number != 0 || !linked_with(message.from))
    return;
  RaftMessage answer = message_to(message.from, RAFT_ASLEEP);
  answer.round = last;
  send(std::move(answer));
  if (!asleep_) fall_asleep();
}

void RaftGroup::take_asleep(const RaftMessage& message) {
  if (!leading_ || asleep_ || message.head.term != record_.term || message.round != tail_.last() ||
      !round_reads_.empty())
    return;
  sleepers_.insert(message.from);
  std::array<std::uint64_t, CONFIGURATION_SERVERS_MAX> members{};
  const unsigned count = engine_members(engine_.get(), members.data(), members.size());
  for (unsigned i = 0; i < count; ++i) {
    if (members[i] == record_.replica) continue;
    if (!sleepers_.contains(members[i]) || !linked_with(members[i])) return;
  }
  fall_asleep();
}

}  // namespace troupe::cluster
