// Finds the shard of a key and hands calls to it, on this node or another. A function, not an
// actor: it runs on the caller's thread and costs no hop.
//
// A key's bucket is XXH3-64 of the key, seeded with XXH3-64 of the service's full name, modulo
// 4,096; that is stable: it is what a shard file's rows are filed under. A service's shards share
// the buckets in contiguous ranges: at first bucket b belongs to shard b * shards / 4096, unless
// the service began with other ranges (cluster/restored.hpp). A shard that is split gives the upper
// part of its range to a new one. A new shard has a higher number than all before, so that of two
// things that are said of a bucket the higher number is the newer: what a node learns from the
// directory and from the shards that it hosts may come in any order.
//
// The router makes attempts: it asks the replica that it believes to lead, follows hints, and tries
// again under the same message id while the caller has time (cluster/routed_call.hpp). Replicas
// move meanwhile: where they are to be is looked up for each attempt, and a node that has none any
// more says who might.
//
// A read that may be stale goes to the replica on this node, or to any (cluster/stale_call.hpp).
//
// Threads: services are added and use() and reach() called before the first call; everything else
// may be called from any thread.
#pragma once

#include <array>
#include <atomic>
#include <caf/actor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/client.hpp"
#include "actors/shard/consensus.hpp"
#include "runtime/platform/platform.hpp"
#include "runtime/storage/ids.hpp"

namespace troupe::cluster {

runtime::Bucket bucket_of(std::string_view service, std::string_view key);
std::uint32_t shard_of(runtime::Bucket bucket, std::uint32_t shards);
// The first bucket of a shard, and the number of buckets behind the last one.
std::uint32_t first_bucket_of(std::uint32_t shard, std::uint32_t shards);

struct RouterOptions {
  std::string node = {};  // our name
  std::size_t key_bytes_max = 512;
  std::int64_t in_flight_max = 50'000;  // calls of one shard that are not answered yet
  // Between two attempts when nobody is known to lead: an election takes about two of the longest.
  Duration pause_first = std::chrono::milliseconds{10};
  Duration pause_longest = std::chrono::milliseconds{100};
  // A shard that had no leader for so long is without a majority: its calls are answered at once.
  Duration leaderless_max = std::chrono::seconds{3};
};

// Calls another node; `answer` comes once, from any thread, at the deadline at the latest.
using ReachNode =
    std::function<void(const std::string& node, std::string bytes, MonotonicTime deadline,
                       std::function<void(Result<std::string>)> answer)>;

class Router final : public actors::Client {
 public:
  Router(runtime::Platform& platform, RouterOptions options);

  // Calls of this service may come. `replicas[s]`: the nodes that hold shard s, the preferred
  // leader first. Until those of this node have announced themselves they are UNAVAILABLE.
  // `first_buckets`: with which one each shard begins; empty: they have equal parts.
  void add_service(const actors::ServiceType& service,
                   std::vector<std::vector<std::string>> replicas,
                   const std::vector<std::uint32_t>& first_buckets = {});
  // Shard s of the service begins with bucket `first_buckets[s]`; any thread. Nothing happens if it
  // is not known.
  void range(const std::string& service, const std::vector<std::uint32_t>& first_buckets);
  // Shard `shard` has these buckets, on these nodes unless others are known.
  void split(const std::string& service, std::uint32_t shard, std::uint32_t first,
             std::uint32_t end, std::vector<std::string> nodes);
  // The replicas of a shard are to be there from now on. Nothing happens if it is not known.
  void place(const std::string& service, std::uint32_t shard, std::vector<std::string> nodes);
  void reach(ReachNode reach) { reach_ = std::move(reach); }
  // Runs attempts that wait. Without one there is no second attempt.
  void use(std::shared_ptr<actors::Executor> executor);

  // The actor that serves a shard here now, and how it knows who leads. Called at every (re)start
  // of the shard, and with null when it has left this node.
  void announce(const actors::ServiceType& service, std::uint32_t shard, caf::actor actor,
                std::function<std::string()> leader = {});

