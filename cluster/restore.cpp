#include "cluster/restore.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "actors/shard/shard.hpp"
#include "cluster/backup/catalogue.hpp"
#include "cluster/cluster_id.hpp"
#include "cluster/data_folder.hpp"
#include "cluster/placement.hpp"
#include "cluster/restored.hpp"
#include "cluster/router.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/shard_rows.hpp"
#include "runtime/storage/sqlite.hpp"
#include "runtime/storage/vfs_file.hpp"

namespace troupe::cluster {
namespace {

constexpr std::uint64_t copy_piece_bytes = 1u << 20;

// One node's folder, as it is found.
struct RestoreTarget {
  const config::Node* node = nullptr;
  bool begun = false;  // by a restore that was interrupted, or by this one
  bool whole = false;
  std::unique_ptr<runtime::FolderLock> lock = nullptr;
};

using Files = std::map<std::uint32_t, const BackedUpFile*>;  // of a service, by shard

// Whether a service that began with so many equal parts may have come to these shards by splits: a
// shard that is split keeps its first bucket, and all others came of splits.
bool began_with(const Files& files, std::uint32_t shards) {
  std::uint32_t number = 0;
  for (const auto& [shard, file] : files) {
    if (shard != number++) return false;
    if (shard < shards ? file->first_bucket() != first_bucket_of(shard, shards) : !file->split())
      return false;
  }
  return number >= shards;
}

Error shards_differ(const std::string& service, const Files& files, std::uint32_t wanted) {
  std::uint32_t first = static_cast<std::uint32_t>(files.size());
  while (first > 0 && !began_with(files, first)) --first;
  const std::string begins = "the manifest makes " + std::to_string(wanted);
  if (first == 0)
    return failed_precondition(
        "RESTORE_SHARDS_DIFFER",
        "the shards of " + service + " in the backup do not make a whole; take another backup");
  return failed_precondition(
      "RESTORE_SHARDS_DIFFER",
      service + " has " + std::to_string(files.size()) + " shards in the backup" +
          (first == files.size()
               ? ", and " + begins
               : ", began with " + std::to_string(first) + " before it was split, and " + begins) +
          ": write shards = " + std::to_string(first) + " under [services.\"" + service +
          "\"]. Nothing was written");
}

class Restoring {
 public:
  explicit Restoring(const RestoreSpec& spec) : spec_(spec) {}

  Result<RestoreDone> run() {
    TROUPE_TRY(catalogue, read_catalogue(*spec_.from, spec_.folder));
    catalogue_ = std::move(catalogue);
    TROUPE_CHECK(check_services());
    TROUPE_CHECK(find_targets());
    TROUPE_CHECK(choose_id());
    for (const BackedUpFile& file : catalogue_.files()) {
      tell("checking " + file.name());
      TROUPE_CHECK(verify_backup_file(*spec_.from, spec_.folder, file));
    }
    if (auto written = write(); !written) {
      take_back();
      return std::move(written).error();
    }
    done_.from = catalogue_.cluster();
    done_.from_id = catalogue_.cluster_id();
    done_.made_ms = catalogue_.begun_ms();
    return std::move(done_);
  }

 private:
  void tell(const std::string& doing) const {
    if (spec_.tell) spec_.tell(doing);
  }

  // Keys are found again only where every service has the ranges of buckets that it had.
  Result<void> check_services() {
    std::map<std::string, Files> services;
    for (const BackedUpFile& file : catalogue_.files())
      services[file.service()][file.shard()] = &file;
    for (const auto& [service, files] : services) {
      const auto missing = [&, name = service](const std::string& what) {
        return failed_precondition("RESTORE_SERVICE_MISSING",
                                   "the backup has " + name + ", and " + what +
                                       "; nothing of a backup is left out: nothing was written");
      };
      if (std::ranges::find(spec_.services, service) == spec_.services.end())
        return missing("this program has no such service: use one that has it");
      const auto shards = static_cast<std::uint32_t>(files.size());
      places_[service] = place_shards(*spec_.manifest, service, shards);
      const auto& places = places_[service];
      if (places.empty() || places.front().empty())
        return missing("no node of the manifest hosts it: add it to 'services' of some");
      const std::uint32_t wanted = spec_.manifest->service(service).shards;
      if (!began_with(files, wanted)) return shards_differ(service, files, wanted);
      if (wanted == shards) continue;
      for (const auto& [shard, file] : files) ranges_[service].push_back(file->first_bucket());
    }
    for (const std::string& service : spec_.services)
      if (!services.contains(service)) done_.empty.push_back(service);
    return {};
  }

