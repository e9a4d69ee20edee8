// Changes of the configuration, the leader's care for its members, and replicas that ask to be one.
#include <algorithm>
#include <array>
#include <limits>

#include "cluster/replication/engine/configuration.h"
#include "cluster/replication/raft_group.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::cluster {

using runtime::GroupRecord;
using runtime::LogEntry;
using runtime::LogIndex;

namespace {

bool names(const std::string& configuration, std::uint64_t replica) {
  ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
  const int n = configuration_decode(configuration.data(), configuration.size(), servers);
  return std::any_of(servers, servers + std::max(n, 0),
                     [replica](const auto& server) { return server.replica == replica; });
}

std::size_t voters_in(const std::vector<RaftMember>& members) {
  return static_cast<std::size_t>(std::ranges::count(members, true, &RaftMember::voter));
}

}  // namespace

// --- what the configuration says
// -------------------------------------------------------------------

std::vector<RaftMember> RaftGroup::members() const {
  std::vector<RaftMember> all;
  if (!engine_) return all;
  std::array<std::uint64_t, CONFIGURATION_SERVERS_MAX> ids{};
  const unsigned count = engine_members(engine_.get(), ids.data(), ids.size());
  for (unsigned i = 0; i < count; ++i)
    all.push_back({ids[i], engine_address(engine_.get(), ids[i]), votes(ids[i])});
  return all;
}

bool RaftGroup::votes(std::uint64_t replica) const {
  std::array<std::uint64_t, CONFIGURATION_SERVERS_MAX> ids{};
  const unsigned count = engine_voters(engine_.get(), ids.data(), ids.size());
  return std::find(ids.begin(), ids.begin() + count, replica) != ids.begin() + count;
}

void RaftGroup::tell_voters(const LogEntry& change) const {
  auto* const probe = shared_->platform.probe();
  if (probe == nullptr) return;
  std::vector<std::string> nodes;
  for (RaftMember& one : decode_members(*change.payload))
    if (one.voter) nodes.push_back(std::move(one.node));
  probe->voters(group_, change.index, change.term, nodes);
}

// --- changes
// ---------------------------------------------------------------------------------------

Result<void> RaftGroup::add_standby(std::uint64_t replica, const std::string& node) {
  std::vector<RaftMember> next = members();
  const bool taken = std::ranges::any_of(
      next, [&](const RaftMember& one) { return one.replica == replica || one.node == node; });
  if (taken || replica == 0 || next.size() == CONFIGURATION_SERVERS_MAX)
    return change_refused("node " + node + " has a replica in it, or no more fit in");
  next.push_back({replica, node, false});
  return change(next, "a stand-by is added", replica);
}

Result<void> RaftGroup::promote(std::uint64_t replica) {
  std::vector<RaftMember> next = members();
  const auto found = std::ranges::find(next, replica, &RaftMember::replica);
  if (found == next.end() || found->voter || voters_in(next) >= voters_max)
    return change_refused("replica " + std::to_string(replica) +
                          " is no stand-by of it, or five vote already");
  found->voter = true;
  return change(next, "a stand-by becomes a voter", replica);
}

Result<void> RaftGroup::remove(std::uint64_t replica) {
  if (engine_ && replica == record_.replica && leading_) {
    hand_over([](bool) {});
    return unavailable("NOT_LEADING", "this replica of group " + std::to_string(group_) +
                                          " leads and is to be removed: it hands its leadership "
                                          "over; ask the next leader");
  }
  std::vector<RaftMember> next = members();
  const auto found = std::ranges::find(next, replica, &RaftMember::replica);
  if (found == next.end())
    return change_refused("replica " + std::to_string(replica) + " is not in it");
  std::string node = std::move(found->node);
  next.erase(found);
  TROUPE_CHECK(change(next, "a replica is removed", replica));
  // What it once asked for is over: its id is not used again.
  if (const auto asked = care_.asked.find(node);
      asked != care_.asked.end() && asked->second.replica == replica)
    care_.asked.erase(asked);
  care_.leaving[replica] = {std::move(node), 0};
  return {};
}

