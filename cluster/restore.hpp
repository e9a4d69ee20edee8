// The creation of a cluster from a backup (cluster/backup/): as create_cluster() makes one of
// nothing (cluster/init.hpp), with the shards' files in the folders of the nodes that begin with
// them.
//
// The new cluster has an id of its own, and in it a part of the backup's checksum, so that all its
// nodes are made from one backup: such an id makes no empty founder (RESTORED_CLUSTER), and fits no
// other backup. Raft groups, replica ids and the directory begin anew; a group's log begins behind
// its file (RaftOptions::base). What the files hold goes on: shard time, indexes, stored replies.
//
// All of the backup is read and checked before anything is written. Then every folder is filled,
// and when all are, they get their identities. An error takes back what was written; what a crash
// leaves is known by restored.txt without node.txt: no node starts there, and the same restore may
// be run again.
//
// Blocks. Only before nodes start.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/manifest.hpp"
#include "runtime/platform/disk.hpp"
#include "runtime/platform/random.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

struct RestoreSpec {
  runtime::Disk* from = nullptr;  // where the backup is
  std::string folder;
  runtime::Disk* disk = nullptr;  // where the nodes' folders are
  const config::Manifest* manifest = nullptr;
  std::vector<std::string> services;  // of the binary
  std::vector<std::string> nodes;     // whose folders are here
  std::string cluster_id;             // empty: a new one
  std::string by = "nobody";          // who does it, for the audit log: one word
  runtime::Random* random = nullptr;  // for that
  std::function<void(const std::string& doing)> tell = {};
};

struct RestoreDone {
  std::string cluster_id;
  std::string from;  // name of the cluster that was backed up
  std::string from_id;
  std::int64_t made_ms = 0;  // when the backup was begun, Unix
  std::uint64_t files = 0;   // written
  std::uint64_t bytes = 0;
  std::vector<std::string> empty;  // services of the binary that the backup does not have
};

// Errors beside those of a backup and of the disks:
//   INVALID_ARGUMENT: NODE_UNKNOWN, CLUSTER_ID_INVALID, RESTORE_ID_FOREIGN (it is not of a cluster
//     that was restored from this backup)
//   FAILED_PRECONDITION: RESTORE_SERVICE_MISSING (binary or manifest lack a service of the backup),
//     RESTORE_SHARDS_DIFFER, FOLDER_TAKEN, RESTORE_UNFINISHED (of another backup), FOLDER_IN_USE
//   DATA_LOSS: FOLDER_UNIDENTIFIED
Result<RestoreDone> restore(const RestoreSpec& spec);

}  // namespace troupe::cluster
