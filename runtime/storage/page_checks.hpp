// Checksums of the pages of a database file: every page ends in one, made as the page is written to
// the file and looked at as it is read from there; what is read from the write-ahead log is checked
// against the log's own. So rot is met where it is read, wherever it sits: in a key, in an index,
// in the tree itself.
//
// A layer between one connection of SQLite and the platform's VFS, in the manner of SQLite's own
// checksum VFS (https://sqlite.org/cksumvfs.html), whose pages know nothing of their number, and
// which leaves the log alone.
//
// Format: the last `page_sum_bytes` of each page, which SQLite leaves free (byte 20 of its header):
// XXH3 of the bytes before, seeded with the page's number, little-endian. A page of nothing but
// zeros is sound: the file has grown behind it, and nothing was ever written there.
//
// Threads: as its connection, which it outlives.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>

namespace troupe::runtime {

inline constexpr int page_sum_bytes = 8;

class PageChecks {
 public:
  // `below`: the name of the platform's VFS. `page_bytes`: of all pages of the file.
  PageChecks(const char* below, std::uint32_t page_bytes);
  PageChecks(const PageChecks&) = delete;
  PageChecks& operator=(const PageChecks&) = delete;

  // For sqlite3_open_v2(), while a Registered lives. Empty: there is no such VFS below, or no
  // memory.
  class Registered {
   public:
    explicit Registered(PageChecks& checks);
    ~Registered();
    Registered(const Registered&) = delete;
    Registered& operator=(const Registered&) = delete;
    const char* name() const { return checks_.name_.c_str(); }

   private:
    PageChecks& checks_;
  };

  // What was wrong with the page that was refused last; empty: nothing was.
  const std::string& found() const { return found_; }

  // Gives the pages of a whole file, which have room for them, their checksums.
  static void seal(std::string& file, std::uint32_t page_bytes);

 private:
  struct Vfs {  // what SQLite has of us
    sqlite3_vfs base{};
    PageChecks* owner = nullptr;
  };
  struct Extra;  // behind the object of each file of the VFS below

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out);
  static int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset);
  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset);
  static Extra& extra_of(sqlite3_file* file);

  bool is_page(int size, sqlite3_int64 offset) const;
  int check_page(const char* page, sqlite3_int64 offset);
  int check_frame(Extra& wal, sqlite3_file* file, const char* page, sqlite3_int64 offset);
  void note_log_write(Extra& wal, int size, sqlite3_int64 offset) const;
  int refuse(const std::string& what);

  const std::uint32_t page_bytes_;
  const std::string name_;
  sqlite3_vfs* const below_;
  Vfs vfs_;
  std::string page_;  // the one that is written
  std::string found_;
};

}  // namespace troupe::runtime
