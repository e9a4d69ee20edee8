// How the Raft groups of a node are set up: one for all of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cluster/replication/first_voters.hpp"
#include "cluster/replication/raft_files.hpp"
#include "cluster/replication/raft_members.hpp"
#include "runtime/storage/ids.hpp"
#include "runtime/time.hpp"

namespace troupe::cluster {

class RaftExchange;

// What a shard file holds that a backup was restored to.
struct RaftBase {
  runtime::LogIndex index = 0;
  runtime::Term term = 0;
};

// One entry travels in one message of what carries it, with its head.
constexpr std::uint64_t replicated_entry_bytes_max = (4ull << 20) - (64ull << 10);

struct RaftOptions {
  std::string node = {};  // our name in configurations
  std::chrono::milliseconds election_timeout{300};
  std::chrono::milliseconds heartbeat{50};
  // After an offer of our file the engine tells its receiver nothing but heartbeats for this long.
  // An offer is a small message and harmless, so it is repeated soon: a late answer may have made
  // the engine offer a file to a replica that needs none.
  std::chrono::milliseconds install_snapshot_timeout{500};

  // A snapshot marker is taken when the checkpoint is this many entries past the last one, or when
  // fewer keep old segments of the log from being deleted. The log is cut `trailing` entries before
  // the checkpoint, for followers that lag a little.
  std::uint64_t snapshot_threshold = 1024;
  std::uint64_t trailing = 0;

  // propose() refuses a larger one in a group of several voters.
  std::uint64_t entry_bytes_max = replicated_entry_bytes_max;

  // propose() refuses while more than this is not committed.
  std::uint64_t waiting_entries_max = 65'536;
  std::uint64_t waiting_bytes_max = 64ull << 20;
  // Entries kept in memory for followers; without followers none are kept.
  std::uint64_t tail_bytes_max = 8ull << 20;
  unsigned inflight_entries = 1024;  // sent to one follower and not acknowledged

  // After a full disk.
  Duration retry_first = std::chrono::milliseconds(50);
  Duration retry_longest = std::chrono::seconds(2);

  // Who votes in a group that is new, one to five. None: this node alone, under an id drawn from
  // Random. A group that the log knows goes on with what its log says, whatever this says now.
  std::function<std::vector<RaftVoter>(runtime::GroupId)> voters = {};
  // Where its replicas are to be, asked again and again; other threads may change it. Null: on the
  // nodes of `voters`, and nobody has to leave (RaftPlaces).
  std::function<RaftPlaces(runtime::GroupId)> places = {};
  // Whether a group of several voters, this node among them, may be made that this node's log does
  // not know. Only on a node that was made together with its cluster and has not lost its data
  // since: otherwise the group exists elsewhere, and a replica that forgot its vote would vote
  // again. Such a replica asks to be taken in as a new one.
  bool may_create = true;
  // Of a group whose founders were given files of a backup before their first start: its log begins
  // behind them. Null, nullopt: none was.
  std::function<std::optional<RaftBase>(runtime::GroupId)> base = {};
  // The other nodes of the cluster, for replicas that do not know whom to ask. Null: those that
  // the group's places and configuration name.
  std::function<std::vector<std::string>()> others = {};
  RaftMemberOptions members = {};

  // A group that had nothing to do for this long sleeps (raft_group_sleep.cpp), if the exchange
  // knows its members' nodes to be linked.
  std::chrono::milliseconds sleep_after{1'000};

  // To the other nodes; null: there are none. Outlives the groups.
  RaftExchange* exchange = nullptr;
  // A message carries at most this much of entries, and at least one entry.
  std::uint64_t message_bytes_max = 1ull << 20;
  RaftFileOptions files = {};
};

}  // namespace troupe::cluster
