// What a data folder says of the backup that it was restored from: restored.txt. It is written
// before the first shard file, and node.txt after the last: with the first and without the second a
// restore was interrupted.
//
// Blocks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"
#include "runtime/storage/ids.hpp"

namespace troupe::cluster {

// By service, of those that began with other than equal parts of the buckets, because they had been
// split: the first bucket of each shard.
using BucketRanges = std::map<std::string, std::vector<std::uint32_t>>;

struct Restored {
  std::string cluster_id;    // of the cluster that was made
  std::uint64_t backup = 0;  // checksum of its catalogue
  std::string from;          // cluster that was backed up: its name
  std::string from_id;
  std::string by = "nobody";  // who restored it, as the command said: one word
  // What the file of a shard, "SERVICE/SHARD", held then.
  struct Shard {
    runtime::LogIndex index = 0;
    runtime::Term term = 0;
    friend bool operator==(const Shard&, const Shard&) = default;
  };
  std::map<std::string, Shard> shards;
  BucketRanges ranges;  // the same on all nodes
  friend bool operator==(const Restored&, const Restored&) = default;
};

std::string restored_file(const std::string& folder);

// Nullopt: it was not restored. DATA_LOSS / FOLDER_UNIDENTIFIED: the file cannot be read.
Result<std::optional<Restored>> read_restored(runtime::Disk& disk, const std::string& folder);
Result<void> write_restored(runtime::Disk& disk, const std::string& folder,
                            const Restored& restored);

}  // namespace troupe::cluster
