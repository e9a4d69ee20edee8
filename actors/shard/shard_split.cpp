// A split: the upper of the shard's buckets become another shard's.
//
// Two entries of the shard's own log make it. The first says that it has begun: from then on the
// buckets are served nowhere, and no row of them changes, so that every replica can make the new
// shard's file of its own rows, sooner or later and after any restart, and all of them make the
// same. The second says that it is over, once the new group has committed something, for which a
// majority of its voters must have been founded, and every founder has been, but for those that are
// lost: the rows go, with the entries that follow, and who was lost gets them from the new group
// like any replica that has nothing. A shard's range in its file (wire::ShardRange) says how far it
// has come.
//
// Commands for the buckets wait while the new shard is not known here, and then are told to ask
// again: the router finds it.
#include <algorithm>
#include <limits>
#include <utility>

#include "actors/shard/shard.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::actors {

using wire::ShardRange;
using wire::ShardSplit;

namespace {

constexpr Duration tend_again = std::chrono::milliseconds{20};

}  // namespace

bool Shard::owns(runtime::Bucket bucket) const {
  if (split_at_ && bucket >= *split_at_) return false;
  if (!range_) return true;
  const std::uint32_t end = range_->has_split() ? range_->split().first() : range_->end();
  return bucket >= range_->first() && bucket < end;
}

Error Shard::moved() const {
  return unavailable("BUCKET_MOVED", "the key's bucket does not belong to " + spec_.name() +
                                         " any more: ask the shard that has it now, under the "
                                         "same message id");
}

bool Shard::refused_as_moved(RequestPtr& request) {
  // Planted: a shard answers for buckets that it has no more.
  if (owns(request->bucket) || TROUPE_PLANTED(stale_bucket_map)) return false;
  const bool under_way = split_at_ || (range_ && range_->has_split());
  if (!under_way || split_known_ || waiting_ >= spec_.options.waiting_max) {
    TROUPE_SOMETIMES("a call came to a shard that had its bucket once");
    request->answer(moved());
    return true;
  }
  TROUPE_SOMETIMES("a call waited for the shard that was split off");
  ++waiting_;
  moved_.push_back(std::move(request));
  return true;
}

// The new shard is here, or there is none: who waited is taken up again.
void Shard::release_moved() {
  requeue(std::exchange(moved_, {}));
}

// What was proposed may not come about; if it does, the file says so before anything is served.
void Shard::drop_split() {
  if (split_index_ <= committed_) return;
  split_index_ = 0;
  TROUPE_SOMETIMES_IF(split_at_.has_value(), "the outcome of a split became unknown");
  split_at_.reset();
  split_ending_ = false;
  release_moved();
}

void Shard::take_range(std::shared_ptr<const ShardRange> range) {
  if (range == range_) return;
  range_ = std::move(range);
  split_at_.reset();
  split_ending_ = split_known_ = false;
  release_moved();
  if (range_ && !range_->has_split() && !split_founding_) give_up_founding();
}

// The split is over and this replica has not founded its part, or has long ago.
void Shard::give_up_founding() {
  if (!surroundings_.splits) return;
  for (const ShardSplit& over : range_->children()) surroundings_.splits->not_founded(spec_, over);
}

void Shard::tend_split() {
  if (!surroundings_.splits || !consensus_ || state_ == State::stopping) return;
  const bool under_way = range_ && range_->has_split();
  if (state_ == State::serving) consensus_->hold_members(split_at_ || under_way);
  if (!under_way) {
    if (state_ != State::serving || split_at_ || split_ending_) return;
    if (!moved_.empty()) release_moved();
    if (range_)
      for (const ShardSplit& over : range_->children())
        if (!surroundings_.splits->is_over(spec_, over))
          return surroundings_.splits->over(spec_, over);
    if (range_ && range_->rows_end() > range_->end()) return drop_rows();
    const auto order = surroundings_.splits->ordered(spec_);
    if (!order) return;
    begin_split(*order);
    return tend_split_soon();  // it may have to wait until the members are settled
  }
  const ShardSplit& split = range_->split();
  found_split();
  if (!split_known_ && !split_founding_ && surroundings_.splits->know(spec_, split)) {
    split_known_ = true;
    release_moved();
  }
  if (split_known_) consensus_->did_part(split.index());
  if (state_ == State::serving && surroundings_.splits->serves(spec_, split) && all_founded(split))
    end_split();
  tend_split_soon();
}

// Not from inside what made it necessary: a proposal that was refused would be made again and
// again.
void Shard::tend_split_soon() {
  if (!surroundings_.splits || std::exchange(split_timer_, true)) return;
  executor_->post_after(tend_again, [this] {
    split_timer_ = false;
    tend_split();
  });
}

void Shard::propose_range(ShardRange range, std::optional<std::uint32_t> deleted_from) {
  OpenBatch& batch = open_batch();
  wire::Row& row = batch.add_row();
  row.set_kind(wire::Row::RANGE);
  if (range.has_split() && range.split().time_ms() == 0)
    range.mutable_split()->set_time_ms(batch.time_ms());
  range.SerializeToString(row.mutable_value());
  if (deleted_from) {
    wire::Row& gone = batch.add_row();
    gone.set_bucket(*deleted_from);
    gone.set_change(wire::Row::DELETE_BUCKETS);
  }
  batch.apply_at_once();
  split_index_ = std::numeric_limits<runtime::LogIndex>::max();
  flush(true);
  if (split_index_ != 0) split_index_ = in_flight_.back().index;
}

