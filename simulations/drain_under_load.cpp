// One node of four or five is drained while clients work, and stopped in order when the drain says
// that nothing is left on it. Then it is removed and taken away, or comes back and is to have its
// share again; or the drain is taken back half way.
//
// In every other seed nothing else goes wrong, and then no request fails, from the order on until
// the node is gone: a node that stops refuses and closes connections, as a load balancer would see,
// and that is all.
#include <algorithm>
#include <memory>

#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/cluster_operations.hpp"
#include "simulations/models/ledger_clients.hpp"
#include "simulations/models/service_goes_on.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

struct Draining {
  NodeNames nodes;
  std::string victim;
  Duration begins{};
  Duration taken_back_after{};  // 0: it is not
  bool removed = false;         // else it comes back
  bool calm = false;

  NodeNames others() const {
    NodeNames names = nodes;
    std::erase(names, victim);
    return names;
  }
};

// What became of it.
struct Drained {
  Duration ordered = Duration::max();
  Duration stopping = Duration::max();
  Duration over = Duration::max();  // taken back, or the node has ended
};

Script drain_and_stop(Operator& at, Draining what, std::shared_ptr<Drained> drained) {
  co_await at.wait(what.begins);
  drained->ordered = at.now();
  if (what.taken_back_after > 0s) {
    const auto order = drain_order(what.victim);
    co_await order_anywhere(at, what.nodes, order);
    co_await at.wait(what.taken_back_after);
    const auto back = drain_order(what.victim, true);
    co_await order_anywhere(at, what.nodes, back);
    drained->over = at.now();
    while (at.running()) co_await at.wait(200ms);
    co_await come_to_rest(at, what.nodes, false, 120s);
    co_return;
  }
  co_await drain(at, what.nodes, what.victim);
  drained->stopping = at.now();
  co_await at.stop(what.victim);
  drained->over = at.now();
  const auto others = what.others();
  const auto order = what.removed ? remove_order(what.victim) : drain_order(what.victim, true);
  const auto done = co_await order_anywhere(at, others, order);
  if (!done)
    at.complain("drain", "what was drained cannot be " +
                             std::string{what.removed ? "removed: " : "taken back: "} +
                             done.error().describe());
  if (!what.removed) at.bring_back(what.victim, false);
  while (at.running()) co_await at.wait(200ms);
  const auto live = what.removed ? others : what.nodes;
  co_await come_to_rest(at, live, false, 120s);
}

SIMULATION(drain_under_load,
           "a node is drained, stopped and taken away, and clients notice nothing") {
  auto random = sim.random(1);
  const ClusterShape shape{.nodes = static_cast<unsigned>(random.between(4, 5)),
                           .replicas = 3,
                           .shards = static_cast<unsigned>(random.between(2, 6))};
  Draining what;
  what.nodes = node_names(shape);
  what.begins = random.between(11'000, 16'000) * 1ms;  // nobody balances before
  what.calm = random.between(0, 1) == 0;
  const auto end = random.between(0, 3);
  // Of four nodes three keep the directory, which stay; of five all do.
  what.removed = shape.nodes == 4 && end < 2;
  what.victim =
      what.removed ? what.nodes.back() : what.nodes[random.between(0, what.nodes.size() - 1)];
  if (end == 3) what.taken_back_after = random.between(100, 5'000) * 1ms;
  const auto drained = std::make_shared<Drained>();
  sim.faults(what.calm ? Faults::none() : Faults::everything());
  sim.duration(35s);
  sim.settles_within(150s);
  sim.manifest(cluster_manifest(shape, sim.random()) + limits_for_calm(what.calm));
  declare_ledger(sim, {.customers = 5, .doubters = 2, .collectors = 2});
  sim.operated([what, drained](Operator& at) { return drain_and_stop(at, what, drained); }, false);
  declare_unnoticed(sim, what.calm, "no request fails while a node is drained",
                    [what, drained](const Past&) {
                      return Unnoticed{drained->ordered, drained->over, drained->stopping,
                                       what.victim + " was drained"};
                    });
}

}  // namespace
}  // namespace troupe::simulations
