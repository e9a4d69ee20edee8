// The folder of a backup:
//
//   UNFINISHED.txt           from the first moment until the catalogue is there
//   SERVICE-SHARD.db         a shard's file, as one replica had it at some moment
//   catalogue.json           what there is, with sizes and checksums; written last
//
// A folder without catalogue.json is no backup. Everything here blocks.
//
// Errors, beside the disk's: NOT_FOUND / BACKUP_MISSING, FAILED_PRECONDITION / BACKUP_UNFINISHED or
// BACKUP_TOO_NEW, DATA_LOSS / BACKUP_CORRUPT.
#pragma once

#include <xxhash.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cluster/backup.pb.h"
#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"
#include "runtime/storage/shard_file.hpp"

namespace troupe::cluster {

inline constexpr char backup_catalogue_name[] = "catalogue.json";
inline constexpr char backup_unfinished_name[] = "UNFINISHED.txt";
inline constexpr std::uint32_t backup_format = 1;

// "banking.v1.Accounts/2", as the file itself says.
std::string backup_identity_of(const BackedUpFile& file);
std::string backup_file_name(const std::string& service, std::uint32_t shard);

// Of a whole backup, and checked against its own checksum; files are not looked at.
Result<BackupCatalogue> read_catalogue(runtime::Disk& disk, const std::string& folder);
// Adds the checksum, and ends the backup.
Result<void> write_catalogue(runtime::Disk& disk, const std::string& folder,
                             BackupCatalogue& catalogue);

// Whether the file is what the catalogue says: size, checksum, every page and row, what it holds.
// Changes nothing.
Result<runtime::ShardFile::Inspected> verify_backup_file(runtime::Disk& disk,
                                                         const std::string& folder,
                                                         const BackedUpFile& file);

// XXH3-64 of bytes that come in pieces.
class RunningChecksum {
 public:
  RunningChecksum() : state_{XXH3_createState()} { XXH3_64bits_reset(state_.get()); }
  void add(std::string_view bytes) { XXH3_64bits_update(state_.get(), bytes.data(), bytes.size()); }
  std::uint64_t value() const { return XXH3_64bits_digest(state_.get()); }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

}  // namespace troupe::cluster
