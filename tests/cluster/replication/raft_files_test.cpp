// Replicas that lag behind the leader's log get its shard file.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/cluster/replication/cluster.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;
using namespace std::chrono_literals;

TEST_SUITE_BEGIN("raft group files");

namespace {

struct FilesCluster : Cluster {
  explicit FilesCluster(Pump& world, int size = 3)
      : Cluster(world, size, {.snapshot_threshold = 10, .tail_bytes_max = 200}) {
    std::string pattern = (std::filesystem::temp_directory_path() / "troupe-raft-XXXXXX").string();
    root = mkdtemp(pattern.data());
    for (int i = 0; i < size; ++i) {
      const auto folder = root / std::to_string(i);
      std::filesystem::create_directory(folder);
      nodes[i]->witness.folder = folder.string();
    }
  }
  ~FilesCluster() {
    for (auto& node : nodes) node->stop();
    std::filesystem::remove_all(root);
  }

  // Elects a leader, takes one follower away, and cuts the others' logs behind it. Returns it.
  int leave_one_behind() {
    start();
    REQUIRE(elect());
    const int away = (leader() + 1) % size();
    (*this)[away].crash();
    for (int i = 0; i < 50; ++i) REQUIRE((*this)[leader()].commit("e" + std::to_string(i)));
    pump.run_for(1s);
    for (int i = 0; i < size(); ++i)
      if (i != away) checkpoint(i);
    pump.run_for(1s);
    REQUIRE((*this)[leader()].group->status().snapshot > 40);
    return away;
  }
  void checkpoint(int i) {
    const auto& last = nodes[i]->witness.committed.back();
    nodes[i]->group->checkpointed(last.index, last.term, nodes[i]->stored().record->generation);
  }
  // As the shard does: when its file was replaced it starts again from what the new one holds.
  bool restart_replaced(int i) {
    Node& node = *nodes[i];
    if (!node.group || node.witness.replaced == 0) return false;
    node.start(node.stored().record->snapshot_index);
    return true;
  }
  // Until the node has what the leader has committed; how often its file was replaced, or -1.
  int catch_up(int i, Duration patience = 60s) {
    int replaced = 0;
    const Duration end = pump.now() + patience;
    while (pump.now() < end) {
      pump.run_for(5ms);
      replaced += restart_replaced(i);
      const int at = leader();
      if (at < 0 || !nodes[i]->group) continue;
      const auto& mine = nodes[i]->witness.committed;
      const auto& theirs = nodes[at]->witness.committed;
      const auto has = mine.empty() ? nodes[i]->stored().record->snapshot_index : mine.back().index;
      if (has == theirs.back().index) return replaced;
    }
    return -1;
  }

  std::filesystem::path root;
};

}  // namespace

TEST_CASE("a replica whose log ends before the leader's begins goes on from the leader's file") {
  Pump pump;
  FilesCluster cluster(pump);
  const int away = cluster.leave_one_behind();
  cluster[away].start();
  pump.run_for(1s);
  const int leader = cluster.leader();
  REQUIRE(cluster[leader].commit("after"));
  CHECK(cluster.catch_up(away) == 1);
  CHECK(cluster[leader].witness.copies == 1);
  const auto& record = *cluster[away].stored().record;
  CHECK(record.generation == 2);
  CHECK(record.snapshot_index > 40);
  CHECK(cluster[away].witness.committed.front().index == record.snapshot_index + 1);
  // It votes and acknowledges as the others do.
  const int third = 3 - leader - away;
  cluster[third].crash();
  REQUIRE(cluster[leader].commit("with the one that was behind"));
  // A later start finds all of it.
  const auto snapshot = record.snapshot_index;
  cluster[away].crash();
  cluster[away].start(snapshot);
  REQUIRE(cluster.catch_up(away) == 0);
  CHECK(cluster[away].witness.failed.empty());
  // The copy is removed, and the log behind it cut again.
  pump.run_for(30s);
  CHECK_FALSE(std::filesystem::exists(cluster.root / std::to_string(leader) / "g1.copy"));
}

