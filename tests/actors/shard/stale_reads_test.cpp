// Reads that any replica answers, from the rows that its file holds.
#include <doctest/doctest.h>

#include "tests/actors/shard/rig.hpp"

using namespace troupe;
using namespace troupe::actors;
using namespace troupe::actors::testing;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("stale reads");

namespace {

Error another_leads() {
  return unavailable("NOT_LEADING", "another replica leads");
}

// A shard with one applied add of 5 to "a", that leads as one of several voters.
struct Several : Rig {
  explicit Several(ShardOptions shard_options = {}) : Rig(shard_options) {
    start();
    consensus->sole = false;
    send(add, "a", "5");
    pass(1s);
    consensus->fresh = platform.clock().now();
  }
  std::shared_ptr<Answer> read(CounterMethod method, const std::string& key) {
    return send(method, key, {}, {}, true);
  }
};

}  // namespace

TEST_CASE("a replica that does not lead answers a read that may be stale, and no other") {
  Several rig;
  rig.consensus->lose(another_leads());
  rig.platform.clock().advance(7s);
  const auto stale = rig.read(get, "a");
  const auto fresh = rig.send(get, "a", "");
  rig.pump();
  CHECK(stale->text() == "5");
  CHECK((**stale->result).shard_index == rig.group_log.committed);
  CHECK((**stale->result).age == Duration{7s});
  CHECK(fresh->text() == "NOT_LEADING");
  CHECK(rig.vitals->stale_reads == 1);
}

TEST_CASE("a stale read sees what is applied, not what waits for its commit or for the file") {
  Several rig;
  rig.send(add, "a", "1");
  rig.pump();
  const auto before_commit = rig.read(get, "a");
  rig.pump();
  CHECK(before_commit->text() == "5");
  rig.consensus->commit(1);
  const auto before_apply = rig.read(get, "a");
  rig.pump();
  CHECK(before_apply->text() == "5");
  CHECK((**before_apply->result).shard_index == rig.group_log.committed - 1);
  rig.pass(1s);
  const auto after = rig.read(get, "a");
  rig.pump();
  CHECK(after->text() == "6");
  CHECK((**after->result).shard_index == rig.group_log.committed);
}

TEST_CASE("where nobody else votes, a read that may be stale is an ordinary one while it serves") {
  Rig rig;
  rig.start();
  rig.send(add, "a", "5");
  rig.pump();
  rig.consensus->commit(1);
  const auto at_once = rig.send(get, "a", {}, {}, true);
  CHECK(at_once->text() == "5");
  CHECK_FALSE((**at_once->result).age);
  CHECK(rig.vitals->stale_reads == 0);
  rig.pass(1s);
  rig.consensus->fresh = rig.platform.clock().now();
  rig.consensus->lose(resource_exhausted("DISK_FULL", "no space"));
  const auto from_file = rig.send(get, "a", {}, {}, true);
  rig.pump();
  CHECK(from_file->text() == "5");
  CHECK((**from_file->result).age == Duration::zero());
}

TEST_CASE("a stale read leaves nothing in memory") {
  Several rig;
  rig.consensus->lose(another_leads());
  const auto read = rig.read(get, "b");
  rig.pass(2s);
  CHECK(read->text() == "0");
  CHECK(rig.vitals->get().entities_resident == 0);
}

TEST_CASE("a stale read pages through its history") {
  ShardOptions options;
  options.history_page_max = 1000;
  Several rig{options};
  for (int i = 0; i < 1500; ++i) rig.send(add, "a", "1");
  rig.pass(1s);
  rig.consensus->lose(another_leads());
  const auto read = rig.read(history_size, "a");
  rig.pump();
  CHECK(read->text() == "1501");
}

TEST_CASE("a replica that was out of touch for too long refuses stale reads") {
  ShardOptions options;
  options.stale_age_max = 10s;
  Several rig{options};
  rig.consensus->lose(another_leads());
  rig.platform.clock().advance(10s);
  const auto in_time = rig.read(get, "a");
  rig.pump();
  CHECK(in_time->text() == "5");
  rig.platform.clock().advance(1ms);
  const auto too_late = rig.read(get, "a");
  rig.pump();
  CHECK(too_late->text() == "STALE_READ_TOO_OLD");
}

TEST_CASE("what is too old for a stale read may change while a shard runs") {
  Several rig;
  rig.consensus->lose(another_leads());
  rig.platform.clock().advance(10s);
  const auto before = rig.read(get, "a");
  rig.pump();
  CHECK(before->text() == "5");
  ShardOptions options;
  options.stale_age_max = 5s;
  rig.shard->set_options(options);
  const auto after = rig.read(get, "a");
  rig.pump();
  CHECK(after->text() == "STALE_READ_TOO_OLD");
}

TEST_CASE("a replica that has heard of no leader goes by the time of its newest rows") {
  ShardOptions options;
  options.stale_age_max = 10s;
  Several rig{options};
  rig.consensus->lose(another_leads());
  rig.consensus->fresh.reset();
  rig.platform.clock().advance(3s);
  const auto read = rig.read(get, "a");
  rig.pump();
  CHECK(read->text() == "5");
  CHECK((**read->result).age >= Duration{3s});
  rig.platform.clock().advance(8s);
  const auto too_late = rig.read(get, "a");
  rig.pump();
  CHECK(too_late->text() == "STALE_READ_TOO_OLD");
}

TEST_CASE("a handler that throws in a stale read harms that read") {
  Several rig;
  rig.consensus->lose(another_leads());
  const auto thrown = rig.read(explode, "a");
  const auto read = rig.read(get, "a");
  rig.pump();
  CHECK(thrown->text() == "HANDLER_FAILED");
  CHECK(read->text() == "5");
}

TEST_CASE("stale reads that wait are answered when the shard stops") {
  Several rig;
  const auto first = rig.read(get, "a");
  const auto second = rig.read(get, "a");  // waits for the first one's visit of the file
  rig.shard->stop([] {});
  rig.pump();
  CHECK(first->text() == "5");
  CHECK(second->text() == "SHARD_STOPPING");
}

TEST_CASE("a call whose time is over is refused and counted") {
  Several rig;
  const auto answer = rig.send(get, "a", "", {}, false, rig.platform.clock().now() - 1ms);
  CHECK(answer->text() == "DEADLINE_EXCEEDED");
  CHECK(rig.vitals->late == 1);
}

TEST_SUITE_END();
