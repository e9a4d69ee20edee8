#include "simulations/world/scheduler.hpp"

#include <doctest/doctest.h>

#include <caf/all.hpp>

#include "tests/simulations/world/stage.hpp"

namespace troupe::simulations {
namespace {

using go_atom = caf::atom_constant<caf::atom("go")>;
using ask_atom = caf::atom_constant<caf::atom("ask")>;

TEST_CASE("timers fire at exactly their times on the node's clock") {
  World world{{.seed = 1}};
  std::vector<Duration> fired;
  std::vector<Duration> on_clock;
  auto& machine =
      world.add("node-1", Stage::with([&](caf::actor_system& system, runtime::Platform& platform) {
                  const auto begin = platform.clock().now();
                  system.spawn([&, begin](caf::event_based_actor* self) -> caf::behavior {
                    self->delayed_send(self, 7ns, go_atom::value);
                    self->delayed_send(self, 3s, go_atom::value);
                    self->delayed_send(self, 1500ms, go_atom::value);
                    return {[&, begin](go_atom) {
                      fired.push_back(world.now());
                      on_clock.push_back(platform.clock().now() - begin);
                    }};
                  });
                }));
  world.run_for(10s);
  REQUIRE(world.start(machine));
  world.run_for(1h);
  CHECK(fired == std::vector<Duration>{10s + 7ns, 11500ms, 13s});
  CHECK(on_clock == std::vector<Duration>{7ns, 1500ms, 3s});
  CHECK(world.now() == 1h + 10s);
}

TEST_CASE("time stands still while actors work, and run_for ends at its time") {
  World world{{.seed = 1}};
  int handled = 0;
  auto& machine =
      world.add("node-1", Stage::with([&](caf::actor_system& system, runtime::Platform&) {
                  system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
                    self->send(self, go_atom::value);
                    return {[&, self](go_atom) {
                      CHECK(world.now() == 0s);
                      if (++handled < 1000) self->send(self, go_atom::value);
                    }};
                  });
                }));
  REQUIRE(world.start(machine));
  world.run_for(0s);
  CHECK(handled == 1000);
  CHECK_FALSE(world.run_until([] { return false; }, 5s));
  CHECK(world.now() == 5s);
}

TEST_CASE("actors take turns, one message each") {
  World world{{.seed = 1}};
  std::string order;
  auto& machine =
      world.add("node-1", Stage::with([&](caf::actor_system& system, runtime::Platform&) {
                  for (const char name : {'a', 'b', 'c'}) {
                    const auto actor = system.spawn([&order, name]() -> caf::behavior {
                      return {[&order, name](go_atom) { order += name; }};
                    });
                    for (int i = 0; i < 3; ++i) caf::anon_send(actor, go_atom::value);
                  }
                }));
  REQUIRE(world.start(machine));
  world.run_for(0s);
  CHECK(order == "abcabcabc");
}

// Counts its copies' lives; a leak of an actor's state shows as a count that stays.
struct Alive {
  explicit Alive(int& count) : count_(&count) { ++count; }
  Alive(const Alive& other) : count_(other.count_) { ++*count_; }
  Alive& operator=(const Alive&) = delete;
  ~Alive() { --*count_; }

 private:
  int* count_;
};

