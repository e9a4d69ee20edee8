// Copies of a database, for other nodes and for backups, and looking at one.
#include <cstdio>

#include "runtime/storage/sqlite.hpp"

namespace troupe::runtime {
namespace {

struct Closer {
  void operator()(sqlite3* handle) const { sqlite3_close(handle); }
};

// https://sqlite.org/uri.html
std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c != '%' && c != '?' && c != '#') {
      uri += c;
      continue;
    }
    char code[4];
    std::snprintf(code, sizeof code, "%%%02x", static_cast<unsigned char>(c));
    uri += code;
  }
  return uri + "?immutable=1";
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open_immutable(Disk& disk, const std::string& path,
                                                           Options options) {
  sqlite3_initialize();
  std::unique_ptr<PageChecks> checks;
  if (options.checked_page_bytes != 0)
    checks = std::make_unique<PageChecks>(disk.sqlite_vfs(), options.checked_page_bytes);
  sqlite3* handle = nullptr;
  const int code = open_handle(immutable_uri(path), disk.sqlite_vfs(), checks.get(), handle,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  if (!handle) return unavailable("OUT_OF_MEMORY", path + ": no memory to open it");
  std::unique_ptr<Database> database{new Database(handle, path, std::move(options))};
  database->checks_ = std::move(checks);
  sqlite3_extended_result_codes(handle, 1);
  if (code != SQLITE_OK) return database->failure(sqlite3_extended_errcode(handle), "open");
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  TROUPE_CHECK(database->execute("PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON"));
  return database;
}

Result<void> Database::copy_to(Disk& disk, const std::string& path) {
  // What is left of an earlier file would be taken for the new one's.
  for (const char* suffix : {"-wal", "-journal", ""}) TROUPE_CHECK(disk.remove(path + suffix));
  TROUPE_CHECK(disk.write(path, {}));
  std::unique_ptr<PageChecks> checks;
  if (checks_)
    checks = std::make_unique<PageChecks>(disk.sqlite_vfs(), options_.checked_page_bytes);
  sqlite3* handle = nullptr;
  const int opened = open_handle(path, disk.sqlite_vfs(), checks.get(), handle);
  const std::unique_ptr<sqlite3, Closer> target{handle};
  if (!target) return unavailable("OUT_OF_MEMORY", path + ": no memory to open it");
  sqlite3_extended_result_codes(handle, 1);
  const auto failed = [&](int code, const char* doing) {
    return sqlite_error(code, sqlite3_system_errno(handle), path, doing, sqlite3_errmsg(handle),
                        options_.corrupt_reason);
  };
  if (opened != SQLITE_OK) return failed(opened, "open");
  // A copy that is not finished is worth nothing, so that it needs no journal.
  const int prepared = sqlite3_exec(
      handle, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF",
      nullptr, nullptr, nullptr);
  if (prepared != SQLITE_OK) return failed(prepared, "prepare");
  sqlite3_backup* backup = sqlite3_backup_init(handle, "main", handle_, "main");
  if (!backup) return failed(sqlite3_extended_errcode(handle), "begin the copy");
  const int copied = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (copied != SQLITE_DONE) return failed(copied, "copy");
  if (finished != SQLITE_OK) return failed(finished, "finish the copy");
  return {};
}

}  // namespace troupe::runtime
