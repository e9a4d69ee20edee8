#include "runtime/platform/os/files/polite_vfs.hpp"

#include <sqlite3.h>

#include <chrono>
#include <cstddef>
#include <new>
#include <thread>

#include "runtime/platform/os/files/sync_pace.hpp"
#include "runtime/platform/os/threads/threads.hpp"

namespace troupe::runtime {
namespace {

sqlite3_vfs* unix_vfs = nullptr;

// Behind each file's object, which is Unix's own: its functions, with others for xWrite and xSync.
struct Extra {
  const sqlite3_io_methods* unix_methods;
  sqlite3_io_methods ours;
  SyncPace pace;
};

std::size_t extra_offset() {
  constexpr std::size_t align = alignof(Extra);
  return (static_cast<std::size_t>(unix_vfs->szOsFile) + align - 1) / align * align;
}

void* extra_place(sqlite3_file* file) {
  return reinterpret_cast<std::byte*>(file) + extra_offset();
}

Extra& extra_of(sqlite3_file* file) {
  return *static_cast<Extra*>(extra_place(file));
}

int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const int code = extra_of(file).unix_methods->xWrite(file, bytes, size, offset);
  let_others_run();
  return code;
}

// As write(), of a database. A sync that fails is a write that fails: the kernel reports it once.
int write_in_pieces(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  const int code = write(file, bytes, size, offset);
  if (code != SQLITE_OK || !has_lower_priority()) return code;
  Extra& extra = extra_of(file);
  if (!extra.pace.written(static_cast<std::size_t>(size))) return code;
  const auto begin = std::chrono::steady_clock::now();
  const int synced = extra.unix_methods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
  if (synced != SQLITE_OK) return synced;
  std::this_thread::sleep_for(extra.pace.synced(std::chrono::steady_clock::now() - begin));
  return SQLITE_OK;
}

int sync(sqlite3_file* file, int flags) {
  Extra& extra = extra_of(file);
  extra.pace.clear();
  return extra.unix_methods->xSync(file, flags);
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  const int code = unix_vfs->xOpen(unix_vfs, name, file, flags, flags_out);
  if (code != SQLITE_OK || file->pMethods == nullptr) return code;
  auto* extra = new (extra_place(file)) Extra{file->pMethods, *file->pMethods, {}};
  extra->ours.xWrite = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? write_in_pieces : write;
  extra->ours.xSync = sync;
  file->pMethods = &extra->ours;
  return code;
}

// Between writes a transaction works in memory for long: statements offer the processor, too.
int make_polite(sqlite3* connection, char**, const sqlite3_api_routines*) {
  constexpr int instructions = 200;  // of SQLite's machine, a few microseconds
  sqlite3_progress_handler(
      connection, instructions,
      [](void*) {
        let_others_run();
        return 0;
      },
      nullptr);
  return SQLITE_OK;
}

}  // namespace

const char* polite_vfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_initialize();
    unix_vfs = sqlite3_vfs_find("unix");
    sqlite3_vfs made = *unix_vfs;
    made.zName = "troupe-polite";
    made.szOsFile = static_cast<int>(extra_offset() + sizeof(Extra));
    made.pNext = nullptr;
    made.xOpen = open;
    return made;
  }();
  static const int registered = [] {
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(make_polite));
    return sqlite3_vfs_register(&vfs, 0);
  }();
  return registered == SQLITE_OK ? vfs.zName : "unix";
}

}  // namespace troupe::runtime
