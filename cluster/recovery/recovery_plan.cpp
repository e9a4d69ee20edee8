#include "cluster/recovery/recovery_plan.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {
namespace {

// Above all that a replica can have reached by elections since it was heard of last.
constexpr std::uint64_t term_step = 1'000;

using Survivor = RecoveryPlan::Survivor;
using Place = std::pair<std::string, std::uint32_t>;  // service and shard

std::string name_of(const Place& place) {
  return place.first + "/" + std::to_string(place.second);
}

auto newness(const RecoveryGroup& group) {
  return std::tuple{group.last_term(), group.last_index()};
}

// By the replica that knows the latest configuration: it is in the newest log.
const RecoveryGroup* newest(const std::vector<Survivor>& replicas) {
  const RecoveryGroup* best = nullptr;
  for (const auto& [node, group] : replicas)
    if (group.voters_size() > 0 && (!best || newness(group) > newness(*best))) best = &group;
  return best;
}

Result<void> check(const std::vector<RecoveryView>& views, const std::vector<std::string>& lost) {
  for (const RecoveryView& view : views) {
    for (const std::string& node : lost)
      if (std::find(view.linked().begin(), view.linked().end(), node) != view.linked().end())
        return failed_precondition(
            "LOST_NODE_LIVES",
            "node " + node + " lives: node " + view.node() +
                " is linked with it. Nothing was changed. Stop it if it shall be "
                "given up, else leave it out of --lost");
    if (view.cluster_id() != views.front().cluster_id())
      return failed_precondition(
          "CLUSTERS_DIFFER", "nodes " + views.front().node() + " and " + view.node() +
                                 " belong to different clusters; the manifest or a data folder is "
                                 "another's: compare their node.txt");
    if (view.silent_size() > 0)
      return unavailable("SHARD_STARTING", view.silent(0) + " on node " + view.node() +
                                               " has not started and cannot tell what it has; "
                                               "'troupe tree' shows why. Try again");
  }
  return {};
}

}  // namespace

Result<RecoveryPlan> plan_recovery(const std::vector<RecoveryView>& views,
                                   const std::vector<std::string>& lost) {
  TROUPE_CHECK(check(views, lost));
  std::map<Place, std::vector<Survivor>> all;
  for (const RecoveryView& view : views)
    for (const RecoveryGroup& group : view.groups())
      all[{group.service(), group.shard()}].push_back({view.node(), group});
  RecoveryPlan plan;
  std::set<std::string> gone;  // shards of which no node that is left should have a replica
  for (const RecoveryView& view : views) gone.insert(view.placed().begin(), view.placed().end());
  for (const auto& [place, replicas] : all) gone.erase(name_of(place));
  plan.hopeless.assign(gone.begin(), gone.end());
  std::map<std::string, std::size_t> chosen;  // groups that go on from a node
  for (auto& [place, replicas] : all) {
    const bool led = std::ranges::any_of(
        replicas, [](const Survivor& one) { return one.group.role() == "leader"; });
    const RecoveryGroup* const best = newest(replicas);
    RecoveryPlan::Group group;
    std::tie(group.service, group.shard) = place;
    std::uint64_t term = 0;
    for (const Survivor& one : replicas) term = std::max(term, one.group.term());
    group.term = term + term_step;
    for (int i = 0; best && i < best->voters_size(); ++i) {
      const RecoveryVoter& voter = best->voters(i);
      group.voters.push_back(voter.node());
      for (const Survivor& one : replicas)
        if (one.node == voter.node() && one.group.replica() == voter.replica())
          group.survivors.push_back(one);
    }
    if (led || 2 * group.survivors.size() > group.voters.size()) {
      ++plan.healthy;
    } else if (group.survivors.empty()) {
      plan.hopeless.push_back(name_of(place));
    } else {
      // Equals take turns, so that not one node has to serve everything.
      std::ranges::stable_sort(group.survivors, [&](const Survivor& a, const Survivor& b) {
        // Planted: any survivor will do.
        if (newness(a.group) != newness(b.group) && !TROUPE_PLANTED(recovery_from_any_survivor))
          return newness(a.group) > newness(b.group);
        return chosen[a.node] < chosen[b.node];
      });
      ++chosen[group.survivors.front().node];
      plan.groups.push_back(std::move(group));
    }
  }
  return plan;
}

RecoveryRequest order_of(const RecoveryPlan& plan, const RecoveryView& view,
                         const std::vector<std::string>& lost) {
  RecoveryRequest request;
  request.set_cluster(view.cluster());
  request.set_cluster_id(view.cluster_id());
  request.set_node(view.node());
  for (const auto& node : lost) request.add_lost(node);
  for (const auto& group : plan.groups) {
    const auto& [node, replica] = group.survivors.front();
    if (node != view.node()) continue;
    RecoveryAct& act = *request.add_acts();
    act.set_service(group.service);
    act.set_shard(group.shard);
    act.set_replica(replica.replica());
    act.set_last_index(replica.last_index());
    act.set_last_term(replica.last_term());
    act.set_term(group.term);
  }
  return request;
}

}  // namespace troupe::cluster
