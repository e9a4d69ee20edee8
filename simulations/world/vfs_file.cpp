#include "simulations/world/vfs_file.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "simulations/world/disk.hpp"
#include "simulations/world/vfs.hpp"

namespace troupe::simulations {

namespace {

using Call = SimDisk::Call;

VfsFile& file_of(sqlite3_file* file) {
  return *static_cast<VfsFile*>(file);
}

// Anonymous files are SQLite's scratch space; nothing that happens to them is worth a line.
void record(VfsFile& self, std::string_view kind, std::string_view bytes = {},
            sqlite3_int64 offset = -1) {
  if (self.anonymous) return;
  auto name = self.path;
  if (offset >= 0) name += '@' + std::to_string(offset);
  self.vfs->disk.life().record(kind, name, bytes);
}

int unlock(sqlite3_file* file, int level) {
  auto& self = file_of(file);
  auto& locks = self.file->locks;
  if (self.lock_level <= level) return SQLITE_OK;
  if (locks.writer == &self) locks = {locks.readers, nullptr, SQLITE_LOCK_NONE};
  if (level == SQLITE_LOCK_NONE) --locks.readers;
  self.lock_level = level;
  return SQLITE_OK;
}

int close(sqlite3_file* file) {
  auto& self = file_of(file);
  unlock(file, SQLITE_LOCK_NONE);
  auto& disk = self.vfs->disk;
  if (self.remove_on_close && !disk.life().over()) disk.image().remove(self.path);
  --self.vfs->open_files;
  std::destroy_at(&self);
  return SQLITE_OK;
}

int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
  auto& self = file_of(file);
  if (self.vfs->disk.fails(Call::read)) return SQLITE_IOERR_READ;
  const auto& bytes = self.file->bytes;
  const auto wanted = static_cast<std::size_t>(size);
  const auto begin = static_cast<std::size_t>(offset);
  const auto there = begin < bytes.size() ? std::min(wanted, bytes.size() - begin) : 0;
  auto* target = static_cast<char*>(out);
  if (there > 0) std::memcpy(target, bytes.data() + begin, there);
  std::memset(target + there, 0, wanted - there);
  return there == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  auto& self = file_of(file);
  if (self.vfs->disk.fails(Call::write)) return SQLITE_IOERR_WRITE;
  const std::string_view bytes{static_cast<const char*>(data), static_cast<std::size_t>(size)};
  record(self, "disk.write", bytes, offset);
  const auto written =
      self.vfs->disk.image().write(*self.file, static_cast<std::uint64_t>(offset), bytes);
  return written == bytes.size() ? SQLITE_OK : SQLITE_FULL;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  auto& self = file_of(file);
  if (self.vfs->disk.fails(Call::write)) return SQLITE_IOERR_TRUNCATE;
  record(self, "disk.truncate", {}, size);
  self.vfs->disk.image().truncate(*self.file, static_cast<std::uint64_t>(size));
  return SQLITE_OK;
}

int sync(sqlite3_file* file, int) {
  auto& self = file_of(file);
  if (self.vfs->disk.fails(Call::sync)) return SQLITE_IOERR_FSYNC;
  record(self, "disk.sync");
  DiskImage::sync(*self.file);
  if (self.sync_folder) {
    self.vfs->disk.image().sync_folder(DiskImage::folder_of(self.path));
    self.sync_folder = false;
  }
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* out) {
  auto& self = file_of(file);
  if (self.vfs->disk.fails(Call::read)) return SQLITE_IOERR_FSTAT;
  *out = static_cast<sqlite3_int64>(self.file->bytes.size());
  return SQLITE_OK;
}

int lock(sqlite3_file* file, int level) {
  auto& self = file_of(file);
  auto& locks = self.file->locks;
  if (self.vfs->disk.life().over()) return SQLITE_IOERR_LOCK;
  if (self.lock_level >= level) return SQLITE_OK;
  const bool other_writes = locks.writer != nullptr && locks.writer != &self;
  if (level == SQLITE_LOCK_SHARED) {
    if (other_writes && locks.writer_level >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
    ++locks.readers;
    self.lock_level = level;
    return SQLITE_OK;
  }
  if (other_writes) return SQLITE_BUSY;
  locks.writer = &self;
  // Exclusive waits for the other readers; pending keeps new ones away meanwhile.
  const bool readers_left = level == SQLITE_LOCK_EXCLUSIVE && locks.readers > 1;
  self.lock_level = readers_left ? SQLITE_LOCK_PENDING : level;
  locks.writer_level = self.lock_level;
  return readers_left ? SQLITE_BUSY : SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* file, int* out) {
  *out = file_of(file).file->locks.writer != nullptr;
  return SQLITE_OK;
}

int file_control(sqlite3_file* file, int operation, void* argument) {
  auto& self = file_of(file);
  switch (operation) {
    case SQLITE_FCNTL_LOCKSTATE:
      *static_cast<int*>(argument) = self.lock_level;
      return SQLITE_OK;
    case SQLITE_FCNTL_VFSNAME:
      *static_cast<char**>(argument) = sqlite3_mprintf("%s", self.vfs->name());
      return SQLITE_OK;
    case SQLITE_FCNTL_PERSIST_WAL: {  // negative: a question
      auto& wanted = *static_cast<int*>(argument);
      if (wanted >= 0) self.persist_wal = wanted != 0;
      wanted = self.persist_wal;
      return SQLITE_OK;
    }
    default:
      return SQLITE_NOTFOUND;
  }
}

int sector_size(sqlite3_file*) {
  return static_cast<int>(DiskImage::page_bytes);
}
int device_characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

}  // namespace

const sqlite3_io_methods vfs_file_methods{
    .iVersion = 1,  // without shared memory and memory mapping
    .xClose = close,
    .xRead = read,
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = sync,
    .xFileSize = file_size,
    .xLock = lock,
    .xUnlock = unlock,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

}  // namespace troupe::simulations