  Result<void> find_targets() {
    for (const std::string& name : spec_.nodes) {
      const config::Node* node = spec_.manifest->find_node(name);
      if (!node)
        return invalid_argument("NODE_UNKNOWN",
                                "the manifest has no node '" + name + "'; add it under [[nodes]]");
      RestoreTarget& target = targets_.emplace_back();
      target.node = node;
      TROUPE_TRY(restored, read_restored(*spec_.disk, node->data));
      if (!restored) {
        TROUPE_CHECK(DataFolder::check_free(*spec_.disk, node->data));
        continue;
      }
      TROUPE_TRY(identified, spec_.disk->exists(node->data + "/node.txt"));
      if (!identified && restored->backup != catalogue_.checksum())
        return failed_precondition(
            "RESTORE_UNFINISHED",
            node->data +
                " holds what is left of a restore from another backup that was "
                "interrupted: remove the folder, or restore from that one again");
      target.whole = identified;
      target.begun = !identified;
      if (!identified) unfinished_id_ = restored->cluster_id;
    }
    // What was finished before the interruption stays as it is.
    for (const RestoreTarget& target : targets_) {
      if (!target.whole) continue;
      TROUPE_TRY(restored, read_restored(*spec_.disk, target.node->data));
      if (unfinished_id_.empty() || restored->cluster_id != unfinished_id_)
        return DataFolder::check_free(*spec_.disk, target.node->data);
    }
    return {};
  }

  Result<void> choose_id() {
    const std::uint64_t backup = catalogue_.checksum();
    const bool chosen = spec_.cluster_id.empty();
    std::string id = chosen ? unfinished_id_ : spec_.cluster_id;
    if (id.empty()) id = make_restored_cluster_id(spec_.random->next(), backup);
    TROUPE_TRY(parsed, parse_cluster_id(id));
    if (!is_restored_from(parsed, backup))
      return invalid_argument("RESTORE_ID_FOREIGN",
                              parsed +
                                  " is not the id of a cluster that was restored from this "
                                  "backup; give the one that 'troupe restore' printed on the "
                                  "first machine, and the same backup");
    if (!unfinished_id_.empty() && parsed != unfinished_id_)
      return failed_precondition("RESTORE_UNFINISHED",
                                 "a restore was interrupted here that made the cluster " +
                                     unfinished_id_ + ", not " + parsed +
                                     ": give that id, or remove its folders");
    done_.cluster_id = parsed;
    return {};
  }

  Result<void> write() {
    for (RestoreTarget& target : targets_) {
      if (target.whole) continue;
      TROUPE_SOMETIMES_IF(target.begun, "a restore went on that had been interrupted");
      TROUPE_CHECK(spec_.disk->create_folders(target.node->data));
      TROUPE_TRY(lock, spec_.disk->lock(target.node->data));
      target.lock = std::move(lock);
      TROUPE_CHECK(empty(target));
      target.begun = true;
      TROUPE_CHECK(fill(target));
    }
    identifying_ = true;
    for (const RestoreTarget& target : targets_)
      if (!target.whole)
        TROUPE_CHECK(DataFolder::identify(*spec_.disk, target.node->data,
                                          {spec_.manifest->cluster.name, done_.cluster_id,
                                           target.node->name, Membership::founder}));
    return {};
  }

