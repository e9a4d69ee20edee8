// Rows of some buckets become another shard's file.
#include "tests/runtime/storage/shard_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

constexpr const char* fresh_name = "test.v1.Things/4";

wire::ShardRange range_with_split() {
  wire::ShardRange range;
  range.set_first(0);
  range.set_end(1000);
  wire::ShardSplit& split = *range.mutable_split();
  split.set_shard(4);
  split.set_first(500);
  split.set_end(1000);
  split.set_time_ms(77);
  split.set_index(9);
  return range;
}

BatchMaker range_batch(const wire::ShardRange& range) {
  return BatchMaker{70}.put(0, "", wire::Row::RANGE, "", range.SerializeAsString());
}

// Entities in buckets 1, 499, 500 and 999, with history and replies.
void fill(ShardRig& rig) {
  for (const std::uint32_t bucket : {1u, 499u, 500u, 999u}) {
    const std::string entity = "e" + std::to_string(bucket);
    rig.apply({BatchMaker{5}
                   .state(entity, 3, bucket)
                   .event(entity, 1, bucket)
                   .event(entity, 2, bucket)
                   .reply(entity, "0123456789abcdef", 900, bucket)});
  }
}

std::unique_ptr<ShardFile> split_off(ShardRig& rig, const std::string& path) {
  const auto made = rig.file().split_off(path, fresh_name, range_with_split().split());
  REQUIRE_MESSAGE(made, (made ? "" : made.error().describe()));
  auto opened = ShardFile::open(rig.disk(), path, fresh_name, false, {});
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().describe()));
  CHECK((*opened)->applied() == *made);
  CHECK(*(*opened)->verify() == std::vector<std::string>{});
  return *std::move(opened);
}

}  // namespace

TEST_SUITE("split of a shard file") {
  TEST_CASE("the new file has the rows of its buckets and no others, and goes on in time") {
    ShardRig rig;
    rig.open();
    fill(rig);
    rig.apply({range_batch(range_with_split())});
    const auto fresh = split_off(rig, rig.path() + ".new");
    CHECK(fresh->applied().index == 9);
    CHECK(fresh->applied().term == 1);
    CHECK(fresh->applied().time_ms == 77);
    CHECK(fresh->entity_count() == 2);
    REQUIRE(fresh->range());
    CHECK(fresh->range()->first() == 500);
    CHECK(fresh->range()->end() == 1000);
    CHECK_FALSE(fresh->range()->has_split());
    for (const std::uint32_t bucket : {1u, 499u, 500u, 999u}) {
      CAPTURE(bucket);
      const std::string entity = "e" + std::to_string(bucket);
      const auto number = static_cast<Bucket>(bucket);
      const bool moved = bucket >= 500;
      const auto loaded = fresh->load(number, entity, 10);
      REQUIRE(loaded);
      CHECK(loaded->state.has_value() == moved);
      CHECK(loaded->replies.size() == (moved ? 1u : 0u));
      CHECK(fresh->events_after(number, entity, 0, 10)->size() == (moved ? 2u : 0u));
    }
    CHECK(fresh->due(1000, 10)->size() == 2);
    // Who looks at a copy, for a backup, sees which buckets it has.
    REQUIRE(fresh->copy_to(rig.path() + ".copy"));
    const auto looked = ShardFile::inspect(rig.disk(), rig.path() + ".copy", fresh_name);
    REQUIRE(looked);
    REQUIRE(looked->range);
    CHECK(looked->range->first() == 500);
  }

  TEST_CASE("replicas that have applied more make the same file, and one that is there goes") {
    ShardRig rig;
    rig.open();
    fill(rig);
    rig.apply({range_batch(range_with_split())});
    const auto first = split_off(rig, rig.path() + ".new");
    rig.apply({BatchMaker{80}.state("e1", 4, 1).state("other", 1, 2)});
    rig.reopen();
    REQUIRE(rig.file().range());
    CHECK(rig.file().range()->split().shard() == 4);
    const auto second = split_off(rig, rig.path() + ".again");
    CHECK(second->applied() == first->applied());
  }

  TEST_CASE("rows leave with their buckets, whatever the same transaction did to them before") {
    ShardRig rig;
    rig.open();
    fill(rig);
    wire::ShardRange over = range_with_split();
    *over.add_children() = over.split();
    over.clear_split();
    over.set_end(500);
    wire::Batch batch;
    REQUIRE(batch.ParseFromString(*range_batch(over).bytes()));
    wire::Row& gone = *batch.add_rows();
    gone.set_bucket(500);
    gone.set_change(wire::Row::DELETE_BUCKETS);
    const auto index = rig.file().applied().index;
    REQUIRE(rig.file().apply(
        {{index + 1, 1, BatchMaker{80}.state("late", 1, 700).bytes()},
         {index + 2, 1, std::make_shared<const std::string>(batch.SerializeAsString())}}));
    CHECK(rig.file().entity_count() == 2);
    CHECK(rig.version("e1", 1) == 3);
    CHECK(rig.version("e499", 499) == 3);
    CHECK(rig.version("e500", 500) == 0);
    CHECK(rig.version("late", 700) == 0);
    CHECK(rig.file().due(1000, 10)->size() == 2);
    rig.check_sound();
    rig.reopen();
    CHECK(rig.file().range()->children_size() == 1);
    CHECK(rig.file().range()->end() == 500);
    rig.check_sound();
  }
}
