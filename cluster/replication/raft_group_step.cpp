// What the engine wants after each step, and what becomes of it.
#include <algorithm>
#include <cassert>

#include "cluster/replication/raft_group.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::cluster {

using runtime::LogEntry;
using runtime::LogIndex;

// `fresh`: the entries that were submitted or received; the update says which of them are new.
void RaftGroup::process(const EngineUpdate& update, std::vector<LogEntry> fresh) {
  if (update.term_or_vote) {
    record_.term = engine_term(engine_.get());
    record_.vote = engine_vote(engine_.get());
    record_dirty_ = true;
  }
  if (update.append_barrier)
    fresh.assign(
        1, LogEntry{update.append_index, engine_term(engine_.get()), ENGINE_BARRIER, nullptr});
  if (update.append_index != 0) {
    fresh.erase(fresh.begin(), std::find_if(fresh.begin(), fresh.end(), [&](const LogEntry& entry) {
                  return entry.index == update.append_index;
                }));
    assert(fresh.size() == update.append_n);
    last_busy_ms_ = now_ms();
    store(update.append_index, std::move(fresh));
  } else if (update.term_or_vote) {
    write({});
  }
  send_messages(update);
  if (update.role) role_changed(update);
  fire_configurations();
  arm_timer();
}

void RaftGroup::store(LogIndex index, std::vector<LogEntry> entries) {
  if (index <= tail_.last()) truncate(index);
  bool members = false;
  for (const LogEntry& entry : entries) {
    if (entry.type == ENGINE_CHANGE) {
      changes_.push_back({entry.index, entry.payload});
      tell_voters(entry);
      members = true;
    }
    tail_.append(entry);
  }
  write(std::move(entries));
  if (members && leading_) observer_.on_members_changed();
}

// Completions that are on their way speak of what is gone as well: from now on they count for what
// is left only.
void RaftGroup::truncate(LogIndex from) {
  tail_.truncate(from);
  while (!changes_.empty() && changes_.back().index >= from) changes_.pop_back();
  TROUPE_SOMETIMES("entries were truncated");
  // Planted: what was truncated counts as durable when its append completes.
  if (!flights_.empty() && TROUPE_PLANTED(truncated_append_durable)) return;
  for (Flight& flight : flights_) flight.last = std::min(flight.last, from - 1);
  durable_ = std::min(durable_, from - 1);
}

void RaftGroup::write(std::vector<LogEntry> entries) {
  runtime::NodeLog::Append append;
  append.group = group_;
  const std::uint64_t number = ++appends_;
  if (record_dirty_) {
    append.record = record_;
    record_number_ = number;
    record_dirty_ = false;
  }
  flights_.push_back({number, entries.empty() ? 0 : entries.back().index});
  append.entries = std::move(entries);
  append.done = [link = link_, number](const Result<void>& result) {
    link->append_done(number, result, &RaftGroup::appends_done);
  };
  shared_->log.append(std::move(append));
  // Planted: what is given to the log counts as durable at once.
  if (TROUPE_PLANTED(durable_before_sync)) link_->append_done(number, {}, &RaftGroup::appends_done);
}

void RaftGroup::appends_done(RaftGroup& group) {
  const RaftLink::Done done = group.link_->take();
  group.resolved_ = std::max(group.resolved_, done.resolved);
  group.stored_ = std::max(group.stored_, done.durable);
  LogIndex durable = 0;
  while (!group.flights_.empty() && group.flights_.front().number <= done.durable) {
    durable = std::max(durable, group.flights_.front().last);
    group.flights_.pop_front();
  }
  if (durable > group.durable_) {
    group.durable_ = durable;
    if (group.state_ == State::running) {
      EngineUpdate update;
      if (engine_persisted(group.engine_.get(), group.now_ms(), durable, &update) != ENGINE_OK)
        return group.fail_engine();
      group.release_messages();
      group.process(update);
    }
  } else if (group.state_ == State::running) {
    group.release_messages();
  }
  if (group.state_ == State::creating && group.stored_ == group.appends_) {
    GroupLog log;
    log.record = group.record_;
    if (const LogEntry* const first = group.tail_.find(1)) log.entries.push_back(*first);
    return group.begin(std::move(log));
  }
  if (group.state_ == State::recovering && group.stored_ == group.appends_)
    return group.recovery_stored({});
  if (group.state_ == State::replacing && group.stored_ == group.appends_)
    return group.observer_.on_file_replaced();
  group.settle();
  if (done.error && (group.state_ == State::running || group.state_ == State::creating ||
                     group.state_ == State::recovering || group.state_ == State::replacing))
    group.store_failed(*done.error);
}

