// A shard file after crashes, on full and failing disks.
#include <filesystem>

#include "tests/runtime/storage/shard_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;
using Kind = wire::Row;

TEST_SUITE("shard file and crashes") {
  TEST_CASE("a killed process loses nothing that was applied") {
    ShardRig rig;
    rig.open();
    fill(rig, 500);
    rig.apply({BatchMaker{}.state("a", 2)});
    TemporaryFolder elsewhere;
    const auto copy = elsewhere / "shard.db";
    std::filesystem::copy(rig.path(), copy);
    std::filesystem::copy(rig.wal(), copy + "-wal");
    const auto reopened = ShardFile::open(rig.disk(), copy, rig.identity, false, {});
    REQUIRE(reopened);
    CHECK((*reopened)->applied() == rig.file().applied());
    CHECK((*reopened)->entity_count() == 501);
    CHECK((*reopened)->load(1, "a", 0)->state->version() == 2);
    CHECK((*reopened)->verify()->empty());
  }

  TEST_CASE(
      "a lost tail of the WAL leaves an earlier state as a whole, and the log brings it back") {
    ShardRig rig;
    rig.open();
    for (std::uint64_t i = 1; i <= 40; ++i)
      rig.apply({BatchMaker{static_cast<std::int64_t>(i)}.state("a", i).event("a", i)});
    const auto chain = rig.file().applied();
    rig.close();
    const auto wal = read_file(rig.wal());
    LogIndex least = 40;
    for (std::size_t kept = wal.size(); kept > 4096; kept -= std::min<std::size_t>(kept, 9000)) {
      CAPTURE(kept);
      write_file(rig.wal(), wal.substr(0, kept));
      rig.open(false);
      const auto applied = rig.file().applied().index;
      CHECK(applied <= least);
      least = applied;
      CHECK(rig.version("a") == applied);
      rig.check_sound();
      for (auto i = applied + 1; i <= 40; ++i)
        rig.apply({BatchMaker{static_cast<std::int64_t>(i)}.state("a", i).event("a", i)});
      CHECK(rig.file().applied() == chain);
      rig.close();
      std::filesystem::remove(rig.wal());  // all content is in the WAL: back to the new file
      write_file(rig.wal(), wal);
    }
    CHECK(least < 5);
  }

  TEST_CASE("what checkpoint() returned does not depend on the WAL any more") {
    ShardRig rig;
    rig.open();
    fill(rig, 300);
    CHECK(rig.file().wal_bytes() > 0);
    const auto checkpointed = rig.file().checkpoint();
    REQUIRE(checkpointed);
    CHECK(*checkpointed == rig.file().applied());
    CHECK(rig.file().wal_bytes() == 0);
    rig.apply({BatchMaker{}.state("later", 1)});
    rig.close();
    std::filesystem::remove(rig.wal());
    rig.open(false);
    CHECK(rig.file().applied() == *checkpointed);
    CHECK(rig.file().entity_count() == 300);
    rig.check_sound();
  }

  TEST_CASE("the WAL does not grow for ever") {
    ShardRig rig;
    rig.open();
    fill(rig, 300);
    const auto once = std::filesystem::file_size(rig.wal());
    for (int round = 0; round < 20; ++round) {
      REQUIRE(rig.file().checkpoint());
      fill(rig, 300);
    }
    CHECK(std::filesystem::file_size(rig.wal()) <= once);
    CHECK(rig.file().entity_count() == 300);
  }

  TEST_CASE("no sync between checkpoints but that of the WAL's header") {
    ShardRig rig;
    rig.open();
    rig.apply({BatchMaker{}.state("a", 1)});
    const auto before = rig.faults().syncs.load();
    for (std::uint64_t i = 2; i < 30; ++i) rig.apply({BatchMaker{}.state("a", i)});
    CHECK(rig.faults().syncs.load() == before);
    REQUIRE(rig.file().checkpoint());
    CHECK(rig.faults().syncs.load() >= before + 2);
  }

  TEST_CASE("the state of an entity costs one write however often it changes") {
    const auto wal_bytes = [](int changes) {
      ShardRig rig;
      rig.open();
      std::vector<BatchMaker> batches;
      for (int i = 1; i <= changes; ++i)
        batches.push_back(BatchMaker{}.state("a", static_cast<std::uint64_t>(i)));
      rig.apply(batches);
      CHECK(rig.version("a") == static_cast<std::uint64_t>(changes));
      return rig.file().wal_bytes();
    };
    CHECK(wal_bytes(1) == wal_bytes(5000));
  }

  TEST_CASE("on a full disk nothing is applied, reads go on, and it can be tried again") {
    ShardRig rig;
    rig.open();
    fill(rig, 10);
    const auto before = rig.file().applied();
    rig.faults().space = 10'000;
    BatchMaker large;
    for (int i = 0; i < 1000; ++i) large.state("large " + std::to_string(i), 1);
    const auto refused = rig.try_apply({large});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Code::resource_exhausted);
    CHECK(refused.error().reason == "DISK_FULL");
    CHECK(rig.file().applied() == before);
    CHECK(rig.file().entity_count() == 10);
    CHECK(rig.version("entity 1") == 1);
    CHECK(rig.version("large 1") == 0);
    rig.faults().space = 10 << 20;
    rig.apply({large});
    CHECK(rig.file().entity_count() == 1010);
    rig.faults().space = 0;
    const auto checkpoint = rig.file().checkpoint();
    REQUIRE_FALSE(checkpoint);
    CHECK(checkpoint.error().reason == "DISK_FULL");
    rig.faults().space = 10 << 20;
    REQUIRE(rig.file().checkpoint());
    rig.reopen();
    CHECK(rig.file().entity_count() == 1010);
    rig.check_sound();
  }

  TEST_CASE("a failed write is said to be one") {
    ShardRig rig;
    rig.open();
    fill(rig, 10);
    rig.faults().writes_fail = true;
    const auto failed = rig.try_apply({BatchMaker{}.state("a", 1)});
    REQUIRE_FALSE(failed);
    CHECK(failed.error().reason == "DISK_IO");
    rig.faults().writes_fail = false;
  }

  TEST_CASE("a failed sync of a checkpoint is said to be one") {
    ShardRig rig;
    rig.open();
    fill(rig, 10);
    rig.faults().syncs_fail = true;
    const auto failed = rig.file().checkpoint();
    REQUIRE_FALSE(failed);
    CHECK(failed.error().reason == "DISK_IO");
    rig.faults().syncs_fail = false;
  }
}