TEST_CASE("a crash ends actors in every state and leaks nothing") {
  int alive = 0;
  int handled_after = 0;
  bool crashing = false;
  {
    World world{{.seed = 1}};
    auto& machine = world.add(
        "node-1", Stage::with([&](caf::actor_system& system, runtime::Platform&) {
          const Alive token{alive};
          // Never answers, and knows whoever asked.
          const auto silent = system.spawn([token](caf::event_based_actor* self) -> caf::behavior {
            auto promises = std::make_shared<std::vector<caf::response_promise>>();
            return {[token, promises, self](ask_atom) {
              promises->push_back(self->make_response_promise());
              return promises->back();
            }};
          });
          // Awaits the answer, deaf to everything else.
          system.spawn([token, silent](caf::event_based_actor* self) -> caf::behavior {
            self->request(silent, caf::infinite, ask_atom::value).await([token] {});
            return {[token](go_atom) {}};
          });
          // Waits for one, with a timeout far away.
          system.spawn([token, silent](caf::event_based_actor* self) -> caf::behavior {
            self->request(silent, 3600s, ask_atom::value).then([token] {});
            return {[token](go_atom) {}};
          });
          // Two that know each other by their behaviours, and a timer.
          const auto one = system.spawn([token](caf::event_based_actor* self) -> caf::behavior {
            self->delayed_send(self, 1h, go_atom::value);
            return {[token, self](const caf::actor& other) {
              self->become([token, other](go_atom) {});
            }};
          });
          const auto two =
              system.spawn([token, one]() -> caf::behavior { return {[token, one](go_atom) {}}; });
          caf::anon_send(one, two);
          // A parent that replaces its child whenever it ends.
          struct Parent {
            static caf::behavior child(const Alive& token) {
              return {[token](go_atom) {}};
            }
          };
          system.spawn([token](caf::event_based_actor* self) -> caf::behavior {
            self->spawn<caf::monitored>(Parent::child, token);
            self->set_down_handler([token, self](caf::down_msg&) {
              self->spawn<caf::monitored>(Parent::child, token);
            });
            return {[token](go_atom) {}};
          });
          // Traps exits, sends to itself for ever, and counts what it does.
          system.spawn([&, token](caf::event_based_actor* self) -> caf::behavior {
            self->set_exit_handler([](caf::exit_msg&) {});
            self->send(self, go_atom::value);
            return {[&, token, self](go_atom) {
                      handled_after += crashing;
                      self->delayed_send(self, 1ms, go_atom::value);
                      self->send(self, ask_atom::value);
                    },
                    [&, token](ask_atom) { handled_after += crashing; }};
          });
          // Lazy: one that gets a message, one that never does.
          const auto lazy = system.spawn<caf::lazy_init>(Parent::child, token);
          caf::anon_send(lazy, go_atom::value);
          system.spawn<caf::lazy_init>(Parent::child, token);
        }));
    for (const auto time : {0us, 1us, 1500us, 50'000us}) {
      REQUIRE(world.start(machine));
      world.run_for(time);
      CHECK(alive > 5);
      crashing = true;
      world.crash(machine);
      crashing = false;
      CHECK(alive == 0);
    }
    // Before any actor ran, and at the end of the world.
    REQUIRE(world.start(machine));
    world.crash(machine);
    CHECK(alive == 0);
    REQUIRE(world.start(machine));
    world.run_for(10ms);
  }
  CHECK(alive == 0);
  CHECK(handled_after == 0);
}

TEST_CASE("an actor that ends by itself is not kept by the simulator") {
  World world{{.seed = 1}};
  int alive = 0;
  auto& machine =
      world.add("node-1", Stage::with([&](caf::actor_system& system, runtime::Platform&) {
                  for (int i = 0; i < 5000; ++i) {
                    system.spawn([token = Alive{alive}](caf::event_based_actor* self) {
                      self->send(self, go_atom::value);
                      return caf::behavior{[token, self](go_atom) { self->quit(); }};
                    });
                  }
                }));
  REQUIRE(world.start(machine));
  CHECK(alive > 0);
  world.run_for(0s);
  CHECK(alive == 0);
  CHECK(machine.platform()->scheduler()->running() == 0);
}

TEST_CASE("a start that fails leaves nothing behind and says why") {
  World world{{.seed = 1}};
  int alive = 0;
  auto& machine = world.add(
      "node-1", [&](runtime::Platform& platform) -> Result<std::unique_ptr<SimulatedProcess>> {
        const Stage stage{platform, [&](caf::actor_system& system, runtime::Platform&) {
                            system.spawn([token = Alive{alive}]() -> caf::behavior {
                              return {[token](go_atom) {}};
                            });
                          }};
        return failed_precondition("NOT_TODAY", "the test says so");
      });
  CHECK(world.start(machine).error().reason == "NOT_TODAY");
  CHECK_FALSE(machine.up());
  CHECK(alive == 0);
  CHECK(world.start(machine).error().reason == "NOT_TODAY");
}

}  // namespace
}  // namespace troupe::simulations
