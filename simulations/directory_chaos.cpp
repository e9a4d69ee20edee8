// Whoever keeps the directory has no rest: one control node after the other is killed, stands
// still, stops in order or is cut off, so that leadership of group 0 moves again and again in the
// midst of what an operator orders all the time: drains, moves, a node that joins, other factors,
// other policies; in one seed of three also that other nodes keep the directory.
// Clients are served meanwhile, no shard loses its majority by what the directory does, and at the
// end table and truth agree.
#include <algorithm>
#include <map>

#include "cluster/directory/table.pb.h"
#include "simulations/models/cluster_manifest.hpp"
#include "simulations/models/cluster_operations.hpp"
#include "simulations/models/ledger_clients.hpp"
#include "simulations/models/service_goes_on.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using cluster::DirectoryOrder;

constexpr unsigned control = 3;

struct Chaos {
  NodeNames founders;
  std::string joiner;
  Duration joins{};
  unsigned shards = 0;
  bool others_keep_it = false;

  NodeNames all() const {
    NodeNames names = founders;
    names.push_back(joiner);
    return names;
  }
};

DirectoryOrder any_move(Operator& at, const Chaos& chaos) {
  DirectoryOrder order;
  auto& move = *order.mutable_move();
  move.set_service(moved_service);
  move.set_shard(static_cast<std::uint32_t>(at.between(0, chaos.shards - 1)));
  const auto nodes = chaos.all();
  const auto from = at.between(0, nodes.size() - 1);
  move.set_from(nodes[from]);
  move.set_to(nodes[(from + at.between(1, nodes.size() - 1)) % nodes.size()]);
  return order;
}

DirectoryOrder factor_order(std::uint32_t factor) {
  DirectoryOrder order;
  order.mutable_replicate()->set_service(moved_service);
  order.mutable_replicate()->set_factor(factor);
  return order;
}

// One comes, one goes, or one comes in the place of another; many of them cannot be.
DirectoryOrder any_control_change(Operator& at, const NodeNames& nodes) {
  DirectoryOrder order;
  const auto what = at.between(0, 3);
  const auto one = at.between(0, nodes.size() - 1);
  if (what != 0) order.mutable_control()->set_remove(nodes[one]);
  if (what != 1)
    order.mutable_control()->set_add(nodes[(one + at.between(1, nodes.size() - 1)) % nodes.size()]);
  return order;
}

Script order_all_the_time(Operator& at, Chaos chaos) {
  std::string drained;
  bool joined = false;
  const auto nodes = chaos.founders;
  while (at.running()) {
    co_await at.wait(at.between(200ms, 3s));
    if (!joined && at.now() >= chaos.joins) {
      co_await join(at, nodes, chaos.joiner);
      joined = true;
      continue;
    }
    DirectoryOrder order;
    const auto what = at.between(0, 12);
    if (what > 9) {
      order = any_policy(at);
    } else if (chaos.others_keep_it && at.one_in(3)) {
      const auto there = joined ? chaos.all() : nodes;
      order = any_control_change(at, there);
    } else if (what < 4) {
      order = any_move(at, chaos);
    } else if (what < 7) {
      const bool back = !drained.empty();
      const std::string node = back ? drained : nodes[at.between(0, nodes.size() - 1)];
      drained = back ? "" : node;
      order = drain_order(node, back);
    } else if (what == 7) {
      order = factor_order(at.one_in(2) ? 5 : 3);
    } else {
      order.mutable_cordon()->set_node(nodes[at.between(0, nodes.size() - 1)]);
      order.mutable_cordon()->set_cancel(what == 8);
    }
    co_await order_anywhere(at, nodes, order);
  }
  if (!joined) co_await join(at, nodes, chaos.joiner);
  const auto factor = factor_order(3);
  co_await order_anywhere(at, nodes, factor);
  for (const auto& node : nodes) {
    const auto back = drain_order(node, true);
    co_await order_anywhere(at, nodes, back);
    DirectoryOrder open;
    open.mutable_cordon()->set_node(node);
    open.mutable_cordon()->set_cancel(true);
    co_await order_anywhere(at, nodes, open);
  }
  const auto all = chaos.all();
  co_await come_to_rest(at, all, false, 150s);
}

// One at a time, so that there is a majority all the while, and again soon.
void attack_keepers(Rehearsal& sim, const Chaos& chaos, RandomStream random, Duration until) {
  using K = FaultKind;
  constexpr K kinds[] = {K::kill, K::power_cut, K::pause, K::stop, K::partition, K::partition};
  Duration at = 3s;
  for (;;) {
    const auto kind = kinds[random.between(0, std::size(kinds) - 1)];
    const std::string node = chaos.founders[random.between(0, control - 1)];
    const Duration lasts = random.between(400, 3'000) * 1ms;
    if (at + lasts > until) return;
    if (kind != K::partition) {
      sim.incident({.kind = kind, .at = at, .lasts = lasts, .node = node});
    } else {
      for (const auto& other : chaos.all())
        if (other != node)
          sim.incident({.kind = kind, .at = at, .lasts = lasts, .node = node, .peer = other});
    }
    at += lasts + random.between(300, 2'500) * 1ms;
  }
}

SIMULATION(directory_chaos,
           "the directory's leader changes in the midst of moves, drains and joins") {
  using K = FaultKind;
  auto random = sim.random(1);
  const ClusterShape shape{.nodes = 5,
                           .replicas = 3,
                           .shards = static_cast<unsigned>(random.between(2, 5)),
                           .repair_after = random.between(2'000, 20'000) * 1ms};
  Chaos chaos;
  chaos.founders = node_names(shape);
  chaos.joiner = chaos.founders.back();
  chaos.founders.pop_back();
  chaos.joins = random.between(1'000, 15'000) * 1ms;
  chaos.shards = shape.shards;
  chaos.others_keep_it = sim.random(3).between(0, 2) == 0;
  sim.latecomers({chaos.joiner});
  attack_keepers(sim, chaos, sim.random(2), 40s);
  sim.faults(Faults::everything().only({K::slow_disk, K::slow_link, K::reset_link, K::lossy_link,
                                        K::refused, K::clock_offset, K::clock_drift}));
  sim.duration(40s);
  sim.settles_within(180s);
  sim.manifest(cluster_manifest(shape, sim.random()) + "\n[gateway]\nrequest_timeout = \"2s\"\n");
  declare_ledger(sim, {.customers = 4, .doubters = 2, .collectors = 1});
  declare_service_goes_on(sim, 15s);
  sim.operated([chaos](Operator& at) { return order_all_the_time(at, chaos); }, false);
}

}  // namespace
}  // namespace troupe::simulations
