// Starting, waiting for space on the disk, failing.
#include <algorithm>

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

// Whether the newest configuration of a log has this replica as its only voter.
bool votes_alone(const GroupLog& log) {
  const auto change =
      std::find_if(log.entries.rbegin(), log.entries.rend(),
                   [](const LogEntry& entry) { return entry.type == ENGINE_CHANGE; });
  const std::string& bytes =
      change != log.entries.rend() ? *change->payload : log.record->configuration;
  ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
  const int n = configuration_decode(bytes.data(), bytes.size(), servers);
  bool alone = false;
  for (int i = 0; i < n; ++i) {
    if (servers[i].role != CONFIGURATION_VOTER) continue;
    if (servers[i].replica != log.record->replica) return false;
    alone = true;
  }
  return alone;
}

}  // namespace

void RaftGroup::start(LogIndex applied) {
  handed_ = applied;
  load();
}

void RaftGroup::load() {
  state_ = State::loading;
  shared_->reads->post([&log = shared_->log, group = group_, applied = handed_, link = link_] {
    auto result = std::make_shared<Result<GroupLog>>(load_group_log(log, group, applied));
    link->post([result](RaftGroup& raft) { raft.loaded(std::move(*result)); });
  });
}

void RaftGroup::loaded(Result<GroupLog> log) {
  if (state_ != State::loading) return;
  if (!log) return fail(log.error());
  if (!log->record) return create();
  begin(*std::move(log));
}

void RaftGroup::create() {
  const RaftOptions& options = shared_->options;
  std::vector<RaftVoter> voters;
  if (options.voters) voters = options.voters(group_);
  // Planted: a replica that lost its disk comes back under its old Raft id.
  const bool forgotten = !options.may_create && !TROUPE_PLANTED(raft_id_reused);
  if (voters.size() > 1 && forgotten) return join_anew();
  if (voters.empty()) voters.push_back({draw_replica_id(), options.node});
  const auto self = std::find_if(voters.begin(), voters.end(), [&](const RaftVoter& voter) {
    return voter.node == options.node;
  });
  if (options.places) {
    // A group that was made elsewhere, or that has grown since it was made here alone.
    const RaftPlaces wish = places();
    const bool elsewhere = wish.nodes.size() != 1 || !wish.have(options.node);
    if (self == voters.end() || (forgotten && elsewhere)) return join_anew();
  }
  std::vector<RaftMember> members;
  for (const RaftVoter& voter : voters) members.push_back({voter.replica, voter.node, true});
  const auto configuration = encode_members(members);
  if (self == voters.end() || !configuration || voters.size() > voters_max)
    return fail(
        failed_precondition("VOTERS_UNSOUND", "group " + std::to_string(group_) +
                                                  " cannot be created: its voters need "
                                                  "distinct ids and node names, five at most, "
                                                  "and node \"" +
                                                  options.node + "\" must be one of them"));
  const auto base = options.base ? options.base(group_) : std::nullopt;
  if (base && base->index != handed_)
    return fail(data_loss("RESTORED_FILE_LOST",
                          "the shard file of group " + std::to_string(group_) +
                              " was restored from a backup with entries up to " +
                              std::to_string(base->index) + ", and holds them up to " +
                              std::to_string(handed_) +
                              ": it is not the one that was restored; restore again"));
  record_ = GroupRecord{};
  record_.term = 1;
  record_.replica = self->replica;
  record_dirty_ = true;
  sole_voter_ = voters.size() == 1;
  state_ = State::creating;
  if (base && base->index > 0) return create_behind(*base, *configuration);
  tail_.reset(0, 0);
  store(1, {LogEntry{1, 1, ENGINE_CHANGE, configuration}});
}

// The group of a restored shard is as one whose log was cut behind its files, which all founders
// have: who comes later is sent the file as ever. Indexes, terms and shard time go on from where
// the old cluster's were.
void RaftGroup::create_behind(const RaftBase& base, const std::string& configuration) {
  TROUPE_SOMETIMES("a group began behind what a backup held");
  record_.term = record_.snapshot_term = base.term;
  record_.snapshot_index = record_.configuration_index = base.index;
  record_.configuration = configuration;
  tail_.reset(base.index, base.term);
  // It was synced before the node had an identity.
  if (auto* probe = shared_->platform.probe()) probe->checkpointed(group_, base.index);
  write({});
}

