// One message from one replica of a group to another, entries included.
#pragma once

#include <string>
#include <vector>

#include "cluster/replication/engine/engine.h"
#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

// Types of messages that are ours and not the engine's.
enum : std::uint8_t {
  RAFT_CONFIRM = 32,    // do I still lead my term?
  RAFT_CONFIRMED = 33,  // yes, as far as I know
  RAFT_FETCH = 34,      // a piece of a shard file, please
  RAFT_CHUNK = 35,      // here it is
  RAFT_SLEEP = 36,      // nothing is to be done, let your time stand still
  RAFT_ASLEEP = 37,     // it does
  RAFT_JOIN = 38,       // to whoever leads, `to` 0: take me in, or tell me that I was removed
  RAFT_REMOVED = 39,    // you were: forget what you have
};

// Of RAFT_FETCH and RAFT_CHUNK; see raft_files.hpp.
struct RaftChunk {
  std::uint64_t copy = 0;  // of the leader's shard file; 0 in a fetch: the newest
  std::uint64_t offset = 0;
  std::uint64_t file_bytes = 0;  // of the whole; 0: there is no such copy any more
  // What the file holds; the configuration is RaftMessage::configuration.
  runtime::LogIndex index = 0;
  runtime::Term term = 0;
  runtime::LogIndex configuration_index = 0;
  std::string bytes;
};

struct RaftMessage {
  runtime::GroupId group = 0;
  std::uint64_t from = 0;  // Raft ids. They are never used again, so that a message for an earlier
  std::uint64_t to = 0;    // incarnation of a replica is known by its `to` and dropped
  EngineMessage head{};    // its pointers are not used
  std::vector<runtime::LogEntry> entries;  // of ENGINE_APPEND_ENTRIES
  std::string configuration;               // of ENGINE_INSTALL_SNAPSHOT and RAFT_CHUNK
  // Of RAFT_CONFIRM(ED); of RAFT_(A)SLEEP: index of the last entry; of RAFT_JOIN: of the newest
  // configuration that names the sender, 0: none does; of RAFT_REMOVED: of the one that
  // does not name the receiver any more.
  std::uint64_t round = 0;
  RaftChunk chunk;
  // Of ENGINE_APPEND_ENTRIES_RESULT: the sender's shard file lacks room, and the newest entry of
  // which the sender has done its part.
  bool lacks_room = false;
  runtime::LogIndex part_done = 0;
  // Who sent it, as the links know; empty: not known. Of a RAFT_JOIN that leaves: where it goes.
  // Does not travel.
  std::string node;
};

}  // namespace troupe::cluster
