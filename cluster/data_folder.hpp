// The folder that a node owns: its lock, its identity, where things lie.
//
//   .lock         held while a process owns the folder
//   node.txt      whose folder it is; written once
//   shards.txt    how many shards each service was given; a service's number never changes
//   log/          segments of the node log
//   shards/       shard files
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

class DataFolder {
 public:
  // Makes the folder if it is not there, locks it, and checks or writes its identity. Blocks.
  // FOLDER_IN_USE: another process holds it. FOLDER_FOREIGN: it is another node's or cluster's.
  // LOG_MISSING: there are shard files, but the log that goes with them is gone.
  static Result<DataFolder> open(runtime::Disk& disk, const std::string& path,
                                 const std::string& cluster, const std::string& node);

  // Writes down the number of shards of services that are new here. SHARDS_CHANGED: a service has
  // another number than before, under which its keys would not be found.
  Result<void> keep_shards(const std::map<std::string, std::uint32_t>& shards);

  std::string log() const { return path_ + "/log"; }
  std::string shards() const { return path_ + "/shards"; }

 private:
  DataFolder(runtime::Disk& disk, std::string path, std::unique_ptr<runtime::FolderLock> lock)
      : disk_(&disk), path_(std::move(path)), lock_(std::move(lock)) {}

  runtime::Disk* disk_;
  std::string path_;
  std::unique_ptr<runtime::FolderLock> lock_;
};

}  // namespace troupe::cluster
