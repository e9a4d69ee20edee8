#include "simulations/world/schedule.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/simulations/world/stage.hpp"
#include "tests/simulations/world/toy_client.hpp"
#include "tests/simulations/world/toy_node.hpp"

namespace troupe::simulations {
namespace {

using go_atom = caf::atom_constant<caf::atom("go")>;

// The order in which three actors handle five messages each, which carry their numbers.
std::string order(std::uint64_t seed, const Schedule& schedule) {
  World world{{.seed = seed, .schedule = schedule}};
  std::string handled;
  auto& machine =
      world.add("node-1", Stage::with([&](caf::actor_system& system, runtime::Platform&) {
                  for (const char name : {'a', 'b', 'c'}) {
                    const auto actor = system.spawn([&handled, name]() -> caf::behavior {
                      return {[&handled, name, last = 0](int number) mutable {
                        CHECK(number == last + 1);  // of one sender, in order
                        last = number;
                        handled += name;
                      }};
                    });
                    for (int i = 1; i <= 5; ++i) caf::anon_send(actor, i);
                  }
                }));
  REQUIRE(world.start(machine));
  world.run_for(0s);
  CHECK(std::ranges::count(handled, 'a') == 5);
  CHECK(handled.size() == 15);
  return handled;
}

std::set<std::string> orders(const Schedule& schedule) {
  std::set<std::string> all;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto one = order(seed, schedule);
    CHECK(one == order(seed, schedule));
    all.insert(one);
  }
  return all;
}

TEST_CASE("first in, first out is one order for all seeds") {
  CHECK(orders({}) == std::set<std::string>{"abcabcabcabcabc"});
}

TEST_CASE("random takes turns in almost as many ways as there are seeds") {
  CHECK(orders({.strategy = Strategy::random}).size() > 50);
}

TEST_CASE("priority runs one actor until it has nothing to do, but for the change points") {
  const auto switches = [](const std::string& handled) {
    int count = 0;
    for (std::size_t i = 1; i < handled.size(); ++i) count += handled[i] != handled[i - 1];
    return count;
  };
  const auto strict = orders({.strategy = Strategy::priority, .change_points = 0});
  CHECK(strict.size() == 6);  // all orders of three
  for (const auto& one : strict) CHECK(switches(one) == 2);
  // The change points lie somewhere in the fifteen jobs.
  const auto changing =
      orders({.strategy = Strategy::priority, .epoch_jobs = 15, .change_points = 2});
  CHECK(changing.size() > 20);
  int most = 0;
  for (const auto& one : changing) most = std::max(most, switches(one));
  CHECK(most > 2);
  CHECK(most <= 4 + 2);
}

TEST_CASE("starving leaves one actor to the last, and takes turns among the others") {
  const auto starved = orders({.strategy = Strategy::starve});
  CHECK(starved == std::set<std::string>{"bcbcbcbcbcaaaaa", "acacacacacbbbbb",
                                         "ababababab"
                                         "ccccc"});
}

TEST_CASE("two actors that keep each other busy do not hold up a third for ever") {
  for (const auto strategy : {Strategy::random, Strategy::priority, Strategy::starve}) {
    CAPTURE(name_of(strategy));
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      World world{{.seed = seed, .schedule = {.strategy = strategy, .epoch_jobs = 100}}};
      bool ended = false;
      auto& machine =
          world.add("node-1", Stage::with([&](caf::actor_system& system, runtime::Platform&) {
                      for (int i = 0; i < 2; ++i) {
                        system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
                          self->send(self, go_atom::value);
                          return {[&, self](go_atom) {
                            if (!ended) self->send(self, go_atom::value);
                          }};
                        });
                      }
                      system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
                        self->send(self, go_atom::value);
                        return {[&](go_atom) { ended = true; }};
                      });
                    }));
      REQUIRE(world.start(machine));
      world.run_for(0s);
      CHECK(ended);
    }
  }
}

TEST_CASE("a node keeps what it acknowledged under every schedule, the same way on every run") {
  for (const auto strategy :
       {Strategy::fifo, Strategy::random, Strategy::priority, Strategy::starve}) {
    CAPTURE(name_of(strategy));
    const auto run = [&] {
      World world{{.seed = 1, .schedule = {.strategy = strategy, .epoch_jobs = 50}}};
      auto& machine = world.add("node-1", toy_node());
      REQUIRE(world.start(machine));
      const auto client = std::make_shared<ToyClient>(world);
      client->connect();
      world.run_for(100ms);
      world.crash(machine);
      REQUIRE(world.start(machine));
      const auto numbers = dynamic_cast<ToyNode&>(*machine.process()).numbers();
      CHECK(client->acknowledged.size() > 10);
      CHECK(std::includes(numbers.begin(), numbers.end(), client->acknowledged.begin(),
                          client->acknowledged.end()));
      return world.trace_hash();
    };
    CHECK(run() == run());
  }
}

}  // namespace
}  // namespace troupe::simulations
