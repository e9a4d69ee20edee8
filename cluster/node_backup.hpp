// The node's side of `troupe backup` (cluster/backup/): says what there is, marks how far a shard
// that it leads has acknowledged, copies files of its replicas, and gives the copies out piece by
// piece. A step that is another node's is passed on over the mesh, so that any node may be asked.
//
// A copy is made over the file's only connection, as one for a replica that lags is, and lies
// beside the file as "FILE.backup" until it is dropped, or nobody has asked for it for a minute, or
// two later ones were begun, or the node starts again.
//
// Threads: any thread may call anything; answers come on any thread. Everything referred to
// outlives it, and the mesh ends before it.
#pragma once

#include <caf/actor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "actors/shard/shard.hpp"
#include "cluster/backup.pb.h"
#include "cluster/data_folder.hpp"
#include "cluster/directory/table.hpp"
#include "cluster/hosted.hpp"
#include "cluster/mesh/mesh.hpp"
#include "cluster/placement.hpp"
#include "cluster/router.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

struct NodeBackupSpec {
  runtime::Platform* platform = nullptr;
  std::string node;
  const Hosted* hosted = nullptr;
  const Router* router = nullptr;
  Mesh* mesh = nullptr;
  // What there is, now.
  std::function<BackupSurvey()> survey;
};

// What there is to back up, as a node sees it: with the shards of the directory, or, if `table` is
// null or empty, those with which the cluster began.
BackupSurvey backup_survey(const std::string& cluster, const FolderIdentity& identity,
                           const DirectoryTable* table, const ServicePlaces& places,
                           const BucketRanges& ranges = {});

// Where the log of a group begins in a cluster that was made of a backup; nullopt: it had none.
std::optional<RaftBase> restored_base(const Restored& restored, const ServicePlaces& places,
                                      runtime::GroupId group);

class NodeBackup {
 public:
  using Answer = std::function<void(Result<BackupAnswer>)>;

  // Takes calls of kind `backup` from the mesh, which has not started yet.
  explicit NodeBackup(NodeBackupSpec spec);

  BackupSurvey survey() const { return spec_.survey(); }

  // Errors: INVALID_ARGUMENT / BACKUP_STEP_EMPTY; UNAVAILABLE / SHARD_UNAVAILABLE (it does not run
  // here), NOT_LEADING and others of a shard; those of a link.
  void take(const BackupRequest& request, Answer answer);

  // Removes copies that nobody wants any more. Once a second.
  void tidy();

  // The actors are gone: what waits for the disk ends.
  void close() { queue_.reset(); }

 private:
  struct Copy {
    std::string shard;  // "SERVICE/SHARD"
    std::string path;
    BackupAnswer::Piece::State state = BackupAnswer::Piece::WAITS;
    std::string why;
    bool made = false;  // the shard has done its part
    BackedUpFile file;
    MonotonicTime used{};
  };

  void take_here(const BackupRequest& request, Answer answer);
  void mark(const BackupRequest::Mark& mark, Answer answer);
  void copy(const BackupRequest::Copy& copy, const Answer& answer);
  void piece(const BackupRequest::Piece& piece, Answer answer);
  void made(std::uint64_t number, const std::string& path, Result<actors::Shard::Backup> backup);
  void fail(std::uint64_t number, const std::string& why);
  void make_room(const std::string& shard);
  void remove(const std::string& path);
  void post(std::function<void()> job);
  // Null: it does not run here.
  std::pair<caf::actor, actors::ShardSpec> find(const std::string& service,
                                                std::uint32_t shard) const;

  const NodeBackupSpec spec_;
  std::mutex mutex_;
  std::uint64_t numbers_ = 0;                  // guarded by mutex_, as what follows
  std::map<std::uint64_t, Copy> copies_;       // by number
  std::shared_ptr<runtime::WorkQueue> queue_;  // last: its jobs use what is above
};

}  // namespace troupe::cluster
