#include "cluster/backup/catalogue.hpp"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "runtime/storage/checksum.hpp"
#include "runtime/storage/shard_file.hpp"
#include "runtime/storage/vfs_file.hpp"

namespace troupe::cluster {
namespace {

constexpr std::uint64_t piece_bytes = 1u << 20;

Error backup_corrupt(const std::string& path, const std::string& what) {
  return data_loss("BACKUP_CORRUPT",
                   path + ": " + what + "; take another backup, this one is not whole");
}

std::uint64_t checksum_of_catalogue(const BackupCatalogue& catalogue) {
  BackupCatalogue rest = catalogue;
  rest.clear_checksum();
  return runtime::checksum(rest.SerializeAsString());
}

Result<std::uint64_t> checksum_of_backup_file(runtime::Disk& disk, const std::string& path) {
  TROUPE_TRY(file, runtime::VfsFile::open_to_read(disk, path));
  RunningChecksum sum;
  std::string bytes(piece_bytes, '\0');
  for (std::uint64_t offset = 0;;) {
    TROUPE_TRY(read, file.read(offset, bytes.data(), bytes.size()));
    if (read == 0) return sum.value();
    sum.add(std::string_view{bytes}.substr(0, read));
    offset += read;
  }
}

}  // namespace

std::string backup_identity_of(const BackedUpFile& file) {
  return file.service() + "/" + std::to_string(file.shard());
}

std::string backup_file_name(const std::string& service, std::uint32_t shard) {
  return service + "-" + std::to_string(shard) + ".db";
}

Result<BackupCatalogue> read_catalogue(runtime::Disk& disk, const std::string& folder) {
  const std::string path = folder + "/" + backup_catalogue_name;
  TROUPE_TRY(there, disk.exists(path));
  if (!there) {
    TROUPE_TRY(begun, disk.exists(folder + "/" + backup_unfinished_name));
    if (begun)
      return failed_precondition("BACKUP_UNFINISHED",
                                 folder +
                                     " holds a backup that was not finished: it is of no use; "
                                     "remove it and take another one");
    return not_found("BACKUP_MISSING", folder + " holds no backup: it has no " +
                                           backup_catalogue_name +
                                           "; say the folder that 'troupe backup' filled");
  }
  TROUPE_TRY(text, disk.read(path));
  BackupCatalogue catalogue;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (!google::protobuf::util::JsonStringToMessage(text, &catalogue, options).ok())
    return backup_corrupt(path, "it cannot be read");
  if (catalogue.format() > backup_format)
    return failed_precondition(
        "BACKUP_TOO_NEW", path + " has format " + std::to_string(catalogue.format()) +
                              ", and this program knows up to " + std::to_string(backup_format) +
                              ": use the version of the program that made it, " +
                              catalogue.version() + ", or a newer one");
  if (catalogue.checksum() != checksum_of_catalogue(catalogue))
    return backup_corrupt(path, "it does not match its checksum");
  return catalogue;
}

Result<void> write_catalogue(runtime::Disk& disk, const std::string& folder,
                             BackupCatalogue& catalogue) {
  catalogue.set_format(backup_format);
  catalogue.set_checksum(checksum_of_catalogue(catalogue));
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(catalogue, &text, options).ok())
    return internal("REPLY_MALFORMED", "the catalogue of a backup has no JSON form");
  TROUPE_CHECK(disk.write(folder + "/" + backup_catalogue_name, text));
  return disk.remove(folder + "/" + backup_unfinished_name);
}

Result<runtime::ShardFile::Inspected> verify_backup_file(runtime::Disk& disk,
                                                         const std::string& folder,
                                                         const BackedUpFile& file) {
  const std::string path = folder + "/" + file.name();
  if (file.name().find('/') != std::string::npos)
    return backup_corrupt(folder, "its catalogue names a file outside of it");
  TROUPE_TRY(there, disk.exists(path));
  if (!there) return backup_corrupt(path, "the file is missing");
  TROUPE_TRY(bytes, disk.size(path));
  if (bytes != file.bytes())
    return backup_corrupt(path, "it has " + std::to_string(bytes) + " bytes, the catalogue says " +
                                    std::to_string(file.bytes()));
  TROUPE_TRY(sum, checksum_of_backup_file(disk, path));
  if (sum != file.checksum()) return backup_corrupt(path, "it does not match its checksum");
  TROUPE_TRY(found, runtime::ShardFile::inspect(disk, path, backup_identity_of(file)));
  if (!found.findings.empty()) return backup_corrupt(path, found.findings.front());
  const runtime::ShardFile::Applied said{file.index(), file.term(), file.time_ms(), file.chain()};
  if (found.applied != said || found.entities != file.entities())
    return backup_corrupt(path, "it holds entries up to " + std::to_string(found.applied.index) +
                                    ", the catalogue says " + std::to_string(file.index()));
  const auto& range = found.range;
  if (range && (range->has_split() || range->first() != file.first_bucket() ||
                (file.end_bucket() != 0 && range->end() != file.end_bucket())))
    return failed_precondition("BACKUP_SHARD_SPLIT",
                               path +
                                   ": the shard was being split while it was copied, so that "
                                   "the files of the backup do not make a whole; when 'troupe "
                                   "directory --shards' shows no split any more, make another");
  return std::move(found);
}

}  // namespace troupe::cluster
