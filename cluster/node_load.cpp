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
  std::map<std::string, std::int64_t> worked;  // since the last time
  std::int64_t all = 0;
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
    worked[told.service()] = std::max<std::int64_t>(0, busy - known.busy_ns);
    all += worked[told.service()];
    known.busy_ns = busy;
  }
  for (auto& told : *load.mutable_services()) {
    Service& known = services_[told.service()];
    if (all > 0)
      known.processor_ms +=
          used_ms * static_cast<double>(worked[told.service()]) / static_cast<double>(all);
    told.set_processor_ms(static_cast<std::uint64_t>(known.processor_ms));
  }
  return load;
}

}  // namespace troupe::cluster
