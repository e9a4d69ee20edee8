// Handing leadership over, before a stop, for a move, or because the disk has no room for the
// shard's rows: commands wait while what is in flight commits and another replica is told to lead,
// and go there then, instead of waiting for an election.
#include <utility>

#include "actors/shard/shard.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::actors {

void Shard::hand_over(std::function<void()> done, const std::string& node) {
  if (!leads() || consensus_->sole_voter()) return done();
  if (handing_over_) {  // it makes way
    handing_over_ = [first = std::move(handing_over_), done = std::move(done)] {
      first();
      done();
    };
    return;
  }
  handing_over_ = std::move(done);
  heir_ = node;
  flush(true);
  hand_over_when_idle();
}

bool Shard::leads() const {
  return state_ == State::serving || serve_at_ > 0;
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

// The disk has no room for rows that are committed. A replica that has is to lead, if one is here;
// else this one goes on as far as it can. It is asked again with each attempt to apply.
void Shard::make_way() {
  if (!leads() || handing_over_ || !consensus_->other_has_room()) return;
  TROUPE_SOMETIMES("a shard made way for a replica with room");
  log().warn("shard.makes_way", spec_.name() + " finds its disk full: another replica is to lead",
             {{"shard", spec_.name()}});
  hand_over([] {});
}

// Why something is not done for want of space: here, if another replica is about to do it.
Error Shard::disk_full(const std::string& message) const {
  return handing_over_ ? unavailable("REPLICA_DISK_FULL",
                                     message + "; another replica is about to lead this shard")
                       : resource_exhausted("DISK_FULL", message);
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