Error RaftGroup::change_refused(const std::string& why) const {
  return failed_precondition(
      "MEMBERS_UNSUITABLE",
      "the members of group " + std::to_string(group_) + " are not changed: " + why);
}

Result<void> RaftGroup::change(const std::vector<RaftMember>& next, const char* what,
                               std::uint64_t replica) {
  if (!leading_ || hand_over_.under_way) return not_leading();
  if (!changes_.empty()) {
    TROUPE_SOMETIMES("a change of members had to wait for another");
    return unavailable("CHANGE_UNDER_WAY", "another change of the members of group " +
                                               std::to_string(group_) +
                                               " is not committed yet; try again soon");
  }
  const auto bytes = encode_members(next);
  if (!bytes) return change_refused("nobody would vote");
  wake();
  EngineUpdate update;
  const EngineResult result =
      engine_submit_change(engine_.get(), now_ms(), bytes->data(), bytes->size(), &update);
  if (result == ENGINE_NOT_LEADER) return not_leading();
  if (result == ENGINE_CANNOT_CHANGE || result == ENGINE_INVALID)
    return change_refused(engine_error(engine_.get()));
  if (result != ENGINE_OK) {
    fail_engine();
    return not_leading();
  }
  log().info("raft.members_change", what,
             {{"group", group_}, {"replica", replica}, {"index", update.append_index}});
  process(update, {LogEntry{update.append_index, record_.term, ENGINE_CHANGE, bytes}});
  return {};
}

// --- the leader's care
// -----------------------------------------------------------------------------

bool RaftGroup::heard_within(std::uint64_t replica, std::chrono::milliseconds time) const {
  const auto heard = care_.heard.find(replica);
  return heard != care_.heard.end() &&
         now_ms() - heard->second <= static_cast<std::uint64_t>(time.count());
}

void RaftGroup::take_join(const RaftMessage& message) {
  if (!leading_ || message.node.empty() || message.from == record_.replica || !changes_.empty())
    return;  // it asks again
  if (engine_address(engine_.get(), message.from) != nullptr) return;
  if (message.round != 0) return tell_removed(message);  // it is no newcomer
  if (!places().have(message.node)) {
    TROUPE_SOMETIMES("a node wanted to be in a group that is not placed there");
    return;
  }
  wake();
  care_.asked[message.node] = {message.from, now_ms()};
  care_for_members();
}

// To who speaks as a member: our committed configuration does not name it, and there is none later.
void RaftGroup::tell_removed(const RaftMessage& message) {
  if (!leading_ || !changes_.empty() || message.node.empty() ||
      engine_address(engine_.get(), message.from) != nullptr)
    return;
  // Planted: it is taken back as it is, with its old id and all that it has.
  if (TROUPE_PLANTED(old_member_taken_back)) {
    care_.asked[message.node] = {message.from, now_ms()};
    return care_for_members();
  }
  TROUPE_SOMETIMES("a replica learnt that it had been removed");
  RaftMessage removed = message_to(message.from, RAFT_REMOVED);
  removed.round = configurations_.back().index;
  comes_from_its_node(message);  // so that the answer finds its way
  send(std::move(removed));
}

