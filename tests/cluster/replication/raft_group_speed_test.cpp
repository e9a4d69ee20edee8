// What the group and the engine cost, with a log that costs nothing. Printed, not judged.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>

#include "tests/cluster/replication/world.hpp"

using namespace troupe;
using namespace troupe::cluster;
using namespace troupe::cluster::test;

TEST_CASE("100,000 proposals, in groups that become durable together") {
  constexpr int proposals = 100'000;
  const auto payload = bytes(std::string(256, 'x'));
  for (const int together : {1, 16, 256}) {
    Pump pump;
    Node node(pump);
    node.log.latency = {};
    REQUIRE(node.start_and_lead());
    const auto begin = std::chrono::steady_clock::now();
    for (int done = 0; done < proposals; done += together) {
      const int now = std::min(together, proposals - done);
      for (int i = 0; i < now; ++i) REQUIRE(node.group->propose(payload));
      const auto last = static_cast<std::size_t>(done + now + 2);
      REQUIRE(pump.run_while_not([&] { return node.witness.committed.size() == last; }));
    }
    const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - begin;
    std::printf("raft group: %d proposals, %d at a time: %.2f us each\n", proposals, together,
                time.count() / proposals);
  }
}
