// What a node hosts: the services that its binary has and its manifest wants here, with those of
// their shards that have a replica here. Services stay, shards come and go while the node runs
// (cluster/node_shards.hpp).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/shard/shard.hpp"
#include "cluster/group_of.hpp"
#include "cluster/restored.hpp"
#include "config/manifest.hpp"

namespace troupe::cluster {

struct HostedShard {
  actors::ShardSpec spec;
  std::shared_ptr<runtime::WorkQueue> queue;
  std::shared_ptr<actors::ShardVitals> vitals;
  bool came_later = false;  // when the node ran already
};

struct HostedService {
  const actors::Service* service = nullptr;
  config::Service settings;
  std::vector<HostedShard> shards;  // by number
  // Those that left. What they counted goes on counting, and they are taken up where they come
  // back: a queue runs its last jobs when its shard is gone.
  std::vector<HostedShard> left = {};
};

// Null: the node does not host it.
const HostedService* find_service(const std::vector<HostedService>& services,
                                  const std::string& name);

// Thread-safe.
class Hosted {
 public:
  using Services = std::vector<HostedService>;

  // Without shards, in the order of the registry. `folder` is where shard files lie; `ranges`: of
  // services that began with as many shards as are named there, whatever the manifest says.
  Hosted(runtime::Platform& platform, const config::Manifest& manifest, const config::Node& node,
         const actors::ServiceRegistry& registry, std::string folder,
         const BucketRanges& ranges = {});
  Hosted(const Hosted&) = delete;
  Hosted& operator=(const Hosted&) = delete;

  // As it is at the moment; never null. Who keeps it keeps an old state.
  std::shared_ptr<const Services> now() const;

  // Nullopt: the node does not host that service, or the shard is here already.
  std::optional<HostedShard> add(const std::string& service, std::uint32_t shard, bool came_later);
  // Nullopt: it was not here.
  std::optional<HostedShard> remove(const std::string& service, std::uint32_t shard);

  // What shards that begin from now on, or begin anew, go by. How many a service began with stays.
  void configure(const std::string& service, const config::Service& settings);
  // Of a shard's life that begins.
  actors::ShardOptions options_of(const std::string& service) const;

  // Nothing is hosted from now on. Jobs of the queues that never ran are dropped.
  void close();

  // Of a shard, here or not, of a service that the node hosts.
  actors::ShardSpec spec_of(const HostedService& service, std::uint32_t shard) const;

 private:
  static HostedService* find(Services& services, const std::string& name);

  runtime::Platform& platform_;
  const config::Storage storage_;
  const std::string folder_;
  std::size_t shards_of_node_ = 0;  // of all its services
  mutable std::mutex mutex_;
  std::shared_ptr<const Services> services_;  // guarded by mutex_
};

}  // namespace troupe::cluster