// At each heartbeat, and when somebody asks: at most one change.
void RaftGroup::care_for_members() {
  if (!leading_ || asleep_ || !changes_.empty() || hand_over_.under_way || members_held_) return;
  if (!care_.leaving.empty()) say_farewell();
  const auto all = members();
  if (care_.asked.empty() && is_in_place(all)) return;
  const auto valid = static_cast<std::uint64_t>(shared_->options.members.ask_valid.count());
  std::erase_if(care_.asked, [&](const auto& one) { return now_ms() - one.second.at_ms > valid; });
  const RaftPlaces wish = places();
  for (const auto& [node, asked] : care_.asked) {
    if (std::ranges::find(all, node, &RaftMember::node) != all.end() || !wish.have(node)) continue;
    TROUPE_SOMETIMES("a replica was taken in as a stand-by");
    if (add_standby(asked.replica, node)) return;
  }
  bool crowded = false;  // a stand-by would vote, if there were not five voters already
  for (const RaftMember& one : all) {
    if (one.voter) continue;
    if (!wish.have(one.node)) {
      if (!wish.binding) continue;
      TROUPE_SOMETIMES("a stand-by was removed because its place had gone elsewhere");
      if (remove(one.replica)) return;
      continue;
    }
    if (!caught_up(one.replica)) continue;
    TROUPE_SOMETIMES("a stand-by had caught up");
    if (promote(one.replica)) return;
    crowded = voters_in(all) >= voters_max;
  }
  if (crowded) return follow_places(wish, all, true);
  for (const auto& [node, asked] : care_.asked) {
    const auto known = std::ranges::find(all, node, &RaftMember::node);
    if (known == all.end() || known->replica == asked.replica || !may_be_replaced(*known, all))
      continue;
    TROUPE_SOMETIMES("a lost replica was removed from its group");
    if (remove(known->replica)) return;
  }
  follow_places(wish, all, false);
}

// Its node says that it is gone; and it is silent, and the others can do without it. So of several
// lost replicas one is replaced after the other.
bool RaftGroup::may_be_replaced(const RaftMember& member,
                                const std::vector<RaftMember>& all) const {
  const RaftOptions& options = shared_->options;
  const auto silence = options.members.silent_when_lost;
  if (member.replica == record_.replica || heard_within(member.replica, silence) ||
      now_ms() - care_.begun_ms < static_cast<std::uint64_t>(silence.count()))
    return false;
  if (others_live(member, all)) return true;
  TROUPE_SOMETIMES("a lost replica stayed a member because the majority was at stake");
  return false;
}

// Whether a majority of the voters without this one is there, and so many that a write which it has
// survives the loss of any minority of the places.
bool RaftGroup::others_live(const RaftMember& member, const std::vector<RaftMember>& all) const {
  std::size_t voters = 0;
  std::size_t alive = 0;
  for (const RaftMember& one : all) {
    if (!one.voter || one.replica == member.replica) continue;
    ++voters;
    alive += one.replica == record_.replica ||
             heard_within(one.replica, shared_->options.election_timeout);
  }
  const std::size_t copies_promised = (places().nodes.size() + 1) / 2;
  return 2 * alive > voters && (!member.voter || voters / 2 + 1 >= copies_promised);
}

bool RaftGroup::caught_up(std::uint64_t replica) {
  const auto limit = shared_->options.election_timeout;
  MemberCare::Round& round = care_.rounds[replica];
  if (round.index == 0) round = {tail_.last(), now_ms()};
  if (engine_match(engine_.get(), replica) < round.index || !heard_within(replica, limit))
    return false;
  const bool fast = now_ms() - round.begun_ms < static_cast<std::uint64_t>(limit.count());
  round = {tail_.last(), now_ms()};
  return fast;
}

// --- a replica that is not what it should be
// -------------------------------------------------------

std::uint64_t RaftGroup::draw_replica_id() const {
  return shared_->platform.random().between(1, std::numeric_limits<std::int64_t>::max());
}

// The group is elsewhere, and what this node once promised to it is gone: a vote cast now might be
// the second in its term. It takes part again as a replica that the group never had.
void RaftGroup::join_anew() {
  TROUPE_SOMETIMES("a replica had no past and asked to be taken in");
  record_ = GroupRecord{};
  record_.replica = draw_replica_id();
  record_dirty_ = true;
  tail_.reset(0, 0);
  state_ = State::creating;
  log().warn("raft.absent",
             "the data folder does not know the group, which is elsewhere: this replica asks to be "
             "taken in as a new one",
             {{"group", group_}, {"replica", record_.replica}});
  write({});
}

bool RaftGroup::has_to_ask() const {
  if (state_ != State::running || own_entry_ != 0 || shared_->options.exchange == nullptr)
    return false;
  return !votes(record_.replica) || engine_role(engine_.get()) == ENGINE_CANDIDATE || is_to_leave();
}

