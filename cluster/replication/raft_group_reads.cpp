// Reads, confirmed by a majority without an entry and without a disk.
//
// Why it is enough: whoever says yes after the read came knows of no later term than ours at that
// moment. Had another leader committed anything before the read came, a majority would have been in
// its later term by then, and one of them would be among those who said yes; terms never fall, not
// by a crash either.
#include <algorithm>
#include <array>

#include "cluster/replication/engine/configuration.h"
#include "cluster/replication/raft_group.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {

// A leader that nobody hears any more gives up within an election time-out, and takes itself for
// fresh until then. While a group sleeps nothing is committed, unless the link that is to wake us
// is broken and nobody has noticed yet.
std::optional<MonotonicTime> RaftGroup::note_applied(runtime::LogIndex applied) {
  const bool knows_all = state_ == State::running && (leading_ || asleep_);
  if (knows_all || (state_ == State::waiting && sole_voter_))
    note_freshness(engine_ ? engine_commit(engine_.get()) : handed_);
  return freshness_.note_applied(applied);
}

// Everything that is committed now is at or before `commit`.
void RaftGroup::note_freshness(runtime::LogIndex commit) {
  freshness_.note(shared_->platform.clock().now(), commit);
}

void RaftGroup::confirm_leadership(Confirmed confirmed) {
  if (!leading_) return confirmed(not_leading());
  // Planted: a leader reads without asking whether it still leads.
  if (engine_sole_voter(engine_.get()) || TROUPE_PLANTED(read_without_confirming))
    return confirmed({});
  TROUPE_SOMETIMES_IF(!round_reads_.empty(), "a read waited for the next round");
  next_reads_.push_back(std::move(confirmed));
  if (round_reads_.empty()) begin_round();
}

void RaftGroup::begin_round() {
  if (next_reads_.empty()) return;
  ++round_;
  round_reads_ = std::exchange(next_reads_, {});
  round_yes_.assign(1, record_.replica);
  ask_voters();
  watch_round();
}

void RaftGroup::ask_voters() {
  std::array<std::uint64_t, CONFIGURATION_SERVERS_MAX> voters{};
  const unsigned count = engine_voters(engine_.get(), voters.data(), voters.size());
  for (unsigned i = 0; i < count; ++i) {
    if (std::find(round_yes_.begin(), round_yes_.end(), voters[i]) != round_yes_.end()) continue;
    RaftMessage message = message_to(voters[i], RAFT_CONFIRM);
    message.round = round_;
    send(std::move(message));
  }
}

// Questions and answers may be lost. One timer at most is under way: it asks again only in a round
// that it has seen before.
void RaftGroup::watch_round() {
  if (std::exchange(round_watched_, true)) return;
  link_->post_after(shared_->options.heartbeat, [round = round_](RaftGroup& group) {
    group.round_watched_ = false;
    if (group.round_reads_.empty() || !group.leading_) return;
    if (round == group.round_) {
      TROUPE_SOMETIMES("voters were asked again whether a leader still leads");
      group.wake();
      group.ask_voters();
    }
    group.watch_round();
  });
}

void RaftGroup::answer_confirm(const RaftMessage& message) {
  if (message.head.term != engine_term(engine_.get()) ||
      engine_role(engine_.get()) == ENGINE_LEADER) {
    TROUPE_SOMETIMES("a voter did not confirm a leader of another term");
    return;
  }
  RaftMessage answer = message_to(message.from, RAFT_CONFIRMED);
  answer.round = message.round;
  send(std::move(answer));
}

void RaftGroup::take_confirmed(const RaftMessage& message) {
  if (!leading_ || message.head.term != record_.term || message.round != round_ ||
      round_reads_.empty())
    return;
  if (std::find(round_yes_.begin(), round_yes_.end(), message.from) == round_yes_.end())
    round_yes_.push_back(message.from);
  std::array<std::uint64_t, CONFIGURATION_SERVERS_MAX> voters{};
  const unsigned count = engine_voters(engine_.get(), voters.data(), voters.size());
  const auto said_yes = [this](std::uint64_t voter) {
    return std::find(round_yes_.begin(), round_yes_.end(), voter) != round_yes_.end();
  };
  const auto yes = std::count_if(voters.begin(), voters.begin() + count, said_yes);
  if (2 * static_cast<unsigned>(yes) <= count) return;
  const std::vector<Confirmed> reads = std::exchange(round_reads_, {});
  begin_round();
  for (const Confirmed& confirmed : reads) confirmed({});
}

void RaftGroup::fail_confirmations(const Error& why) {
  TROUPE_SOMETIMES_IF(!round_reads_.empty(), "reads failed because leadership was not confirmed");
  std::vector<Confirmed> reads = std::exchange(round_reads_, {});
  for (Confirmed& read : std::exchange(next_reads_, {})) reads.push_back(std::move(read));
  for (const Confirmed& confirmed : reads) confirmed(why);
}

}  // namespace troupe::cluster