void RaftGroup::role_changed(const EngineUpdate& update) {
  acknowledged_.clear();
  if (engine_role(engine_.get()) != ENGINE_LEADER) {
    own_entry_ = 0;
    lost_leadership_ = lost_leadership_ || leading_;
    leading_ = false;
    return ask_if_need_be();
  }
  care_ = {};
  care_.begun_ms = now_ms();
  if (update.append_barrier) {
    own_entry_ = update.append_index;
    return;
  }
  EngineUpdate barrier;
  if (engine_submit(engine_.get(), now_ms(), ENGINE_BARRIER, 1, &barrier) != ENGINE_OK)
    return fail_engine();
  own_entry_ = barrier.append_index;
  process(barrier, {LogEntry{barrier.append_index, record_.term, ENGINE_BARRIER, nullptr}});
}

void RaftGroup::fire_configurations() {
  while (state_ == State::running && !changes_.empty() &&
         changes_.front().index <= engine_commit(engine_.get())) {
    configurations_.push_back(changes_.front());
    changes_.pop_front();
    const Change& change = configurations_.back();
    EngineUpdate update;
    if (engine_configuration(engine_.get(), now_ms(), change.index, change.bytes->data(),
                             change.bytes->size(), &update) != ENGINE_OK)
      return fail_engine();
    process(update);
    if (leading_) observer_.on_members_changed();
    ask_if_need_be();
  }
}

// One timer at most is under way; if it fires too early it is set again for the rest.
void RaftGroup::arm_timer() {
  if (state_ != State::running || asleep_) return;
  const std::uint64_t due = engine_timeout(engine_.get());
  if (due == ENGINE_NEVER) {
    if (timer_armed_) ++timer_generation_;
    timer_armed_ = false;
    return;
  }
  if (timer_armed_ && timer_at_ms_ <= due) return;
  timer_armed_ = true;
  timer_at_ms_ = due;
  const std::uint64_t now = now_ms();
  link_->post_after(
      std::chrono::milliseconds(due > now ? due - now : 0),
      [generation = ++timer_generation_](RaftGroup& group) { group.timer_fired(generation); });
}

void RaftGroup::timer_fired(std::uint64_t generation) {
  if (generation != timer_generation_ || state_ != State::running) return;
  timer_armed_ = false;
  const std::uint64_t now = now_ms();
  if (now < engine_timeout(engine_.get())) {
    care_for_members();  // the engine has no heartbeat to send while commands flow
    return arm_timer();
  }
  EngineUpdate update;
  if (engine_timer(engine_.get(), now, &update) != ENGINE_OK) return fail_engine();
  process(update);
  settle();
  care_for_members();
  maybe_sleep();
}

// Tells the observer what has changed.
void RaftGroup::settle() {
  if (lost_leadership_) {
    lost_leadership_ = false;
    const Error why = not_leading();
    log().info("raft.not_leading", "another replica leads, or none", {{"group", group_}});
    fail_confirmations(why);
    told_leader_ = engine_ ? engine_leader(engine_.get()) : 0;
    observer_.on_not_leading(why);
  }
  deliver();
  tell_leader();
  if (hand_over_.under_way) return go_on_handing_over();
  if (state_ != State::running || leading_ || own_entry_ == 0) return;
  // Planted: a new leader serves before an entry of its own term is committed.
  if (handed_ < own_entry_ && !TROUPE_PLANTED(serve_before_own_entry)) return;
  leading_ = true;
  TROUPE_SOMETIMES_IF(told_full_, "a group led again after a full disk");
  told_full_ = false;
  retry_after_ = Duration::zero();
  log().info("raft.leading", "this replica leads",
             {{"group", group_}, {"term", record_.term}, {"index", handed_}});
  if (auto* probe = shared_->platform.probe()) probe->leads(group_, record_.replica, record_.term);
  observer_.on_leading(record_.term);
}

// A follower's shard says who leads: calls go there at once, also while the old leader only keeps
// silent and its link has not been given up.
void RaftGroup::tell_leader() {
  if (state_ != State::running || leading_ || own_entry_ != 0) return;
  const std::uint64_t leader = engine_leader(engine_.get());
  if (leader == 0 || std::exchange(told_leader_, leader) == leader) return;
  observer_.on_following(not_leading());
}

void RaftGroup::deliver() {
  while (state_ == State::running && handed_ < std::min(engine_commit(engine_.get()), durable_)) {
    const LogEntry* held = tail_.find(handed_ + 1);
    if (held == nullptr)
      return fail(internal("ENGINE_FAILED", "a committed entry is not in memory any more"));
    const LogEntry entry = *held;
    ++handed_;
    if (engine_alone(engine_.get())) {
      tail_.drop(handed_);
    } else {
      while (tail_.first_in_memory() <= handed_ &&
             tail_.bytes_behind(0) > shared_->options.tail_bytes_max)
        tail_.drop(tail_.first_in_memory());
    }
    const runtime::SharedBytes rows = entry.type == ENGINE_COMMAND ? entry.payload : nullptr;
    if (auto* probe = shared_->platform.probe())
      probe->delivered(group_, entry.index, entry.term, rows);
    observer_.on_committed(entry.index, entry.term, rows);
  }
}

}  // namespace troupe::cluster
