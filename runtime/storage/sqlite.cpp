#include "runtime/storage/sqlite.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>

#include "runtime/storage/vfs_file.hpp"
#include "runtime/storage/wal_format.hpp"

namespace troupe::runtime {
namespace {

constexpr std::uint64_t wal_bytes_kept = 64 << 20;

// SQLite counts its memory under a lock that all connections share, unless told not to before its
// first use in the process. Refused later (a VFS was registered before): slower, nothing else.
void set_up_process() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

bool is_out_of_space(int system_errno) {
  return system_errno == ENOSPC || system_errno == EDQUOT;
}

}  // namespace

bool is_disk_full(const Error& error) {
  return error.code == Code::resource_exhausted && error.reason == "DISK_FULL";
}

Error sqlite_error(int extended_code, int system_errno, std::string_view path,
                   std::string_view doing, std::string_view detail,
                   std::string_view corrupt_reason) {
  std::string message{path};
  message.append(": ").append(doing).append(": ").append(sqlite3_errstr(extended_code));
  if (!detail.empty() && detail != sqlite3_errstr(extended_code))
    message.append(" (").append(detail).append(")");
  const auto full = [&] {
    return resource_exhausted("DISK_FULL",
                              message + "; free some space, writes go on by themselves");
  };
  const auto corrupt = [&] {
    return data_loss(std::string{corrupt_reason},
                     message +
                         "; the file is left as it is: restore it from a copy, or remove it "
                         "if its content can be rebuilt");
  };
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      return full();
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return corrupt();
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return failed_precondition("FOLDER_IN_USE",
                                 message + "; another process has the file open: stop it first");
    case SQLITE_IOERR:
      // Only a write: what a failed sync has left on the disk nobody knows, whatever its reason.
      if (extended_code == SQLITE_IOERR_WRITE && is_out_of_space(system_errno)) return full();
      if (extended_code == SQLITE_IOERR_CORRUPTFS || extended_code == SQLITE_IOERR_DATA)
        return corrupt();
      return unavailable("DISK_IO", message + "; check the disk and the system's log");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return unavailable("DISK_IO", message + "; check that the folder exists and may be written");
    case SQLITE_NOMEM:
      return unavailable("OUT_OF_MEMORY", std::move(message));
    default:
      return internal("SQLITE_MISUSE", std::move(message));
  }
}

// --- statements
// -----------------------------------------------------------------------------------

Error Statement::failure() const {
  return database_.failure(sqlite3_extended_errcode(database_.handle()), sqlite3_sql(handle_));
}

Result<bool> Statement::next() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    auto error = failure();
    sqlite3_reset(handle_);
    return error;
  }
  sqlite3_reset(handle_);
  return false;
}

Result<void> Statement::run() {
  const int code = sqlite3_step(handle_);
  if (code != SQLITE_DONE) {
    auto error = code == SQLITE_ROW
                     ? internal("SQLITE_MISUSE", "rows of \"" + std::string{sqlite3_sql(handle_)} +
                                                     "\" would be thrown away")
                     : failure();
    sqlite3_reset(handle_);
    return error;
  }
  sqlite3_reset(handle_);
  return {};
}

std::string_view Statement::blob(int column) const {
  const void* bytes = sqlite3_column_blob(handle_, column);
  const int size = sqlite3_column_bytes(handle_, column);
  return bytes ? std::string_view{static_cast<const char*>(bytes), static_cast<std::size_t>(size)}
               : std::string_view{};
}

// --- connections
// ----------------------------------------------------------------------------------

Database::Database(sqlite3* handle, std::string path, Options options)
    : handle_(handle), path_(std::move(path)), options_(std::move(options)) {}

Database::~Database() {
  statements_.clear();
  sqlite3_close(handle_);
}

Error Database::failure(int code, std::string_view doing) const {
  const bool checked = code == SQLITE_IOERR_DATA && checks_;
  return sqlite_error(code, sqlite3_system_errno(handle_), path_, doing,
                      checked ? checks_->found().c_str() : sqlite3_errmsg(handle_),
                      options_.corrupt_reason);
}

int Database::open_handle(const std::string& path, const char* vfs, PageChecks* checks,
                          sqlite3*& handle, int access) {
  const int flags = access | SQLITE_OPEN_NOMUTEX;
  if (checks == nullptr) return sqlite3_open_v2(path.c_str(), &handle, flags, vfs);
  const PageChecks::Registered registered{*checks};
  return sqlite3_open_v2(path.c_str(), &handle, flags, registered.name());
}

Result<std::unique_ptr<Database>> Database::open(Disk& disk, const std::string& path,
                                                 Options options) {
  set_up_process();
  std::unique_ptr<PageChecks> checks;
  if (options.checked_page_bytes != 0)
    checks = std::make_unique<PageChecks>(disk.sqlite_vfs(), options.checked_page_bytes);
  sqlite3* handle = nullptr;
  const int code = open_handle(path, disk.sqlite_vfs(), checks.get(), handle);
  if (!handle) return unavailable("OUT_OF_MEMORY", path + ": no memory to open it");
  std::unique_ptr<Database> database{new Database(handle, path, std::move(options))};
  database->checks_ = std::move(checks);
  sqlite3_extended_result_codes(handle, 1);
  if (code != SQLITE_OK) return database->failure(sqlite3_extended_errcode(handle), "open");
  TROUPE_CHECK(database->set_up());
  return database;
}

