#include "runtime/platform/os/files/polite_vfs.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <string>
#include <thread>

#include "runtime/platform/os/threads/threads.hpp"
#include "tests/runtime/platform/temporary_folder.hpp"

namespace troupe::runtime {
namespace {

using tests::TemporaryFolder;

// How many rows a database has after a transaction that wrote some, by a WAL of many pages.
int write_and_count(const std::string& path) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                          polite_vfs()) == SQLITE_OK);
  const auto run = [&](const char* sql) {
    CHECK(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  };
  run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; CREATE TABLE t(a, b);");
  run("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<5000) "
      "INSERT INTO t SELECT i, randomblob(200) FROM n;");
  run("PRAGMA wal_checkpoint(TRUNCATE)");
  int count = 0;
  const auto take = [](void* out, int, char** values, char**) {
    *static_cast<int*>(out) = std::stoi(values[0]);
    return 0;
  };
  CHECK(sqlite3_exec(database, "SELECT count(*) FROM t", take, &count, nullptr) == SQLITE_OK);
  CHECK(sqlite3_close(database) == SQLITE_OK);
  return count;
}

TEST_CASE("what is written through the polite VFS is there, from a thread of any priority") {
  const TemporaryFolder folder;
  CHECK(write_and_count(folder / "normal.db") == 5000);
  int count = 0;
  std::thread polite{[&] {
    lower_priority(1);
    count = write_and_count(folder / "polite.db");
  }};
  polite.join();
  CHECK(count == 5000);
}

}  // namespace
}  // namespace troupe::runtime
