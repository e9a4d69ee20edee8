// A disk that is full, and one that fails.
#include "tests/runtime/storage/log_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

void check_is_full(const Result<void>& result) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Code::resource_exhausted);
  CHECK(result.error().reason == "DISK_FULL");
}

// Appends until the disk is full; returns the first index that was refused.
LogIndex fill(LogRig& rig, GroupId group) {
  for (auto index = rig.log().last_index(group) + 1;; ++index) {
    const auto done = rig.append(rig.make(group, index, index, std::string(2000, 'x')));
    if (!done) {
      check_is_full(done);
      return index;
    }
  }
}

}  // namespace

TEST_SUITE("node log on a full disk") {
  TEST_CASE("appends are refused, reads go on, and appends work again when there is space") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 3);
    rig.platform().faults().space = 100 << 10;
    const auto refused = fill(rig, 1);
    CHECK(rig.log().stats().disk_full);
    CHECK(rig.platform().log().heard("log.disk_full"));
    CHECK(rig.log().last_index(1) == refused - 1);
    check_is_full(rig.append(rig.make(1, refused, refused)));
    check_is_full(rig.append(rig.make(2, 1, 1)));
    CHECK(rig.entries(1).size() == refused - 1);
    rig.platform().faults().space = 10 << 20;
    rig.put(1, refused, refused);
    rig.put(2, 1, 1);
    CHECK_FALSE(rig.log().stats().disk_full);
    CHECK(rig.platform().log().heard("log.disk_has_space"));
    CHECK_FALSE(rig.platform().stopped.is_set());
    rig.reopen();
    CHECK(rig.log().last_index(1) == refused);
    CHECK(rig.log().last_index(2) == 1);
  }

  TEST_CASE("what waits behind a refused append of its group is refused, too") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 1);
    rig.put(2, 1, 1);
    Gate before;
    rig.hold_writer(before);
    rig.platform().faults().space = 0;
    // Too large for what is preallocated, with a smaller one behind it.
    Event<Result<void>> first;
    Event<Result<void>> second;
    auto large = rig.make(1, 2, 2, std::string(1 << 20, 'x'));
    large.done = [&](const Result<void>& result) { first.set(result); };
    auto small = rig.make(1, 3, 3);
    small.done = [&](const Result<void>& result) { second.set(result); };
    rig.log().append(std::move(large));
    rig.log().append(std::move(small));
    before.open.set();
    check_is_full(first.wait());
    check_is_full(second.wait());
    CHECK(rig.log().last_index(1) == 1);
    rig.platform().faults().space = 10 << 20;
    rig.put(1, 2, 2);
    CHECK(rig.entries(1) == rig.expected(1, 1, 2));
  }

  TEST_CASE("an append that comes before its caller knows of the failure is no gap") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 1);
    rig.platform().faults().space = 0;
    check_is_full(rig.append(rig.make(1, 2, 2, std::string(1 << 20, 'x'))));
    rig.platform().faults().space = 10 << 20;
    check_is_full(rig.append(rig.make(1, 3, 3)));
    rig.put(1, 2, 3);
    CHECK(rig.entries(1) == rig.expected(1, 1, 3));
  }

  TEST_CASE("the reserve is given up so that the log can be cut, and made again") {
    LogRig rig;
    rig.options.segment_bytes = 100 << 10;
    rig.options.reserve_bytes = 300 << 10;
    rig.open();
    const auto reserve = rig.folder() + "/" + log_reserve_name;
    CHECK(std::filesystem::file_size(reserve) == 300 << 10);
    rig.platform().faults().space = 600 << 10;
    const auto refused = fill(rig, 1);
    CHECK_FALSE(std::filesystem::exists(reserve));
    const auto segments = rig.log().stats().segments;
    REQUIRE(segments >= 3);
    rig.snapshot(1, refused - 1);  // goes on, and frees the segments
    for (std::uint64_t number = 1; number < segments; ++number) rig.wait_until_removed(number);
    rig.put(1, refused, refused);
    CHECK_FALSE(rig.log().stats().disk_full);
    CHECK(std::filesystem::file_size(reserve) == 300 << 10);
    rig.reopen();
    CHECK(rig.entries(1) == rig.expected(1, refused, refused));
  }

  TEST_CASE("a little space is not enough to go on: the disk would be full again at once") {
    LogRig rig;
    rig.options.reserve_bytes = 300 << 10;
    rig.open();
    rig.platform().faults().space = 100 << 10;
    const auto refused = fill(rig, 1);
    rig.platform().faults().space = 500 << 10;
    check_is_full(rig.append(rig.make(1, refused, refused)));
    rig.platform().faults().space = 700 << 10;
    rig.put(1, refused, refused);
  }

  TEST_CASE("a single large segment is replaced once nothing in it is needed") {
    LogRig rig;
    rig.options.reserve_bytes = 300 << 10;
    rig.open();
    rig.platform().faults().space = 4 << 20;
    const auto refused = fill(rig, 1);
    CHECK(rig.log().stats().segments == 1);
    rig.snapshot(1, refused - 1);
    rig.wait_until_removed(1);
    CHECK(rig.has(2));
    rig.put(1, refused, refused + 100, std::string(2000, 'x'));
    CHECK_FALSE(rig.log().stats().disk_full);
  }

  TEST_CASE("a log can be opened on a full disk") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 3);
    rig.close();
    std::filesystem::remove(rig.folder() + "/" + log_reserve_name);
    rig.platform().faults().space = 0;
    rig.open();
    CHECK(rig.log().stats().disk_full);
    CHECK(rig.entries(1) == rig.expected(1, 1, 3));
    check_is_full(rig.append(rig.make(1, 4, 4)));
    rig.platform().faults().space = 10 << 20;
    rig.put(1, 4, 4);
  }

  TEST_CASE("commits that failed on a full disk are no rot after a crash") {
    LogRig rig;
    rig.open();
    for (LogIndex i = 1; i <= 20; ++i) rig.put(1, i, i);
    const auto space_left = 40 << 10;
    rig.platform().faults().space = space_left;
    for (int i = 0; i < 5; ++i) {
      // Some of its frames are written before the disk is full.
      check_is_full(rig.append(rig.make(1, 21, 21, std::string(1 << 20, 'x'))));
      rig.record(2, {.term = static_cast<Term>(i + 1)});
      rig.crash();
      rig.platform().faults().space = 10 << 20;
      rig.open();
      CHECK(rig.log().last_index(1) == 20);
      CHECK(rig.log().record(2)->term == static_cast<Term>(i + 1));
      rig.platform().faults().space = space_left;
    }
  }
}