TEST_CASE("a file arrives in pieces although messages are lost, while the leader goes on") {
  for (unsigned lost : {0u, 100u, 300u}) {
    CAPTURE(lost);
    Pump pump;
    FilesCluster cluster(pump);
    for (auto& node : cluster.nodes) node->witness.padding = 3u << 20;
    const int away = cluster.leave_one_behind();
    cluster.lost_of_1000 = lost;
    std::set<std::uint64_t> offsets;
    cluster.lost = [&](const RaftMessage& message) {
      if (message.head.type == RAFT_CHUNK) offsets.insert(message.chunk.offset);
      return false;
    };
    bool stop = false;
    std::function<void()> load = [&] {
      const int leader = cluster.leader();
      if (stop) return;
      if (leader >= 0) {
        cluster[leader].propose("load");
        cluster.checkpoint(leader);
      }
      pump.after(3ms, load);
    };
    load();
    cluster[away].start();
    pump.run_for(3s);
    stop = true;
    CHECK(cluster.catch_up(away) >= 0);
    CHECK(offsets.size() == 65);  // of 48 KiB each
    CHECK(cluster[away].stored().record->generation >= 2);
    CHECK(cluster[away].witness.failed.empty());
  }
}

TEST_CASE("when the leader is lost in the midst of it, the next leader's file is taken") {
  Pump pump;
  FilesCluster cluster(pump, 5);
  for (auto& node : cluster.nodes) node->witness.padding = 3u << 20;
  const int away = cluster.leave_one_behind();
  const int old = cluster.leader();
  int chunks = 0;
  cluster.lost = [&](const RaftMessage& message) {
    chunks += message.head.type == RAFT_CHUNK;
    return false;
  };
  cluster[away].start();
  REQUIRE(pump.run_while_not([&] { return chunks == 5; }));
  cluster[old].crash();
  CHECK(cluster.catch_up(away) == 1);
  CHECK(cluster.leader() != old);
  CHECK(cluster[cluster.leader()].witness.copies == 1);
}

TEST_CASE("a copy that is gone is begun anew") {
  Pump pump;
  FilesCluster cluster(pump);
  for (auto& node : cluster.nodes) {
    node->witness.padding = 3u << 20;
    node->options().files.keep_copy = 1s;
  }
  const int away = cluster.leave_one_behind();
  int chunks = 0;
  cluster.lost = [&](const RaftMessage& message) {
    chunks += message.head.type == RAFT_CHUNK;
    return message.head.type == RAFT_FETCH && chunks == 5;
  };
  for (auto& node : cluster.nodes)
    if (node->group) node->options().files.keep_copy = 1s;
  cluster[away].start();
  REQUIRE(pump.run_while_not([&] { return chunks == 5; }));
  pump.run_for(5s);
  chunks = 100;
  CHECK(cluster.catch_up(away) == 1);
}

TEST_CASE("a crash before the record is stored leaves the old file, and the new one comes again") {
  Pump pump;
  FilesCluster cluster(pump);
  const int away = cluster.leave_one_behind();
  cluster[away].start();
  REQUIRE(pump.run_while_not([&] {
    const auto& events = cluster[away].platform.events;
    return std::count(events.begin(), events.end(), "raft.file_replaced") == 1;
  }));
  cluster[away].crash();  // before the log's disk has it
  CHECK(cluster[away].stored().record->generation == 1);
  cluster[away].start();
  CHECK(cluster.catch_up(away) == 1);
  CHECK(cluster[away].stored().record->generation == 2);
}

TEST_CASE("a file that finds the log's disk full is given up and taken later") {
  Pump pump;
  FilesCluster cluster(pump);
  const int away = cluster.leave_one_behind();
  cluster[away].start();
  pump.run_for(20ms);
  cluster[away].log.full = true;
  pump.run_for(5s);
  CHECK(cluster[away].witness.replaced == 0);
  CHECK(cluster[away].stored().record->generation == 1);
  cluster[away].log.full = false;
  CHECK(cluster.catch_up(away) == 1);
  CHECK(cluster[away].witness.failed.empty());
}

TEST_CASE("an offer of what the log holds changes nothing: it may have been acknowledged") {
  Pump pump;
  FilesCluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const int leader = cluster.leader();
  for (int i = 0; i < 20; ++i) REQUIRE(cluster[leader].commit("x"));
  pump.run_for(1s);
  const int other = (leader + 1) % 3;
  int fetches = 0;
  cluster.lost = [&](const RaftMessage& message) {
    fetches += message.head.type == RAFT_FETCH;
    return false;
  };
  const auto& entry = cluster[leader].witness.committed[9];
  RaftMessage offer;
  offer.group = Node::group_id;
  offer.from = static_cast<std::uint64_t>(leader + 1);
  offer.to = static_cast<std::uint64_t>(other + 1);
  offer.head.type = ENGINE_INSTALL_SNAPSHOT;
  offer.head.term = cluster[leader].group->status().term;
  offer.head.snapshot.last_index = entry.index;
  offer.head.snapshot.last_term = entry.term;
  offer.head.snapshot.configuration_index = 1;
  offer.configuration = *cluster[leader].stored().entries.at(1).payload;
  const auto last = cluster[other].group->status().last;
  cluster[other].group->receive(offer);
  pump.run_for(1s);
  CHECK(fetches == 0);
  CHECK(cluster[other].group->status().last == last);
  CHECK(cluster[other].witness.failed.empty());
}

