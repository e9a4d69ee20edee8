// A shard file after crashes, on full and failing disks, and when it is not what it should be.
#include <filesystem>

#include "runtime/storage/page_checks.hpp"
#include "tests/runtime/storage/shard_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;
using Kind = wire::Row;

namespace {

void check_file_is_corrupt(const Error& error, const std::string& path) {
  CHECK(error.code == Code::data_loss);
  CHECK(error.reason == "SHARD_FILE_CORRUPT");
  CAPTURE(error.message);
  CHECK(error.message.find(path) != std::string::npos);
}

void fill(ShardRig& rig, int entities) {
  BatchMaker batch;
  for (int i = 0; i < entities; ++i)
    batch.state("entity " + std::to_string(i), 1, static_cast<std::uint32_t>(i) % 4096)
        .event("entity " + std::to_string(i), 1, static_cast<std::uint32_t>(i) % 4096);
  rig.apply({batch});
}

}  // namespace

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

TEST_SUITE("shard file that is not what it should be") {
  TEST_CASE("a missing file is made only for a new shard") {
    ShardRig rig;
    const auto missing = rig.try_open(false);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == Code::data_loss);
    CHECK(missing.error().reason == "SHARD_FILE_MISSING");
    CHECK(missing.error().message.find(rig.path()) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(rig.path()));
    rig.open(true);
  }

  TEST_CASE("a new file does not take what a former one left") {
    ShardRig rig;
    rig.open();
    fill(rig, 50);
    rig.close();
    std::filesystem::remove(rig.path());
    rig.open(true);
    CHECK(rig.file().entity_count() == 0);
    CHECK(rig.file().applied().index == 0);
    rig.check_sound();
  }

  TEST_CASE("another shard's file is refused") {
    ShardRig rig;
    rig.open();
    rig.close();
    rig.identity = "test.v1.Things/1";
    const auto error = rig.refusal();
    CHECK(error.code == Code::failed_precondition);
    CHECK(error.reason == "SHARD_FILE_MISMATCH");
    CHECK(error.message.find("test.v1.Things/0") != std::string::npos);
    CHECK(error.message.find("test.v1.Things/1") != std::string::npos);
  }

  TEST_CASE("a file of a newer version is refused") {
    ShardRig rig;
    rig.open();
    rig.close();
    auto bytes = read_file(rig.path());
    bytes[63] = 77;  // user_version
    PageChecks::seal(bytes, 4096);
    write_file(rig.path(), bytes);
    const auto error = rig.refusal();
    CHECK(error.reason == "SCHEMA_TOO_NEW");
    CHECK(error.message.find("version 77") != std::string::npos);
  }

  TEST_CASE("a file that is cut short or overwritten is corrupt and left alone") {
    ShardRig rig;
    rig.open();
    fill(rig, 200);
    REQUIRE(rig.file().checkpoint());
    rig.apply({BatchMaker{}.state("a", 1)});
    rig.close();
    const auto whole = read_file(rig.path());
    const auto wal = read_file(rig.wal());
    for (const std::size_t size : {0ul, 1ul, 511ul}) {
      CAPTURE(size);
      write_file(rig.path(), whole.substr(0, size));
      check_file_is_corrupt(rig.refusal(), rig.path());
      CHECK(std::filesystem::file_size(rig.path()) == size);
      CHECK(read_file(rig.wal()) == wal);
      CHECK_FALSE(rig.try_open(true));  // not for a new shard either
    }
    std::filesystem::remove(rig.wal());
    write_file(rig.path(), std::string(whole.size(), 'x'));
    check_file_is_corrupt(rig.refusal(), rig.path());
  }

  TEST_CASE("rot in the header or the meta row is found at open") {
    ShardRig rig;
    rig.open();
    fill(rig, 50);
    REQUIRE(rig.file().checkpoint());
    rig.close();
    const auto whole = read_file(rig.path());
    for (const std::size_t at : {0ul, 15ul, 17ul, 18ul, 19ul, 21ul, 22ul, 23ul, 59ul, 68ul}) {
      CAPTURE(at);
      rot(rig.path(), at);
      CHECK_FALSE(rig.try_open(false));
      write_file(rig.path(), whole);
    }
    const auto identity = whole.find(rig.identity);
    REQUIRE(identity != std::string::npos);
    rot(rig.path(), identity + 3);
    check_file_is_corrupt(rig.refusal(), rig.path());
  }

  TEST_CASE("a rotten row is not handed out, and is named") {
    ShardRig rig;
    rig.open();
    rig.apply({BatchMaker{}.state("victim", 3).event("victim", 1).reply("victim", "r", 5)});
    REQUIRE(rig.file().checkpoint());
    rig.close();
    const auto whole = read_file(rig.path());
    const auto rot_text = [&](const std::string& text) {
      write_file(rig.path(), whole);
      const auto at = whole.find(text);
      REQUIRE(at != std::string::npos);
      rot(rig.path(), at + 2);
      auto sealed = read_file(rig.path());  // it rotted before its page got a checksum
      PageChecks::seal(sealed, 4096);
      write_file(rig.path(), sealed);
      rig.open(false);
    };
    rot_text("state of victim");
    const auto state = rig.file().load(1, "victim", 10);
    REQUIRE_FALSE(state);
    check_file_is_corrupt(state.error(), rig.path());
    CHECK(state.error().message.find("STATE") != std::string::npos);
    CHECK(rig.file().verify()->size() == 1);
    rig.close();
    rot_text("event 1");
    check_file_is_corrupt(rig.file().events_after(1, "victim", 0, 10).error(), rig.path());
    check_file_is_corrupt(rig.file().events_before(1, "victim", 0, 10).error(), rig.path());
    rig.close();
    rot_text("reply r");
    check_file_is_corrupt(rig.file().reply(1, "victim", "r").error(), rig.path());
  }

  TEST_CASE("rot of any byte of a page is met when the page is read, and the page is named") {
    ShardRig rig;
    rig.open();
    rig.apply({BatchMaker{}.state("victim", 3).reply("victim", "the id", 5)});
    REQUIRE(rig.file().checkpoint());
    rig.close();
    const auto whole = read_file(rig.path());
    // The key of a stored reply, which nobody would miss; then what is around it.
    std::vector<std::size_t> bytes{whole.find("the id")};
    REQUIRE(bytes.front() != std::string::npos);
    const std::size_t page = bytes.front() / 4096;
    for (const std::size_t at : {0, 3, 8, 500, 4087, 4088, 4095}) bytes.push_back(page * 4096 + at);
    for (const std::size_t at : bytes) {
      CAPTURE(at);
      rot(rig.path(), at);
      rig.open(false);
      const auto reply = rig.file().reply(1, "victim", "the id");
      REQUIRE_FALSE(reply);
      check_file_is_corrupt(reply.error(), rig.path());
      CHECK(reply.error().message.find("page " + std::to_string(page + 1)) != std::string::npos);
      rig.close();
      write_file(rig.path(), whole);
    }
    rig.open(false);
    rig.check_sound();
  }

  TEST_CASE("a page that lies where another belongs is met") {
    ShardRig rig;
    rig.open();
    fill(rig, 400);
    REQUIRE(rig.file().checkpoint());
    rig.close();
    auto bytes = read_file(rig.path());
    REQUIRE(bytes.size() > 8 * 4096);
    bytes.replace(6 * 4096, 4096, bytes, 7 * 4096, 4096);
    write_file(rig.path(), bytes);
    rig.open(false);
    CHECK_FALSE(rig.file().verify()->empty());
  }

  TEST_CASE("rot in the write-ahead log is met when it is read, and does not get into the file") {
    ShardRig rig;
    rig.options.page_cache_bytes = 64 << 10;
    rig.open();
    for (std::uint64_t round = 1; round <= 3; ++round) {  // some pages are written twice
      BatchMaker batch;
      for (int i = 0; i < 10000; ++i)
        batch.state("entity " + std::to_string(i * 7919 % 10000), round);
      rig.apply({batch});
    }
    rig.check_sound();
    const auto before = read_file(rig.path());
    const auto wal = read_file(rig.wal());
    const std::size_t frames = (wal.size() - 32) / (24 + 4096);
    REQUIRE(frames > 100);
    for (std::size_t frame = 0; frame < frames; ++frame)
      rot(rig.wal(), 32 + frame * (24 + 4096) + 24 + 2000);
    const auto read = rig.file().load(1, "entity 5000", 10);
    REQUIRE_FALSE(read);
    check_file_is_corrupt(read.error(), rig.path());
    const auto done = rig.file().checkpoint();
    REQUIRE_FALSE(done);
    check_file_is_corrupt(done.error(), rig.path());
    CHECK(read_file(rig.path()) == before);
  }

  TEST_CASE("verify() finds rot in any page that holds something") {
    ShardRig rig;
    rig.open();
    BatchMaker batch;
    for (int i = 0; i < 400; ++i)
      batch.state("entity " + std::to_string(i), 1)
          .reply("entity " + std::to_string(i), "r", 9 + i);
    rig.apply({batch});
    REQUIRE(rig.file().checkpoint());
    rig.close();
    const auto whole = read_file(rig.path());
    int found = 0;
    int pages = 0;
    for (std::size_t page = 1; page * 4096 < whole.size(); ++page) {
      ++pages;
      rot(rig.path(), page * 4096 + 4000);  // cells lie at the end of a page
      const auto opened = rig.try_open(false);
      if (!opened || !rig.file().verify()->empty()) ++found;
      rig.close();
      write_file(rig.path(), whole);
    }
    CHECK(pages > 10);
    CHECK(found == pages);
    rig.open(false);
    rig.check_sound();
  }
}
