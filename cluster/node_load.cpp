#include "cluster/node_load.hpp"

#include <algorithm>

namespace troupe::cluster {

NodeLoad NodeLoads::now() {
  const std::lock_guard guard{mutex_};
  const Duration used = platform_.processor_time();
  const double used_ms = std::chrono::duration<double, std::milli>(used - used_).count();
  used_ = used;
  NodeLoad load;
  load.set_processors(platform_.processors());
  load.set_processor_ms(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(used).count()));
  struct Worked {
    double busy = 0;
    double commands = 0;
  };
  std::map<std::string, Worked> worked;  // since the last time
  Worked all;
  const auto services = hosted_.now();
  for (const HostedService& service : *services) {
    auto& told = *load.add_services();
    told.set_service(service.service->type->name);
    std::int64_t busy = 0;
    const auto count = [&](const HostedShard& shard) {
      busy += shard.vitals->busy_ns.load(std::memory_order_relaxed);
      told.set_commands(told.commands() + shard.vitals->commands);
    };
    for (const HostedShard& shard : service.left) count(shard);
    for (const HostedShard& shard : service.shards) {
      count(shard);
      told.set_bytes(told.bytes() + shard.vitals->get().file_bytes);
    }
    Service& known = services_[told.service()];
    Worked& one = worked[told.service()];
    one.busy = static_cast<double>(std::max<std::int64_t>(0, busy - known.busy_ns));
    one.commands = static_cast<double>(told.commands() - std::min(known.commands, told.commands()));
    all.busy += one.busy;
    all.commands += one.commands;
    known.busy_ns = busy;
    known.commands = told.commands();
  }
  for (auto& told : *load.mutable_services()) {
    Service& known = services_[told.service()];
    const Worked& one = worked[told.service()];
    if (all.busy > 0)
      known.processor_ms += used_ms * one.busy / all.busy;
    else if (all.commands > 0)
      known.processor_ms += used_ms * one.commands / all.commands;
    told.set_processor_ms(static_cast<std::uint64_t>(known.processor_ms));
  }
  return load;
}

void NodeLoads::report(DirectoryCall& call) {
  *call.mutable_load() = now();
  for (const auto services = hosted_.now(); const HostedService& service : *services) {
    for (const HostedShard& shard : service.shards) {
      const auto vitals = shard.vitals->get();
      if (vitals.consensus.role != "leader") continue;
      ShardReport& one = *call.add_shards();
      one.set_service(service.service->type->name);
      one.set_shard(shard.spec.shard);
      for (const auto& member : vitals.consensus.members) {
        auto& added = *one.add_members();
        added.set_node(member.node);
        added.set_voter(member.voter);
      }
      one.set_configuration_index(vitals.consensus.members_index);
      one.set_term(vitals.consensus.term);
      one.set_commands(shard.vitals->commands);
      one.set_bytes(vitals.file_bytes);
    }
  }
}

}  // namespace troupe::cluster
