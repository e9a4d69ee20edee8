#include "cluster/hosted.hpp"

#include <algorithm>
#include <utility>

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

std::uint32_t number_of(const HostedShard& shard) {
  return shard.spec.shard;
}

}  // namespace

Hosted::Hosted(runtime::Platform& platform, const config::Manifest& manifest,
               const config::Node& node, const actors::ServiceRegistry& registry,
               std::string folder, const BucketRanges& ranges)
    : platform_(platform), storage_(manifest.storage), folder_(std::move(folder)) {
  Services services;
  for (const actors::Service& service : registry.all()) {
    if (!node.hosts(service.type->name)) continue;
    services.push_back({&service, manifest.service(service.type->name), {}});
    if (const auto given = ranges.find(service.type->name); given != ranges.end())
      services.back().settings.shards = static_cast<std::uint32_t>(given->second.size());
    shards_of_node_ += services.back().settings.shards;
  }
  services_ = std::make_shared<const Services>(std::move(services));
}

std::shared_ptr<const Hosted::Services> Hosted::now() const {
  const std::lock_guard guard{mutex_};
  return services_;
}

void Hosted::close() {
  auto last = std::make_shared<const Services>();
  const std::lock_guard guard{mutex_};
  services_.swap(last);
}

const HostedService* find_service(const std::vector<HostedService>& services,
                                  const std::string& name) {
  const auto found = std::ranges::find_if(
      services, [&](const HostedService& one) { return one.service->type->name == name; });
  return found == services.end() ? nullptr : &*found;
}

HostedService* Hosted::find(Services& services, const std::string& name) {
  return const_cast<HostedService*>(find_service(services, name));
}

actors::ShardSpec Hosted::spec_of(const HostedService& service, std::uint32_t shard) const {
  actors::ShardSpec spec;
  spec.service = service.service;
  spec.shard = shard;
  spec.group = group_of(service.service->type->name, shard);
  spec.folder = folder_;
  spec.options = shard_options(service.settings, storage_, shards_of_node_);
  return spec;
}

void Hosted::configure(const std::string& service, const config::Service& settings) {
  const std::lock_guard guard{mutex_};
  auto next = std::make_shared<Services>(*services_);
  HostedService* const one = find(*next, service);
  if (!one) return;
  const std::uint32_t first_shards = one->settings.shards;
  one->settings = settings;
  one->settings.shards = first_shards;
  services_ = std::move(next);
}

actors::ShardOptions Hosted::options_of(const std::string& service) const {
  const auto services = now();
  const HostedService* const one = find_service(*services, service);
  return one ? shard_options(one->settings, storage_, shards_of_node_) : actors::ShardOptions{};
}

std::optional<HostedShard> Hosted::add(const std::string& service, std::uint32_t shard,
                                       bool came_later) {
  const std::lock_guard guard{mutex_};
  auto next = std::make_shared<Services>(*services_);
  HostedService* const one = find(*next, service);
  if (!one) return std::nullopt;
  const auto place = std::ranges::lower_bound(one->shards, shard, {}, number_of);
  if (place != one->shards.end() && number_of(*place) == shard) return std::nullopt;
  HostedShard added;
  if (const auto back = std::ranges::find(one->left, shard, number_of); back != one->left.end()) {
    added = std::move(*back);
    one->left.erase(back);
  } else {
    added.spec = spec_of(*one, shard);
    added.queue = platform_.workers().queue(added.spec.name(), runtime::Workers::Kind::pooled);
    added.vitals = std::make_shared<actors::ShardVitals>();
  }
  added.came_later = came_later;
  added.vitals->set({});
  one->shards.insert(place, added);
  services_ = std::move(next);
  return added;
}

std::optional<HostedShard> Hosted::remove(const std::string& service, std::uint32_t shard) {
  const std::lock_guard guard{mutex_};
  auto next = std::make_shared<Services>(*services_);
  HostedService* const one = find(*next, service);
  if (!one) return std::nullopt;
  const auto place = std::ranges::find(one->shards, shard, number_of);
  if (place == one->shards.end()) return std::nullopt;
  HostedShard removed = std::move(*place);
  one->shards.erase(place);
  one->left.push_back(removed);
  services_ = std::move(next);
  return removed;
}

}  // namespace troupe::cluster
