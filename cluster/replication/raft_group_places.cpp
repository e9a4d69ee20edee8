// Where the group's replicas are to be, and how the leader makes it so (raft_members.hpp).
//
// All that a move needs to know is in the committed configuration and in the places of the moment:
// when the places change again half way, or another leads, the group goes on from where it is.
#include <algorithm>

#include "cluster/replication/raft_group.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {

using runtime::LogIndex;

bool RaftPlaces::have(const std::string& node) const {
  return std::ranges::find(nodes, node) != nodes.end();
}

RaftPlaces RaftGroup::places() const {
  const RaftOptions& options = shared_->options;
  if (options.places) return options.places(group_);
  RaftPlaces places;
  if (options.voters)
    for (RaftVoter& voter : options.voters(group_)) places.nodes.push_back(std::move(voter.node));
  return places;
}

// Followers stay asleep: one that wakes alone would stand for election.
void RaftGroup::places_changed() {
  if (state_ != State::running || deletes_itself()) return;
  ask_if_need_be();
  if (!leading_) return;
  wake();
  care_for_members();
}

// Planted: a replica that comes back and hears that it is to be elsewhere does not ask whether its
// group goes on without it.
bool RaftGroup::deletes_itself() {
  const bool deletes = own_entry_ == 0 && leader_node().empty() && is_to_leave() &&
                       TROUPE_PLANTED(returned_replica_deleted);
  if (deletes) forget("this replica is wished elsewhere", tail_.last());
  return deletes;
}

bool RaftGroup::is_to_leave() const {
  if (!shared_->options.places) return false;
  const RaftPlaces wish = places();
  return wish.binding && !wish.have(shared_->options.node);
}

// Nobody is to be promoted, and nobody to leave. Whoever is to come asks.
bool RaftGroup::is_in_place(const std::vector<RaftMember>& all) const {
  if (std::ranges::any_of(all, [](const RaftMember& one) { return !one.voter; })) return false;
  if (!shared_->options.places) return true;
  const RaftPlaces wish = places();
  return !wish.binding ||
         std::ranges::all_of(all, [&](const RaftMember& one) { return wish.have(one.node); });
}

bool RaftGroup::settled() const {
  if (!leading_ || !changes_.empty() || hand_over_.under_way || !care_.asked.empty()) return false;
  const auto all = members();
  return is_in_place(all) && all.size() >= places().nodes.size();
}

bool RaftGroup::awaits_part(LogIndex index, const std::vector<std::uint64_t>& replicas) const {
  const RaftPlaces wish = places();
  return std::ranges::any_of(replicas, [&](std::uint64_t replica) {
    if (replica == record_.replica) return part_done_ < index;
    const auto done = care_.parts_done.find(replica);
    if (done != care_.parts_done.end() && done->second >= index) return false;
    // A member may still do it, unless its node says that it is gone, or is to have none any more.
    const char* const node = engine_address(engine_.get(), replica);
    if (node == nullptr || (wish.binding && !wish.have(node))) return false;
    const auto asked = care_.asked.find(node);
    return asked == care_.asked.end() || asked->second.replica == replica;
  });
}

// A group that a split has just founded has no leader, and nobody whose silence is to be waited
// for: the one that should lead does not wait until its time is over. The others may not be there
// yet.
void RaftGroup::stand_early(unsigned tries) {
  constexpr auto again = std::chrono::milliseconds{25};
  if (state_ != State::running || asleep_ || record_.term > 1 || tries == 0 ||
      engine_leader(engine_.get()) != 0 || !votes(record_.replica))
    return;
  const std::uint64_t due = engine_timeout(engine_.get());
  if (due == ENGINE_NEVER) return;
  // Its time goes on by so much.
  if (due > now_ms()) held_back_ms_ -= due - now_ms();
  TROUPE_SOMETIMES("the first leader of a new shard stood for election at once");
  link_->post_after(again, [tries](RaftGroup& group) { group.stand_early(tries - 1); });
  timer_armed_ = true;
  timer_fired(++timer_generation_);
}

// One step. `crowded`: a stand-by that has caught up needs somebody's place among the five voters.
void RaftGroup::follow_places(const RaftPlaces& wish, const std::vector<RaftMember>& all,
                              bool crowded) {
  // Planted: who is not to be there any more stays a voter.
  if (!wish.binding || TROUPE_PLANTED(old_voter_forgotten)) return;
  const auto leaves = [&](const RaftMember& one) { return one.voter && !wish.have(one.node); };
  // A lost replica that stays costs no majority until as many vote as are wished, and it may come
  // back before one of the others goes.
  const bool all_vote = crowded || std::ranges::all_of(wish.nodes, [&](const std::string& node) {
                          const auto found = std::ranges::find(all, node, &RaftMember::node);
                          return found != all.end() && found->voter;
                        });
  for (const RaftMember& one : all) {
    if (!all_vote || !leaves(one) || !may_be_replaced(one, all)) continue;
    TROUPE_SOMETIMES("a lost replica was removed because its place had gone elsewhere");
    if (remove(one.replica)) return;
  }
  bool all_there = true;
  for (const std::string& node : wish.nodes) {
    const auto found = std::ranges::find(all, node, &RaftMember::node);
    // Each is looked at, so that their rounds go on together.
    if (found == all.end() || (!found->voter && !crowded) ||
        (found->voter && found->replica != record_.replica && !caught_up(found->replica)))
      all_there = false;
  }
  if (!all_there) return;
  for (const RaftMember& one : all) {
    if (!leaves(one) || one.replica == record_.replica || !others_live(one, all)) continue;
    TROUPE_SOMETIMES("a replica was removed because its place had gone elsewhere");
    if (remove(one.replica)) return;
  }
  const bool leaving = std::ranges::any_of(
      all, [&](const RaftMember& one) { return leaves(one) && one.replica == record_.replica; });
  if (!leaving || now_ms() < care_.next_hand_over_ms) return;
  // By now the first that votes has caught up; in a crowded group the first may not vote yet.
  for (const std::string& node : wish.nodes) {
    const auto heir = std::ranges::find(all, node, &RaftMember::node);
    if (heir == all.end() || !heir->voter) continue;
    TROUPE_SOMETIMES("a leader whose place had gone elsewhere handed over");
    care_.next_hand_over_ms =
        now_ms() + static_cast<std::uint64_t>(shared_->options.members.hand_over_again.count());
    if (!observer_.on_hand_over_wanted(node)) hand_over_to(node, [](bool) {});
    return;
  }
}

// The change that removed them is committed. What is lost on the way they ask for.
void RaftGroup::say_farewell() {
  constexpr unsigned tellings = 3;
  for (auto& [replica, leaving] : care_.leaving) {
    if (engine_address(engine_.get(), replica) != nullptr) {
      leaving.told = tellings;  // it never was: the change did not come about
      continue;
    }
    RaftMessage removed = message_to(replica, RAFT_REMOVED);
    removed.round = configurations_.back().index;
    strangers_[replica] = leaving.node;
    send(std::move(removed));
    ++leaving.told;
  }
  std::erase_if(care_.leaving, [](const auto& one) { return one.second.told >= tellings; });
}

}  // namespace troupe::cluster
