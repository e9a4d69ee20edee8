#include "cluster/node_splits.hpp"

#include "cluster/group_of.hpp"
#include "cluster/replication/raft_members.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {
namespace {

const std::string& service_of(const actors::ShardSpec& spec) {
  return spec.service->type->name;
}

std::vector<std::string> nodes_of(const wire::ShardSplit& split) {
  std::vector<std::string> nodes;
  for (const auto& founder : split.founders()) nodes.push_back(founder.node());
  return nodes;
}

}  // namespace

void place_split_off(const DirectoryTable& known, const std::string& service, std::uint32_t first,
                     Router& router, Places& places) {
  for (const DirectoryShard& told : known.shards()) {
    if (told.service() != service || told.shard() < first) continue;
    const std::vector<std::string> nodes{told.nodes().begin(), told.nodes().end()};
    router.place(service, told.shard(), nodes);
    places.set({service, told.shard(), nodes, told.version()});
  }
  if (const DirectoryService* told = find_service(known, service))
    router.range(service, {told->first_bucket().begin(), told->first_bucket().end()});
}

void NodeSplits::take(const DirectoryTable& newer) {
  for (const DirectoryService& service : newer.services()) {
    {
      const std::lock_guard guard{mutex_};
      shards_[service.service()] = static_cast<std::uint32_t>(service.first_bucket_size());
    }
    spec_.router->range(service.service(),
                        {service.first_bucket().begin(), service.first_bucket().end()});
  }
  for (const DirectoryShard& shard : newer.shards()) {
    const Key key{shard.service(), shard.shard()};
    {
      const std::lock_guard guard{mutex_};
      const bool had = orders_.erase(key) > 0;
      if (!had && !shard.has_split()) continue;
      const DirectorySplit& split = shard.split();
      if (shard.has_split())
        orders_[key] = {split.shard(), split.first_bucket(), split.at_bucket(), split.end_bucket()};
    }
    spec_.shards->tell(key.first, key.second, [](actors::Shard& one) { one.look_for_splits(); });
  }
}

std::optional<actors::SplitOrder> NodeSplits::ordered(const actors::ShardSpec& parent) {
  const std::lock_guard guard{mutex_};
  const auto found = orders_.find({service_of(parent), parent.shard});
  if (found == orders_.end()) return std::nullopt;
  // Never of a directory that knows all shards.
  if (spec_.log->record(group_of(service_of(parent), found->second.shard))) return std::nullopt;
  return found->second;
}

actors::ShardSpec NodeSplits::spec_of(const actors::ShardSpec& parent,
                                      const wire::ShardSplit& split) {
  actors::ShardSpec spec = parent;
  spec.shard = split.shard();
  spec.group = group_of(service_of(parent), split.shard());
  return spec;
}

bool NodeSplits::may_found(const actors::ShardSpec& parent, const wire::ShardSplit& split) {
  return spec_.shards->begin_founding(group_of(service_of(parent), split.shard()));
}

void NodeSplits::not_founded(const actors::ShardSpec& parent, const wire::ShardSplit& split) {
  spec_.shards->cancel_founding(group_of(service_of(parent), split.shard()));
}

// The record says that the log begins behind the split, in term 1, with these voters.
void NodeSplits::founded(const actors::ShardSpec& parent, const wire::ShardSplit& split,
                         std::weak_ptr<runtime::WorkQueue> queue) {
  const actors::ShardSpec fresh = spec_of(parent, split);
  if (!spec_.shards->store_founding(fresh.group)) return;
  std::vector<RaftMember> members;
  runtime::GroupRecord record;
  record.term = 1;
  for (const auto& founder : split.founders()) {
    members.push_back({founder.voter(), founder.node(), true});
    if (founder.node() == spec_.node) record.replica = founder.voter();
  }
  record.snapshot_index = record.configuration_index = split.index();
  record.snapshot_term = 1;
  const auto configuration = encode_members(members);
  record.configuration = *configuration;
  TROUPE_SOMETIMES("a node recorded what it has of a shard that was split off");
  spec_.log->append({.group = fresh.group,
                     .record = record,
                     .done = [queue = std::move(queue), shards = spec_.shards->weak_from_this(),
                              group = fresh.group](const Result<void>&) {
                       // Without the record it is as if nothing had been made: the shard tries
                       // again.
                       const auto jobs = queue.lock();
                       if (jobs)
                         jobs->post([shards, group] {
                           if (const auto all = shards.lock()) all->finish_founding(group);
                         });
                     }});
}

bool NodeSplits::know(const actors::ShardSpec& parent, const wire::ShardSplit& split) {
  const runtime::GroupId group = group_of(service_of(parent), split.shard());
  if (!spec_.log->record(group)) return false;
  const auto nodes = nodes_of(split);
  spec_.places->set({service_of(parent), split.shard(), nodes, 0});
  spec_.router->split(service_of(parent), split.shard(), split.first(), split.end(), nodes);
  spec_.shards->look(group);
  return spec_.shards->here(group);
}

bool NodeSplits::serves(const actors::ShardSpec& parent, const wire::ShardSplit& split) {
  const auto services = spec_.hosted->now();
  for (const HostedService& service : *services) {
    if (service.service != parent.service) continue;
    for (const HostedShard& shard : service.shards) {
      if (shard.spec.shard != split.shard()) continue;
      const auto vitals = shard.vitals->get();
      return vitals.split_token == split.token() && vitals.consensus.commit > split.index();
    }
  }
  return false;
}

bool NodeSplits::is_over(const actors::ShardSpec& parent, const wire::ShardSplit& split) {
  const std::lock_guard guard{mutex_};
  const auto known = shards_.find(service_of(parent));
  return known == shards_.end() || split.shard() < known->second;
}

void NodeSplits::over(const actors::ShardSpec& parent, const wire::ShardSplit& split) {
  spec_.over(service_of(parent), parent.shard, split);
}

}  // namespace troupe::cluster
