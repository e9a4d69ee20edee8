#include <doctest/doctest.h>

#include "tests/cluster/replication/world.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

TEST_SUITE_BEGIN("raft group of one voter");

TEST_CASE("a new group leads, and commits what is proposed") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  CHECK(node.witness.leading == 2);
  CHECK(node.group->status().role == "leader");
  CHECK(node.group->sole_voter());
  CHECK(node.stored().record->replica != 0);
  CHECK(node.stored().record->vote == node.stored().record->replica);
  REQUIRE(node.commit("a"));
  REQUIRE(node.commit("b"));
  // The configuration, the barrier, the proposals.
  CHECK(node.witness.committed ==
        std::vector<Witness::Entry>{{1, 1, "-"}, {2, 2, "-"}, {3, 2, "a"}, {4, 2, "b"}});
  CHECK(node.stored().entries.size() == 4);
  CHECK(node.stored().entries.at(4).payload != nullptr);
  CHECK(node.witness.losses.empty());
}

TEST_CASE("nothing commits before it is durable") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  node.log.hold_up();
  REQUIRE(node.propose("a") == 3);
  pump.run_for(10s);
  CHECK(node.witness.payloads().empty());
  node.log.go_on();
  pump.run_for(10ms);
  CHECK(node.witness.payloads() == Texts{"a"});
}

TEST_CASE("the shard is woken once for many appends that become durable together") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  const auto posts = node.executor.posts;
  for (int i = 0; i < 100; ++i) REQUIRE(node.propose("x") != 0);
  pump.run_for(10ms);
  CHECK(node.witness.payloads().size() == 100);
  CHECK(node.executor.posts == posts + 1);
}

TEST_CASE("a restart recovers what was committed and what was only durable") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  REQUIRE(node.commit("committed"));
  REQUIRE(node.propose("durable") == 4);
  // The fsync happens, but the process dies before the completion reaches the shard.
  REQUIRE(pump.run_while_not([&] { return node.stored().entries.count(4) == 1; }));
  CHECK(node.witness.payloads() == Texts{"committed"});
  REQUIRE(node.propose("lost") == 5);
  const auto replica = node.stored().record->replica;
  node.crash();

  REQUIRE(node.start_and_lead());
  CHECK(node.witness.payloads() == Texts{"committed", "durable"});
  CHECK(node.witness.leading == 3);  // a term of its own
  CHECK(node.stored().record->replica == replica);
  REQUIRE(node.commit("next"));
  CHECK(node.witness.committed.back() == Witness::Entry{6, 3, "next"});
}

TEST_CASE("entries that the shard file holds are not handed out again") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  for (const char* text : {"a", "b", "c", "d"}) REQUIRE(node.commit(text));
  node.crash();
  REQUIRE(node.start_and_lead(4));
  CHECK(node.witness.payloads() == Texts{"c", "d"});
  CHECK(node.witness.committed.front().index == 5);
}

TEST_CASE("leading is told after everything before it was handed out") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  for (int i = 0; i < 3000; ++i) REQUIRE(node.propose(std::to_string(i)) != 0);
  pump.run_for(1s);
  node.crash();
  struct Strict final : actors::ConsensusObserver {
    void on_committed(runtime::LogIndex index, runtime::Term, runtime::SharedBytes) override {
      CHECK(index == ++last);
      CHECK_FALSE(leading);
    }
    void on_leading(runtime::Term) override { leading = true; }
    void on_not_leading(const Error&) override {}
    void on_failed(const Error& why) override { FAIL(why.describe()); }
    runtime::LogIndex last = 0;
    bool leading = false;
  } strict;
  auto factory = make_raft_factory(node.platform, node.log, RaftOptions{.node = "n1"});
  auto group = factory(Node::group_id, node.executor, strict);
  group->start(0);
  CHECK(group->status().role == "starting");
  REQUIRE(pump.run_while_not([&] { return strict.leading; }));
  CHECK(strict.last == 3003);
}

TEST_CASE("a proposal is refused before leadership and without a payload") {
  Pump pump;
  Node node(pump);
  node.start();
  const auto early = node.group->propose(bytes("early"));
  REQUIRE_FALSE(early);
  CHECK(early.error().code == Code::unavailable);
  CHECK(early.error().reason == "NOT_LEADING");
  std::vector<bool> confirmed;
  node.group->confirm_leadership([&](const Result<void>& r) { confirmed.push_back(bool(r)); });
  CHECK(confirmed == std::vector<bool>{false});
  pump.run_for(1s);
  REQUIRE(node.witness.leading != 0);
  CHECK(node.group->propose(nullptr).error().code == Code::invalid_argument);
  node.group->confirm_leadership([&](const Result<void>& r) { confirmed.push_back(bool(r)); });
  CHECK(confirmed == std::vector<bool>{false, true});
}

TEST_CASE("proposals that wait are bounded") {
  Pump pump;
  Node node(pump, {.waiting_entries_max = 3, .waiting_bytes_max = 100});
  REQUIRE(node.start_and_lead());
  node.log.hold_up();
  CHECK(node.propose(std::string(60, 'x')) != 0);
  CHECK(node.group->propose(bytes(std::string(60, 'x'))).error().reason ==
        "REPLICATION_QUEUE_FULL");
  CHECK(node.propose("a") != 0);
  CHECK(node.propose("b") != 0);
  CHECK(node.group->propose(bytes("c")).error().code == Code::resource_exhausted);
  node.log.go_on();
  pump.run_for(1s);
  CHECK(node.witness.payloads().size() == 3);
  CHECK(node.propose("c") != 0);
}

TEST_CASE("an idle group of one voter sets no timer and is never woken") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  REQUIRE(node.commit("a"));
  pump.run_for(10s);
  CHECK(pump.waiting() == 0);
  const auto posts = node.executor.posts;
  const auto delayed = node.executor.delayed_posts;
  pump.run_for(24h);
  CHECK(node.executor.posts == posts);
  CHECK(node.executor.delayed_posts == delayed);
  REQUIRE(node.commit("after a day"));
}

TEST_CASE("what arrives for a group that is gone is dropped") {
  Pump pump;
  Node node(pump);
  node.start();
  node.stop();  // while its log is being read
  pump.run_for(1s);
  REQUIRE(node.start_and_lead());
  REQUIRE(node.propose("a") != 0);
  node.stop();  // while its append is under way
  pump.run_for(1s);
  CHECK(node.witness.payloads().empty());
  REQUIRE(node.start_and_lead());
  CHECK(node.witness.payloads() == Texts{"a"});
}

TEST_CASE("a restart while appends of its predecessor are under way loses and invents nothing") {
  Pump pump;
  Node node(pump);
  REQUIRE(node.start_and_lead());
  REQUIRE(node.commit("a"));
  node.log.hold_up();
  REQUIRE(node.propose("b") != 0);
  node.start();  // the actor is restarted by its supervisor; the process lives
  pump.run_for(1s);
  node.log.go_on();
  pump.run_for(1s);
  REQUIRE(node.witness.leading != 0);
  CHECK(node.witness.payloads() == Texts{"a"});
  REQUIRE(node.commit("c"));
  node.crash();
  REQUIRE(node.start_and_lead());
  CHECK(node.witness.payloads() == Texts{"a", "c"});
}

TEST_SUITE_END();
