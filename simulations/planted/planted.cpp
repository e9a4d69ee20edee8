#include "simulations/planted/planted.hpp"

namespace troupe::simulations {

const std::vector<Planting>& plantings() {
  static const std::vector<Planting> all{
      {"answer_before_commit", "ledger", "replies leave when their batch is proposed"},
      {"apply_loses_a_batch", "ledger", "one batch in sixteen does not reach the shard file"},
      {"checkpoint_without_sync", "ledger", "a checkpoint of a shard file is not synced"},
      {"digest_not_compared", "ledger", "another request under a used id gets the old reply"},
      {"durable_before_sync", "ledger", "what is given to the log counts as durable at once"},
      {"early_apply_kept", "full-disk", "entities that saw a batch which failed stay in memory"},
      {"entry_applied_twice", "ledger", "one entry in sixteen is applied twice to the shard file"},
      {"events_out_of_sequence", "ledger",
       "an entity that is loaded numbers its events one too low"},
      {"full_disk_is_success", "full-disk",
       "who is refused for a full disk hears that all went well"},
      {"log_cut_at_commit", "ledger", "the log is cut behind the commit, not the checkpoint"},
      {"log_loses_second_append", "ledger",
       "of a transaction that groups share, a row is not written"},
      {"log_without_sync", "ledger", "the log does not sync its commits"},
      {"passivated_before_applied", "ledger",
       "entities leave memory although the file lacks their rows"},
      {"quarantine_never_ends", "supervision",
       "an entity that was quarantined is refused for ever"},
      {"read_does_not_wait", "ledger", "reads do not wait for the open batch that they saw"},
      {"raft_id_reused", "cluster-ledger",
       "a replica that lost its disk comes back under its old Raft id"},
      {"read_without_confirming", "cluster-ledger",
       "a leader reads without asking whether it still leads"},
      {"recovery_forgets_newest_entry", "ledger", "a group that recovers misses its newest entry"},
      {"replies_forgotten_at_commit", "ledger", "replies leave memory before they are in the file"},
      {"reply_not_stored", "ledger", "a reply is stored where nobody finds it"},
      {"reply_window_short", "ledger",
       "stored replies are deleted long before their window is over"},
      {"restart_forgets_recent_ids", "ledger",
       "after a start, ids from before it count as never run"},
      {"rot_taken_for_torn_tail", "bit-rot", "rot inside the log counts as its end"},
      {"row_checksum_ignored", "bit-rot", "checksums of rows in shard files are not looked at"},
      {"serve_before_applied", "ledger", "a shard serves before its file holds what the log holds"},
      {"serve_before_own_entry", "cluster-ledger",
       "a new leader serves before an entry of its own term is committed"},
      {"shard_time_goes_back", "ledger", "shard time follows the wall clock back"},
      {"ship_wrong_file", "cluster-ledger",
       "a copy of a shard file passes for what is committed, and nobody looks"},
      {"spare_not_blanked", "full-disk", "a segment begins with the rows of one that was deleted"},
      {"supervisor_forgets_child", "supervision", "a child that fails a third time is forgotten"},
      {"supervisor_never_gives_up", "supervision", "a supervisor restarts for ever"},
      {"throw_keeps_half_state", "supervision", "what a handler changed before it threw stays"},
      {"truncated_append_durable", "cluster-ledger",
       "what was truncated counts as durable when its append completes"},
      {"vote_forgotten", "cluster-ledger", "a vote is forgotten when the process ends"},
  };
  return all;
}

}  // namespace troupe::simulations
