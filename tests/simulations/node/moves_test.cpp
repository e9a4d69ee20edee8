// Replicas move between nodes while clients go on.
#include <doctest/doctest.h>

#include "tests/seeds.hpp"
#include "tests/simulations/node/four.hpp"

namespace troupe::simulations {

TEST_CASE("replicas of followers and leaders move, and no request fails") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(4); ++seed) {
    CAPTURE(seed);
    Four four{seed};
    for (int round = 0; round < 4; ++round) {
      CAPTURE(round);
      const std::string leader = four.leader();
      std::string from = leader;
      if (round % 2 == 0)
        from = *std::ranges::find_if(four.wish, [&](const auto& name) { return name != leader; });
      const std::string to = four.spare();
      four.want(four.with(from, to));
      REQUIRE(four.await_move());
      CHECK(four.role(from) == "");
      if (from != leader) CHECK(four.leader() == leader);
      four.world.run_for(500ms);
    }
    CHECK(four.failures() == "");
    MESSAGE("the longest request took ", four.longest().count() / 1'000'000, " ms");
    CHECK(four.longest() < 500ms);
    four.check();
    CHECK(four.ready() == 4);
    four.compare_files();
  }
}

TEST_CASE("a shard with one replica gets three, on other nodes in the end, and one again") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(4); ++seed) {
    CAPTURE(seed);
    Four four{seed, 1};
    REQUIRE(four.wish.size() == 1);
    const std::string first = four.wish.front();
    std::vector<std::string> others;
    for (const std::string& name : four.names)
      if (name != first) others.push_back(name);
    four.want({first, others[0], others[1]});
    REQUIRE(four.await_move());
    four.want({others[2]});
    REQUIRE(four.await_move());
    CHECK(four.leader() == others[2]);
    // The others know nothing any more that would let them make it anew.
    for (const std::string& name : four.names) {
      four.world.kill(four.machine(name));
      four.start(name);
    }
    REQUIRE(four.await_move());
    four.want({first});
    REQUIRE(four.await_move());
    four.check();
    four.compare_files();
  }
}

TEST_CASE("leadership goes to the node that is named, without a failed request") {
  Four four{1};
  for (int round = 0; round < 2; ++round) {
    for (const std::string& name : four.wish) {
      const std::string leader = four.leader();
      if (leader == name) continue;
      bool over = false;
      four.node(four.index(leader))
          .hand_over(four.service, 0, name,
                     std::shared_ptr<void>{nullptr, [&over](void*) { over = true; }});
      REQUIRE(four.world.run_until([&] { return over; }, 5s));
      four.world.run_for(100ms);
      CHECK(four.leader() == name);
    }
  }
  CHECK(four.failures() == "");
  four.check();
}

TEST_CASE("a move that is disturbed half way gets there, and every deposit counts once") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(24); ++seed) {
    CAPTURE(seed);
    Four four{seed};
    const std::string leader = four.leader();
    const std::string from = seed % 4 == 0 ? leader : four.wish[seed % 3];
    const std::string to = four.spare();
    const auto before = four.wish;
    four.want(four.with(from, to));
    four.world.run_for(10ms * (seed * 7 % 60));
    switch (seed % 6) {
      case 0:  // the target dies, and loses power
        four.world.crash(four.machine(to));
        four.world.run_for(2s);
        four.start(to);
        break;
      case 1:  // the wish goes back
        four.want(before);
        break;
      case 2: {  // whoever leads dies
        const std::string victim = four.leader().empty() ? leader : four.leader();
        four.world.kill(four.machine(victim));
        four.world.run_for(1s);
        four.start(victim);
        break;
      }
      case 3:  // the one who is to go dies, and comes back later
        four.world.crash(four.machine(from));
        four.world.run_for(5s);
        four.start(from);
        break;
      case 4:  // a node restarts at once
        four.world.kill(four.machine(four.wish[seed % 3]));
        four.start(four.wish[seed % 3]);
        break;
      default:  // all do
        for (const std::string& name : four.names) four.world.crash(four.machine(name));
        for (const std::string& name : four.names) four.start(name);
    }
    REQUIRE(four.await_move());
    four.check();
    four.compare_files();
  }
}

}  // namespace troupe::simulations