TEST_SUITE("node log on a failing disk") {
  TEST_CASE("a sync that fails stops the node and fails the append") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 1);
    rig.platform().faults().syncs_fail = true;
    const auto failed = rig.append(rig.make(1, 2, 2));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().reason == "DISK_IO");
    CHECK(rig.platform().stopped.wait().reason == "DISK_IO");
    rig.platform().faults().syncs_fail = false;
    // Nothing that the node does has an effect any more.
    CHECK_FALSE(rig.append(rig.make(2, 1, 1)));
    CHECK(rig.log().last_index(2) == 0);
  }

  TEST_CASE("a write that fails stops the node") {
    LogRig rig;
    rig.open();
    rig.platform().faults().writes_fail = true;
    CHECK_FALSE(rig.append(rig.make(1, 1, 1)));
    CHECK(rig.platform().stopped.wait().reason == "DISK_IO");
    rig.platform().faults().writes_fail = false;
  }

  TEST_CASE("a log whose files cannot be read is not opened") {
    LogRig rig;
    rig.open();
    rig.put(1, 1, 1);
    rig.close();
    rig.platform().faults().reads_fail = true;
    CHECK(rig.refusal().reason == "DISK_IO");
    rig.platform().faults().reads_fail = false;
    rig.open();
  }
}
