#include "cluster/data_folder.hpp"

#include <algorithm>
#include <sstream>

#include "cluster/cluster_id.hpp"

namespace troupe::cluster {

namespace {

std::string identity_file(const std::string& path) {
  return path + "/node.txt";
}

// There since the node has run first.
std::string shards_file(const std::string& path) {
  return path + "/shards.txt";
}

constexpr const char* membership_names[] = {"founder", "replacement", "joiner"};

Membership membership_of(const std::string& name) {
  if (name == membership_names[1]) return Membership::replacement;
  return name == membership_names[2] ? Membership::joiner : Membership::founder;
}

std::string text_of(const FolderIdentity& identity) {
  return "cluster " + identity.cluster + "\nid " + identity.cluster_id + "\nnode " + identity.node +
         "\nmember " + membership_names[static_cast<int>(identity.membership)] + "\n";
}

std::optional<FolderIdentity> identity_of(const std::string& text) {
  std::istringstream lines{text};
  std::map<std::string, std::string> words;
  std::string key;
  std::string value;
  while (lines >> key >> value) words[key] = value;
  const FolderIdentity identity{words["cluster"], words["id"], words["node"],
                                membership_of(words["member"])};
  if (text_of(identity) != text || !parse_cluster_id(identity.cluster_id)) return std::nullopt;
  return identity;
}

Error unidentified(const std::string& path, const std::string& what) {
  return data_loss("FOLDER_UNIDENTIFIED",
                   path + " " + what + ": put node.txt back, or restore the whole folder from a " +
                       "backup; if the data is of no use, move it away");
}

// A file system's own entries, such as lost+found, make a folder nobody's.
Result<bool> holds_data(runtime::Disk& disk, const std::string& path) {
  TROUPE_TRY(counted, disk.exists(path + "/shards.txt"));
  if (counted) return true;
  for (const std::string& folder : {path + "/log", path + "/shards"}) {
    TROUPE_TRY(there, disk.exists(folder));
    if (!there) continue;
    TROUPE_TRY(names, disk.list(folder));
    if (!names.empty()) return true;
  }
  return false;
}

}  // namespace

Result<std::optional<FolderIdentity>> DataFolder::look(runtime::Disk& disk,
                                                       const std::string& path) {
  const std::string file = identity_file(path);
  TROUPE_TRY(known, disk.exists(file));
  if (!known) {
    TROUPE_TRY(restoring, disk.exists(restored_file(path)));
    if (restoring)
      return failed_precondition("RESTORE_UNFINISHED",
                                 path +
                                     " holds a part of a backup, whose restore was interrupted: "
                                     "run the same 'troupe restore' again, or remove the folder");
    TROUPE_TRY(data, holds_data(disk, path));
    if (data) return unidentified(path, "holds data, but no node.txt that says whose");
    return std::optional<FolderIdentity>{};
  }
  TROUPE_TRY(text, disk.read(file));
  auto identity = identity_of(text);
  if (!identity) return unidentified(path, "has a node.txt that does not say whose it is");
  return identity;
}

Result<void> DataFolder::check_free(runtime::Disk& disk, const std::string& path) {
  TROUPE_TRY(known, look(disk, path));
  if (!known) return {};
  return failed_precondition(
      "FOLDER_TAKEN", path + " is node " + known->node + "'s of the cluster " + known->cluster +
                          " (" + known->cluster_id +
                          "); a cluster is created once, in folders that are empty");
}

Result<void> DataFolder::create(runtime::Disk& disk, const std::string& path,
                                const FolderIdentity& identity) {
  TROUPE_CHECK(disk.create_folders(path));
  const auto lock = disk.lock(path);
  if (!lock) return lock.error();
  TROUPE_CHECK(check_free(disk, path));
  return disk.write(identity_file(path), text_of(identity));
}

Result<void> DataFolder::identify(runtime::Disk& disk, const std::string& path,
                                  const FolderIdentity& identity) {
  return disk.write(identity_file(path), text_of(identity));
}

Result<DataFolder> DataFolder::open(runtime::Disk& disk, const std::string& path,
                                    const std::string& cluster, const std::string& node) {
  // Before anything is made: a mount point whose disk is missing stays as it is.
  TROUPE_TRY(there, look(disk, path));
  if (!there)
    return failed_precondition(
        "FOLDER_EMPTY",
        path +
            " belongs to no cluster yet. To create the cluster, once: 'troupe init FILE'. If "
            "node " +
            node +
            " had data, it is lost or its disk is not mounted: mount it or "
            "restore the folder from a backup; an empty folder can only come back as a new "
            "replica");
  TROUPE_TRY(lock, disk.lock(path));
  TROUPE_TRY(known, look(disk, path));
  if (!known || known->cluster != cluster || known->node != node)
    return failed_precondition("FOLDER_FOREIGN",
                               path + " is not this node's: " + identity_file(path) + " says\n" +
                                   (known ? text_of(*known) : std::string{"nothing\n"}) +
                                   "but this is\ncluster " + cluster + "\nnode " + node +
                                   "\ngive the node a folder of its own");
  DataFolder folder{disk, path, std::move(lock), *known};
  TROUPE_TRY(restored, read_restored(disk, path));
  folder.restored_ = std::move(restored);
  TROUPE_CHECK(disk.create_folders(folder.log()));
  TROUPE_CHECK(disk.create_folders(folder.shards()));
  TROUPE_TRY(log, disk.list(folder.log()));
  TROUPE_TRY(files, disk.list(folder.shards()));
  TROUPE_TRY(has_run, disk.exists(shards_file(path)));
  const bool segments =
      std::ranges::any_of(log, [](const std::string& name) { return name.starts_with("log-"); });
  // Without its log a founder would create its groups again, and vote with a forgotten past.
  // What a restore put there has no log yet.
  if (!segments && (has_run || (!files.empty() && !folder.restored_)))
    return data_loss("LOG_MISSING",
                     "node " + node + " has run in " + path + ", but " + folder.log() +
                         " holds no log: put it back, or restore the whole folder from a backup. "
                         "If it is lost, remove the folder and give the node a new one with "
                         "'troupe init --replace'");
  return folder;
}

Result<void> DataFolder::keep_shards(const std::map<std::string, Shards>& shards) {
  const std::string file = shards_file(path_);
  std::map<std::string, Shards> kept;
  TROUPE_TRY(known, disk_->exists(file));
  if (known) {
    TROUPE_TRY(text, disk_->read(file));
    std::istringstream lines{text};
    std::string line;
    while (std::getline(lines, line)) {
      std::istringstream words{line};
      std::string service;
      Shards one;
      if (!(words >> service >> one.number)) continue;
      words >> one.places;  // 0 in a folder that was made before they were kept
      kept[service] = one;
    }
  }
  bool changed = false;
  for (const auto& [service, now] : shards) {
    const auto [place, added] = kept.emplace(service, now);
    changed = changed || added;
    Shards& before = place->second;
    if (before.number != now.number)
      return failed_precondition("SHARDS_CHANGED",
                                 service + " has " + std::to_string(before.number) + " shards in " +
                                     path_ + ", the manifest says " + std::to_string(now.number) +
                                     "; put the old number back: keys are spread over that many");
    if (now.places != 0 && before.places != 0 && before.places != now.places)
      return failed_precondition("PLACES_CHANGED",
                                 "by the manifest the replicas of " + service +
                                     " are on other nodes than when its data was made in " + path_ +
                                     "; put the nodes, their labels and services, and its "
                                     "replication_factor back until the node has reached "
                                     "the cluster's directory");
    if (now.places == 0) continue;
    changed = changed || before.places == 0;
    before.places = now.places;
  }
  if (!changed) return {};
  std::string text;
  for (const auto& [service, one] : kept)
    text += service + " " + std::to_string(one.number) + " " + std::to_string(one.places) + "\n";
  return disk_->write(file, text);
}

runtime::NodeLog::Options log_options(const config::Storage& storage) {
  runtime::NodeLog::Options options;
  options.segment_bytes = storage.segment_bytes;
  options.reserve_bytes = storage.reserve_bytes;
  options.commit_entries_max = storage.commit_entries;
  options.commit_bytes_max = storage.commit_bytes;
  return options;
}

}  // namespace troupe::cluster
