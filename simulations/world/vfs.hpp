// SQLite's way to a SimDisk: a VFS of its own, registered under a name that is unique in the
// process for as long as the object lives.
//
// As on Linux: syncing a journal or WAL that this open created syncs its folder, too, syncing a
// database does not; xDelete syncs the folder when asked to; an empty file does not "exist"; writes
// are POWERSAFE_OVERWRITE. Locks are for handles of this process. There is no shared memory, so a
// WAL needs locking_mode=EXCLUSIVE before journal_mode=WAL. Time is the node's wall clock; xSleep
// returns at once.
//
// SQLite's own generator is one per process and is seeded by the World (SQLITE_TESTCTRL_PRNG_SEED).
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "simulations/world/random.hpp"

namespace troupe::simulations {

class SimDisk;

class SqliteVfs {
 public:
  explicit SqliteVfs(SimDisk& disk);
  ~SqliteVfs();  // no file may be open
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;

  const char* name() const { return name_.c_str(); }

  // --- for the callbacks ------------------------------------------------------------------------
  SimDisk& disk;
  RandomStream random;
  unsigned open_files = 0;
  std::uint64_t anonymous_files = 0;

 private:
  std::string name_;
  sqlite3_vfs vfs_{};
};

}  // namespace troupe::simulations
