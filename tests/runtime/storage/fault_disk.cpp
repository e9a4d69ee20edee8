#include "tests/runtime/storage/fault_disk.hpp"

#include <cstdlib>

#include "runtime/platform/os/os_disk.hpp"

namespace troupe::tests {
namespace {

// Our file, followed in memory by that of the operating system's VFS.
struct FaultFile {
  sqlite3_file base;
  DiskFaults* faults;
};

sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<FaultFile*>(file) + 1);
}
DiskFaults& faults_of(sqlite3_file* file) {
  return *reinterpret_cast<FaultFile*>(file)->faults;
}

int close(sqlite3_file* file) {
  return real(file)->pMethods->xClose(real(file));
}

int read(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
  if (faults_of(file).reads_fail) return SQLITE_IOERR_READ;
  return real(file)->pMethods->xRead(real(file), out, size, offset);
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  auto& faults = faults_of(file);
  ++faults.writes;
  if (faults.writes_fail) return SQLITE_IOERR_WRITE;
  sqlite3_int64 now = 0;
  if (const int code = real(file)->pMethods->xFileSize(real(file), &now); code != SQLITE_OK)
    return code;
  const auto growth = offset + size - now;
  if (growth > 0 && !faults.take(growth)) return SQLITE_FULL;
  return real(file)->pMethods->xWrite(real(file), bytes, size, offset);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  auto& faults = faults_of(file);
  if (faults.writes_fail) return SQLITE_IOERR_TRUNCATE;
  sqlite3_int64 now = 0;
  real(file)->pMethods->xFileSize(real(file), &now);
  faults.space += now - size;
  return real(file)->pMethods->xTruncate(real(file), size);
}

int sync(sqlite3_file* file, int flags) {
  auto& faults = faults_of(file);
  ++faults.syncs;
  if (faults.syncs_fail) return SQLITE_IOERR_FSYNC;
  return real(file)->pMethods->xSync(real(file), flags);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}
int lock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xLock(real(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}
int check_reserved(sqlite3_file* file, int* out) {
  return real(file)->pMethods->xCheckReservedLock(real(file), out);
}
int control(sqlite3_file* file, int operation, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), operation, argument);
}
int sector_size(sqlite3_file* file) {
  return real(file)->pMethods->xSectorSize(real(file));
}
int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

// Version 1: without shared memory, which exclusive locking must not need.
const sqlite3_io_methods methods{
    1,       close,          read,    write,       truncate,        sync,    file_size, lock,
    unlock,  check_reserved, control, sector_size, characteristics, nullptr, nullptr,   nullptr,
    nullptr, nullptr,        nullptr};

sqlite3_vfs* unix_vfs() {
  return sqlite3_vfs_find("unix");
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  const int code = unix_vfs()->xOpen(unix_vfs(), name, real(file), flags, out_flags);
  if (code != SQLITE_OK) return code;
  reinterpret_cast<FaultFile*>(file)->faults = static_cast<DiskFaults*>(vfs->pAppData);
  file->pMethods = &methods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_folder) {
  return unix_vfs()->xDelete(unix_vfs(), name, sync_folder);
}
int access(sqlite3_vfs*, const char* name, int flags, int* out) {
  return unix_vfs()->xAccess(unix_vfs(), name, flags, out);
}
int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  return unix_vfs()->xFullPathname(unix_vfs(), name, size, out);
}
int randomness(sqlite3_vfs*, int size, char* out) {
  return unix_vfs()->xRandomness(unix_vfs(), size, out);
}
int sleep(sqlite3_vfs*, int microseconds) {
  return unix_vfs()->xSleep(unix_vfs(), microseconds);
}
int current_time(sqlite3_vfs*, double* out) {
  return unix_vfs()->xCurrentTime(unix_vfs(), out);
}
int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

std::atomic<unsigned> made{0};

Error full(const std::string& path) {
  return resource_exhausted("DISK_FULL", path + ": no space is left");
}

}  // namespace

bool DiskFaults::take(std::int64_t bytes) {
  auto there = space.load();
  do {
    if (there < bytes) return false;
  } while (!space.compare_exchange_weak(there, there - bytes));
  return true;
}

FaultDisk::FaultDisk()
    : name_("troupe-test-" + std::to_string(++made)), disk_(runtime::make_os_disk()) {
  vfs_.iVersion = 1;
  vfs_.szOsFile = static_cast<int>(sizeof(FaultFile)) + unix_vfs()->szOsFile;
  vfs_.mxPathname = unix_vfs()->mxPathname;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = &faults_;
  vfs_.xOpen = open;
  vfs_.xDelete = delete_file;
  vfs_.xAccess = access;
  vfs_.xFullPathname = full_path;
  vfs_.xRandomness = randomness;
  vfs_.xSleep = sleep;
  vfs_.xCurrentTime = current_time;
  vfs_.xGetLastError = last_error;
  if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) std::abort();
}

FaultDisk::~FaultDisk() {
  sqlite3_vfs_unregister(&vfs_);
}

std::uint64_t FaultDisk::size_or_zero(const std::string& path) {
  const auto size = disk_->size(path);
  return size ? *size : 0;
}

Result<void> FaultDisk::create_folders(const std::string& path) {
  return disk_->create_folders(path);
}
Result<std::vector<std::string>> FaultDisk::list(const std::string& folder) {
  return disk_->list(folder);
}
Result<bool> FaultDisk::exists(const std::string& path) {
  return disk_->exists(path);
}
Result<std::uint64_t> FaultDisk::size(const std::string& path) {
  return disk_->size(path);
}
Result<std::string> FaultDisk::read(const std::string& path) {
  return disk_->read(path);
}

Result<void> FaultDisk::write(const std::string& path, std::string_view bytes) {
  if (faults_.writes_fail) return unavailable("DISK_IO", path + ": cannot be written");
  const auto before = static_cast<std::int64_t>(size_or_zero(path));
  if (!faults_.take(static_cast<std::int64_t>(bytes.size()) - before)) return full(path);
  return disk_->write(path, bytes);
}

Result<void> FaultDisk::allocate(const std::string& path, std::uint64_t bytes) {
  if (faults_.writes_fail) return unavailable("DISK_IO", path + ": cannot be written");
  const auto before = static_cast<std::int64_t>(size_or_zero(path));
  if (!faults_.take(static_cast<std::int64_t>(bytes) - before)) return full(path);
  return disk_->allocate(path, bytes);
}

Result<void> FaultDisk::remove(const std::string& path) {
  if (faults_.writes_fail) return unavailable("DISK_IO", path + ": cannot be removed");
  // Before the file is gone, so that who waits for that finds the space.
  faults_.space += static_cast<std::int64_t>(size_or_zero(path));
  return disk_->remove(path);
}

Result<void> FaultDisk::rename(const std::string& from, const std::string& to) {
  if (faults_.writes_fail) return unavailable("DISK_IO", from + ": cannot be renamed");
  return disk_->rename(from, to);
}

Result<std::unique_ptr<runtime::FolderLock>> FaultDisk::lock(const std::string& folder) {
  return disk_->lock(folder);
}

}  // namespace troupe::tests