void Shard::begin_split(const SplitOrder& order) {
  if (handing_over_ || !consensus_->settled()) return;  // asked again soon
  flush(true);
  if (state_ != State::serving || open_) return;
  const Consensus::Status status = consensus_->status();
  ShardRange range;
  if (range_) range = *range_;
  range.set_first(order.first);
  range.set_end(order.end);
  ShardSplit& split = *range.mutable_split();
  split.set_shard(order.shard);
  split.set_first(order.at);
  split.set_end(order.end);
  split.set_index(status.last + 1);
  const auto draw = [this] {
    return surroundings_.platform->random().between(1, std::numeric_limits<std::int64_t>::max());
  };
  split.set_token(draw());
  for (const bool ours : {true, false})
    for (const Consensus::Voter& voter : consensus_->voters()) {
      if ((voter.replica == status.replica) != ours) continue;
      ShardSplit::Founder& founder = *split.add_founders();
      founder.set_node(voter.node);
      founder.set_replica(voter.replica);
      founder.set_voter(draw());
    }
  log().info("shard.split_begins", spec_.name() + " is split",
             {{"shard", spec_.name()}, {"new", order.shard}, {"first_bucket", order.at}});
  split_at_ = order.at;
  consensus_->hold_members(true);
  propose_range(std::move(range), std::nullopt);
}

// A founder that has not been founded when the split is over has to be taken in anew, and the new
// group can lose no other one until then.
bool Shard::all_founded(const ShardSplit& split) const {
  std::vector<std::uint64_t> founders;
  for (const ShardSplit::Founder& founder : split.founders()) founders.push_back(founder.replica());
  // Planted: a majority of them will do.
  return !consensus_->awaits_part(split.index(), founders) || TROUPE_PLANTED(split_ends_early);
}

void Shard::end_split() {
  if (split_ending_ || handing_over_) return;
  flush(true);
  if (state_ != State::serving || open_) return;
  ShardRange range = *range_;
  const ShardSplit split = range.split();
  range.clear_split();
  range.set_end(split.first());
  range.set_rows_end(split.end());
  *range.add_children() = split;
  log().info("shard.split_ends", "the new shard serves; its rows leave " + spec_.name(),
             {{"shard", spec_.name()}, {"new", split.shard()}});
  split_ending_ = true;
  propose_range(std::move(range), std::nullopt);
}

// The rows that went, a few buckets with each entry: what waits for the file waits for no more.
void Shard::drop_rows() {
  constexpr std::uint32_t buckets_at_once = 64;
  if (handing_over_) return;
  flush(true);
  if (state_ != State::serving || open_) return;
  ShardRange range = *range_;
  const std::uint32_t from =
      std::max(range.end(), range.rows_end() - std::min(range.rows_end(), buckets_at_once));
  range.set_rows_end(from == range.end() ? 0 : from);
  split_ending_ = true;
  propose_range(std::move(range), from);
}

// Makes the new shard's file of our rows, if this is a replica that the split counts on.
void Shard::found_split() {
  const ShardSplit& split = range_->split();
  const std::uint64_t replica = consensus_->status().replica;
  const bool counted =
      replica != 0 && std::ranges::any_of(split.founders(), [&](const ShardSplit::Founder& one) {
        return one.replica() == replica;
      });
  if (!counted || split_founding_ || !surroundings_.splits->may_found(spec_, split)) return;
  split_founding_ = true;
  const ShardSpec fresh = surroundings_.splits->spec_of(spec_, split);
  std::vector<std::string> voters;
  for (const ShardSplit::Founder& founder : split.founders()) voters.push_back(founder.node());
  files_.run<bool>(
      [range = range_, path = fresh.file(1), name = fresh.name(), group = fresh.group,
       probe = probe_, voters](runtime::ShardFile& file) -> Result<bool> {
        // It may be over by now: then the new group has the rows, and we come too late.
        const auto now = file.range();
        if (!now->has_split() || now->split().shard() != range->split().shard()) return false;
        TROUPE_TRY(made, file.split_off(path, name, range->split()));
        if (probe) probe->founded(group, {made.index, made.time_ms, made.chain}, voters);
        return true;
      },
      [this, split](Result<bool> made) { split_made(split, std::move(made)); });
}

void Shard::split_made(const ShardSplit& split, Result<bool> made) {
  split_founding_ = false;
  if (!made) {
    if (made.error().code == Code::data_loss) return fail_(made.error());
    if (made.error().code != Code::resource_exhausted)
      return surroundings_.platform->fail_stop(made.error());
    TROUPE_SOMETIMES("a new shard's file found the disk full");
    if (!range_->has_split()) return give_up_founding();
    return log().warn("shard.split_waits", spec_.name() + ": " + made.error().describe(),
                      {{"shard", spec_.name()}});
  }
  if (!*made) return surroundings_.splits->not_founded(spec_, split);
  TROUPE_SOMETIMES("a replica founded one of a new shard");
  surroundings_.splits->founded(spec_, split, surroundings_.queue);
}

}  // namespace troupe::actors