  void send(actors::CallBase call, actors::CallOptions options, actors::ReplyTo reply_to) override;
  void together(const std::function<void()>& sends) override;

  // To the replica on this node and no other, which answers or says that it does not lead: once,
  // without a second attempt.
  void send_here(actors::CallBase call, actors::CallOptions options, actors::ReplyTo reply_to);

  // A call that another node's router sent here. The shard's replica on this node answers it or
  // says who leads; it is not passed on.
  void serve(std::string_view bytes, MonotonicTime deadline,
             std::function<void(std::string)> answer);

  // Calls that were sent and are not answered yet, over all shards.
  std::int64_t in_flight() const;

  // The first bucket of each shard that has any, and the one behind its last, by its number: as far
  // as this node knows.
  std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> buckets(
      const actors::ServiceType& service) const;

  // What serves the shard here, null if nothing does.
  caf::actor shard(const actors::ServiceType& service, std::uint32_t shard) const;

 private:
  friend class OutgoingCall;
  friend class RoutedCall;
  friend class StaleCall;

  using Nodes = std::shared_ptr<const std::vector<std::string>>;  // at least one
  struct ShardRoute {
    std::uint32_t shard = 0;
    runtime::Counter* late = nullptr;
    std::atomic<std::int64_t> in_flight{0};

    mutable std::mutex mutex;  // guards what follows
    Nodes nodes;       // where its replicas are to be; null: not known, and no bucket is its
    caf::actor actor;  // of the replica on this node
    std::function<std::string()> leader_as_told;
    std::string leader;              // as calls have found; empty: not known
    std::string told;                // who led as the replica here knew when it was found
    MonotonicTime leaderless_since;  // MonotonicTime::max(): it is not
  };
  struct ServiceRoute {
    std::uint64_t seed = 0;
    std::string name;
    runtime::Counter* late = nullptr;
    std::array<std::atomic<ShardRoute*>, runtime::bucket_count>
        owners{};  // by bucket; none is null

    mutable std::mutex mutex;                         // guards what follows
    std::vector<std::unique_ptr<ShardRoute>> shards;  // they stay as long as the router

    ShardRoute& owner(runtime::Bucket bucket) const {
      return *owners[bucket].load(std::memory_order_acquire);
    }
    ShardRoute* shard(std::uint32_t number) const;  // null: not known
  };
  // A route for it, new if need be; nodes are those that are given, or stay.
  static ShardRoute& route_for(ServiceRoute& service, std::uint32_t shard, const Nodes& nodes);
  static void own(ServiceRoute& service, ShardRoute& route, std::uint32_t first, std::uint32_t end);
  const ServiceRoute* find(const actors::ServiceType* service) const;
  struct Delivery {
    bool counted = false;  // among the calls in flight
    bool stale = false;
  };
  std::string not_here(const ShardRoute& route) const;
  // Hands a call to the replica on this node.
  void deliver(ShardRoute& route, actors::CallBase call, actors::CallOptions options,
               runtime::Bucket bucket, MonotonicTime deadline, Delivery delivery,
               actors::ReplyTo reply_to);
  // The answer to one more call, if there are as many as may be.
  std::optional<Error> overloaded(const ShardRoute& route) const;
  // The answer to a call whose time is over, which it counts.
  static Error late(ShardRoute& route);
  static std::string told_leader(const ShardRoute& route);
  static Nodes nodes_of(const ShardRoute& route);

  runtime::Platform& platform_;
  const RouterOptions options_;
  std::unordered_map<const actors::ServiceType*, ServiceRoute> services_;  // looked up only
  std::unordered_map<std::string, const actors::ServiceType*> names_;      // looked up only
  ReachNode reach_;
  mutable std::mutex mutex_;
  std::shared_ptr<actors::Executor> executor_;  // guarded by mutex_
};

}  // namespace troupe::cluster
