#include "runtime/storage/node_log.hpp"

#include "tests/runtime/storage/log_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

TEST_SUITE("node log") {
  TEST_CASE("a new log knows no group") {
    LogRig rig;
    rig.open();
    CHECK(rig.log().groups().empty());
    CHECK_FALSE(rig.log().record(1).has_value());
    CHECK(rig.log().first_index(1) == 0);
    CHECK(rig.log().last_index(1) == 0);
    CHECK(rig.log().stats().segments == 1);
  }

  TEST_CASE("what was appended is read back, and again after a restart") {
    LogRig rig;
    rig.open();
    rig.record(7, {.term = 3, .vote = 2, .replica = 9, .configuration = "c"});
    rig.put(7, 1, 10);
    rig.put(8, 1, 2);
    for (int life = 0; life < 2; ++life) {
      CAPTURE(life);
      CHECK(rig.log().groups() == std::vector<GroupId>{7, 8});
      const auto record = rig.log().record(7);
      REQUIRE(record.has_value());
      CHECK(record->term == 3);
      CHECK(record->vote == 2);
      CHECK(record->replica == 9);
      CHECK(record->generation == 1);
      CHECK(record->configuration == "c");
      CHECK_FALSE(rig.log().record(8).has_value());
      CHECK(rig.log().first_index(7) == 1);
      CHECK(rig.log().last_index(7) == 10);
      CHECK(rig.entries(7) == rig.expected(7, 1, 10));
      CHECK(rig.entries(8) == rig.expected(8, 1, 2));
      rig.reopen();
    }
  }

  TEST_CASE("an entry keeps its term, its type, and whether it has a payload") {
    LogRig rig;
    rig.open();
    REQUIRE(rig.append({.group = 1,
                        .entries = {{1, 4, 3, nullptr},
                                    {2, 5, 1, std::make_shared<const std::string>()},
                                    {3, 6, 2, std::make_shared<const std::string>("x\0y", 3)}}}));
    rig.reopen();
    const auto read = rig.log().read(1, 1, 3);
    REQUIRE(read);
    CHECK((*read)[0].term == 4);
    CHECK((*read)[0].type == 3);
    CHECK((*read)[0].payload == nullptr);
    REQUIRE((*read)[1].payload != nullptr);
    CHECK((*read)[1].payload->empty());
    CHECK(*(*read)[2].payload == std::string("x\0y", 3));
  }

  TEST_CASE("a record of a later generation begins the group's log anew behind its snapshot") {
    LogRig rig;
    rig.options.segment_bytes = 64 << 10;
    rig.open();
    rig.record(1, {.term = 3, .replica = 9});
    rig.put(1, 1, 100);
    rig.put(2, 1, 20);
    // Neither what is before the snapshot nor what is behind it stays; the same append may go on.
    auto append = LogRig::make(1, 81, 85, "other");
    append.record = GroupRecord{.term = 5,
                                .replica = 9,
                                .snapshot_index = 80,
                                .snapshot_term = 4,
                                .generation = 2,
                                .configuration_index = 1,
                                .configuration = "c"};
    REQUIRE(rig.append(std::move(append)));
    for (int life = 0; life < 2; ++life) {
      CAPTURE(life);
      CHECK(rig.log().first_index(1) == 81);
      CHECK(rig.log().last_index(1) == 85);
      CHECK(rig.entries(1) == rig.expected(1, 81, 85, "other"));
      CHECK(rig.entries(2) == rig.expected(2, 1, 20));
      CHECK(rig.log().record(1)->generation == 2);
      rig.reopen();
    }
    GroupRecord empty = *rig.log().record(1);
    empty.generation = 3;
    empty.snapshot_index = 200;
    rig.record(1, empty);
    CHECK(rig.log().last_index(1) == 0);
    rig.put(2, 21, 2000);  // into later segments
    rig.put(1, 201, 210);
    rig.reopen();
    CHECK(rig.entries(1) == rig.expected(1, 201, 210));
    // A replica that forgets its past begins at the first entry, as one that has none.
    rig.record(1, {.replica = 10, .generation = 4});
    for (int life = 0; life < 2; ++life) {
      CAPTURE(life);
      CHECK(rig.log().last_index(1) == 0);
      CHECK(rig.log().record(1)->replica == 10);
      rig.reopen();
    }
    rig.put(1, 1, 3);
    rig.reopen();
    CHECK(rig.entries(1) == rig.expected(1, 1, 3));
  }

  TEST_CASE("an entry at or before the last one drops all from there on") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 100);
    rig.put(1, 51, 60, "other");
    rig.put(1, 58, 58, "third");
    auto expected = rig.expected(1, 1, 50);
    for (auto& text : rig.expected(1, 51, 57, "other")) expected.push_back(text);
    for (auto& text : rig.expected(1, 58, 58, "third")) expected.push_back(text);
    CHECK(rig.log().last_index(1) == 58);
    CHECK(rig.entries(1) == expected);
    rig.reopen();
    CHECK(rig.log().last_index(1) == 58);
    CHECK(rig.entries(1) == expected);
  }

  TEST_CASE("a snapshot cuts the entries up to its index") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 10);
    rig.record(1, {.term = 1, .snapshot_index = 6, .snapshot_term = 1});
    for (int life = 0; life < 2; ++life) {
      CHECK(rig.log().first_index(1) == 7);
      CHECK(rig.entries(1) == rig.expected(1, 7, 10));
      const auto cut = rig.log().read(1, 6, 8);
      REQUIRE_FALSE(cut);
      CHECK(cut.error().code == Code::not_found);
      rig.reopen();
    }
    rig.record(1, {.term = 1, .snapshot_index = 50, .snapshot_term = 1});
    CHECK(rig.log().first_index(1) == 0);
    CHECK(rig.log().last_index(1) == 0);
    rig.put(1, 51, 52);
    rig.reopen();
    CHECK(rig.entries(1) == rig.expected(1, 51, 52));
  }

  TEST_CASE("record and entries of one append become true together") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 5);
    auto append = rig.make(1, 9, 10);
    append.record = GroupRecord{.term = 2, .snapshot_index = 8, .snapshot_term = 2};
    REQUIRE(rig.append(std::move(append)));
    rig.reopen();
    CHECK(rig.entries(1) == rig.expected(1, 9, 10));
    CHECK(rig.log().record(1)->snapshot_index == 8);
  }

  TEST_CASE("a gap is refused and harms nobody") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 3);
    const auto gap = rig.append(rig.make(1, 5, 6));
    REQUIRE_FALSE(gap);
    CHECK(gap.error().reason == "LOG_GAP");
    CHECK(rig.log().last_index(1) == 3);
    rig.put(1, 4, 4);
    CHECK(rig.entries(1) == rig.expected(1, 1, 4));
    rig.record(1, {.term = 1, .snapshot_index = 2, .snapshot_term = 1});
    CHECK_FALSE(rig.append(rig.make(1, 2, 2)));
  }

  TEST_CASE("a read outside of what the log holds is not found, an empty one is empty") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 3);
    CHECK(rig.log().read(1, 2, 4).error().code == Code::not_found);
    CHECK(rig.log().read(1, 0, 1).error().code == Code::not_found);
    CHECK(rig.log().read(9, 1, 1).error().code == Code::not_found);
    REQUIRE(rig.log().read(1, 3, 2));
    CHECK(rig.log().read(1, 3, 2)->empty());
  }

  TEST_CASE("appends that wait become durable with one sync") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 1);
    Gate gate;
    std::atomic<int> left{101};
    Event<> all;
    const auto count = [&](const Result<void>& result) {
      CHECK(result);
      if (--left == 0) all.set();
    };
    auto first = rig.make(1, 2, 2);
    first.done = [&](const Result<void>& result) {
      gate.pass();
      count(result);
    };
    rig.log().append(std::move(first));
    gate.arrived.wait();
    const auto syncs = rig.platform().faults().syncs.load();
    const auto before = rig.log().stats();
    for (LogIndex i = 1; i <= 100; ++i) {
      auto append = rig.make(100 + i % 4, (i - 1) / 4 + 1, (i - 1) / 4 + 1);
      append.done = count;
      rig.log().append(std::move(append));
    }
    gate.open.set();
    all.wait();
    CHECK(rig.platform().faults().syncs.load() - syncs == 1);
    CHECK(rig.log().stats().commits - before.commits == 1);
    CHECK(rig.log().stats().entries - before.entries == 100);
    CHECK(rig.log().stats().wakeups == before.wakeups);
  }

  TEST_CASE("a transaction is bounded, an append is never torn apart") {
    LogRig rig;
    rig.options.commit_entries_max = 10;
    rig.open();
    Gate gate;
    rig.hold_writer(gate);
    Event<> done;
    std::atomic<int> left{6};
    for (int i = 0; i < 6; ++i) {
      auto append = rig.make(2, 1 + i * 4, i == 5 ? 60 : 4 + i * 4);
      append.done = [&](const Result<void>& result) {
        CHECK(result);
        if (--left == 0) done.set();
      };
      rig.log().append(std::move(append));
    }
    const auto before = rig.log().stats().commits;
    gate.open.set();
    done.wait();
    CHECK(rig.log().stats().commits - before == 4);  // 8, 8, 4, then the one of 40
    CHECK(rig.entries(2) == rig.expected(2, 1, 60));
  }

  TEST_CASE("callers on many threads lose nothing") {
    LogRig rig;
    rig.options.segment_bytes = 256 << 10;
    rig.open();
    std::vector<std::thread> threads;
    for (GroupId group = 1; group <= 4; ++group) {
      threads.emplace_back([&rig, group] {
        for (LogIndex i = 1; i <= 300; ++i) REQUIRE(rig.append(rig.make(group, i, i)));
      });
    }
    std::thread reader{[&rig] {
      for (int i = 0; i < 200; ++i) {
        const auto last = rig.log().last_index(1);
        if (last > 0) REQUIRE(rig.log().read(1, 1, last));
        rig.log().laggards(1);
        rig.log().stats();
      }
    }};
    for (auto& thread : threads) thread.join();
    reader.join();
    rig.reopen();
    for (GroupId group = 1; group <= 4; ++group)
      CHECK(rig.entries(group) == rig.expected(group, 1, 300));
  }

  TEST_CASE("who does not want to hear of the outcome need not") {
    LogRig rig;
    rig.open();
    rig.log().append(rig.make(1, 1, 1));
    rig.put(1, 2, 2);
    CHECK(rig.entries(1) == rig.expected(1, 1, 2));
  }

  TEST_CASE("large entries come back whole") {
    LogRig rig;
    rig.open();
    const std::string large(300'000, 'z');
    rig.put(1, 1, 3, large);
    rig.reopen();
    CHECK(rig.entries(1) == rig.expected(1, 1, 3, large));
  }

  TEST_CASE("two logs in one folder: the second is refused") {
    LogRig rig;
    rig.open();
    const auto second = NodeLog::open(rig.platform(), rig.folder(), {});
    REQUIRE_FALSE(second);
    CHECK(second.error().reason == "FOLDER_IN_USE");
  }
}
