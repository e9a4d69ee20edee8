#include "runtime/storage/sqlite.hpp"

#include "runtime/storage/schema.hpp"
#include "tests/runtime/storage/rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

const Schema& schema_one() {
  static const Schema schema{"test file", 1234, {"CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)"}};
  return schema;
}

const Schema& schema_two() {
  static const Schema schema{"test file",
                             1234,
                             {"CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)",
                              "ALTER TABLE t ADD COLUMN c INTEGER NOT NULL DEFAULT 7;"
                              "CREATE TABLE u(x INTEGER)"}};
  return schema;
}

class DatabaseRig {
 public:
  explicit DatabaseRig(const Schema& schema = schema_one()) {
    const auto image = new_database(schema);
    REQUIRE(image);
    REQUIRE(disk.write(path(), *image));
  }
  std::string path() const { return folder / "x.db"; }
  Result<void> try_open() {
    database.reset();
    auto opened = Database::open(disk, path(), options);
    if (!opened) return std::move(opened).error();
    database = *std::move(opened);
    return {};
  }
  Database& open() {
    const auto opened = try_open();
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().describe()));
    return *database;
  }
  std::int64_t query(const std::string& sql) {
    const auto value = database->query_integer(sql);
    REQUIRE(value);
    return *value;
  }
  Result<void> insert(std::int64_t a, std::string_view b) {
    const auto insert = database->statement("INSERT INTO t(a,b) VALUES(?1,?2)");
    REQUIRE(insert);
    return (*insert)->bind(a, b).run();
  }

  TemporaryFolder folder;
  FaultDisk disk;
  Database::Options options;
  std::unique_ptr<Database> database;
};

}  // namespace