Result<std::unique_ptr<Database>> Database::open_in_memory() {
  set_up_process();
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(":memory:", &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (!handle) return unavailable("OUT_OF_MEMORY", "no memory for a database");
  std::unique_ptr<Database> database{new Database(handle, "(memory)", {})};
  if (code != SQLITE_OK) return database->failure(code, "open");
  return database;
}

Result<void> Database::set_up() {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  int keep_wal = 1;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_PERSIST_WAL, &keep_wal);
  TROUPE_CHECK(execute("PRAGMA locking_mode=EXCLUSIVE"));
  TROUPE_CHECK(check_header());
  const bool full = options_.sync == Sync::every_commit;
  TROUPE_CHECK(execute(
      std::string{"PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY;"
                  "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"} +
      "PRAGMA journal_size_limit=" + std::to_string(wal_bytes_kept) + ";" +
      (full ? "PRAGMA synchronous=FULL;" : "PRAGMA synchronous=NORMAL;") +
      (options_.spill ? "" : "PRAGMA cache_spill=OFF;") + "PRAGMA cache_size=-" +
      std::to_string(std::max<std::uint64_t>(options_.cache_bytes >> 10, 64))));
  TROUPE_TRY(page_bytes, query_integer("PRAGMA page_size"));
  page_bytes_ = static_cast<std::uint64_t>(page_bytes);
  sqlite3_wal_hook(
      handle_,
      [](void* self, sqlite3*, const char*, int frames) {
        auto& database = *static_cast<Database*>(self);
        database.wal_bytes_ =
            wal_header_bytes +
            static_cast<std::uint64_t>(frames) * (wal_frame_header_bytes + database.page_bytes_);
        return SQLITE_OK;
      },
      this);
  TROUPE_TRY(begin, statement("BEGIN IMMEDIATE"));
  TROUPE_TRY(commit, statement("COMMIT"));
  begin_ = begin;
  commit_ = commit;
  return measure_wal();
}

// The first look at the file: takes the lock and recovers the WAL.
Result<void> Database::check_header() {
  TROUPE_TRY(journal, statement("PRAGMA journal_mode"));
  const StatementGuard guard{*journal};
  TROUPE_TRY(found, journal->bind().next());
  const std::string mode{found ? journal->blob(0) : std::string_view{}};
  if (mode != "wal")
    return data_loss(options_.corrupt_reason,
                     path_ + ": its header says journal mode \"" + mode +
                         "\" and not \"wal\": it is rotten, or was changed by another program");
  if (sqlite3_db_readonly(handle_, "main") == 0) return {};
  // Either the system does not let us write, or the header says that only a newer SQLite may.
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  char version = 0;
  const bool read = file && file->pMethods->xRead(file, &version, 1, 18) == SQLITE_OK;
  if (read && version != 2)
    return data_loss(options_.corrupt_reason, path_ + ": its header is rotten at byte 18");
  return unavailable("DISK_IO", path_ + ": it may not be written; check its owner and permissions");
}

Result<Statement*> Database::statement(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end())
    return found->second.get();
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) return failure(sqlite3_extended_errcode(handle_), sql);
  auto made = std::make_unique<Statement>(*this, prepared);
  return statements_.emplace(sql, std::move(made)).first->second.get();
}

Result<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure(sqlite3_extended_errcode(handle_), sql);
  return {};
}

Result<std::int64_t> Database::query_integer(const std::string& sql) {
  TROUPE_TRY(query, statement(sql));
  const StatementGuard guard{*query};
  TROUPE_TRY(found, query->bind().next());
  if (!found) return internal("SQLITE_MISUSE", path_ + ": no row from \"" + sql + "\"");
  return query->integer(0);
}

Result<void> Database::begin() {
  return begin_->run();
}

Result<void> Database::commit() {
  auto committed = commit_->run();
  if (!committed) rollback();
  return committed;
}

void Database::rollback() {
  if (sqlite3_get_autocommit(handle_) == 0)
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<void> Database::checkpoint() {
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, "main", SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(sqlite3_extended_errcode(handle_), "checkpoint");
  wal_bytes_ = 0;
  sqlite3_file* wal = wal_file();
  if (!wal) return {};
  sqlite3_int64 there = 0;
  int blanked = wal->pMethods->xFileSize(wal, &there);
  if (blanked == SQLITE_OK && there > 0) blanked = write_zeros(wal, 0, wal_header_bytes);
  if (blanked == SQLITE_OK && there > 0) blanked = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
  if (blanked != SQLITE_OK) return failure(blanked, "blank the write-ahead log");
  return {};
}

// What a blank WAL holds does not count: it is room for the next transactions.
Result<void> Database::measure_wal() {
  sqlite3_file* wal = wal_file();
  if (!wal) return {};
  sqlite3_int64 there = 0;
  int code = wal->pMethods->xFileSize(wal, &there);
  std::array<char, wal_header_bytes> header{};
  const bool has_header = there >= static_cast<sqlite3_int64>(header.size());
  if (code == SQLITE_OK && has_header)
    code = wal->pMethods->xRead(wal, header.data(), static_cast<int>(header.size()), 0);
  if (code != SQLITE_OK) return failure(code, "look at the write-ahead log");
  const bool blank = std::all_of(header.begin(), header.end(), [](char byte) { return byte == 0; });
  wal_bytes_ = blank ? 0 : static_cast<std::uint64_t>(there);
  return {};
}

sqlite3_file* Database::wal_file() {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  return file && file->pMethods ? file : nullptr;
}

}  // namespace troupe::runtime
