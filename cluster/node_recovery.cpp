#include "cluster/node_recovery.hpp"

#include <algorithm>
#include <utility>

#include "actors/shard/shard_actor.hpp"
#include "cluster/gathered.hpp"
#include "cluster/replication/raft_exchange.hpp"

namespace troupe::cluster {
namespace {

void fill(RecoveryGroup& group, const actors::Shard& shard,
          const actors::Consensus::Status& status) {
  group.set_replica(status.replica);
  group.set_role(status.role);
  group.set_leader(status.leader);
  group.set_term(status.term);
  group.set_last_index(status.last);
  group.set_last_term(status.last_term);
  group.set_commit_index(status.commit);
  for (const auto& voter : shard.voters()) {
    RecoveryVoter& one = *group.add_voters();
    one.set_replica(voter.replica);
    one.set_node(voter.node);
  }
}

}  // namespace

NodeRecovery::NodeRecovery(NodeRecoverySpec spec)
    : spec_(std::move(spec)),
      recovered_(spec_.platform->metrics().counter(
          "troupe_groups_recovered_total",
          "Groups of which an operator's order made this node's replica the only voter.")) {}

void NodeRecovery::view(std::function<void(Result<RecoveryView>)> answer) const {
  const auto gathered = std::make_shared<Gathered<RecoveryView>>(std::move(answer));
  const std::lock_guard guard{gathered->mutex};
  gathered->message.set_cluster(spec_.cluster);
  gathered->message.set_cluster_id(spec_.cluster_id);
  gathered->message.set_node(spec_.node);
  for (const std::string& other : spec_.others())
    if (spec_.exchange->linked(other)) gathered->message.add_linked(other);
  for (const std::string& shard : spec_.placed()) gathered->message.add_placed(shard);
  for (const auto services = spec_.hosted->now(); const HostedService& service : *services)
    look_at(service, gathered);
  if (const HostedService* directory = spec_.directory()) look_at(*directory, gathered);
}

// With the mutex.
void NodeRecovery::look_at(const HostedService& service,
                           const std::shared_ptr<Gathered<RecoveryView>>& view) const {
  for (const HostedShard& shard : service.shards) {
    const auto actor = spec_.router->shard(*service.service->type, shard.spec.shard);
    // Of one that never answers its name is left.
    view->message.add_silent(shard.spec.name());
    if (!actor) continue;
    actors::send_job(actor, [view, name = shard.spec.name(), service = service.service->type->name,
                             number = shard.spec.shard](actors::Shard& asked) {
      const auto status = asked.group();
      // Nor one that is on its way to go on alone: it must not be passed over.
      if (status.role == "starting") return;
      const std::lock_guard inner{view->mutex};
      auto& silent = *view->message.mutable_silent();
      silent.erase(std::find(silent.begin(), silent.end(), name));
      RecoveryGroup& group = *view->message.add_groups();
      group.set_service(service);
      group.set_shard(number);
      fill(group, asked, status);
    });
  }
}

Result<void> NodeRecovery::check(const RecoveryRequest& request) const {
  if (request.cluster() != spec_.cluster || request.cluster_id() != spec_.cluster_id ||
      request.node() != spec_.node)
    return failed_precondition("RECOVERY_FOREIGN", "the order is for node " + request.node() +
                                                       " of cluster " + request.cluster() + " (" +
                                                       request.cluster_id() + "), this is " +
                                                       spec_.node + " of " + spec_.cluster + " (" +
                                                       spec_.cluster_id + ")");
  if (request.lost().empty())
    return failed_precondition("RECOVERY_FOREIGN", "the order says of no node that it is lost");
  for (const std::string& lost : request.lost())
    if (lost == spec_.node || spec_.exchange->linked(lost))
      return failed_precondition("LOST_NODE_LIVES",
                                 "node " + lost +
                                     " is said to be lost for good, and is linked "
                                     "with node " +
                                     spec_.node +
                                     ": nothing was changed. Stop it, or "
                                     "let it do its work");
  return {};
}

caf::actor NodeRecovery::find(const std::string& service, std::uint32_t shard) const {
  const auto services = spec_.hosted->now();
  if (const HostedService* one = find_service(*services, service))
    return spec_.router->shard(*one->service->type, shard);
  if (const HostedService* one = spec_.directory(); one && one->service->type->name == service)
    return spec_.router->shard(*one->service->type, shard);
  return {};
}

void NodeRecovery::recover(const RecoveryRequest& request,
                           std::function<void(Result<RecoveryReport>)> answer) {
  if (auto sound = check(request); !sound) {
    spec_.platform->log().error("recovery.refused", sound.error().describe(), {});
    return answer(sound.error());
  }
  std::string lost;
  for (const std::string& node : request.lost()) lost += (lost.empty() ? "" : ", ") + node;
  spec_.platform->log().error(
      "recovery.ordered",
      "an operator gives nodes up for good: groups that lost their majority go on from here",
      {{"lost", lost}, {"groups", request.acts_size()}});
  const auto gathered = std::make_shared<Gathered<RecoveryReport>>(std::move(answer));
  const std::lock_guard guard{gathered->mutex};
  for (const RecoveryAct& act : request.acts()) {
    const int place = gathered->message.results_size();
    RecoveryResult& result = *gathered->message.add_results();
    result.set_service(act.service());
    result.set_shard(act.shard());
    result.set_reason("SHARD_UNAVAILABLE");
    result.set_message("the shard does not run on this node");
    const caf::actor actor = find(act.service(), act.shard());
    if (!actor) continue;
    actors::RecoveryOrder order{act.replica(),
                                act.last_index(),
                                act.last_term(),
                                act.term(),
                                {request.lost().begin(), request.lost().end()}};
    actors::send_job(actor, [gathered, place, order = std::move(order),
                             &recovered = recovered_](actors::Shard& shard) {
      shard.recover(order, [gathered, place, &recovered](const Result<void>& done) {
        if (done) recovered.add();
        const std::lock_guard inner{gathered->mutex};
        RecoveryResult& told = *gathered->message.mutable_results(place);
        told.set_reason(done ? "" : done.error().reason);
        told.set_message(done ? "" : done.error().message);
      });
    });
  }
}

}  // namespace troupe::cluster
