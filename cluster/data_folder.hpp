// The folder that a node owns: its lock, its identity, where things lie.
//
//   .lock         held while a process owns the folder
//   node.txt      whose folder it is: cluster, cluster id, node, and how it became a member;
//                 written once (init.hpp)
//   restored.txt  of a node of a cluster that was made from a backup: which (restored.hpp)
//   shards.txt    how many shards each service was given, which does not change, and a checksum of
//                 where their replicas were when the node knew no directory
//   directory.bin the newest copy of the cluster's directory that the node had; not there before
//                 it had one (cluster/directory/cache.hpp)
//   log/          segments of the node log
//   shards/       shard files
//
// A node never makes its own identity: a folder that is empty because a disk was lost or is not
// mounted must not become a member that has forgotten what it promised.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cluster/restored.hpp"
#include "config/manifest.hpp"
#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"
#include "runtime/storage/node_log.hpp"

namespace troupe::cluster {

enum class Membership : std::uint8_t {
  founder,      // the folder was there before the node ran for the first time
  replacement,  // the node ran before, in a folder that is lost: what it promised then is
                // forgotten, and no replica of it may go on as the one that it was
  joiner,       // the node came to a cluster that ran already: it makes no group
};

// What node.txt says.
struct FolderIdentity {
  std::string cluster;     // name
  std::string cluster_id;  // see cluster_id.hpp
  std::string node;
  Membership membership = Membership::founder;
  friend bool operator==(const FolderIdentity&, const FolderIdentity&) = default;
};

class DataFolder {
 public:
  // Whose folder it is; nullopt if it is nobody's: not there, or without anything of ours. Takes
  // nothing and makes nothing. Blocks, as everything here. DATA_LOSS / FOLDER_UNIDENTIFIED: it
  // holds data, or a node.txt that cannot be read, and does not say whose it is.
  // FAILED_PRECONDITION / RESTORE_UNFINISHED: a restore into it was interrupted.
  static Result<std::optional<FolderIdentity>> look(runtime::Disk& disk, const std::string& path);

  // Whether a node may be given the folder. FOLDER_TAKEN: it has an identity; FOLDER_UNIDENTIFIED.
  static Result<void> check_free(runtime::Disk& disk, const std::string& path);

  // Makes a free folder this node's. Besides the errors of check_free(): FOLDER_IN_USE.
  static Result<void> create(runtime::Disk& disk, const std::string& path,
                             const FolderIdentity& identity);

  // The last step of a restore, which holds the folder's lock and has filled it.
  static Result<void> identify(runtime::Disk& disk, const std::string& path,
                               const FolderIdentity& identity);

  // Locks the folder and checks whose it is.
  // FOLDER_EMPTY: nobody's. FOLDER_IN_USE: another process holds it. FOLDER_FOREIGN: it is another
  // node's or cluster's. FOLDER_UNIDENTIFIED: see look(). LOG_MISSING: it has been used, but its
  // log is gone.
  static Result<DataFolder> open(runtime::Disk& disk, const std::string& path,
                                 const std::string& cluster, const std::string& node);

  struct Shards {
    std::uint32_t number = 0;
    // A checksum of the nodes that have replicas, shard by shard; 0: the directory says where.
    std::uint64_t places = 0;
  };
  // Writes down the shards of services that are new here; from then on the folder counts as used,
  // so its log has to be there. SHARDS_CHANGED: a service has another
  // number than before, under which its keys would not be found. PLACES_CHANGED: its replicas are
  // to be on other nodes than before; those would make the shards anew beside the ones that are
  // there.
  Result<void> keep_shards(const std::map<std::string, Shards>& shards);

  const FolderIdentity& identity() const { return identity_; }
  // Nullopt: the node began with nothing.
  const std::optional<Restored>& restored() const { return restored_; }
  std::string log() const { return path_ + "/log"; }
  std::string directory() const { return path_ + "/directory.bin"; }
  std::string shards() const { return path_ + "/shards"; }

 private:
  DataFolder(runtime::Disk& disk, std::string path, std::unique_ptr<runtime::FolderLock> lock,
             FolderIdentity identity)
      : disk_(&disk),
        path_(std::move(path)),
        lock_(std::move(lock)),
        identity_(std::move(identity)) {}

  runtime::Disk* disk_;
  std::string path_;
  std::unique_ptr<runtime::FolderLock> lock_;
  FolderIdentity identity_;
  std::optional<Restored> restored_;
};

// Of the node log in such a folder.
runtime::NodeLog::Options log_options(const config::Storage& storage);

}  // namespace troupe::cluster
