// A shard file that is not what it should be: of another shard or version, cut short, rotten.
#include <filesystem>
#include <random>

#include "runtime/storage/page_checks.hpp"
#include "tests/runtime/storage/shard_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

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
      Error met;
      if (const auto opened = rig.try_open(false); opened) {
        const auto reply = rig.file().reply(1, "victim", "the id");
        REQUIRE_FALSE(reply);
        met = reply.error();
      } else {
        met = opened.error();
      }
      check_file_is_corrupt(met, rig.path());
      CHECK(met.message.find("page " + std::to_string(page + 1)) != std::string::npos);
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

  TEST_CASE("a transaction that is larger than the cache meets no rot that is not there") {
    ShardRig rig;
    rig.options.page_cache_bytes = 64 << 10;
    rig.open();
    std::mt19937 random{5};
    std::uint64_t version = 0;
    for (int round = 0; round < 8; ++round) {
      // Keys near each other and far apart: pages come back into the cache soon, late or never.
      std::vector<BatchMaker> batches;
      for (int i = 0; i < 60; ++i) {
        BatchMaker batch;
        const auto base = random() % 3000;
        ++version;
        for (int k = 0; k < 40; ++k)
          batch.reply("entity " + std::to_string((base + random() % (i % 2 ? 20 : 3000)) % 3000),
                      std::to_string(random() % 4), 9);
        batches.push_back(batch.state("entity " + std::to_string(base), version));
      }
      const auto applied = rig.try_apply(batches);
      REQUIRE_MESSAGE(applied, (applied ? "" : applied.error().describe()));
    }
    rig.check_sound();
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
