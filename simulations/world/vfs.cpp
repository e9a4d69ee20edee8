#include "simulations/world/vfs.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

#include "simulations/world/check.hpp"
#include "simulations/world/disk.hpp"
#include "simulations/world/vfs_file.hpp"

namespace troupe::simulations {

namespace {

using Call = SimDisk::Call;

SqliteVfs& self_of(sqlite3_vfs* vfs) {
  return *static_cast<SqliteVfs*>(vfs->pAppData);
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out, int flags, int* out_flags) {
  auto& self = self_of(vfs);
  out->pMethods = nullptr;  // SQLite closes only what has methods
  if (self.disk.fails(Call::read)) return SQLITE_CANTOPEN;
  auto& image = self.disk.image();
  std::string path = name ? DiskImage::normal(name) : "";
  bool created = false;
  DiskImage::FilePtr file;
  if (!name) {
    path = "(anonymous " + std::to_string(++self.anonymous_files) + ")";
    file = std::make_shared<DiskImage::File>();
  } else {
    file = image.find(path);
    if (file && (flags & SQLITE_OPEN_CREATE) && (flags & SQLITE_OPEN_EXCLUSIVE)) {
      return SQLITE_CANTOPEN;
    }
    if (!file) {
      if (!(flags & SQLITE_OPEN_CREATE) || image.is_folder(path) ||
          !image.is_folder(DiskImage::folder_of(path)) || self.disk.fails(Call::write)) {
        return SQLITE_CANTOPEN;
      }
      self.disk.life().record("disk.create", path);
      file = image.create(path);
      created = true;
    }
  }
  auto* opened = std::construct_at(static_cast<VfsFile*>(out));
  opened->pMethods = &vfs_file_methods;
  opened->vfs = &self;
  opened->file = std::move(file);
  opened->path = std::move(path);
  opened->anonymous = !name;
  opened->remove_on_close = name && (flags & SQLITE_OPEN_DELETEONCLOSE);
  constexpr int journals = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;
  opened->sync_folder = created && (flags & journals);
  ++self.open_files;
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  auto& self = self_of(vfs);
  if (self.disk.fails(Call::write)) return SQLITE_IOERR_DELETE;
  auto& image = self.disk.image();
  const auto path = DiskImage::normal(name);
  if (!image.find(path)) return SQLITE_IOERR_DELETE_NOENT;
  self.disk.life().record("disk.delete", path);
  image.remove(path);
  if (!sync_folder) return SQLITE_OK;
  if (self.disk.fails(Call::sync)) return SQLITE_IOERR_DIR_FSYNC;
  const auto folder = DiskImage::folder_of(path);
  self.disk.life().record("disk.sync", folder);
  image.sync_folder(folder);
  return SQLITE_OK;
}

int access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  auto& self = self_of(vfs);
  if (self.disk.fails(Call::read)) return SQLITE_IOERR_ACCESS;
  const auto file = self.disk.image().find(DiskImage::normal(name));
  *out = file && (flags != SQLITE_ACCESS_EXISTS || !file->bytes.empty());
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  const auto path = DiskImage::normal(name);
  if (path.size() >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(out, path.c_str(), path.size() + 1);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
  auto& random = self_of(vfs).random;
  std::generate_n(out, size, [&] { return static_cast<char>(random.next()); });
  return size;
}

int sleep(sqlite3_vfs*, int microseconds) {
  return microseconds;
}

// Milliseconds since noon of 24 November 4714 BC, which is how SQLite counts.
int current_time_ms(sqlite3_vfs* vfs, sqlite3_int64* out) {
  constexpr sqlite3_int64 unix_epoch = 24405875LL * 8'640'000;
  *out = unix_epoch + self_of(vfs).disk.wall().time_since_epoch().count();
  return SQLITE_OK;
}

int current_time(sqlite3_vfs* vfs, double* out) {
  sqlite3_int64 milliseconds = 0;
  current_time_ms(vfs, &milliseconds);
  *out = static_cast<double>(milliseconds) / 86'400'000.0;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

// Only for the names: one process may run many worlds, one after the other.
std::uint64_t registered = 0;

}  // namespace

SqliteVfs::SqliteVfs(SimDisk& its_disk)
    : disk(its_disk),
      random(its_disk.life().stream(Domain::sqlite)),
      name_("troupe-simulated-" + std::to_string(++registered)) {
  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(VfsFile);
  vfs_.mxPathname = 512;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = open;
  vfs_.xDelete = remove;
  vfs_.xAccess = access;
  vfs_.xFullPathname = full_path;
  vfs_.xRandomness = randomness;
  vfs_.xSleep = sleep;
  vfs_.xCurrentTime = current_time;
  vfs_.xCurrentTimeInt64 = current_time_ms;
  vfs_.xGetLastError = last_error;
  check(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK, "SQLite refused to register a VFS");
}

SqliteVfs::~SqliteVfs() {
  check(open_files == 0, "node " + disk.life().node_name() + " ended with " +
                             std::to_string(open_files) +
                             " SQLite files open: a connection outlives its node");
  sqlite3_vfs_unregister(&vfs_);
}

}  // namespace troupe::simulations
