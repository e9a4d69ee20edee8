#include "cluster/restored.hpp"

#include <sstream>

namespace troupe::cluster {
namespace {

std::string text_of(const Restored& restored) {
  std::string text = "id " + restored.cluster_id + "\nbackup " + std::to_string(restored.backup) +
                     "\nfrom " + restored.from + "\nfrom-id " + restored.from_id + "\nby " +
                     restored.by + "\n";
  for (const auto& [name, shard] : restored.shards)
    text += "shard " + name + " " + std::to_string(shard.index) + " " + std::to_string(shard.term) +
            "\n";
  for (const auto& [service, first_buckets] : restored.ranges) {
    text += "ranges " + service;
    for (const std::uint32_t first : first_buckets) text += " " + std::to_string(first);
    text += "\n";
  }
  return text;
}

std::optional<Restored> restored_of(const std::string& text) {
  Restored restored;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string key;
    words >> key;
    if (key == "id") words >> restored.cluster_id;
    if (key == "backup") words >> restored.backup;
    if (key == "from") words >> restored.from;
    if (key == "from-id") words >> restored.from_id;
    if (key == "by") words >> restored.by;
    if (key == "ranges") {
      std::string service;
      words >> service;
      for (std::uint32_t first = 0; words >> first;) restored.ranges[service].push_back(first);
    }
    if (key != "shard") continue;
    std::string name;
    Restored::Shard shard;
    if (words >> name >> shard.index >> shard.term) restored.shards[name] = shard;
  }
  if (text_of(restored) != text) return std::nullopt;
  return restored;
}

}  // namespace

std::string restored_file(const std::string& folder) {
  return folder + "/restored.txt";
}

Result<std::optional<Restored>> read_restored(runtime::Disk& disk, const std::string& folder) {
  TROUPE_TRY(there, disk.exists(restored_file(folder)));
  if (!there) return std::optional<Restored>{};
  TROUPE_TRY(text, disk.read(restored_file(folder)));
  auto restored = restored_of(text);
  if (!restored)
    return data_loss("FOLDER_UNIDENTIFIED",
                     restored_file(folder) +
                         " does not say what was restored: put the right file back, or remove the "
                         "folder and restore again");
  return restored;
}

Result<void> write_restored(runtime::Disk& disk, const std::string& folder,
                            const Restored& restored) {
  return disk.write(restored_file(folder), text_of(restored));
}

}  // namespace troupe::cluster
