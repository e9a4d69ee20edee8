// One open file of a SqliteVfs: SQLite's sqlite3_io_methods over a DiskImage::File.
#pragma once

#include <sqlite3.h>

#include <string>

#include "simulations/world/disk_image.hpp"

namespace troupe::simulations {

class SqliteVfs;

// Lives in memory that SQLite provides; made by xOpen, destroyed by xClose.
struct VfsFile : sqlite3_file {
  SqliteVfs* vfs = nullptr;
  DiskImage::FilePtr file;
  std::string path;
  bool anonymous = false;  // has no name and is gone when it is closed
  bool remove_on_close = false;
  bool sync_folder = false;  // with the next xSync
  int persist_wal = 0;
  int lock_level = SQLITE_LOCK_NONE;
};

extern const sqlite3_io_methods vfs_file_methods;

}  // namespace troupe::simulations
