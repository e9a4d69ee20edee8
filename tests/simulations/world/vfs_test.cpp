#include <doctest/doctest.h>

#include "tests/seeds.hpp"
#include "tests/simulations/world/support.hpp"

namespace troupe::simulations {
namespace {

// How SQLite is set up, and what a crash may then take.
struct Mode {
  const char* name;
  const char* pragmas;
  bool may_lose_newest;
};

constexpr Mode wal_full{"WAL, synchronous=FULL",
                        "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                        "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=8",
                        false};
constexpr Mode wal_normal{"WAL, synchronous=NORMAL",
                          "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                          "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=8",
                          true};
// EXTRA syncs the folder after a journal is deleted, without which the journal may come back.
constexpr Mode journal_extra{"rollback journal, synchronous=EXTRA",
                             "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA", false};
constexpr Mode journal_full{"rollback journal, synchronous=FULL",
                            "PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL", true};
constexpr Mode unsafe{"rollback journal, synchronous=OFF",
                      "PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF", true};

struct TortureOutcome {
  int lost = 0;          // transactions that were acknowledged and are gone
  bool corrupt = false;  // integrity_check complained
};

std::vector<std::string> checked_rows(runtime::Platform& platform, const Mode& mode,
                                      TortureOutcome& outcome) {
  Sqlite db{platform.disk(), "/data/rows.db"};
  REQUIRE(db.opened == SQLITE_OK);
  try {
    db.query(mode.pragmas);
    outcome.corrupt |= db.query("PRAGMA integrity_check") != std::vector<std::string>{"ok"};
    db.query("CREATE TABLE IF NOT EXISTS rows(id INTEGER PRIMARY KEY, bytes BLOB)");
    return db.query("SELECT id FROM rows ORDER BY id");
  } catch (const std::runtime_error&) {
    outcome.corrupt = true;
    return {};
  }
}

// Writes rows 1, 2, 3 ... of many sizes, one a transaction, with the power cut at a drawn write or
// sync; then looks at what is left, and goes on from there.
TortureOutcome torture(std::uint64_t seed, const Mode& mode) {
  World world{{.seed = seed}};
  auto random = world.random();
  auto& machine = world.add("node-1", bare_process());
  TortureOutcome outcome;
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < 4; ++round) {
    REQUIRE(world.start(machine));
    auto& platform = *machine.platform();
    REQUIRE(platform.disk().create_folders("/data"));
    const auto rows = checked_rows(platform, mode, outcome);
    if (outcome.corrupt) return outcome;
    // Rows are there without a gap; one more than was acknowledged may be.
    for (std::size_t i = 0; i < rows.size(); ++i) REQUIRE(rows[i] == std::to_string(i + 1));
    REQUIRE(rows.size() <= acknowledged + 1);
    if (rows.size() < acknowledged) outcome.lost += static_cast<int>(acknowledged - rows.size());
    acknowledged = rows.size();

    machine.hardware.disk_faults.power_cut_after = random.between(0, 120);
    {
      Sqlite db{platform.disk(), "/data/rows.db"};
      db.run(mode.pragmas);
      while (machine.up()) {
        const auto size = std::to_string(random.between(1, 6000));
        const auto id = std::to_string(acknowledged + 1);
        const auto code = db.run("INSERT INTO rows VALUES(" + id + ", zeroblob(" + size + "))");
        if (code == SQLITE_OK && machine.up()) ++acknowledged;
        if (random.between(0, 9) == 0) db.run("DELETE FROM rows WHERE id < 0; ANALYZE");
      }
    }
    world.crash(machine);
  }
  return outcome;
}

TEST_CASE("SQLite's file is whole after every crash, and nothing acknowledged is lost if synced") {
  for (const auto& mode : {wal_full, wal_normal, journal_extra, journal_full}) {
    CAPTURE(mode.name);
    int lost = 0;
    for (std::uint64_t seed = 1; seed <= tests::seeds(200); ++seed) {
      CAPTURE(seed);
      const auto outcome = torture(seed, mode);
      REQUIRE_FALSE(outcome.corrupt);
      lost += outcome.lost;
    }
    // That some is lost where it may be shows that the disk forgets at all.
    if (mode.may_lose_newest) {
      CHECK(lost > 0);
    } else {
      CHECK(lost == 0);
    }
  }
}

TEST_CASE("without syncs the crashes do corrupt a database") {
  int corrupt = 0;
  for (std::uint64_t seed = 1; seed <= tests::seeds(50); ++seed)
    corrupt += torture(seed, unsafe).corrupt;
  CHECK(corrupt > 0);
}

TEST_CASE("a full disk is SQLITE_FULL, and writing goes on when there is space again") {
  World world{{.seed = 1}};
  auto& machine = world.add("node-1", bare_process());
  REQUIRE(world.start(machine));
  Sqlite db{machine.platform()->disk(), "/rows.db"};
  db.query(wal_full.pragmas);
  db.query("CREATE TABLE rows(bytes BLOB)");
  machine.hardware.disk.quota_bytes = 200'000;
  int rows = 0;
  int code = SQLITE_OK;
  while ((code = db.run("INSERT INTO rows VALUES(zeroblob(5000))")) == SQLITE_OK) ++rows;
  CHECK(code == SQLITE_FULL);
  CHECK(rows > 5);
  CHECK(db.query("SELECT count(*) FROM rows").front() == std::to_string(rows));
  CHECK(machine.hardware.disk.used_bytes() <= 200'000);
  machine.hardware.disk.quota_bytes = 400'000;
  CHECK(db.run("INSERT INTO rows VALUES(zeroblob(5000))") == SQLITE_OK);
  CHECK(db.query("SELECT count(*) FROM rows").front() == std::to_string(rows + 1));
}

TEST_CASE("rot is found by SQLite or seen in the bytes, and a failed sync is an error") {
  World world{{.seed = 1}};
  auto& machine = world.add("node-1", bare_process());
  REQUIRE(world.start(machine));
  Sqlite db{machine.platform()->disk(), "/rows.db"};
  db.query("CREATE TABLE rows(id INTEGER PRIMARY KEY); INSERT INTO rows VALUES(1)");
  CHECK(machine.hardware.disk.rot("/rows.db", 4096, 0xff));
  CHECK_FALSE(machine.hardware.disk.rot("/rows.db", 1 << 20, 0xff));
  CHECK_FALSE(machine.hardware.disk.rot("/none", 0, 0xff));
  {
    Sqlite fresh{machine.platform()->disk(), "/rows.db"};
    CHECK_THROWS(fresh.query("SELECT * FROM rows"));
  }
  Sqlite other{machine.platform()->disk(), "/other.db"};
  other.query("CREATE TABLE rows(id INTEGER PRIMARY KEY)");
  machine.hardware.disk_faults.sync_errors = 1'000'000;
  CHECK(other.run("INSERT INTO rows VALUES(1)") == SQLITE_IOERR_FSYNC);
  machine.hardware.disk_faults = {};
}

TEST_CASE("connections of one node lock each other out as SQLite documents it") {
  World world{{.seed = 1}};
  auto& machine = world.add("node-1", bare_process());
  REQUIRE(world.start(machine));
  auto& disk = machine.platform()->disk();
  Sqlite one{disk, "/rows.db"};
  Sqlite two{disk, "/rows.db"};
  one.query("CREATE TABLE rows(id INTEGER PRIMARY KEY)");
  REQUIRE(one.run("BEGIN IMMEDIATE; INSERT INTO rows VALUES(1)") == SQLITE_OK);
  CHECK(two.query("SELECT count(*) FROM rows").front() == "0");
  CHECK(two.run("BEGIN IMMEDIATE") == SQLITE_BUSY);
  REQUIRE(two.run("BEGIN; SELECT * FROM rows") == SQLITE_OK);
  CHECK(one.run("COMMIT") == SQLITE_BUSY);  // the reader is in the way
  CHECK(two.run("COMMIT") == SQLITE_OK);
  CHECK(one.run("COMMIT") == SQLITE_OK);
  CHECK(two.query("SELECT count(*) FROM rows").front() == "1");
  one.query("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL");
  CHECK(two.run("SELECT * FROM rows") == SQLITE_BUSY);
}

TEST_CASE("SQLite's time and random numbers are the world's") {
  const auto draw = [](std::uint64_t seed) {
    World world{{.seed = seed}};
    auto& machine = world.add("node-1", bare_process());
    REQUIRE(world.start(machine));
    world.run_for(90s);
    Sqlite db{machine.platform()->disk(), "/rows.db"};
    CHECK(db.query("SELECT datetime('now')").front() == "2026-01-01 00:01:30");
    return db.query("SELECT random()").front();
  };
  CHECK(draw(1) == draw(1));
  CHECK(draw(1) != draw(2));
}

}  // namespace
}  // namespace troupe::simulations
