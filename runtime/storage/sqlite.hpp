// The one way to SQLite: a connection that owns its file, its statements and its transactions.
//
// One connection per file, opened through the platform's VFS, in exclusive locking mode set before
// WAL: so no shared memory is needed, a second opener is refused, and the simulated disk can forget
// un-synced writes. Files are made whole by schema.hpp; open() never creates one. The database is
// never checkpointed behind our back, neither while it grows nor at close: whoever owns the file
// says when (a clean close would otherwise delete the WAL and hide what a crash leaves).
//
// Threads: not thread-safe; a connection and its statements may move between threads as long as
// one uses them at a time. Everything here may block on the disk.
//
// Errors, from every method:
//   RESOURCE_EXHAUSTED / DISK_FULL     nothing was changed; try again when there is space
//   DATA_LOSS / Options::corrupt_reason  the file is rotten; names the file and what SQLite found
//   FAILED_PRECONDITION / FOLDER_IN_USE  another process has the file open
//   UNAVAILABLE / DISK_IO              a read, write or sync failed: the node must stop, because
//                                      the state of what was written is not known any more
//   UNAVAILABLE / OUT_OF_MEMORY        for the caller to treat like DISK_IO
//   INTERNAL / SQLITE_MISUSE           a bug of ours
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "runtime/platform/disk.hpp"
#include "runtime/result.hpp"
#include "runtime/storage/page_checks.hpp"

namespace troupe::runtime {

class Database;

// What an error of SQLite means to us. `doing`: "commit", or the text of a statement.
Error sqlite_error(int extended_code, int system_errno, std::string_view path,
                   std::string_view doing, std::string_view detail,
                   std::string_view corrupt_reason);

bool is_disk_full(const Error& error);

// A prepared statement, owned by its Database. Parameters and columns count from 1 and from 0, as
// in SQLite. Blobs are bound without a copy: they must live until the statement is reset, which
// happens at the end of its rows, at the next bind() and at reset().
class Statement {
 public:
  Statement(Database& database, sqlite3_stmt* handle) : database_(database), handle_(handle) {}
  ~Statement() { sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Resets the statement and binds its parameters in order: integers, std::string_view as blobs,
  // nullptr.
  template <class... Values>
  Statement& bind(const Values&... values) {
    sqlite3_reset(handle_);
    [[maybe_unused]] int position = 0;
    (bind_one(++position, values), ...);
    return *this;
  }

  // True: a row is there to read. False: there are no more, and the statement is reset.
  Result<bool> next();

  // For statements that return no rows.
  Result<void> run();

  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_, column); }
  bool is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
  // Valid until the next next(), bind() or reset().
  std::string_view blob(int column) const;

  void reset() { sqlite3_reset(handle_); }

 private:
  template <class Integer>
  void bind_one(int position, Integer value) requires std::is_integral_v<Integer> {
    sqlite3_bind_int64(handle_, position, static_cast<sqlite3_int64>(value));
  }
  void bind_one(int position, std::string_view value) {
    // A null pointer would bind NULL.
    sqlite3_bind_blob64(handle_, position, value.empty() ? "" : value.data(), value.size(),
                        SQLITE_STATIC);
  }
  void bind_one(int position, const std::string& value) {
    bind_one(position, std::string_view{value});
  }
  void bind_one(int position, std::nullptr_t) { sqlite3_bind_null(handle_, position); }

  Error failure() const;

  Database& database_;
  sqlite3_stmt* handle_;
};

// Resets a statement when its reader returns early: one that is left in the middle of its rows
// would hold a read transaction open.
class StatementGuard {
 public:
  explicit StatementGuard(Statement& statement) : statement_(statement) {}
  ~StatementGuard() { statement_.reset(); }
  StatementGuard(const StatementGuard&) = delete;
  StatementGuard& operator=(const StatementGuard&) = delete;

 private:
  Statement& statement_;
};

class Database {
 public:
  enum class Sync {
    every_commit,  // synchronous=FULL: what commit() returned for survives a power cut
    checkpoints,   // synchronous=NORMAL: a power cut may take the newest transactions, in order
  };
  struct Options {
    Sync sync = Sync::every_commit;
    std::uint64_t cache_bytes = 2ull << 20;  // clean pages kept in memory
    // Whether a large transaction may write pages before it commits. Without, a transaction's
    // frames lie in the WAL once and in rising page order.
    bool spill = true;
    std::string corrupt_reason = "DATABASE_CORRUPT";
    std::uint32_t checked_page_bytes = 0;  // its pages have checksums and this size; 0: neither
  };

  // Opens a file that exists and brings back what its WAL holds. Blocks.
  static Result<std::unique_ptr<Database>> open(Disk& disk, const std::string& path,
                                                Options options);
  // A file that nobody writes, to be read and no more: nothing is locked, no file is made beside
  // it. It must have no WAL.
  static Result<std::unique_ptr<Database>> open_immutable(Disk& disk, const std::string& path,
                                                          Options options);
  // A database that lives in memory alone; schema.hpp makes files of it.
  static Result<std::unique_ptr<Database>> open_in_memory();
  ~Database();  // a transaction that is open is rolled back; nothing is checkpointed
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // The cached statement for a text. The reference lives as long as the Database.
  Result<Statement*> statement(std::string_view sql);

  // One or more statements, not cached, whose rows nobody wants.
  Result<void> execute(const std::string& sql);
  // The first column of the first row; INTERNAL if there is none.
  Result<std::int64_t> query_integer(const std::string& sql);

  Result<void> begin();
  Result<void> commit();  // on an error the transaction is rolled back
  void rollback();        // no error if SQLite has done so already

  // Rows changed by the statement that ran last.
  std::int64_t changes() const { return sqlite3_changes64(handle_); }

  // Copies the WAL into the file, syncs both, and blanks the WAL: it reads as empty, so that a part
  // of it cannot shadow the file should one of its frames rot, and its space is written over again.
  // What it takes beyond 64 MiB is given back.
  Result<void> checkpoint();

  // Copies everything, over this connection, into a file of its own that has no WAL; a file that is
  // there is replaced. Nothing is synced.
  Result<void> copy_to(Disk& disk, const std::string& path);

  // Bytes of the WAL that are in use. After an open: at most so many, unless its owner knows better
  // and says so.
  std::uint64_t wal_bytes() const { return wal_bytes_; }
  void set_wal_bytes(std::uint64_t bytes) { wal_bytes_ = bytes; }

  // The open WAL, for preallocation. Null before the first transaction of a file without one.
  sqlite3_file* wal_file();

  const std::string& path() const { return path_; }
  sqlite3* handle() { return handle_; }
  // The error that belongs to a result code of SQLite on this connection.
  Error failure(int code, std::string_view doing) const;

 private:
  Database(sqlite3* handle, std::string path, Options options);
  static int open_handle(const std::string& path, const char* vfs, PageChecks* checks,
                         sqlite3*& handle, int access = SQLITE_OPEN_READWRITE);
  Result<void> set_up();
  Result<void> check_header();
  Result<void> measure_wal();

  std::unique_ptr<PageChecks> checks_;
  sqlite3* handle_;
  const std::string path_;
  const Options options_;
  std::uint64_t wal_bytes_ = 0;
  std::uint64_t page_bytes_ = 4096;
  std::map<std::string, std::unique_ptr<Statement>, std::less<>> statements_;
  Statement* begin_ = nullptr;
  Statement* commit_ = nullptr;
};

}  // namespace troupe::runtime