// C-Raft then sends the replica nothing but heartbeats until its time for an installation is over.
TEST_CASE(
    "a late answer makes the leader offer a file to one that needs none, and starves nobody") {
  Pump pump;
  FilesCluster cluster(pump);
  cluster.start();
  REQUIRE(cluster.elect());
  const int leader = cluster.leader();
  const int other = (leader + 1) % 3;
  for (int i = 0; i < 50; ++i) REQUIRE(cluster[leader].commit("x"));
  pump.run_for(1s);
  cluster.checkpoint(leader);
  pump.run_for(100ms);
  cluster.cut_off(other);
  pump.run_for(1s);
  cluster.reconnect();
  int offers = 0;
  cluster.lost = [&](const RaftMessage& message) {
    offers += message.head.type == ENGINE_INSTALL_SNAPSHOT;
    return false;
  };
  RaftMessage late;
  late.group = Node::group_id;
  late.from = static_cast<std::uint64_t>(other + 1);
  late.to = static_cast<std::uint64_t>(leader + 1);
  late.head.type = ENGINE_APPEND_ENTRIES_RESULT;
  late.head.term = cluster[leader].group->status().term;
  late.head.append_result.rejected = cluster[leader].group->status().last;
  late.head.append_result.last_index = 5;
  cluster[leader].group->receive(late);
  REQUIRE(cluster.leader() == leader);
  REQUIRE(cluster[leader].propose("y") != 0);
  CHECK(pump.run_while_not([&] { return cluster.agree(); }, 3s));
  CHECK(offers == 0);
  CHECK(cluster[other].witness.replaced == 0);
}

TEST_CASE("a file that is not what the leader said is refused") {
  Pump pump;
  FilesCluster cluster(pump);
  const int away = cluster.leave_one_behind();
  bool spoil = true;
  cluster.lost = [&](const RaftMessage& message) {
    if (message.head.type != RAFT_CHUNK || !spoil) return false;
    RaftMessage wrong = message;
    wrong.chunk.index += 1;
    pump.after(1ms, [&cluster, away, wrong] {
      if (cluster[away].group) cluster[away].group->receive(wrong);
    });
    return true;
  };
  cluster[away].start();
  pump.run_for(5s);
  CHECK(cluster[away].witness.replaced == 0);
  const auto& events = cluster[away].platform.events;
  CHECK(std::count(events.begin(), events.end(), "raft.file_refused") > 0);
  spoil = false;
  CHECK(cluster.catch_up(away) == 1);
}

// cluster-ledger, seed 916871709743.
TEST_CASE("a leader that meets rot as it copies its file fails, and others send theirs") {
  Pump pump;
  FilesCluster cluster(pump);
  const int away = cluster.leave_one_behind();
  const int rotten = cluster.leader();
  cluster[rotten].witness.rotten = true;
  cluster[away].start();
  REQUIRE(pump.run_while_not([&] { return !cluster[rotten].witness.failed.empty(); }));
  CHECK(cluster[rotten].witness.failed.front().reason == "SHARD_FILE_CORRUPT");
  CHECK(cluster[away].witness.replaced == 0);
  cluster[rotten].crash();  // as its node does
  CHECK(cluster.catch_up(away) == 1);
}

TEST_CASE("a file that rotted on its way is not taken over, and fetched again") {
  Pump pump;
  FilesCluster cluster(pump);
  const int away = cluster.leave_one_behind();
  cluster[away].start();
  cluster[away].witness.rotten = true;
  pump.run_for(5s);
  CHECK(cluster[away].witness.replaced == 0);
  CHECK(cluster[away].witness.failed.empty());
  const auto& events = cluster[away].platform.events;
  CHECK(std::count(events.begin(), events.end(), "raft.file_refused") > 0);
  cluster[away].witness.rotten = false;
  CHECK(cluster.catch_up(away) == 1);
}

TEST_SUITE_END();
