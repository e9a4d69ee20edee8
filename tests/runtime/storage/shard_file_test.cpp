#include "runtime/storage/shard_file.hpp"

#include <map>
#include <random>

#include "tests/runtime/storage/shard_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;
using Kind = wire::Row;

namespace {

std::vector<std::uint64_t> sequences(const Result<std::vector<ShardFile::Event>>& events) {
  REQUIRE(events);
  std::vector<std::uint64_t> numbers;
  for (const auto& event : *events) numbers.push_back(event.sequence);
  return numbers;
}

}  // namespace

TEST_SUITE("shard file") {
  TEST_CASE("a new file holds nothing") {
    ShardRig rig;
    rig.open();
    CHECK(rig.file().applied() == ShardFile::Applied{});
    CHECK(rig.file().entity_count() == 0);
    CHECK_FALSE(rig.file().load(1, "a", 10)->state.has_value());
    rig.check_sound();
  }

  TEST_CASE("a copy is a shard file of its own, with the rows of the WAL, too") {
    ShardRig rig;
    rig.open();
    for (int i = 0; i < 200; ++i)
      rig.apply({BatchMaker{5}.state("a" + std::to_string(i), 1).event("a", 1)});
    REQUIRE(rig.file().checkpoint());
    rig.apply({BatchMaker{7}.state("b", 1)});
    const std::string path = rig.path() + ".copy";
    for (int again = 0; again < 2; ++again) {  // over an earlier one, too
      const auto copied = rig.file().copy_to(path);
      REQUIRE(copied);
      CHECK(*copied == rig.file().applied());
      rig.apply({BatchMaker{8}.state("c" + std::to_string(again), 1)});  // not in the copy
      const auto copy = ShardFile::open(rig.disk(), path, rig.identity, false, {});
      REQUIRE_MESSAGE(copy, (copy ? "" : copy.error().describe()));
      CHECK((*copy)->applied() == *copied);
      CHECK((*copy)->entity_count() == 201u + static_cast<unsigned>(again));
      const auto faults = (*copy)->verify();
      REQUIRE(faults);
      CHECK(faults->empty());
    }
  }

  TEST_CASE("a copy is looked at as a whole, and stays as it is") {
    ShardRig rig;
    rig.open();
    for (int i = 0; i < 50; ++i)
      rig.apply({BatchMaker{i}.state("a" + std::to_string(i), 1).event("a", 1)});
    const std::string path = rig.path() + "?50%#.copy";  // what a name may hold
    REQUIRE(rig.file().copy_to(path));
    const auto before = rig.disk().read(path);
    const auto found = ShardFile::inspect(rig.disk(), path, rig.identity);
    REQUIRE_MESSAGE(found, (found ? "" : found.error().describe()));
    CHECK(found->applied == rig.file().applied());
    CHECK(found->entities == 50);
    CHECK(found->findings.empty());
    CHECK(*rig.disk().read(path) == *before);
    CHECK_FALSE(*rig.disk().exists(path + "-wal"));

    const auto other = ShardFile::inspect(rig.disk(), path, "test.v1.Things/1");
    REQUIRE_FALSE(other);
    CHECK(other.error().reason == "SHARD_FILE_MISMATCH");
    auto rotten = *before;
    rotten[rotten.find("state of a17")] ^= 1;
    REQUIRE(rig.disk().write(path, rotten));
    const auto rot = ShardFile::inspect(rig.disk(), path, rig.identity);
    REQUIRE(rot);
    CHECK_FALSE(rot->findings.empty());
    REQUIRE(rig.disk().write(path, before->substr(0, 100)));
    const auto cut = ShardFile::inspect(rig.disk(), path, rig.identity);
    REQUIRE_FALSE(cut);
    CHECK(cut.error().reason == "SHARD_FILE_CORRUPT");
  }

  TEST_CASE("rows that were applied are read back, and again after a restart") {
    ShardRig rig;
    rig.open();
    rig.apply({BatchMaker{5}.state("a", 1).event("a", 1).reply("a", "r1", 100),
               BatchMaker{7}.state("b", 1, 2)});
    for (int life = 0; life < 2; ++life) {
      CAPTURE(life);
      CHECK(rig.version("a") == 1);
      CHECK(rig.version("b", 2) == 1);
      CHECK(rig.version("b", 1) == 0);
      CHECK(rig.file().entity_count() == 2);
      const auto loaded = rig.file().load(1, "a", 10);
      REQUIRE(loaded);
      CHECK(loaded->state->state() == "state of a");
      CHECK(loaded->replies == std::vector<std::string>{"r1"});
      CHECK(loaded->replies_complete);
      CHECK((*rig.file().reply(1, "a", "r1"))->reply() == "reply r1");
      CHECK_FALSE(rig.file().reply(1, "a", "r2")->has_value());
      CHECK(rig.file().applied().index == 2);
      CHECK(rig.file().applied().term == 1);
      CHECK(rig.file().applied().time_ms == 7);
      CHECK(rig.file().applied().chain != 0);
      rig.check_sound();
      rig.reopen();
    }
  }

  TEST_CASE("entries that are applied already are skipped, a gap is refused") {
    ShardRig rig;
    rig.open();
    const auto one = BatchMaker{}.state("a", 1).bytes();
    const auto two = BatchMaker{}.state("a", 2).bytes();
    REQUIRE(rig.file().apply({{1, 1, one}, {2, 1, two}}));
    const auto applied = rig.file().applied();
    REQUIRE(rig.file().apply({{1, 1, one}, {2, 1, two}}));
    CHECK(rig.file().applied() == applied);
    CHECK(rig.version("a") == 2);
    const auto gap = rig.file().apply({{4, 1, one}});
    REQUIRE_FALSE(gap);
    CHECK(gap.error().reason == "SHARD_FILE_GAP");
    CHECK(gap.error().code == Code::internal);
    CHECK(rig.file().applied() == applied);
  }

  TEST_CASE("an entry without rows moves the index and nothing else") {
    ShardRig rig;
    rig.open();
    rig.apply({BatchMaker{9}.state("a", 1)});
    const auto before = rig.file().applied();
    REQUIRE(rig.file().apply({{2, 3, nullptr}, {3, 4, std::make_shared<const std::string>()}}));
    const auto after = rig.file().applied();
    CHECK(after.index == 3);
    CHECK(after.term == 4);
    CHECK(after.time_ms == before.time_ms);
    CHECK(after.chain == before.chain);
    rig.reopen();
    CHECK(rig.file().applied() == after);
  }

  TEST_CASE("bytes that are no batch are refused as a whole") {
    ShardRig rig;
    rig.open();
    const auto bad = rig.file().apply({{1, 1, BatchMaker{}.state("a", 1).bytes()},
                                       {2, 1, std::make_shared<const std::string>("\xff\xff")}});
    REQUIRE_FALSE(bad);
    CHECK(bad.error().reason == "BAD_BATCH");
    CHECK(bad.error().message.find("entry 2") != std::string::npos);
    CHECK(rig.file().applied().index == 0);
    CHECK(rig.version("a") == 0);
    CHECK_FALSE(rig.try_apply({BatchMaker{}.state("a", 1, 4096)}));
  }

  TEST_CASE("the last of several changes of a row counts") {
    ShardRig rig;
    rig.open();
    rig.apply({BatchMaker{}.state("a", 1).state("a", 2), BatchMaker{}.state("a", 3).event("a", 1),
               BatchMaker{}.event("a", 2).remove("a", Kind::EVENT, event_sub(1))});
    CHECK(rig.version("a") == 3);
    CHECK(sequences(rig.file().events_after(1, "a", 0, 10)) == std::vector<std::uint64_t>{2});
    rig.apply({BatchMaker{}.remove("a", Kind::STATE, "").state("a", 4)});
    CHECK(rig.version("a") == 4);
    CHECK(rig.file().entity_count() == 1);
    rig.apply({BatchMaker{}.state("a", 5).remove("a", Kind::STATE, "")});
    CHECK(rig.file().entity_count() == 0);
    rig.check_sound();
  }

  TEST_CASE("deleting an entity takes its state, events and timers, and leaves its replies") {
    ShardRig rig;
    rig.open();
    const auto fill = [](BatchMaker& batch) -> BatchMaker& {
      return batch.state("a", 1)
          .event("a", 1)
          .event("a", 2)
          .reply("a", "r", 50)
          .put(1, "a", Kind::TIMER, "t", "x", 60);
    };
    BatchMaker filled;
    fill(filled);
    SUBCASE("in a later transaction") {
      rig.apply({filled});
      rig.apply({BatchMaker{}.remove_entity("a")});
    }
    SUBCASE("in the same batch") {
      filled.remove_entity("a");
      rig.apply({filled});
    }
    CHECK(rig.version("a") == 0);
    CHECK(rig.file().entity_count() == 0);
    CHECK(sequences(rig.file().events_after(1, "a", 0, 10)).empty());
    CHECK(rig.file().load(1, "a", 10)->replies == std::vector<std::string>{"r"});
    REQUIRE(rig.file().due(1000, 10)->size() == 1);
    CHECK(rig.file().due(1000, 10)->front().kind == Kind::REPLY);
    rig.check_sound();
  }

  TEST_CASE("an entity that is deleted and made again holds only what came after") {
    ShardRig rig;
    rig.open();
    rig.apply({BatchMaker{}.state("a", 7).event("a", 1).event("a", 2)});
    rig.apply({BatchMaker{}
                   .state("a", 8)
                   .event("a", 3)
                   .remove_entity("a")
                   .state("a", 1)
                   .event("a", 1)
                   .reply("a", "late", 9)});
    CHECK(rig.version("a") == 1);
    CHECK(rig.file().entity_count() == 1);
    CHECK(sequences(rig.file().events_after(1, "a", 0, 10)) == std::vector<std::uint64_t>{1});
    CHECK(rig.file().load(1, "a", 10)->replies == std::vector<std::string>{"late"});
    rig.check_sound();
  }

  TEST_CASE("entities whose keys begin alike do not mix") {
    ShardRig rig;
    rig.open();
    const std::string zero{"a\0", 2};
    rig.apply(
        {BatchMaker{}.state("a", 1).state("ab", 2).state(zero, 3).state("", 4).state("a", 5, 2)});
    rig.apply({BatchMaker{}.remove_entity("a")});
    CHECK(rig.version("a") == 0);
    CHECK(rig.version("ab") == 2);
    CHECK(rig.version(zero) == 3);
    CHECK(rig.version("") == 4);
    CHECK(rig.version("a", 2) == 5);
    CHECK(rig.file().entity_count() == 4);
  }

  TEST_CASE("events come in order, in pages from either end") {
    ShardRig rig;
    rig.open();
    BatchMaker batch;
    for (std::uint64_t i = 1; i <= 300; ++i) batch.event("a", i);
    rig.apply({batch.event("b", 1)});
    using List = std::vector<std::uint64_t>;
    auto& file = rig.file();
    CHECK(sequences(file.events_after(1, "a", 0, 3)) == List{1, 2, 3});
    CHECK(sequences(file.events_after(1, "a", 254, 3)) == List{255, 256, 257});
    CHECK(sequences(file.events_after(1, "a", 299, 3)) == List{300});
    CHECK(sequences(file.events_after(1, "a", 300, 3)).empty());
    CHECK(sequences(file.events_before(1, "a", 0, 2)) == List{300, 299});
    CHECK(sequences(file.events_before(1, "a", 257, 3)) == List{256, 255, 254});
    CHECK(sequences(file.events_before(1, "a", 1, 3)).empty());
    const auto event = file.events_after(1, "a", 41, 1);
    CHECK(event->front().event.event() == "event 42");
    CHECK(event->front().event.time_ms() == 420);
  }

  TEST_CASE("of many replies some are loaded, and it is said that there are more") {
    ShardRig rig;
    rig.open();
    BatchMaker batch;
    for (int i = 0; i < 20; ++i) batch.reply("a", "r" + std::to_string(100 - i), 1000 + i);
    rig.apply({batch});
    const auto some = rig.file().load(1, "a", 3);
    CHECK(some->replies.size() == 3);
    CHECK_FALSE(some->replies_complete);
    CHECK(rig.file().load(1, "a", 20)->replies_complete);
    CHECK(rig.file().load(1, "a", 20)->replies.size() == 20);
    CHECK_FALSE(rig.file().load(1, "a", 0)->replies_complete);
  }

  TEST_CASE("rows are due from their time on, oldest first") {
    ShardRig rig;
    rig.open();
    rig.apply({BatchMaker{}
                   .reply("a", "late", 300)
                   .reply("b", "early", 100, 9)
                   .put(3, "c", Kind::TIMER, "t", "x", 200)
                   .state("d", 1)});
    CHECK(rig.file().due(99, 10)->empty());
    const auto due = rig.file().due(200, 10);
    REQUIRE(due->size() == 2);
    CHECK(due->front().due_ms == 100);
    CHECK(due->front().bucket == 9);
    CHECK(due->front().entity == "b");
    CHECK(due->front().kind == Kind::REPLY);
    CHECK(due->front().sub == "early");
    CHECK(due->back().kind == Kind::TIMER);
    CHECK(rig.file().due(1000, 1)->size() == 1);
    rig.apply({BatchMaker{}
                   .remove("b", Kind::REPLY, "early", 9)
                   .put(3, "c", Kind::TIMER, "t", "x", 400)});
    CHECK(rig.file().due(300, 10)->size() == 1);
    CHECK(rig.file().due(300, 10)->front().sub == "late");
    rig.check_sound();
  }

  TEST_CASE("the content is the same however entries are split into transactions") {
    std::mt19937 random{7};
    std::vector<BatchMaker> batches;
    for (int i = 0; i < 300; ++i) {
      BatchMaker batch{i};
      for (int j = 0; j < 5; ++j) {
        const auto entity = "e" + std::to_string(random() % 20);
        const auto bucket = static_cast<std::uint32_t>(random() % 3);
        switch (random() % 6) {
          case 0:
          case 1:
            batch.state(entity, random() % 100 + 1, bucket);
            break;
          case 2:
            batch.event(entity, random() % 10 + 1, bucket);
            break;
          case 3:
            batch.reply(entity, "r" + std::to_string(random() % 4), random() % 9, bucket);
            break;
          case 4:
            batch.remove(entity, Kind::EVENT, event_sub(random() % 10 + 1), bucket);
            break;
          case 5:
            batch.remove_entity(entity, bucket);
            break;
        }
      }
      batches.push_back(batch);
    }
    ShardRig one_by_one;
    one_by_one.open();
    for (const auto& batch : batches) one_by_one.apply({batch});
    ShardRig together;
    together.open();
    together.apply(batches);
    CHECK(one_by_one.file().applied() == together.file().applied());
    CHECK(one_by_one.file().entity_count() == together.file().entity_count());
    for (Bucket bucket = 0; bucket < 3; ++bucket) {
      for (int i = 0; i < 20; ++i) {
        const auto entity = "e" + std::to_string(i);
        CHECK(one_by_one.version(entity, bucket) == together.version(entity, bucket));
        CHECK(sequences(one_by_one.file().events_after(bucket, entity, 0, 100)) ==
              sequences(together.file().events_after(bucket, entity, 0, 100)));
        CHECK(one_by_one.file().load(bucket, entity, 100)->replies ==
              together.file().load(bucket, entity, 100)->replies);
      }
    }
    one_by_one.check_sound();
    together.check_sound();
  }

  TEST_CASE("the chain tells histories apart") {
    const auto chain = [](const std::vector<BatchMaker>& batches) {
      ShardRig rig;
      rig.open();
      rig.apply(batches);
      return rig.file().applied().chain;
    };
    const auto a = BatchMaker{}.state("a", 1);
    const auto b = BatchMaker{}.state("b", 1);
    CHECK(chain({a, b}) == chain({a, b}));
    CHECK(chain({a, b}) != chain({b, a}));
    CHECK(chain({a}) != chain({a, a}));
  }
}
