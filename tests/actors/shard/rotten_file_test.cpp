// Keys of rows have no checksum that outlives them: what is not found any more must be missed.
#include <doctest/doctest.h>

#include "runtime/storage/sqlite.hpp"
#include "tests/actors/shard/rig.hpp"

namespace troupe::actors::testing {
namespace {

TEST_CASE("rows that are gone from a shard file are missed when their entity is read") {
  Rig rig;
  rig.start();
  for (int n = 0; n < 5; ++n) rig.send(add, "alice", "1");
  rig.pass(ms(1000));
  rig.crash();
  const auto path = rig.folder.string() + "/test.v1.Counters-0.g1.db";
  {
    auto file = runtime::Database::open(rig.platform.disk(), path, {});
    REQUIRE(file);
    SUBCASE("an event in the midst") {
      REQUIRE((*file)->execute("DELETE FROM rows WHERE kind=1 AND sub=x'0000000000000003'"));
    }
    SUBCASE("the newest event") {
      REQUIRE((*file)->execute("DELETE FROM rows WHERE kind=1 AND sub=x'0000000000000005'"));
    }
    SUBCASE("the state") {
      REQUIRE((*file)->execute("DELETE FROM rows WHERE kind=0"));
    }
  }
  rig.start();
  const auto answer = rig.send(history_size, "alice", "");
  rig.settle();
  const bool answered = answer->came() && *answer->result;
  CHECK_FALSE(answered);
  REQUIRE(rig.failed);
  CHECK(rig.failed->code == Code::data_loss);
  CHECK(rig.failed->reason == "SHARD_FILE_CORRUPT");
  CHECK(rig.failed->message.find(path) != std::string::npos);
}

TEST_CASE("a row that is due and does not match its checksum is not deleted in the name of all") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "1");
  rig.pass(ms(1000));
  rig.crash();
  {
    auto file = runtime::Database::open(rig.platform.disk(),
                                        rig.folder.string() + "/test.v1.Counters-0.g1.db", {});
    REQUIRE(file);
    REQUIRE((*file)->execute("UPDATE rows SET entity=x'616c696365ff' WHERE kind=2"));
  }
  rig.start();
  const auto before = rig.group_log.committed;
  rig.pass(std::chrono::minutes{12});
  CHECK(rig.group_log.committed == before);
  REQUIRE(rig.failed);
  CHECK(rig.failed->reason == "SHARD_FILE_CORRUPT");
}

TEST_CASE("a file that another replica made is read through, to its last row") {
  Rig rig;
  rig.start();
  rig.send(add, "alice", "1");
  rig.pass(ms(1000));
  auto& observer = rig.consensus->observer();
  using Content = Result<ConsensusObserver::FileContent>;
  std::optional<Content> content;
  const auto store = [&](Content found) { content = std::move(found); };
  const std::string received = observer.file_of(7);
  observer.copy_file(received, store);
  rig.pass(ms(1));
  REQUIRE(content);
  REQUIRE(*content);
  const auto index = (*content)->index;
  observer.inspect_file(7, store);
  rig.pass(ms(1));
  REQUIRE(*content);
  CHECK((*content)->index == index);
  {
    auto file = runtime::Database::open(rig.platform.disk(), received, {});
    REQUIRE(file);
    REQUIRE((*file)->execute("UPDATE rows SET value=x'00' WHERE kind=1"));
  }
  observer.inspect_file(7, store);
  rig.pass(ms(1));
  REQUIRE_FALSE(*content);
  CHECK(content->error().reason == "SHARD_FILE_CORRUPT");
  CHECK(content->error().message.find(received) != std::string::npos);
}

}  // namespace
}  // namespace troupe::actors::testing
