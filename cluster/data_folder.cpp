#include "cluster/data_folder.hpp"

#include <sstream>

namespace troupe::cluster {

Result<DataFolder> DataFolder::open(runtime::Disk& disk, const std::string& path,
                                    const std::string& cluster, const std::string& node) {
  TROUPE_CHECK(disk.create_folders(path));
  TROUPE_TRY(lock, disk.lock(path));
  const std::string file = path + "/node.txt";
  const std::string identity = "cluster " + cluster + "\nnode " + node + "\n";
  TROUPE_TRY(known, disk.exists(file));
  if (known) {
    TROUPE_TRY(written, disk.read(file));
    if (written != identity)
      return failed_precondition(
          "FOLDER_FOREIGN", path + " is not this node's: " + file + " says\n" + written +
                                "but this is\n" + identity + "give the node a folder of its own");
  } else {
    TROUPE_CHECK(disk.write(file, identity));
  }
  DataFolder folder{disk, path, std::move(lock)};
  TROUPE_CHECK(disk.create_folders(folder.log()));
  TROUPE_CHECK(disk.create_folders(folder.shards()));
  TROUPE_TRY(segments, disk.list(folder.log()));
  TROUPE_TRY(files, disk.list(folder.shards()));
  if (segments.empty() && !files.empty())
    return data_loss("LOG_MISSING",
                     folder.shards() + " holds shard files, but " + folder.log() +
                         " is empty: put the log back, or restore the whole folder " + path +
                         " from a backup");
  return folder;
}

Result<void> DataFolder::keep_shards(const std::map<std::string, std::uint32_t>& shards) {
  const std::string file = path_ + "/shards.txt";
  std::map<std::string, std::uint32_t> kept;
  TROUPE_TRY(known, disk_->exists(file));
  if (known) {
    TROUPE_TRY(text, disk_->read(file));
    std::istringstream lines{text};
    std::string service;
    std::uint32_t count = 0;
    while (lines >> service >> count) kept[service] = count;
  }
  bool changed = false;
  for (const auto& [service, count] : shards) {
    const auto [place, added] = kept.emplace(service, count);
    changed = changed || added;
    if (place->second != count)
      return failed_precondition("SHARDS_CHANGED",
                                 service + " has " + std::to_string(place->second) + " shards in " +
                                     path_ + ", the manifest says " + std::to_string(count) +
                                     "; put the old number back: keys are spread over that many");
  }
  if (!changed) return {};
  std::string text;
  for (const auto& [service, count] : kept) text += service + " " + std::to_string(count) + "\n";
  return disk_->write(file, text);
}

}  // namespace troupe::cluster
