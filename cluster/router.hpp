// Finds the shard of a key and hands calls to it. A function, not an actor: it runs on the caller's
// thread and costs no hop.
//
// A key's bucket is XXH3-64 of the key, seeded with XXH3-64 of the service's full name, modulo
// 4,096. A service's shards share the buckets in contiguous ranges: bucket b belongs to shard
// b * shards / 4096. Both are stable: they are what a shard file's rows are filed under.
//
// Threads: services are added before the first call; everything else may be called from any thread.
#pragma once

#include <atomic>
#include <caf/actor.hpp>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/client.hpp"
#include "runtime/platform/platform.hpp"
#include "runtime/storage/ids.hpp"

namespace troupe::cluster {

runtime::Bucket bucket_of(std::string_view service, std::string_view key);
std::uint32_t shard_of(runtime::Bucket bucket, std::uint32_t shards);

struct RouterOptions {
  std::size_t key_bytes_max = 512;
  std::int64_t in_flight_max = 50'000;  // calls of one shard that are not answered yet
};

class Router final : public actors::Client {
 public:
  Router(runtime::Platform& platform, RouterOptions options);

  // Calls of this service may come; until its shards have announced themselves they are
  // UNAVAILABLE.
  void add_service(const actors::ServiceType& service, std::uint32_t shards);

  // The actor that serves a shard now. Called at every (re)start of the shard.
  void announce(const actors::ServiceType& service, std::uint32_t shard, caf::actor actor);

  void send(actors::CallBase call, actors::CallOptions options, actors::ReplyTo reply_to) override;

  // Calls that were sent and are not answered yet, over all shards.
  std::int64_t in_flight() const;

  // What serves the shard, null if nothing does.
  caf::actor shard(const actors::ServiceType& service, std::uint32_t shard) const;

 private:
  struct ShardRoute {
    mutable std::mutex mutex;
    caf::actor actor;
    std::atomic<std::int64_t> in_flight{0};
  };
  struct ServiceRoute {
    std::uint64_t seed = 0;
    std::vector<std::unique_ptr<ShardRoute>> shards;
  };
  const ServiceRoute* find(const actors::ServiceType* service) const;

  runtime::Platform& platform_;
  const RouterOptions options_;
  std::unordered_map<const actors::ServiceType*, ServiceRoute> services_;  // looked up only
};

}  // namespace troupe::cluster