TEST_SUITE("SQLite") {
  TEST_CASE("a connection has its file for itself, in WAL mode") {
    DatabaseRig rig;
    auto& database = rig.open();
    const auto mode = database.statement("PRAGMA locking_mode");
    REQUIRE(mode);
    REQUIRE((*mode)->next());
    CHECK((*mode)->blob(0) == "exclusive");
    (*mode)->reset();
    CHECK(rig.query("PRAGMA synchronous") == 2);
    CHECK(rig.query("PRAGMA wal_autocheckpoint") == 0);
    REQUIRE(rig.insert(1, "x"));
    CHECK_FALSE(std::filesystem::exists(rig.path() + "-shm"));
    const auto second = Database::open(rig.disk, rig.path(), {});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == Code::failed_precondition);
    CHECK(second.error().reason == "FOLDER_IN_USE");
    CHECK(second.error().message.find(rig.path()) != std::string::npos);
  }

  TEST_CASE("what is bound comes back") {
    DatabaseRig rig;
    auto& database = rig.open();
    const std::string bytes{"a\0b", 3};
    REQUIRE(rig.insert(INT64_MAX, bytes));
    REQUIRE(rig.insert(INT64_MIN, ""));
    REQUIRE((*database.statement("INSERT INTO t(a,b) VALUES(?1,?2)"))->bind(0, nullptr).run());
    const auto select = *database.statement("SELECT a,b FROM t ORDER BY a");
    const StatementGuard guard{*select};
    REQUIRE(*select->bind().next());
    CHECK(select->integer(0) == INT64_MIN);
    CHECK_FALSE(select->is_null(1));
    CHECK(select->blob(1).empty());
    REQUIRE(*select->next());
    CHECK(select->is_null(1));
    REQUIRE(*select->next());
    CHECK(select->integer(0) == INT64_MAX);
    CHECK(select->blob(1) == bytes);
    CHECK_FALSE(*select->next());
  }

  TEST_CASE("a statement is prepared once") {
    DatabaseRig rig;
    auto& database = rig.open();
    const auto first = database.statement("SELECT 1");
    CHECK(*first == *database.statement("SELECT 1"));
    CHECK(*first != *database.statement("SELECT 2"));
    CHECK(database.statement("SELECT nothing FROM nowhere").error().reason == "SQLITE_MISUSE");
    CHECK((*first)->run().error().reason == "SQLITE_MISUSE");  // its row would be lost
  }

  TEST_CASE("a transaction counts as a whole or not at all") {
    DatabaseRig rig;
    auto& database = rig.open();
    REQUIRE(database.begin());
    REQUIRE(rig.insert(1, "x"));
    database.rollback();
    CHECK(rig.query("SELECT count(*) FROM t") == 0);
    REQUIRE(database.begin());
    REQUIRE(rig.insert(1, "x"));
    REQUIRE(rig.insert(2, "x"));
    REQUIRE(database.commit());
    rig.open();
    CHECK(rig.query("SELECT count(*) FROM t") == 2);
  }

  TEST_CASE("nothing is checkpointed but by checkpoint()") {
    DatabaseRig rig;
    auto& database = rig.open();
    const auto before = read_file(rig.path());
    for (int i = 0; i < 200; ++i) REQUIRE(rig.insert(i, std::string(100, 'x')));
    CHECK(database.wal_bytes() > 200 * 4096);
    const auto wal_bytes = database.wal_bytes();
    rig.open();
    CHECK(read_file(rig.path()) == before);
    CHECK(rig.database->wal_bytes() == wal_bytes);
    REQUIRE(rig.database->checkpoint());
    CHECK(rig.database->wal_bytes() == 0);
    CHECK(read_file(rig.path()) != before);
    REQUIRE(rig.insert(9000, "x"));
    CHECK(rig.database->wal_bytes() > 0);
    rig.open();
    CHECK(rig.query("SELECT count(*) FROM t") == 201);
    REQUIRE(rig.database->checkpoint());
    rig.open();
    CHECK(rig.database->wal_bytes() == 0);
  }

  TEST_CASE("a checkpointed WAL is written over, and its old frames mean nothing") {
    DatabaseRig rig;
    rig.open();
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 50; ++i) REQUIRE(rig.insert(round * 100 + i, std::string(200, 'x')));
      const auto size = std::filesystem::file_size(rig.path() + "-wal");
      REQUIRE(rig.database->checkpoint());
      CHECK(std::filesystem::file_size(rig.path() + "-wal") == size);
      rot(rig.path() + "-wal", 5000);
      REQUIRE(rig.insert(round * 100 + 50, "y"));
      rig.open();
      CHECK(rig.query("SELECT count(*) FROM t") == (round + 1) * 51);
      REQUIRE(rig.database->checkpoint());
      rot(rig.path() + "-wal", 5000);
      rig.open();
      CHECK(rig.query("SELECT count(*) FROM t") == (round + 1) * 51);
    }
  }

  TEST_CASE("a commit is synced, or is not, as asked") {
    DatabaseRig rig;
    SUBCASE("at every commit") {
      rig.options.sync = Database::Sync::every_commit;
    }
    SUBCASE("at checkpoints") {
      rig.options.sync = Database::Sync::checkpoints;
    }
    rig.open();
    REQUIRE(rig.insert(0, "x"));  // the first one syncs the WAL's header
    const auto before = rig.disk.faults().syncs.load();
    for (int i = 1; i <= 5; ++i) REQUIRE(rig.insert(i, "x"));
    const auto syncs = rig.disk.faults().syncs.load() - before;
    CHECK(syncs == (rig.options.sync == Database::Sync::every_commit ? 5 : 0));
  }

  TEST_CASE("a full disk is an error that passes") {
    DatabaseRig rig;
    auto& database = rig.open();
    REQUIRE(rig.insert(1, "x"));
    rig.disk.faults().space = 1000;
    REQUIRE(database.begin());
    REQUIRE(rig.insert(2, std::string(100'000, 'x')));
    const auto full = database.commit();
    REQUIRE_FALSE(full);
    CHECK(is_disk_full(full.error()));
    rig.disk.faults().space = 1 << 20;
    REQUIRE(rig.insert(2, "y"));
    rig.open();
    CHECK(rig.query("SELECT count(*) FROM t") == 2);
    CHECK(rig.query("SELECT length(b) FROM t WHERE a=2") == 1);
  }

  TEST_CASE("failures of the disk are of the kind that stops a node") {
    DatabaseRig rig;
    rig.open();
    rig.disk.faults().syncs_fail = true;
    CHECK(rig.insert(1, "x").error().reason == "DISK_IO");
    rig.disk.faults().syncs_fail = false;
    rig.disk.faults().writes_fail = true;
    CHECK(rig.insert(2, "x").error().reason == "DISK_IO");
    rig.disk.faults().writes_fail = false;
    rig.disk.faults().reads_fail = true;
    CHECK(rig.try_open().error().reason == "DISK_IO");
    rig.disk.faults().reads_fail = false;
  }

  TEST_CASE("what is no database is data loss, and what is none of ours, too") {
    DatabaseRig rig;
    rig.options.corrupt_reason = "THIS_IS_ROTTEN";
    write_file(rig.path(), std::string(8192, 'x'));
    const auto error = rig.try_open().error();
    CHECK(error.code == Code::data_loss);
    CHECK(error.reason == "THIS_IS_ROTTEN");
    CHECK(error.message.find(rig.path()) != std::string::npos);

    DatabaseRig rollback_mode;
    auto bytes = read_file(rollback_mode.path());
    bytes[18] = bytes[19] = 1;
    write_file(rollback_mode.path(), bytes);
    CHECK(rollback_mode.try_open().error().code == Code::data_loss);
    CHECK(read_file(rollback_mode.path()) == bytes);
  }

  TEST_CASE("a file that may not be written is refused at once") {
    DatabaseRig rig;
    auto bytes = read_file(rig.path());
    bytes[18] = 3;  // only a newer SQLite may write it: rot, for us
    write_file(rig.path(), bytes);
    CHECK(rig.try_open().error().code == Code::data_loss);
  }

  TEST_CASE("a file that is not there is not made") {
    TemporaryFolder folder;
    FaultDisk disk;
    CHECK_FALSE(Database::open(disk, folder / "none.db", {}));
    CHECK_FALSE(std::filesystem::exists(folder / "none.db"));
  }

  TEST_CASE("an older file grows to our version and keeps its rows") {
    DatabaseRig rig{schema_one()};
    rig.open();
    REQUIRE(rig.insert(1, "x"));
    REQUIRE(migrate(*rig.database, schema_one(), "ROTTEN"));
    REQUIRE(migrate(*rig.database, schema_two(), "ROTTEN"));
    CHECK(rig.query("PRAGMA user_version") == 2);
    CHECK(rig.query("SELECT c FROM t WHERE a=1") == 7);
    rig.open();
    REQUIRE(migrate(*rig.database, schema_two(), "ROTTEN"));
    CHECK(rig.query("SELECT count(*) FROM u") == 0);
  }

  TEST_CASE("a newer file is refused") {
    DatabaseRig rig{schema_two()};
    rig.open();
    const auto refused = migrate(*rig.database, schema_one(), "ROTTEN");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code::failed_precondition);
    CHECK(refused.error().reason == "SCHEMA_TOO_NEW");
    CHECK(refused.error().message.find("version 2") != std::string::npos);
    CHECK(refused.error().message.find("up to 1") != std::string::npos);
    CHECK(rig.query("PRAGMA user_version") == 2);
  }

  TEST_CASE("a file of another kind is refused") {
    DatabaseRig rig;
    rig.open();
    auto other = schema_one();
    other.application_id = 99;
    CHECK(migrate(*rig.database, other, "ROTTEN").error().reason == "ROTTEN");
  }
}