  Result<void> empty(const RestoreTarget& target) {
    const std::string folder = target.node->data + "/shards";
    TROUPE_TRY(there, spec_.disk->exists(folder));
    if (!there) return {};
    TROUPE_TRY(names, spec_.disk->list(folder));
    for (const std::string& name : names) TROUPE_CHECK(spec_.disk->remove(folder + "/" + name));
    return {};
  }

  Result<void> fill(const RestoreTarget& target) {
    std::vector<const BackedUpFile*> files;
    Restored restored;
    restored.cluster_id = done_.cluster_id;
    restored.backup = catalogue_.checksum();
    restored.from = catalogue_.cluster();
    restored.from_id = catalogue_.cluster_id();
    restored.by = spec_.by;
    restored.ranges = ranges_;
    for (const BackedUpFile& file : catalogue_.files()) {
      const Replicas& places = places_.at(file.service())[file.shard()];
      if (std::ranges::find(places, target.node->name, &RaftVoter::node) == places.end()) continue;
      files.push_back(&file);
      restored.shards[backup_identity_of(file)] = {file.index(), file.term()};
    }
    TROUPE_CHECK(write_restored(*spec_.disk, target.node->data, restored));
    TROUPE_CHECK(spec_.disk->create_folders(target.node->data + "/shards"));
    for (const BackedUpFile* file : files) {
      tell("node " + target.node->name + ": writing " + file->name());
      TROUPE_CHECK(copy(*file, target.node->data + "/shards"));
    }
    return {};
  }

  Result<void> copy(const BackedUpFile& file, const std::string& folder) {
    const std::string source = spec_.folder + "/" + file.name();
    const std::string path =
        folder + "/" + actors::shard_file_name(file.service(), file.shard(), 1);
    TROUPE_TRY(in, runtime::VfsFile::open_to_read(*spec_.from, source));
    TROUPE_CHECK(spec_.disk->write(path, {}));
    TROUPE_TRY(out, runtime::VfsFile::open(*spec_.disk, path));
    RunningChecksum sum;
    std::string bytes(copy_piece_bytes, '\0');
    for (std::uint64_t offset = 0;;) {
      TROUPE_TRY(read, in.read(offset, bytes.data(), bytes.size()));
      if (read == 0) break;
      const auto piece = std::string_view{bytes}.substr(0, read);
      TROUPE_CHECK(out.write(offset, piece));
      sum.add(piece);
      offset += read;
    }
    if (sum.value() != file.checksum())
      return data_loss("BACKUP_CORRUPT", source + " changed while it was restored");
    TROUPE_CHECK(out.sync());
    ++done_.files;
    done_.bytes += file.bytes();
    // Planted: what was answered before the backup is forgotten.
    if (TROUPE_PLANTED(restore_forgets_replies)) return forget_replies(path);
    return {};
  }

  Result<void> forget_replies(const std::string& path) const {
    runtime::Database::Options options;
    options.checked_page_bytes = runtime::shard_schema().page_bytes;
    TROUPE_TRY(database, runtime::Database::open(*spec_.disk, path, options));
    TROUPE_CHECK(database->execute("DELETE FROM rows WHERE kind=2"));
    return database->checkpoint();
  }

  // As far as it can: what is left is known by its restored.txt.
  void take_back() {
    if (identifying_) return;
    for (const RestoreTarget& target : targets_) {
      if (!target.begun || !target.lock || !empty(target)) continue;
      static_cast<void>(spec_.disk->remove(restored_file(target.node->data)));
    }
  }

  const RestoreSpec& spec_;
  BackupCatalogue catalogue_;
  ServicePlaces places_;
  BucketRanges ranges_;
  std::vector<RestoreTarget> targets_;
  std::string unfinished_id_;
  bool identifying_ = false;
  RestoreDone done_;
};

}  // namespace

Result<RestoreDone> restore(const RestoreSpec& spec) {
  return Restoring{spec}.run();
}

}  // namespace troupe::cluster
