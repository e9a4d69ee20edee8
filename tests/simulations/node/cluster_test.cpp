// A cluster of three, with and without a majority.
#include <doctest/doctest.h>

#include "tests/seeds.hpp"
#include "tests/simulations/node/three.hpp"

namespace troupe::simulations {
namespace {

TEST_CASE("whichever node is asked, the shard's leader answers") {
  Three three{1};
  three.command("open", "open", open_body);
  for (std::size_t i = 0; i < 9; ++i) {
    const auto answer = post(three.world, "/v1/accounts/ann:deposit", "d" + std::to_string(i),
                             one_cent, three.name(i));
    CAPTURE(answer.body);
    CHECK(answer.status == 200);
    ++three.deposits;
  }
  three.check_balance();
}

TEST_CASE("what was acknowledged survives the loss of each node in turn, and counts once") {
  for (std::uint64_t seed = 1; seed <= tests::seeds(8); ++seed) {
    CAPTURE(seed);
    Three three{seed};
    three.command("open", "open", open_body);
    for (std::size_t round = 0; round < 6; ++round) {
      CAPTURE(round);
      for (int i = 0; i < 5; ++i) three.deposit();
      Machine& victim = three.machine(round % 3);
      if (round % 2 == 0)
        three.world.crash(victim);
      else
        three.world.kill(victim);
      for (int i = 0; i < 5; ++i) three.deposit();
      three.check_balance();
      REQUIRE(three.world.start(victim));
      REQUIRE(three.world.run_until([&] { return three.ready() == 3; }, 30s));
    }
    three.check_balance();
  }
}

TEST_CASE("without a majority commands are refused, soon at once, and served when it is back") {
  Three three{1};
  three.command("open", "open", open_body);
  three.deposit();
  three.world.crash(three.machine(1));
  three.world.crash(three.machine(2));
  const auto ask = [&] {
    const auto before = three.world.now();
    const auto answer = post(three.world, "/v1/accounts/ann:deposit", "lost-majority", one_cent);
    CAPTURE(answer.body);
    CHECK(answer.status == 503);
    return three.world.now() - before;
  };
  CHECK(ask() < 12s);
  CHECK(ask() < 1s);
  REQUIRE(three.world.start(three.machine(1)));
  three.command("deposit", "lost-majority", one_cent);
  ++three.deposits;
  three.check_balance();
}

}  // namespace
}  // namespace troupe::simulations
