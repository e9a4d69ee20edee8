#include "cluster/handler_watch.hpp"

#include <algorithm>
#include <utility>

namespace troupe::cluster {
namespace {

std::int64_t seconds_of(Duration time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

}  // namespace

std::vector<HandlerWatch::Running> HandlerWatch::running() const {
  std::vector<Running> all;
  const MonotonicTime now = platform_.clock().now();
  for (const auto services = hosted_.now(); const HostedService& service : *services) {
    const auto look_at = [&](const HostedShard& shard) {
      const auto since = shard.vitals->handler_since_ns.load(std::memory_order_acquire);
      if (since == 0) return;
      const Duration for_time = now - MonotonicTime{std::chrono::nanoseconds{since}};
      if (for_time <= usual_max) return;
      const std::uint32_t method = shard.vitals->handler.load(std::memory_order_relaxed);
      all.push_back(
          {shard.spec.name(), service.service->type->methods[method].name, since, for_time});
    };
    for (const HostedShard& shard : service.shards) look_at(shard);
    for (const HostedShard& shard : service.left) look_at(shard);
  }
  return all;
}

std::vector<std::string> HandlerWatch::problems() const {
  std::vector<std::string> all;
  for (const Running& one : running())
    all.push_back(one.shard + ": the handler of " + one.method + " has run for " +
                  std::to_string(seconds_of(one.for_time)) +
                  " s; the shard's other calls wait for it, and if it does not end, only ending "
                  "the process helps");
  return all;
}

void HandlerWatch::look() {
  std::map<std::string, Running> found;
  for (Running& one : running()) found.emplace(one.shard, std::move(one));
  const std::lock_guard guard{mutex_};
  for (const auto& [shard, one] : found) {
    const auto said = said_.find(shard);
    if (said != said_.end() && said->second.since_ns == one.since_ns) continue;
    platform_.log().warn(
        "shard.handler_runs_long",
        "a handler has run for long; the shard's other calls wait for it",
        {{"shard", shard}, {"method", one.method}, {"seconds", seconds_of(one.for_time)}});
  }
  for (const auto& [shard, one] : said_) {
    const auto still = found.find(shard);
    if (still != found.end() && still->second.since_ns == one.since_ns) continue;
    platform_.log().info("shard.handler_ended", "a handler that had run for long has ended",
                         {{"shard", shard}, {"method", one.method}});
  }
  said_ = std::move(found);
}

}  // namespace troupe::cluster
