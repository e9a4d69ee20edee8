#include "cluster/hosted.hpp"

#include <xxhash.h>

#include <algorithm>

namespace troupe::cluster {
namespace {

actors::ShardOptions shard_options(const config::Service& settings, const config::Storage& storage,
                                   std::size_t shards_of_node) {
  actors::ShardOptions options;
  options.batch_bytes_max = settings.limits.batch_bytes;
  options.batch_commands_max = settings.limits.batch_commands;
  options.batches_in_flight_max = settings.limits.batches_in_flight;
  options.waiting_max = settings.limits.waiting_commands;
  options.resident_bytes_max = settings.limits.resident_bytes;
  options.passivate_after = settings.limits.passivate_after;
  options.history_page_max = settings.limits.history_page_events;
  options.reply_window = settings.reply_window;
  options.idempotency_window = settings.idempotency_window;
  options.stale_age_max = settings.stale_age_max;
  options.quarantine_failures = settings.quarantine.failures;
  options.quarantine_period = settings.quarantine.period;
  options.quarantine_first = settings.quarantine.backoff_first;
  options.quarantine_max = settings.quarantine.backoff_max;
  options.apply_rows_max = storage.apply_rows;
  options.apply_delay_max = storage.apply_after;
  options.checkpoint_wal_bytes = storage.checkpoint_wal_bytes;
  options.checkpoint_entries = storage.checkpoint_entries;
  // The node's budget is shared by its files; below this a file is only slow.
  constexpr std::uint64_t page_cache_min = 256u << 10;
  options.page_cache_bytes =
      std::max(page_cache_min, storage.page_cache_bytes / std::max<std::size_t>(1, shards_of_node));
  return options;
}

}  // namespace

runtime::GroupId group_of(const std::string& service, std::uint32_t shard) {
  const std::string name = service + "/" + std::to_string(shard);
  const runtime::GroupId group = XXH3_64bits(name.data(), name.size());
  return group == 0 ? 1 : group;
}

std::vector<HostedService> hosted_services(runtime::Platform& platform,
                                           const config::Manifest& manifest,
                                           const config::Node& node,
                                           const actors::ServiceRegistry& registry,
                                           const Places& places, const std::string& folder) {
  std::vector<HostedService> hosted;
  std::size_t shards = 0;
  for (const actors::Service& service : registry.all()) {
    if (!node.hosts(service.type->name)) continue;
    hosted.push_back({&service, manifest.service(service.type->name), {}});
    shards += hosted.back().settings.shards;
  }
  for (HostedService& one : hosted) {
    const std::vector<Replicas>& shards_of_it = places.at(one.service->type->name);
    for (std::uint32_t shard = 0; shard < one.settings.shards; ++shard) {
      const Replicas& replicas = shards_of_it[shard];
      if (std::ranges::find(replicas, node.name, &RaftVoter::node) == replicas.end()) continue;
      actors::ShardSpec spec;
      spec.service = one.service;
      spec.shard = shard;
      spec.group = group_of(one.service->type->name, shard);
      spec.folder = folder;
      spec.options = shard_options(one.settings, manifest.storage, shards);
      const std::string name = spec.name();
      one.shards.push_back({std::move(spec),
                            platform.workers().queue(name, runtime::Workers::Kind::pooled),
                            std::make_shared<actors::ShardVitals>()});
    }
  }
  return hosted;
}

}  // namespace troupe::cluster
