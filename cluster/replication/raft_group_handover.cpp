// Handing leadership to another voter: nothing new is accepted, everything is committed, and the
// voter that has it all is told to stand for election at once (Ongaro, 3.10). No time-out passes,
// so that nobody waits longer than an election takes.
#include <algorithm>
#include <utility>

#include "cluster/replication/raft_group.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {

void RaftGroup::begin_hand_over(const std::string& node, std::function<void(bool)> done) {
  if (!leading_ || engine_sole_voter(engine_.get())) return done(false);
  if (hand_over_.under_way && !node.empty() && node != hand_over_.to) return done(false);
  hand_over_.done.push_back(std::move(done));
  if (std::exchange(hand_over_.under_way, true)) return;
  hand_over_.to = node;
  wake();
  link_->post_after(shared_->options.members.hand_over_max,
                    [number = ++hand_over_.number](RaftGroup& group) {
                      if (group.hand_over_.number != number || !group.hand_over_.under_way) return;
                      TROUPE_SOMETIMES("leadership could not be handed over in time");
                      group.handed_over(false);
                    });
  // Not from inside the caller, who may hear of the end.
  link_->post([](RaftGroup& group) { group.go_on_handing_over(); });
}

// After every step.
void RaftGroup::go_on_handing_over() {
  if (!hand_over_.under_way || state_ != State::running) return;
  if (own_entry_ == 0) return handed_over(true);
  if (!leading_ || engine_transferee(engine_.get()) != 0) return;
  const std::uint64_t heir = choose_heir();
  if (heir == 0) return handed_over(false);
  if (handed_ != tail_.last()) return;
  EngineUpdate update;
  const EngineResult result = engine_transfer(engine_.get(), now_ms(), heir, &update);
  if (result == ENGINE_FAILED) return fail_engine();
  if (result != ENGINE_OK) return handed_over(false);
  TROUPE_SOMETIMES("a leader handed its leadership over");
  log().info("raft.hands_over", "this replica hands its leadership to another",
             {{"group", group_}, {"to", engine_address(engine_.get(), heir)}});
  process(update);
}

bool RaftGroup::other_has_room() const {
  if (!leading_ || hand_over_.under_way) return false;
  const std::uint64_t heir = choose_heir();
  return heir != 0 && can_serve(heir);
}

// Whether it said, under this leadership, that it has room, and lacks no more of the log than may
// be on its way.
bool RaftGroup::can_serve(std::uint64_t replica) const {
  const auto said = care_.lacks_room.find(replica);
  return said != care_.lacks_room.end() && !said->second &&
         engine_match(engine_.get(), replica) + shared_->options.inflight_entries >= handed_;
}

// A voter that was heard of lately: rather one that can serve, and of those the one that has most
// of the log; 0: none was heard of. Not one that is to leave, if there are others. Of equals groups
// choose different ones, so that not all that a node led goes to one other.
std::uint64_t RaftGroup::choose_heir() const {
  const auto worth = [this](std::uint64_t replica) {
    return std::pair{can_serve(replica), engine_match(engine_.get(), replica)};
  };
  std::uint64_t best = 0;
  std::vector<RaftMember> all = members();
  if (!hand_over_.to.empty())
    std::erase_if(all, [&](const RaftMember& one) { return one.node != hand_over_.to; });
  const RaftPlaces wish = places();
  const auto stays = [&](const RaftMember& one) {
    return one.replica != record_.replica && one.voter && wish.have(one.node);
  };
  if (wish.binding && std::ranges::any_of(all, stays))
    std::erase_if(all, [&](const RaftMember& one) { return !stays(one); });
  for (std::size_t i = 0; i < all.size(); ++i) {
    const RaftMember& one = all[(group_ % all.size() + i) % all.size()];
    if (!one.voter || one.replica == record_.replica ||
        !heard_within(one.replica, 4 * shared_->options.heartbeat))
      continue;
    if (best == 0 || worth(one.replica) > worth(best)) best = one.replica;
  }
  return best;
}

void RaftGroup::handed_over(bool done) {
  if (!std::exchange(hand_over_.under_way, false)) return;
  hand_over_.to.clear();
  const auto callers = std::exchange(hand_over_.done, {});
  for (const auto& call : callers) call(done);
}

}  // namespace troupe::cluster
