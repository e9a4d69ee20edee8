// Handing leadership over, before a stop or a move: commands wait while what is in flight commits
// and another replica is told to lead, and go there then, instead of waiting for an election.
#include <utility>

#include "actors/shard/shard.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::actors {

void Shard::hand_over(std::function<void()> done, const std::string& node) {
  if (state_ != State::serving || handing_over_ || consensus_->sole_voter()) return done();
  handing_over_ = std::move(done);
  heir_ = node;
  flush(true);
  hand_over_when_idle();
}

void Shard::hand_over_when_idle() {
  if (!handing_over_ || hand_over_begun_ || !in_flight_.empty() || open_) return;
  hand_over_begun_ = true;
  const auto handed = [this](bool) {
    hand_over_begun_ = false;
    const auto done = std::exchange(handing_over_, nullptr);
    // Refused with the name of the new leader, or served if nobody else leads.
    if (state_ != State::stopping) run_queued();
    if (done) done();
  };
  if (heir_.empty()) return consensus_->hand_over(handed);
  consensus_->hand_over_to(heir_, handed);
}

bool Shard::on_hand_over_wanted(const std::string& node) {
  hand_over([] {}, node);
  return true;
}

// Whether it waits until it is clear who leads.
bool Shard::waits_for_hand_over(RequestPtr& request) {
  if (!handing_over_ || waiting_ >= spec_.options.waiting_max) return false;
  TROUPE_SOMETIMES("a command waited while leadership was handed over");
  ++waiting_;
  queued_.push_back(std::move(request));
  return true;
}

}  // namespace troupe::actors