std::optional<Error> RaftGroup::does_not_fit(const GroupLog& log) const {
  const std::string which =
      "the shard file of group " + std::to_string(group_) + " holds entries up to ";
  if (handed_ < log.record->snapshot_index)
    return data_loss("SHARD_BEHIND_LOG",
                     which + std::to_string(handed_) +
                         ", but the node log keeps only those behind " +
                         std::to_string(log.record->snapshot_index) +
                         "; restore the data folder from a backup: a shard file that was lost or "
                         "replaced by an older one cannot be rebuilt from this log");
  if (handed_ > log.last())
    return data_loss("LOG_BEHIND_SHARD",
                     which + std::to_string(handed_) + ", but the node log ends at " +
                         std::to_string(log.last()) +
                         "; restore the data folder from a backup: entries that were stored are "
                         "missing from the log");
  return std::nullopt;
}

void RaftGroup::begin(GroupLog log) {
  if (auto error = does_not_fit(log)) return fail(*std::move(error));
  record_ = *log.record;
  // Planted: a vote is forgotten when the process ends.
  if (TROUPE_PLANTED(vote_forgotten)) record_.vote = 0;
  record_number_ = 0;  // it is durable, whatever became of those written since
  // A voter that needs nobody's vote is elected by being started; the term is raised here, as in
  // any election, and becomes durable with the first entry of the term.
  record_dirty_ = votes_alone(log);
  if (record_dirty_) {
    ++record_.term;
    record_.vote = record_.replica;
  }
  tail_.reset(record_.snapshot_index, record_.snapshot_term);
  changes_.clear();
  configurations_.clear();
  if (record_.snapshot_index > 0)
    configurations_.push_back(
        {record_.configuration_index, std::make_shared<const std::string>(record_.configuration)});
  EngineUpdate update;
  if (!open_engine(log, update)) return;
  for (LogEntry& entry : log.entries) {
    if (entry.type == ENGINE_CHANGE) changes_.push_back({entry.index, entry.payload});
    tail_.append(std::move(entry));
  }
  tail_.drop(handed_);
  TROUPE_SOMETIMES_IF(handed_ > 0 && handed_ < tail_.last(),
                      "a group found entries that the shard file lacks");
  durable_ = tail_.last();
  state_ = State::running;
  process(update);
  if (state_ == State::running && !engine_sole_voter(engine_.get()) && own_entry_ == 0)
    observer_.on_following(not_leading());
  if (deletes_itself()) return;
  ask_if_need_be();
  maybe_take_snapshot();
  settle();
  const bool founded =
      record_.term == 1 && record_.snapshot_index > 0 && tail_.last() == record_.snapshot_index;
  const auto nodes = founded ? places().nodes : std::vector<std::string>{};
  if (state_ == State::running && !nodes.empty() && nodes.front() == shared_->options.node)
    link_->post([](RaftGroup& group) { group.stand_early(40); });
}

