// A cluster whose members change, or whose leadership does.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "tests/cluster/replication/cluster.hpp"

namespace troupe::cluster::test {

struct Members : Cluster {
  using Cluster::Cluster;
  RaftGroup& leading() { return *nodes[leader()]->group; }
  void elected() {
    start();
    REQUIRE(elect());
    REQUIRE((*this)[leader()].commit("first"));
  }
  int follower() const { return (leader() + 1) % 3; }
  // Commits, at whoever leads, however often it takes.
  void commit(const std::string& text) {
    REQUIRE(run_until([&] { return leader() >= 0 && nodes[leader()]->commit(text); }));
  }
  bool handed(Duration patience = std::chrono::seconds{5}) {
    std::optional<bool> done;
    leading().hand_over([&](bool gone) { done = gone; });
    REQUIRE(run_until([&] { return done.has_value(); }, patience));
    return *done;
  }
};

}  // namespace troupe::cluster::test
