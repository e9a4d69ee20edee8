// Shard files from and for other replicas, and which of those in the folder is the shard's.
#include <algorithm>
#include <string_view>
#include <utility>

#include "actors/shard/shard.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"
#include "runtime/storage/probe.hpp"

namespace troupe::actors {

using runtime::ShardFile;

namespace {

// What we make there: "<prefix>12.db", its WAL or journal, a copy of it. An operator who puts a
// file aside gives it another name, and keeps it.
bool is_ours(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  const std::size_t digits = std::min(name.find_first_not_of("0123456789"), name.size());
  const std::string_view rest = name.substr(digits);
  return digits > 0 &&
         (rest == ".db" || rest == ".db-wal" || rest == ".db-journal" || rest == ".db.copy" ||
          rest == ".db.copy-journal" || rest == ".db.backup" || rest == ".db.backup-journal");
}

}  // namespace

Result<void> OtherShardFiles::remove(runtime::Disk& disk) const {
  TROUPE_TRY(names, disk.list(folder));
  for (const std::string& name : names) {
    if (!is_ours(name, prefix) || name == own || name == own + "-wal" || name == own + "-journal")
      continue;
    TROUPE_SOMETIMES("a file of another generation was removed");
    TROUPE_CHECK(disk.remove(folder + "/" + name));
  }
  return {};
}

OtherShardFiles ShardSpec::other_files(std::uint64_t generation) const {
  const std::string prefix = service->type->name + "-" + std::to_string(shard) + ".g";
  return {folder, prefix, prefix + std::to_string(generation) + ".db"};
}

std::string Shard::file_of(std::uint64_t generation) const {
  return spec_.file(generation);
}

void Shard::copy_file(const std::string& path, FileDone done) {
  files_.run<FileContent>(
      [path, &disk = surroundings_.platform->disk()](ShardFile& file) -> Result<FileContent> {
        const auto copied = file.copy_to(path);
        if (copied) return FileContent{copied->index, copied->term};
        TROUPE_SOMETIMES("a shard file could not be copied");
        static_cast<void>(disk.remove(path));  // half a copy only takes space
        return copied.error();
      },
      std::move(done));
}

void Shard::mark(std::function<void(Result<runtime::LogIndex>)> done) {
  if (state_ != State::serving)
    return done(following_ && refusal_
                    ? *refusal_
                    : unavailable("SHARD_STARTING", spec_.name() + " is starting; retry soon"));
  // Planted: what the file holds passes for what was acknowledged.
  const auto index = TROUPE_PLANTED(backup_of_what_is_applied) ? applied_.index : committed_;
  consensus_->confirm_leadership([index, done = std::move(done)](const Result<void>& confirmed) {
    if (!confirmed) return done(confirmed.error());
    done(index);
  });
}

void Shard::back_up(runtime::LogIndex index, const std::string& path, std::function<void()> begun,
                    std::function<void(Result<Backup>)> done) {
  TROUPE_SOMETIMES_IF(index > applied_.index, "a backup waited for rows that were on their way");
  when_applied(index, [this, path, begun = std::move(begun),
                       done = std::move(done)](const Result<void>& applied) mutable {
    if (!applied) return done(applied.error());
    begun();
    files_.run<Backup>(
        [path, &disk = surroundings_.platform->disk()](ShardFile& file) -> Result<Backup> {
          auto copied = file.copy_to(path);
          if (copied) return Backup{*copied, file.entity_count()};
          static_cast<void>(disk.remove(path));  // half a copy only takes space
          return std::move(copied).error();
        },
        std::move(done));
  });
}

// What is taken over is read through: later, its rot would end the node in the midst of its work.
void Shard::inspect_file(std::uint64_t generation, FileDone done) {
  files_.run<FileContent>(
      [&disk = surroundings_.platform->disk(), path = spec_.file(generation), name = spec_.name(),
       probe = probe_, group = spec_.group](ShardFile&) -> Result<FileContent> {
        TROUPE_TRY(file, ShardFile::open(disk, path, name, false, {}));
        TROUPE_TRY(findings, file->verify());
        if (!findings.empty()) return data_loss("SHARD_FILE_CORRUPT", findings.front());
        const ShardFile::Applied applied = file->applied();
        if (probe) probe->file_received(group, {applied.index, applied.time_ms, applied.chain});
        return FileContent{applied.index, applied.term};
      },
      std::move(done));
}

void Shard::on_file_replaced() {
  TROUPE_SOMETIMES("a shard began again with another replica's file");
  fail_(aborted(file_replaced_reason,
                "the file of " + spec_.name() + " was replaced by the leader's; it starts again"));
}

}  // namespace troupe::actors