bool RaftGroup::open_engine(const GroupLog& log, EngineUpdate& update) {
  const RaftOptions& options = shared_->options;
  EngineOptions engine{};
  engine.replica = record_.replica;
  engine.seed = static_cast<unsigned>(shared_->platform.random().next());
  engine.election_ms = static_cast<unsigned>(options.election_timeout.count());
  engine.heartbeat_ms = static_cast<unsigned>(options.heartbeat.count());
  engine.install_snapshot_ms = static_cast<unsigned>(options.install_snapshot_timeout.count());
  engine.inflight_entries = options.inflight_entries;
  engine_.reset(engine_open(&engine));
  if (!engine_) {
    fail(internal("ENGINE_FAILED",
                  "the consensus engine does not accept its options: the election "
                  "time-out must be longer than the heartbeat"));
    return false;
  }
  std::vector<EngineEntry> entries;
  entries.reserve(log.entries.size());
  for (const LogEntry& entry : log.entries) {
    const bool change = entry.type == ENGINE_CHANGE;
    entries.push_back({entry.term, entry.type, change ? entry.payload->data() : nullptr,
                       change ? entry.payload->size() : 0});
  }
  EngineStart start{};
  start.term = record_.term;
  start.vote = record_.vote;
  start.snapshot_index = record_.snapshot_index;
  start.snapshot_term = record_.snapshot_term;
  start.configuration_index = record_.configuration_index;
  start.configuration = record_.configuration.data();
  start.configuration_size = record_.configuration.size();
  start.first_index = record_.snapshot_index + 1;
  start.entries = entries.data();
  start.n = static_cast<unsigned>(entries.size());
  if (engine_start(engine_.get(), now_ms(), &start, &update) == ENGINE_OK) return true;
  fail_engine();
  return false;
}

void RaftGroup::stop_engine() {
  if (engine_) sole_voter_ = engine_sole_voter(engine_.get());
  engine_.reset();
  flights_.clear();
  held_.clear();
  arrival_ = {};
  note_asleep(false);
  timer_armed_ = false;
  ++timer_generation_;
  own_entry_ = 0;
  // Whoever waits for the end hears of it behind what the caller does.
  if (hand_over_.under_way) link_->post([](RaftGroup& group) { group.handed_over(false); });
}

void RaftGroup::store_failed(const Error& why) {
  if (why.code != Code::resource_exhausted) return fail(why);
  const bool replacing = state_ == State::replacing;
  const bool recovering = state_ == State::recovering;
  if (replacing || recovering) record_ = replaced_;  // what the log says, until it is read again
  stop_engine();
  state_ = State::waiting;
  leading_ = lost_leadership_ = false;
  const RaftOptions& options = shared_->options;
  retry_after_ = retry_after_ == Duration::zero()
                     ? options.retry_first
                     : std::min(2 * retry_after_, options.retry_longest);
  link_->post_after(retry_after_, [](RaftGroup& group) { group.retry(); });
  // With other voters the entries may commit without us, and commands may do so at once.
  const Error told = sole_voter_
                         ? why
                         : unavailable("REPLICA_DISK_FULL",
                                       why.message + "; another replica of group " +
                                           std::to_string(group_) + " leads now, or will soon");
  fail_confirmations(told);
  if (recovering) recovery_stored(why);
  TROUPE_SOMETIMES_IF(told_full_, "a group found no space again");
  TROUPE_SOMETIMES_IF(replacing, "a file from another replica was given up for want of space");
  if (told_full_) return;
  told_full_ = true;
  TROUPE_SOMETIMES("a group waited for space");
  log().warn("raft.waiting_for_space", "a group's entries could not be stored; it tries again",
             {{"group", group_}, {"error", why.describe()}});
  observer_.on_not_leading(told);
}

void RaftGroup::retry() {
  if (state_ != State::waiting) return;
  // What was under way when the disk was full must be known to have succeeded or failed: it could
  // turn up in the log while that is read, and its failure is not one of what comes now.
  resolved_ = std::max(resolved_, link_->take().resolved);
  if (resolved_ < appends_) {
    TROUPE_SOMETIMES("a group waited for appends from before the full disk");
    return link_->post_after(shared_->options.retry_first, [](RaftGroup& group) { group.retry(); });
  }
  load();
}

void RaftGroup::fail(Error why) {
  if (state_ == State::failed) return;
  stop_engine();
  state_ = State::failed;
  leading_ = lost_leadership_ = false;
  log().error("raft.failed", "a group cannot go on",
              {{"group", group_}, {"error", why.describe()}});
  link_->post([why = std::move(why)](RaftGroup& group) {
    group.fail_confirmations(why);
    group.observer_.on_failed(why);
  });
}

void RaftGroup::fail_engine() {
  fail(internal("ENGINE_FAILED", "group " + std::to_string(group_) + ": " +
                                     (engine_ ? engine_error(engine_.get()) : "no engine")));
}

}  // namespace troupe::cluster