// A candidate may be one of an ordinary election.
void RaftGroup::ask_if_need_be() {
  tell_leaderless();
  if (asking_ || !has_to_ask()) return;
  asking_ = true;
  ask_pause_ = shared_->options.members.ask_first;
  if (!votes(record_.replica)) return ask();
  link_->post_after(shared_->options.members.ask_longest, [](RaftGroup& group) { group.ask(); });
}

// Not from inside the step that made us a candidate.
void RaftGroup::tell_leaderless() {
  const auto stands = [](const RaftGroup& group) {
    return group.state_ == State::running && engine_role(group.engine_.get()) == ENGINE_CANDIDATE;
  };
  if (!stands(*this)) return;
  link_->post([stands](RaftGroup& group) {
    if (!stands(group)) return;
    group.told_leader_ = 0;  // the same one may come back
    group.observer_.on_leaderless();
  });
}

void RaftGroup::ask() {
  asking_ = has_to_ask();
  if (!asking_) return;
  RaftMessage question = message_to(0, RAFT_JOIN);
  for (const Change& one : configurations_)
    if (names(*one.bytes, record_.replica)) question.round = one.index;
  for (const Change& one : changes_)
    if (names(*one.bytes, record_.replica)) question.round = one.index;
  // Planted: a replica whose place has gone elsewhere does not wait until it is removed.
  const bool named = question.round != 0 && !TROUPE_PLANTED(replica_leaves_early);
  if (!named && tail_.last() > 0 && is_to_leave()) {
    // Who becomes a voter has acknowledged what says that it is a member.
    TROUPE_SOMETIMES("a replica that never voted forgot what it had of a group");
    asking_ = false;
    return forget("this replica was to come and is not wanted any more", tail_.last());
  }
  const std::vector<std::string> wished = places().nodes;
  std::set<std::string> nodes{wished.begin(), wished.end()};
  for (RaftMember& one : members()) nodes.insert(std::move(one.node));
  // Where the group is now neither may say.
  const bool lost = !votes(record_.replica) || ask_pause_ >= shared_->options.members.ask_longest;
  if (lost && shared_->options.others)
    for (std::string& other : shared_->options.others()) nodes.insert(std::move(other));
  nodes.erase(shared_->options.node);
  for (const std::string& node : nodes) {
    question.node = node;
    send(question);
  }
  link_->post_after(ask_pause_, [](RaftGroup& group) { group.ask(); });
  ask_pause_ = std::min(2 * ask_pause_, shared_->options.members.ask_longest);
}

// The order names our Raft id, or it would not have come here.
void RaftGroup::take_removed(const RaftMessage& message) {
  if (own_entry_ != 0 && message.head.term <= record_.term) return;
  // Of a stand-by a deposed leader may not have heard, whose successor counts on what it promised.
  if (!votes(record_.replica) && message.head.term < record_.term) return;
  // Whether the sender's configuration is later than the newest of ours. It is committed, and so is
  // every entry of ours that its sender has; one that it does not have is of an earlier term.
  if (configurations_.empty() && changes_.empty()) return;
  const LogIndex newest = changes_.empty() ? configurations_.back().index : changes_.back().index;
  const auto term = newest > tail_.snapshot() ? tail_.term_of(newest) : record_.snapshot_term;
  if (message.head.term < term || (message.head.term == term && message.round <= newest)) return;
  TROUPE_SOMETIMES("a replica that had been removed forgot its past");
  forget("the group has removed this replica", message.round);
}

void RaftGroup::forget(const char* why, LogIndex index) {
  log().warn("raft.removed", std::string{why} + "; its log and file are deleted",
             {{"group", group_}, {"replica", record_.replica}, {"index", index}});
  if (auto* probe = shared_->platform.probe()) probe->forgets(group_);
  stop_engine();
  leading_ = lost_leadership_ = false;
  fail_confirmations(not_leading());
  state_ = State::replacing;
  replaced_ = record_;
  record_ = GroupRecord{};
  record_.replica = draw_replica_id();
  // A file that came, or was to come, from another replica lies under the next number.
  record_.generation = replaced_.generation + (arrivals_ > 0 ? 2 : 1);
  record_dirty_ = true;
  write({});
}

}  // namespace troupe::cluster
