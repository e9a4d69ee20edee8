// The folder that a node owns: its lock, its identity, where things lie.
//
//   .lock         held while a process owns the folder
//   node.txt      whose folder it is; written once
//   log/          segments of the node log
//   shards/       shard files
#pragma once

#include <memory>
#include <string>

#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

class DataFolder {
 public:
  // Makes the folder if it is not there, locks it, and checks or writes its identity. Blocks.
  // FOLDER_IN_USE: another process holds it. FOLDER_FOREIGN: it is another node's or cluster's.
  static Result<DataFolder> open(runtime::Disk& disk, const std::string& path,
                                 const std::string& cluster, const std::string& node);

  std::string log() const { return path_ + "/log"; }
  std::string shards() const { return path_ + "/shards"; }

 private:
  DataFolder(std::string path, std::unique_ptr<runtime::FolderLock> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  std::unique_ptr<runtime::FolderLock> lock_;
};

}  // namespace troupe::cluster
