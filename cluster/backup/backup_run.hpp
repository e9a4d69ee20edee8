// One backup of a running cluster, from its first question to its catalogue: says what is to be
// asked, of which node, and writes what comes into the folder. Whoever makes it carries the
// questions: `troupe backup`, or an operator of a simulation.
//
//   BackupRun run{disk, folder, clock};
//   run.begin(survey);                           // GET /v1/backup
//   while (const auto request = run.next()) {
//     wait(run.pause());
//     run.heard(ask(*request));                  // POST /v1/backup; an error ends it
//   }
//
// For each shard: the replica that leads says up to which index anything was acknowledged; a
// follower that holds all up to there copies its file, or the leader, if nobody else can; the copy
// comes piece by piece and is checked whole. What fails is tried again, also with other nodes, for
// a minute without progress.
//
// Consistent is each shard: it holds all that it acknowledged before its backup began, and each
// command with its reply. Two shards are of different moments.
//
// Blocks on the disk; not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/backup.pb.h"
#include "cluster/backup/catalogue.hpp"
#include "runtime/platform/disk.hpp"
#include "runtime/storage/vfs_file.hpp"
#include "runtime/time.hpp"

namespace troupe::cluster {

class BackupRun {
 public:
  using UnixMs = std::function<std::int64_t()>;
  // The disk outlives it.
  BackupRun(runtime::Disk& disk, std::string folder, UnixMs clock);

  // Makes the folder, which must be empty. FAILED_PRECONDITION / BACKUP_FOLDER_TAKEN,
  // FOLDER_IN_USE; the disk's.
  Result<void> begin(const BackupSurvey& survey);

  // Nullopt: it is done and the catalogue is there, or it was given up.
  std::optional<BackupRequest> next();
  // Before the next question is asked.
  Duration pause() const { return pause_; }
  // UNAVAILABLE / BACKUP_STUCK after a minute without progress; DATA_LOSS / BACKUP_CORRUPT: what
  // came is rotten; FAILED_PRECONDITION / BACKUP_SHARD_SPLIT; the disk's. Then the folder stays as
  // it is, unfinished.
  Result<void> heard(const Result<BackupAnswer>& answer);

  bool done() const { return done_; }
  const BackupCatalogue& catalogue() const { return catalogue_; }

  struct Progress {
    std::size_t files = 0, of_files = 0;
    std::uint64_t bytes = 0;
    std::string shard;  // that is being copied
  };
  Progress progress() const;

 private:
  enum class Step { mark, copy, piece, drop };
  struct Shard {
    std::string service;
    BackupSurvey::Service::Shard shard;
  };

  void begin_shard();
  void begin_mark();
  void other_node();
  void fail_step(const std::string& why);
  Result<void> take_piece(const BackupAnswer::Piece& piece);
  Result<void> write_piece(const BackupAnswer::Piece& piece);
  Result<void> end_file();
  std::uint32_t end_bucket() const;
  Result<void> end();

  runtime::Disk& disk_;
  const std::string folder_;
  const UnixMs clock_;
  std::unique_ptr<runtime::FolderLock> lock_;
  BackupCatalogue catalogue_;
  std::vector<Shard> shards_;
  std::set<std::string> all_nodes_;
  bool done_ = false;
  bool over_ = false;
  Duration pause_{};
  std::uint64_t bytes_ = 0;
  std::int64_t progress_ms_ = 0;  // when something came last
  std::string last_failure_;

  // Of the shard that is copied.
  std::size_t at_ = 0;
  Step step_ = Step::mark;
  std::vector<std::string> nodes_;  // to be asked, for this step
  std::size_t node_ = 0;
  std::uint64_t copy_ = 0;
  std::int64_t copy_begun_ms_ = 0;
  unsigned failed_pieces_ = 0;
  BackedUpFile file_;
  std::uint64_t offset_ = 0;
  std::optional<RunningChecksum> sum_;
  std::optional<runtime::VfsFile> out_;
};

}  // namespace troupe::cluster
